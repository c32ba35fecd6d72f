"""Whatever is sent, as whoever: no failure of ours, and answers as the reference says.

`KUBESERVE_SCHEMATHESIS_CASES` is the number of requests, over all operations and principals.
"""

import json
import math
import os
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import joblib
import pytest
from sklearn.datasets import load_iris
from sklearn.linear_model import LogisticRegression

from controlplane.client import Client
from loadtests.benchmarks.installation import installation
from tests.fuzz.drawn import Findings, Operation, explore, operations
from tests.fuzz.principals import PRINCIPALS, Platform

CASES = int(os.environ.get("KUBESERVE_SCHEMATHESIS_CASES", "400"))


@pytest.fixture(scope="module")
def running() -> Iterator[tuple[Client, Path]]:
    with installation(api_token_s="86400") as found:
        joblib.dump(LogisticRegression(max_iter=500).fit(*load_iris(return_X_y=True)), model(found))
        yield found


def model(running: tuple[Client, Path]) -> Path:
    return running[1] / "iris.joblib"


@pytest.fixture(scope="module")
def platform(running: tuple[Client, Path]) -> Iterator[Platform]:
    kept = json.loads((running[1] / "credentials.json").read_text())
    with closing(Platform(kept["url"], kept["client_id"], kept["client_secret"])) as found:
        yield found


@pytest.fixture(scope="module")
def found(platform: Platform) -> list[Operation]:
    return operations(platform.url)


@pytest.mark.parametrize("principal", PRINCIPALS)
def test_no_request_is_our_failure_and_every_answer_is_as_declared(
    principal: str,
    platform: Platform,
    running: tuple[Client, Path],
    found: list[Operation],
) -> None:
    client, _ = running
    version = client.push(model(running), "iris")
    client.deploy("iris", version=version.number)
    headers = PRINCIPALS[principal](platform)
    findings = Findings()
    each = math.ceil(CASES / len(PRINCIPALS) / len(found))
    for operation in found:
        explore(operation, principal, headers, each, findings)
    print(
        f"{principal}: {findings.cases} requests, answers {dict(sorted(findings.statuses.items()))}"
    )
    assert findings.cases >= 0.8 * CASES / len(PRINCIPALS)
    told = [f"{label}: {title}\n{text}" for (label, title), text in findings.faults.items()]
    assert not told, "\n\n".join(told)
