"""Builds as Jobs: what is asked of the cluster, and what its answers mean."""

import json
import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from controlplane.engines.jobs import Blame, BuildJob, JobSeen, Phase, StandbyJob
from controlplane.engines.knative import build_job, build_status
from controlplane.engines.knative.install import Install

MIB = 1 << 20
VERSION = uuid.UUID("0197f0a0-0000-7000-8000-00000000abcd")
ORDER = BuildJob(
    version=VERSION,
    attempt=2,
    tenant="acme",
    environment={"KUBESERVE_BUILD": "{}"},
    work="/kubeserve/work",
    memory_bytes=2048 * MIB,
    disk_bytes=7 * 1024 * MIB + 1,
    deadline_s=900,
)
INSTALL = Install(
    "https://kube.example", "runtime@sha256:1", "builder@sha256:2", namespace_prefix="ks-"
)


def rendered() -> dict[str, Any]:
    return build_job.render(ORDER, INSTALL)


def test_the_same_build_has_the_same_name() -> None:
    assert rendered() == rendered()
    metadata = rendered()["metadata"]
    assert metadata["name"] == f"build-{VERSION.hex}-2"
    assert len(metadata["name"]) <= 57, "pods add six characters, and a label holds 63"
    assert metadata["namespace"] == "ks-acme"
    assert metadata["labels"] == {
        "app.kubernetes.io/managed-by": "kubeserve",
        "app.kubernetes.io/instance": "kubeserve",
        "kubeserve.dev/tenant": "acme",
        "kubeserve.dev/version": str(VERSION),
        "kubeserve.dev/attempt": "2",
    }


def test_the_pod_is_locked_down_and_runs_once() -> None:
    spec = rendered()["spec"]
    assert (spec["backoffLimit"], spec["activeDeadlineSeconds"]) == (0, 900)
    assert spec["ttlSecondsAfterFinished"] > 0
    pod = spec["template"]["spec"]
    assert pod["restartPolicy"] == "Never"
    assert pod["automountServiceAccountToken"] is False
    assert pod["enableServiceLinks"] is False
    assert pod["securityContext"]["runAsNonRoot"]
    (container,) = pod["containers"]
    security = container["securityContext"]
    assert security["allowPrivilegeEscalation"] is False
    assert security["readOnlyRootFilesystem"] is True
    assert security["capabilities"] == {"drop": ["ALL"]}
    assert security["seccompProfile"] == {"type": "RuntimeDefault"}
    assert container["image"] == "builder@sha256:2"
    assert container["resources"]["limits"]["memory"] == "2816Mi"
    assert pod["volumes"][0] == {"name": "work", "emptyDir": {"sizeLimit": "7169Mi"}}
    assert {mount["mountPath"] for mount in container["volumeMounts"]} == {
        "/kubeserve/work",
        "/tmp",
    }
    names = {one["name"] for one in container["env"]}
    assert names == {"KUBESERVE_BUILD", "HOME", "PYTHONDONTWRITEBYTECODE"}


def job(*conditions: tuple[str, str]) -> dict[str, Any]:
    document = rendered()
    document["status"] = {
        "conditions": [
            {"type": kind, "status": "True", "reason": reason} for kind, reason in conditions
        ]
    }
    return document


FAILED = ("Failed", "BackoffLimitExceeded")
LATE = ("Failed", "DeadlineExceeded")


def pod(phase: str, made: str = "2026-01-01T00:00:00Z", **status: Any) -> dict[str, Any]:
    state = status.pop("state", {})
    return {
        "metadata": {"name": "p", "creationTimestamp": made},
        "status": {
            "phase": phase,
            "containerStatuses": [{"name": "build", "state": state}],
            **status,
        },
    }


def waits(reason: str, message: str = "why") -> dict[str, Any]:
    return pod("Pending", state={"waiting": {"reason": reason, "message": message}})


def ended(code: int, reason: str = "Error", message: str = "") -> dict[str, Any]:
    state = {"terminated": {"exitCode": code, "reason": reason, "message": message}}
    return pod("Failed", state=state)


def event(message: str, at: str = "2026-01-01T00:00:00Z") -> dict[str, Any]:
    return {"reason": "FailedCreate", "message": message, "lastTimestamp": at}


