"""Whatever is sent, as whoever: no failure of ours, and answers as the reference says.

`TEST_SCHEMATHESIS_CASES` is the number of requests as each principal, over all operations.
They are drawn once and sent as everybody, since drawing costs more than an answer.
"""

import json
import math
import os
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import joblib
import pytest
import requests
from schemathesis import Case
from sklearn.datasets import load_iris
from sklearn.linear_model import LogisticRegression

from controlplane.client import Client
from loadtests.benchmarks.installation import installation
from tests.fuzz.drawn import Findings, drawn, operations, send
from tests.fuzz.principals import PRINCIPALS, Platform

CASES = int(os.environ.get("TEST_SCHEMATHESIS_CASES", "90"))


@pytest.fixture(scope="module")
def running() -> Iterator[tuple[Client, Path]]:
    # No request is to be turned away for coming too soon after others.
    unbounded = {"tenant_requests_per_s": "10000", "oauth_rate": "10000"}
    with installation(api_token_s="86400", **unbounded) as found:
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
def cases(platform: Platform) -> list[Case]:
    found = operations(platform.url)
    # More than the average: what takes nothing is drawn once.
    each = math.ceil(1.7 * CASES / len(found))
    made = [case for one in found for case in drawn(one, each)]
    assert len(made) >= CASES
    return made


@pytest.mark.parametrize("principal", PRINCIPALS)
def test_no_request_is_our_failure_and_every_answer_is_as_declared(
    principal: str, platform: Platform, running: tuple[Client, Path], cases: list[Case]
) -> None:
    client, _ = running
    version = client.push(model(running), "iris")
    client.deploy("iris", version=version.number)
    headers = PRINCIPALS[principal](platform)
    findings = Findings()
    with requests.Session() as session:
        session.trust_env = False
        for case in cases:
            send(case, principal, headers, session, findings)
    told = [f"{label}: {title}\n{text}" for (label, title), text in findings.faults.items()]
    answers = dict(sorted(findings.statuses.items()))
    print(f"{principal}: {findings.cases} requests, answers {answers}", *told, sep="\n")
    assert not told, "\n\n".join(told)
