"""Causes of documents that a real cluster showed (tests/cluster/test_why.py), and of variants."""

import copy
import json
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from controlplane.engines.engine import BackendKind, DesiredEndpoint, DesiredRevision, Scaling
from controlplane.engines.knative.causes import cause
from controlplane.engines.knative.facts import Evidence

RECORDED = sorted(Path(__file__).with_name("recorded").glob("*.json"))
NO_FAULT = {"Starting", "Serving", "Idle"}


def load(path: Path) -> tuple[str, str, Evidence]:
    """Read a recording: its cause's reason and message, and everything that was known."""
    document = json.loads(path.read_text())
    found = document["evidence"]
    wanted = found.pop("desired")
    revisions = tuple(
        DesiredRevision(**{**one, "backend": BackendKind(one["backend"])})
        for one in wanted.pop("revisions")
    )
    desired = DesiredEndpoint(
        **{**wanted, "scaling": Scaling(**wanted["scaling"]), "revisions": revisions}
    )
    now = datetime.fromisoformat(found.pop("now"))
    evidence = Evidence(**{**found, "missing": tuple(found["missing"])}, desired=desired, now=now)
    return document["reason"], document["message"], evidence


def recorded(name: str) -> Evidence:
    """Give a recording to be changed."""
    (path,) = [one for one in RECORDED if one.name.startswith(name)]
    return load(path)[2]


@pytest.mark.parametrize("path", RECORDED, ids=lambda path: path.stem)
def test_what_was_recorded_is_named_as_it_was(path: Path) -> None:
    reason, message, evidence = load(path)
    found = cause(evidence)
    assert (found.reason, found.message) == (reason, message)
    assert found.ok is (reason in NO_FAULT)
    assert found.evidence or reason == "Starting"
    assert found.ok or found.next_step
    assert "hunter2" not in str(found)


def conditions(document: dict[str, Any], **changes: tuple[str, str, str]) -> dict[str, Any]:
    """Set conditions of a copy: NAME=(status, reason, message)."""
    changed = copy.deepcopy(document)
    kept = [c for c in changed["status"]["conditions"] if c["type"] not in changes]
    at = "2026-01-01T00:00:00Z"
    changed["status"]["conditions"] = kept + [
        {"type": kind, "status": s, "reason": r, "message": m, "lastTransitionTime": at}
        for kind, (s, r, m) in changes.items()
    ]
    return changed


def afterwards(reason: str, message: str, which: str = "ResourcesAvailable") -> Evidence:
    """Give what is left once Knative took the failed pods away."""
    base = recorded("Idle-well")
    failed = {which: ("False", reason, message), "Ready": ("False", reason, message)}
    return replace(base, revisions=[conditions(base.revisions[0], **failed)])


