"""Status in words: only what is about the newest generation is believed."""

from datetime import UTC, datetime, timedelta

import pytest

from controlplane.engines.engine import Condition
from controlplane.engines.knative import names, render, status
from tests.unit.engines.knative.desired import ID, INSTALL, endpoint


def service(ready="True", *, observed=3, generation=3, **condition):
    wanted = endpoint(generation=5)
    document = render.service(wanted, render.revisions(wanted, INSTALL), frozenset(), (), INSTALL)
    document["metadata"]["generation"] = generation
    at = "2026-11-23T20:00:00Z"
    document["status"] = {
        "observedGeneration": observed,
        "url": "http://iris.acme.example.test",
        "conditions": [{"type": "Ready", "status": ready, "lastTransitionTime": at, **condition}],
    }
    return document


def revision_of(document, **fields):
    name = document["spec"]["traffic"][0]["revisionName"]
    labels = {names.ENDPOINT: ID}
    return {"metadata": {"name": name, "labels": labels, "generation": 1}, "status": fields}


def test_a_status_about_an_older_generation_says_nothing():
    seen = status.observed(service("True", observed=2), [])
    assert seen.condition("Ready").status is Condition.UNKNOWN
    assert seen.observed_generation == 5


def test_replicas_are_those_of_the_routed_revisions():
    document = service()
    routed = revision_of(document, actualReplicas=2, desiredReplicas=3)
    other = revision_of(document, actualReplicas=9)
    other["metadata"]["name"] = "iris-00000-old"
    seen = status.observed(document, [routed, other])
    assert (seen.replicas, seen.desired_replicas) == (2, 3)
    assert seen.condition("Ready").reason == "Serving"
    assert seen.url == "http://iris.acme.example.test"


def test_zero_is_ready_and_not_active():
    document = service()
    idle = {"type": "Active", "status": "False", "reason": "NoTraffic", "message": "idle"}
    seen = status.observed(document, [revision_of(document, conditions=[idle])])
    assert seen.condition("Ready").reason == "AtZero"
    assert seen.condition("Active").status is Condition.FALSE
    assert seen.condition("Active").reason == "NoTraffic"


def test_the_revision_says_more_than_the_service():
    document = service("False", reason="RevisionMissing", message="Revision iris failed")
    unhealthy = {"type": "ContainerHealthy", "status": "False", "reason": "ExitCode65",
                 "message": "Container failed with: cannot serve"}  # fmt: skip
    seen = status.observed(document, [revision_of(document, conditions=[unhealthy])])
    assert seen.condition("Ready").status is Condition.FALSE
    assert seen.condition("Ready").reason == "ExitCode65"
    assert "cannot serve" in seen.condition("Ready").message


@pytest.mark.parametrize("text", ["referenced in traffic not found.", "failed to become ready."])
def test_what_only_the_route_says_of_a_revision_is_no_failure(text):
    text = f'Revision "iris-00001-12345678" {text}'
    document = service("False", reason="RevisionMissing", message=text)
    for revisions in ([], [revision_of(document)]):
        ready = status.observed(document, revisions).condition("Ready")
        assert (ready.status, ready.message) == (Condition.UNKNOWN, text)


def test_an_annotation_of_somebody_elses_is_generation_zero():
    document = service()
    document["metadata"]["annotations"] = {names.GENERATION: "many"}
    assert status.generation(document) == 0


NOW = datetime(2026, 11, 23, 20, 10, tzinfo=UTC)


def started(*, resources=("False", "ProgressDeadlineExceeded"), active="False", healthy="Unknown"):
    """Give a Revision as Knative leaves it whose first replica was not ready in time."""
    at = "2026-11-23T20:09:00Z"
    conditions = [
        {"type": "ResourcesAvailable", "status": resources[0], "reason": resources[1]},
        {"type": "Active", "status": active, "reason": "NoTraffic"},
        {"type": "ContainerHealthy", "status": healthy, "reason": "Deploying"},
    ]
    found = revision_of(
        service(), conditions=[{**one, "lastTransitionTime": at} for one in conditions]
    )
    found["status"]["observedGeneration"] = 1
    return found


def test_a_revision_is_given_up_when_knative_no_longer_tries():
    assert status.gave_up(started(), NOW)
    assert not status.gave_up(started(), NOW - timedelta(seconds=50))  # somebody may want to look


@pytest.mark.parametrize(
    "found",
    [
        started(active="Unknown"),
        started(active="True"),
        started(resources=("True", "")),
        started(resources=("Unknown", "Deploying")),
        started(healthy="False"),
    ],
)
def test_a_revision_that_is_tried_or_at_fault_is_not_given_up(found):
    assert not status.gave_up(found, NOW)


def test_a_status_about_an_older_revision_gives_nothing_up():
    found = started()
    found["metadata"]["generation"] = 2
    assert not status.gave_up(found, NOW)
