"""Canaries for all tests of a module."""

from collections.abc import Iterator

import pytest

from tests.hostile.canaries import Canaries, planted


@pytest.fixture(scope="module")
def canaries() -> Iterator[Canaries]:
    with planted() as canaries:
        yield canaries