QUOTA = (
    'pods "iris-1" is forbidden: exceeded quota: kubeserve, requested: pods=1,requests.cpu=125m, '
    "used: pods=3,requests.cpu=2, limited: pods=3,requests.cpu=2"
)
ENVIRONMENT = (
    "Container failed with: the environment of scikit-learn 1.3.2 (http://s3/b/tenants/a/0f)"
)
PACKAGES = (
    "Container failed with: the environment of the model's packages (https://s3/b/tenants/a/0f)"
)
AFTERWARDS = [
    *(
        ("ContainerHealthy", f"ExitCode{code}", f"{what}{says}", expected)
        for what in (ENVIRONMENT, PACKAGES)
        for code, says, expected in (
            (66, " is not there (404): it was deleted; it is made again", "EnvironmentMissing"),
            (65, " has the digest 00: the object was changed", "EnvironmentDamaged"),
            (65, ": it is damaged: bad CRC-32", "EnvironmentDamaged"),
            (66, " is refused (403, AccessDenied): the credentials", "CredentialsExpired"),
            (66, ": TimeoutError; tried for 100 s: is the object store up?", "StoreUnreachable"),
        )
    ),
    ("ContainerHealthy", "ExitCode65", "Container failed with: sha256 is not ab", "DigestMismatch"),
    ("ContainerHealthy", "ExitCode65", "Container failed with: bad magic", "BadPlan"),
    ("ContainerHealthy", "ExitCode1", "Container failed with: KeyError: 3", "CrashLoop"),
    ("ContainerHealthy", "ExitCode139", "Container failed with: ", "CrashLoop"),
    ("ContainerHealthy", "ContainerMissing", "Unable to fetch image: 401", "ImageMissing"),
    ("ResourcesAvailable", "ImagePullBackOff", "Back-off pulling image", "ImageMissing"),
    ("ResourcesAvailable", "FailedCreate", QUOTA, "QuotaExceeded"),
    ("ResourcesAvailable", "FailedCreate", 'violates PodSecurity "restricted:latest": x',
     "PodSecurityDenied"),
    ("ResourcesAvailable", "FailedCreate", 'admission webhook "a.b" denied the request: no',
     "WebhookDenied"),
    ("ResourcesAvailable", "Unschedulable", "0/3 nodes are available: 3 Insufficient cpu.",
     "Unschedulable"),
    ("ResourcesAvailable", "CreateContainerError", "no such user", "ConfigurationError"),
    ("ResourcesAvailable", "ProgressDeadlineExceeded", "Initial scale was never achieved",
     "ReadinessTimeout"),
    ("ResourcesAvailable", "Haunted", "something new", "Haunted"),
]  # fmt: skip


@pytest.mark.parametrize(("which", "reason", "message", "expected"), AFTERWARDS)
def test_what_knative_kept_is_enough_once_the_pods_are_gone(
    which: str, reason: str, message: str, expected: str
) -> None:
    found = cause(afterwards(reason, message, which))
    assert (found.reason, found.ok) == (expected, False)
    assert reason in found.evidence[-1]


def test_a_revision_without_room_is_not_refused() -> None:
    said = 'Revision "iris-00001" failed with message: 0/1 nodes are available: 1 Too many pods.'
    base = recorded("Idle-well")
    failed = ("False", "RevisionFailed", said)
    assert base.service is not None
    service = conditions(base.service, ConfigurationsReady=failed, Ready=failed)
    found = cause(replace(base, service=service))
    assert (found.reason, found.ok) == ("Unschedulable", False)


def test_what_a_node_tries_again_by_itself_is_no_fault() -> None:
    passing = "failed to sync secret cache: timed out waiting for the condition"
    found = cause(afterwards("CreateContainerConfigError", passing))
    assert found.reason not in ("ConfigurationError", "CreateContainerConfigError")


def test_a_quota_is_shown_with_all_its_figures() -> None:
    quota = {
        "metadata": {"name": "kubeserve"},
        "status": {
            "hard": {"pods": "3", "requests.cpu": "2"},
            "used": {"pods": "2", "requests.cpu": "1"},
        },
    }
    found = cause(replace(afterwards("FailedCreate", QUOTA), quotas=[quota]))
    assert found.evidence[:3] == (
        "pods: requested 1, used 3, limit 3",
        "requests.cpu: requested 125m, used 2, limit 2",
        "ResourceQuota kubeserve now: pods 2 of 3, requests.cpu 1 of 2 used",
    )


def waiting(reason: str, message: str = "", *, name: str = "runtime") -> Evidence:
    """Give a pod whose container waits."""
    base = recorded("Starting-a_replica")
    pod = conditions(base.pods[0], Ready=("False", "ContainersNotReady", ""))
    state = {"waiting": {"reason": reason, "message": message}}
    pod["status"]["containerStatuses"] = [{"name": name, "restartCount": 0, "state": state}]
    return replace(base, pods=[pod], events=[])


WAITING = [
    ("ErrImageNeverPull", "image is not present with pull policy of Never", "ImageMissing"),
    ("InvalidImageName", "couldn't parse image name", "ImageMissing"),
    ("CreateContainerConfigError", 'secret "kubeserve-store" not found', "ArtifactMissing"),
    ("CreateContainerConfigError", 'configmap "kubeserve-keys" not found', "ConfigurationError"),
    ("CreateContainerError", 'exec: "python3": executable file not found', "ConfigurationError"),
    ("CreateContainerConfigError", "failed to sync secret cache: timed out", "Starting"),
    ("ContainerCreating", "", "Starting"),
]


