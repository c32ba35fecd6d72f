"""The same tests on every engine: each test that takes `platform` runs once for each."""

import json
from collections.abc import Iterator

import pytest

from loadtests.benchmarks.installation import installation
from tests.conformance.platform import Platform


@pytest.fixture(scope="session")
def embedded() -> Iterator[Platform]:
    with installation(20) as (client, home):
        kept = json.loads((home / "credentials.json").read_text())
        yield Platform("embedded", client, kept["client_id"], kept["client_secret"])


@pytest.fixture(scope="session", params=["embedded"])
def platform(request: pytest.FixtureRequest) -> Platform:
    found: Platform = request.getfixturevalue(request.param)
    return found