NO_ROOM = {
    "conditions": [
        {"type": "PodScheduled", "status": "False", "message": "0/1 nodes are available"}
    ]
}
QUOTA = event('pods "build-x" is forbidden: exceeded quota: kubeserve, requested: pods=1')
SECURITY = event('pods "build-x" is forbidden: violates PodSecurity "restricted:latest": x')
Case = tuple[dict[str, Any], list[Any], list[Any], Phase, Blame | None, str]
CASES: dict[str, Case] = {
    "nothing yet": (job(), [], [], Phase.WAITING, None, "being made"),
    "starting": (job(), [waits("ContainerCreating")], [], Phase.WAITING, None, "starting"),
    "running": (job(), [pod("Running")], [], Phase.RUNNING, None, ""),
    "pod ended, job not yet": (job(), [pod("Succeeded")], [], Phase.RUNNING, None, ""),
    "done": (job(("Complete", "")), [pod("Succeeded")], [], Phase.DONE, None, ""),
    "quota": (job(), [], [QUOTA], Phase.WAITING, None, "quota of the namespace is used up"),
    "refused after a quota": (
        job(),
        [],
        [QUOTA, SECURITY | {"lastTimestamp": "2026-01-01T00:00:09Z"}],
        Phase.WAITING,
        Blame.INSTALL,
        "refuses the build's pod",
    ),
    "pod security": (job(), [], [SECURITY], Phase.WAITING, Blame.INSTALL, "violates PodSecurity"),
    "no image": (job(), [waits("ImagePullBackOff")], [], Phase.WAITING, Blame.INSTALL, "pulled"),
    "image never": (
        job(), [waits("ErrImageNeverPull")], [], Phase.WAITING, Blame.INSTALL, "not on the node"
    ),
    "first failed pull": (job(), [waits("ErrImagePull")], [], Phase.WAITING, None, "starting"),
    "no room": (job(), [pod("Pending", **NO_ROOM)], [], Phase.WAITING, None, "no node has room"),
    "out of memory": (
        job(FAILED), [ended(137, "OOMKilled")], [], Phase.FAILED, Blame.MODEL,
        "more memory than 2048 MiB",
    ),
    "killed otherwise": (job(FAILED), [ended(137)], [], Phase.FAILED, Blame.HOST, "code 137"),
    "disk full": (
        job(FAILED),
        [pod("Failed", reason="Evicted", message='Usage of EmptyDir: emptyDir "work" exceeds')],
        [], Phase.FAILED, Blame.MODEL, "more disk",
    ),
    "evicted": (
        job(FAILED),
        [pod("Failed", reason="Evicted", message="The node was low on resource: memory.")],
        [], Phase.FAILED, Blame.HOST, "low on resource",
    ),
    "too slow": (
        job(FAILED), [ended(75, message="Traceback\nkubeserve build: not done within 420 s")], [],
        Phase.FAILED, Blame.MODEL, "took too long: not done within 420 s.",
    ),
    "store away": (
        job(FAILED), [ended(69, message="503 SlowDown")], [], Phase.FAILED, Blame.HOST, "SlowDown"
    ),
    "another program": (job(FAILED), [ended(64)], [], Phase.FAILED, Blame.INSTALL, "understand"),
    "node lost": (job(FAILED), [], [], Phase.FAILED, Blame.HOST, "gone"),
    "late for an image": (
        job(LATE), [waits("ImagePullBackOff")], [], Phase.FAILED, Blame.INSTALL, "pulled"
    ),
    "late for a quota": (job(LATE), [], [QUOTA], Phase.FAILED, Blame.MODEL, "quota"),
    "late, pod gone": (job(LATE), [], [], Phase.FAILED, Blame.HOST, "after 900 s"),
    "the newest pod counts": (
        job(FAILED),
        [ended(137), ended(65) | {"metadata": {"creationTimestamp": "2027-01-01T00:00:00Z"}}],
        [], Phase.FAILED, Blame.HOST, "upload",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_what_is_seen_of_a_job(name: str) -> None:
    document, pods, events, phase, blame, says = CASES[name]
    found = build_status.seen(document, pods, events)
    assert isinstance(found, JobSeen)
    assert (found.attempt, found.phase) == (2, phase)
    assert says in found.reason
    if blame is not None:
        assert found.blame is blame
        assert found.advice
    assert found.stuck == (
        (phase is Phase.WAITING and blame is Blame.INSTALL)
        or name in ("late for an image", "late, pod gone")
    )


STANDBY_ORDER = StandbyJob(
    id=uuid.UUID(int=7),
    wait_s=600,
    tenant="acme",
    environment={"KUBESERVE_STANDBY": "{}"},
    work="/kubeserve/work",
    memory_bytes=2048 * MIB,
    disk_bytes=1,
    deadline_s=1600,
)
STARTED = datetime(2026, 1, 1, tzinfo=UTC)


def standing_by(**status: Any) -> dict[str, Any]:
    document = build_job.render_standby(STANDBY_ORDER, INSTALL)
    document["metadata"] |= {"uid": "u", "resourceVersion": "5"}
    document["status"] = {"ready": 1, "startTime": "2026-01-01T00:00:00Z", **status}
    return document


def test_a_builder_that_waits_is_as_locked_down_and_becomes_the_job_of_a_build() -> None:
    waits, builds = build_job.render_standby(STANDBY_ORDER, INSTALL), rendered()
    pods = [one["spec"]["template"]["spec"] for one in (waits, builds)]
    for spec in pods:
        for container in spec["containers"]:
            container.pop("env")
        spec.pop("volumes")
    assert pods[0] == pods[1]
    assert build_job.VERSION not in waits["metadata"]["labels"]
    taken = build_job.render_taken(standing_by(), VERSION, 2)
    assert taken["metadata"] == {
        "name": waits["metadata"]["name"],
        "namespace": "ks-acme",
        "uid": "u",
        "resourceVersion": "5",
        "labels": {"kubeserve.dev/version": str(VERSION), "kubeserve.dev/attempt": "2"},
    }
    document = standing_by()
    document["metadata"]["labels"] |= taken["metadata"]["labels"]
    found = build_status.seen(document, [pod("Running")], [])
    assert found == JobSeen(2, Phase.RUNNING, standby=STANDBY_ORDER.id)


@pytest.mark.parametrize(
    ("document", "after_s", "takes"),
    [
        (standing_by(), 0, True),
        (standing_by(), 569, True),
        (standing_by(), 571, False),
        (standing_by(ready=0), 0, False),
        (standing_by(conditions=[{"type": "Complete", "status": "True"}]), 0, False),
        (standing_by(conditions=[{"type": "Failed", "status": "True"}]), 0, False),
        (standing_by(conditions=[{"type": "Suspended", "status": "True"}]), 0, True),
    ],
)
def test_when_a_builder_takes_a_build(document: Any, after_s: float, takes: bool) -> None:
    now = STARTED + timedelta(seconds=after_s)
    assert build_status.takes_a_build(document, "builder@sha256:2", now) is takes
    assert not build_status.takes_a_build(document, "builder@sha256:3", now)


@pytest.mark.parametrize(
    ("used", "room"),
    [
        ({}, True),
        ({"pods": "4"}, True),
        ({"pods": "5"}, False),
        ({"requests.cpu": "750m"}, True),
        ({"requests.cpu": "751m"}, False),
        ({"requests.memory": "1Gi"}, False),
    ],
)
def test_a_builder_waits_only_while_half_of_the_quota_is_free(
    used: dict[str, str], room: bool
) -> None:
    hard = {"pods": "10", "requests.cpu": "2", "requests.memory": "2Gi"}
    none = dict.fromkeys(hard, "0")
    assert build_status.has_room({"status": {"hard": hard, "used": none | used}}) is room


def test_without_a_quota_that_is_counted_no_builder_waits() -> None:
    assert not build_status.has_room(None)
    assert not build_status.has_room({"spec": {"hard": {"pods": "10"}}})


def test_a_pods_words_are_cut_and_harmless() -> None:
    text = "first\n\x1b[2J\t" + "x" * 5000
    found = build_status.seen(job(FAILED), [ended(70, message=text)], [])
    assert "\x1b" not in found.reason
    assert "first" not in found.reason
    assert len(found.reason) < 700
    json.dumps(found.reason)
