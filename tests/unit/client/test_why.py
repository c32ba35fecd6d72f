"""`why` in the SDK and on the command line, against a server that answers with a cause."""

import json
import os
import subprocess
import sys

import pytest

from controlplane.client import BadAnswer, DeployFailed, NotFound, TimedOut, serving

PATH = "/v1/endpoints/iris/why"
FAULT = {
    "endpoint": "iris",
    "reason": "CrashLoop",
    "ok": False,
    "message": "The replica ended with exit code 1.",
    "evidence": ["Pod iris-1, container runtime: exit code 1", "log of iris-1: KeyError: '[red]'"],
    "next_step": "Read `kubeserve logs iris`.",
}
WELL = {**FAULT, "reason": "Idle", "ok": True, "message": "Nobody asks.", "next_step": ""}


def test_a_cause_is_read(api, client):
    api.misbehave(PATH, (200, FAULT))
    found = client.why("iris")
    assert (found.endpoint, found.reason, found.ok) == ("iris", "CrashLoop", False)
    assert found.evidence == tuple(FAULT["evidence"])
    assert found.next_step == FAULT["next_step"]
    assert found.raw == FAULT


def test_an_endpoint_that_is_not_there_and_an_answer_that_is_none(api, client):
    api.misbehave(PATH, (404, {"type": "/problems/not-found", "detail": "There is no endpoint."}))
    with pytest.raises(NotFound, match="no endpoint"):
        client.why("iris")
    api.misbehave(PATH, (200, {"endpoint": "iris"}))
    with pytest.raises(BadAnswer, match="reason"):
        client.why("iris")


def kubeserve(api, home, *arguments):
    given = {"URL": api.url, "CLIENT_ID": "c-1", "CLIENT_SECRET": "s:cret /", "HOME": str(home)}
    env = {**os.environ, **{f"KUBESERVE_{name}": value for name, value in given.items()}}
    command = [sys.executable, "-m", "controlplane.cli.main", *arguments]
    return subprocess.run(command, env=env, text=True, capture_output=True, check=False)


@pytest.mark.parametrize(("cause", "code"), [(FAULT, 1), (WELL, 0)])
def test_the_command_prints_a_cause_as_it_is_and_ends_with_what_it_means(
    api, tmp_path, cause, code
):
    api.misbehave(PATH, (200, cause), (200, cause))
    shown = kubeserve(api, tmp_path, "why", "iris")
    assert shown.returncode == code, shown.stderr
    lines = shown.stdout.splitlines()
    assert lines[0] == f"{cause['reason']} {cause['message']}"
    assert lines[1:3] == [f"  {fact}" for fact in cause["evidence"]]
    assert lines[3:] == ([f"Next: {cause['next_step']}"] if cause["next_step"] else [])
    as_json = kubeserve(api, tmp_path, "--json", "why", "iris")
    assert (as_json.returncode, json.loads(as_json.stdout)) == (code, cause)


def test_the_list_names_the_command_where_something_is_wrong(api, tmp_path):
    failed = {"status": "False", "reason": "CrashLoop", "message": "a long story", "since": None}
    page = {"items": [api.endpoint("iris", ready=failed)], "next": None}
    api.misbehave("/v1/endpoints", (200, page))
    shown = kubeserve(api, tmp_path, "endpoints")
    assert "CrashLoop; see: kubeserve why iris" in shown.stdout


def test_a_deployment_that_no_waiting_mends_is_given_up_with_its_cause(api, client, monkeypatch):
    monkeypatch.setattr(serving, "PATIENCE_S", 0.0)
    starting = {"status": "Unknown", "reason": "Deploying", "message": "Starting."}
    document = api.endpoint("iris", generation=2, observed_generation=2, ready=starting)
    api.misbehave("/v1/endpoints/iris", *[(200, document)] * 3)
    api.misbehave(PATH, (200, {**FAULT, "reason": "Starting", "ok": True}), (200, FAULT))
    with pytest.raises(DeployFailed, match="ended with exit code 1"):
        client.wait_for_endpoint("iris")


def test_room_that_is_missing_is_waited_for(api, client):
    full = {"status": "False", "reason": "Unschedulable", "message": "Insufficient cpu."}
    document = api.endpoint("iris", generation=2, observed_generation=2, ready=full)
    there = api.endpoint("iris", generation=2, observed_generation=2)
    api.misbehave("/v1/endpoints/iris", (200, document), (200, document), (200, there))
    assert client.wait_for_endpoint("iris").is_ready


def test_a_deployment_that_takes_too_long_is_told_with_its_cause(api, client):
    starting = {"status": "Unknown", "reason": "Deploying", "message": "Starting."}
    document = api.endpoint("iris", generation=2, observed_generation=2, ready=starting)
    api.misbehave("/v1/endpoints/iris", (200, document))
    api.misbehave(PATH, (200, {**FAULT, "reason": "Unschedulable", "message": "No room."}))
    with pytest.raises(TimedOut, match=r"not ready after 0 s: No room\."):
        client.wait_for_endpoint("iris", wait_s=0.0)