@pytest.mark.parametrize(("reason", "message", "expected"), WAITING)
def test_a_waiting_container_is_read_at_once(reason: str, message: str, expected: str) -> None:
    found = cause(waiting(reason, message))
    assert found.reason == expected
    assert found.ok is (expected in NO_FAULT)


EVENTS = [
    ("FailedMount", 'secret "iris-artifact-1" not found', "ArtifactMissing"),
    ("FailedMount", "failed to sync secret cache: timed out", "Starting"),
    ("FailedCreatePodSandBox", "no address left", "NodeTrouble"),
    ("Pulled", "Container image already present", "Starting"),
]


@pytest.mark.parametrize(("reason", "message", "expected"), EVENTS)
def test_a_pod_that_is_not_made_is_explained_by_its_events(
    reason: str, message: str, expected: str
) -> None:
    base = waiting("ContainerCreating")
    event = {
        "reason": reason,
        "message": message,
        "type": "Normal" if reason == "Pulled" else "Warning",
        "count": 3,
        "lastTimestamp": "2026-01-01T00:00:00Z",
        "involvedObject": {"kind": "Pod", "name": base.pods[0]["metadata"]["name"]},
    }
    found = cause(replace(base, events=[event]))
    assert found.reason == expected
    assert found.ok or "(3 times)" in str(found.evidence)


def test_a_pod_that_its_node_threw_out() -> None:
    base = waiting("ContainerCreating")
    status = base.pods[0]["status"]
    status |= {"phase": "Failed", "reason": "Evicted", "message": "low on resource: memory"}
    assert cause(base).reason == "Evicted"


def test_knatives_own_container_is_not_blamed_on_the_model() -> None:
    base = waiting("CrashLoopBackOff", name="queue-proxy")
    status = base.pods[0]["status"]["containerStatuses"][0]
    status["lastState"] = {"terminated": {"exitCode": 2, "reason": "Error", "message": "panic"}}
    found = cause(base)
    assert found.reason == "CrashLoop"
    assert "Knative's own container queue-proxy" in found.message


def test_a_replica_that_ended_a_moment_ago_is_told_though_it_is_well_again() -> None:
    base = recorded("Serving-well")
    pod = copy.deepcopy(base.pods[0])
    ours = next(x for x in pod["status"]["containerStatuses"] if x["name"] == "runtime")
    ended = {"exitCode": 137, "reason": "OOMKilled", "finishedAt": base.now.isoformat()}
    ours |= {"restartCount": 1, "lastState": {"terminated": ended}}
    found = cause(replace(base, pods=[pod]))
    assert (found.reason, found.ok) == ("OutOfMemory", False)
    assert found.evidence[-1] == "replicas: 1 ready; they go on answering"
    later = replace(base, pods=[pod], now=base.now + timedelta(hours=1))
    assert cause(later).reason == "Serving"


def test_a_pod_that_goes_away_is_no_cause() -> None:
    base = recorded("CrashLoop")
    gone = copy.deepcopy(base.pods[0])
    gone["metadata"]["deletionTimestamp"] = base.now.isoformat()
    assert cause(replace(base, pods=[gone], revisions=[])).reason == "Starting"


def test_an_older_revision_that_gets_no_traffic_is_no_cause() -> None:
    serving, broken = recorded("Serving-well"), recorded("CrashLoop")
    assert cause(replace(serving, pods=[*serving.pods, *broken.pods])).reason == "Serving"


# What is around the replicas


