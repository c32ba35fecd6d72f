"""Pods of load tests as Jobs: what is asked of the cluster, and what its answers mean."""

import uuid
from dataclasses import replace
from typing import Any

import pytest

from controlplane.engines.jobs import LoadJob, LoadSeen, Phase
from controlplane.engines.knative import load_job, load_status, render_tenant
from controlplane.engines.knative.install import Install, Loads

TEST = uuid.UUID("0197f0a0-0000-7000-8000-00000000abcd")
ORDER = LoadJob(
    test=TEST,
    number=1,
    tenant="acme",
    command=("python3", "-m", "loadtests", "worker", "10.1.2.3:5557"),
    environment={"KUBESERVE_LOADTEST": "{}"},
    deadline_s=900,
)
LOADS = Loads("plane@sha256:3", reach=("kourier-system", "10.8.0.0/16"))
INSTALL = Install("https://kube.example", "runtime@sha256:1", "builder@sha256:2", loads=LOADS)


def rendered() -> dict[str, Any]:
    return load_job.render(ORDER, LOADS, INSTALL)


def test_a_pod_is_locked_down_and_never_started_again() -> None:
    document = rendered()
    assert document == rendered()
    assert document["metadata"]["name"] == f"loadtest-{TEST.hex}-1"
    assert len(document["metadata"]["name"]) <= 57, "pods add six characters"
    spec = document["spec"]
    assert (spec["backoffLimit"], spec["activeDeadlineSeconds"]) == (0, 900)
    assert "podFailurePolicy" not in spec, "what is evicted would be replaced"
    pod = spec["template"]["spec"]
    assert pod["automountServiceAccountToken"] is False
    assert pod["securityContext"]["runAsNonRoot"]
    (container,) = pod["containers"]
    security = container["securityContext"]
    assert security["readOnlyRootFilesystem"] is True
    assert security["capabilities"] == {"drop": ["ALL"]}
    assert container["image"] == "plane@sha256:3"
    assert container["resources"] == {
        "requests": {"cpu": "500m", "memory": "384Mi"},
        "limits": {"cpu": "2", "memory": "384Mi"},
    }


def policies(install: Install) -> dict[str, Any]:
    found = render_tenant.tenant("acme", b"{}", install)
    return {one["metadata"]["name"]: one for one in found if one["kind"] == "NetworkPolicy"}


def test_pods_of_tests_reach_each_other_and_the_ingress_and_no_other_pod_gets_more() -> None:
    found = policies(INSTALL)
    without = policies(replace(INSTALL, loads=None))
    own = found.pop("loadtests")
    assert found == without
    spec = own["spec"]
    each_other = [
        {
            "podSelector": {
                "matchExpressions": [{"key": "kubeserve.dev/loadtest", "operator": "Exists"}]
            }
        }
    ]
    assert spec["podSelector"] == each_other[0]["podSelector"]
    assert [rule["from"] for rule in spec["ingress"]] == [each_other]
    coordinator, ingress = spec["egress"]
    assert coordinator == {"to": each_other, "ports": [{"protocol": "TCP", "port": 5557}]}
    assert ingress["to"] == [
        {"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "kourier-system"}}},
        {"ipBlock": {"cidr": "10.8.0.0/16"}},
    ]


def job(kind: str = "", reason: str = "") -> dict[str, Any]:
    document = rendered()
    document["status"] = {
        "conditions": [{"type": kind, "status": "True", "reason": reason}] if kind else []
    }
    return document


def pod(phase: str, state: dict[str, Any] | None = None, **status: Any) -> dict[str, Any]:
    containers = [{"name": "loadtest", "state": state}] if state else []
    return {"status": {"phase": phase, "containerStatuses": containers, **status}}


NO_ROOM = {"type": "PodScheduled", "status": "False", "message": "0/3 nodes are available"}
QUOTA = {"reason": "FailedCreate", "message": "pods is forbidden: exceeded quota: kubeserve"}
REFUSED = {"reason": "FailedCreate", "message": "admission webhook denied"}
PULL = {"waiting": {"reason": "ImagePullBackOff", "message": "not found"}}
OOM = {"terminated": {"reason": "OOMKilled", "exitCode": 137}}
WORDS = {"terminated": {"exitCode": 69, "message": "traceback\nkubeserve loadtest: no store"}}


@pytest.mark.parametrize(
    ("of", "its_pod", "events", "phase", "says", "stuck"),
    [
        (job(), None, (), Phase.WAITING, "is being made", False),
        (job(), None, (QUOTA,), Phase.WAITING, "quota of the namespace", False),
        (job(), None, (REFUSED,), Phase.WAITING, "admission webhook denied", True),
        (job(), pod("Pending", conditions=[NO_ROOM]), (), Phase.WAITING, "0/3 nodes", False),
        (job(), pod("Pending", PULL), (), Phase.WAITING, "ImagePullBackOff", True),
        (job("Complete"), None, (), Phase.DONE, "", False),
        (job("Failed", "DeadlineExceeded"), None, (), Phase.FAILED, "in time", False),
        (job("Failed", "BackoffLimitExceeded"), pod("Failed", OOM), (), Phase.FAILED,
         "more memory", False),
        (job("Failed", "BackoffLimitExceeded"), pod("Failed", WORDS), (), Phase.FAILED,
         "no store", False),
        (job(), pod("Failed", reason="Evicted", message="node was low on memory"), (),
         Phase.FAILED, "Evicted", False),
    ],
    ids=["new", "quota", "refused", "no-room", "no-image", "done", "late", "oom", "words",
         "evicted"],
)  # fmt: skip
def test_what_a_job_says_is_told_in_words(
    of: dict[str, Any],
    its_pod: dict[str, Any] | None,
    events: tuple[dict[str, Any], ...],
    phase: Phase,
    says: str,
    stuck: bool,
) -> None:
    found = load_status.seen(of, its_pod, events)
    assert (found.phase, found.stuck) == (phase, stuck)
    assert says in found.reason


def test_a_pod_that_runs_has_its_address() -> None:
    seen = load_status.seen(job(), pod("Running", podIP="10.1.2.3"), ())
    assert seen == LoadSeen(Phase.RUNNING, address="10.1.2.3")