def test_knative_that_does_not_look() -> None:
    base = recorded("Serving-well")
    assert base.service is not None
    service = copy.deepcopy(base.service)
    service["metadata"]["generation"] += 1
    fresh = datetime.fromisoformat(service["metadata"]["managedFields"][0]["time"])
    assert cause(replace(base, service=service, now=fresh)).reason == "Starting"
    found = cause(replace(base, service=service, now=fresh + timedelta(minutes=1)))
    assert (found.reason, found.ok) == ("KnativeDown", False)


def test_an_ingress_that_does_not_take_the_route() -> None:
    base = recorded("Serving-well")
    assert base.service is not None
    text = ("Unknown", "Uninitialized", "Waiting for load balancer to be ready")
    service = conditions(base.service, RoutesReady=text, Ready=text)
    found = cause(replace(base, service=service, route=None))
    assert (found.reason, found.ok) == ("IngressNotReady", False)
    now = datetime.fromisoformat("2026-01-01T00:00:09+00:00")
    soon = cause(replace(base, service=service, route=None, now=now))
    assert (soon.reason, soon.ok) == ("Starting", True)
    assert "9 s" in soon.message


def test_a_revision_name_that_another_service_has() -> None:
    base = recorded("Serving-well")
    assert base.service is not None
    taken = ("False", "RevisionNameTaken", "the name is used by another Configuration")
    service = conditions(base.service, ConfigurationsReady=taken, Ready=taken)
    assert cause(replace(base, service=service)).reason == "NameTaken"


@pytest.mark.parametrize(
    ("missing", "reason"),
    [
        ("Secret iris-artifact-1", "ArtifactMissing"),
        ("Secret kubeserve-store", "ArtifactMissing"),
        ("ConfigMap kubeserve-keys", "ConfigurationError"),
    ],
)
def test_what_the_next_start_would_miss(missing: str, reason: str) -> None:
    found = cause(replace(recorded("Idle-well"), missing=(missing,)))
    assert (found.reason, found.ok) == (reason, False)
    assert missing.split()[1] in found.message


REFUSALS = [
    ('failed calling webhook "w.example": connection refused', "WebhookUnavailable"),
    (QUOTA, "QuotaExceeded"),
    ('services is forbidden: User "u" cannot patch resource "services" in API group "x"',
     "RightsMissing"),
    ("iris:1 has 600000 bytes, more than a Secret takes: set KUBESERVE_STORE", "Refused"),
    ('error looking up service account a/b: serviceaccount "b" not found', "ConfigurationError"),
]  # fmt: skip


@pytest.mark.parametrize(("refusal", "reason"), REFUSALS)
def test_a_refusal_is_the_cause_while_the_release_is_not_taken(refusal: str, reason: str) -> None:
    base = recorded("NotTaken-well")
    found = cause(replace(base, refusal=f"PATCH /apis/x: {refusal}"))
    assert (found.reason, found.ok) == (reason, False)
    assert "PATCH" not in str(found)


def test_what_hinders_the_release_is_named() -> None:
    found = cause(replace(recorded("NotTaken-well"), hindrance="The store does not answer."))
    assert (found.reason, found.ok) == ("NotTaken", False)
    assert "The store does not answer." in found.message
    assert found.next_step


def test_a_namespace_that_is_going_holds_the_release_up() -> None:
    base = recorded("NotTaken-well")
    assert base.namespace is not None
    namespace = copy.deepcopy(base.namespace)
    namespace["metadata"]["deletionTimestamp"] = base.now.isoformat()
    found = cause(replace(base, namespace=namespace))
    assert found.reason == "NotTaken"
    assert "being deleted" in found.message


def test_a_release_of_several_revisions_is_explained_by_the_one_that_is_made() -> None:
    base = recorded("CrashLoop")
    assert base.service is not None
    service = copy.deepcopy(base.service)
    service["metadata"]["annotations"]["kubeserve.dev/generation"] = "0"
    assert cause(replace(base, service=service)).reason == "CrashLoop"


def test_what_could_not_be_read_is_said() -> None:
    found = cause(replace(recorded("Idle-well"), hidden=("list events",)))
    assert found.reason == "Idle"
    assert found.evidence[-1] == "not looked at, KubeServe's account may not: list events"
