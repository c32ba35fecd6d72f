"""From a build to its Job, and to that of a builder that waits: one locked-down pod. Pure."""

import math
import uuid
from typing import Any, Final

from controlplane.engines.jobs import BuilderPod, BuildJob, StandbyJob
from controlplane.engines.knative import names
from controlplane.engines.knative.install import Install
from controlplane.engines.knative.names import Document
from controlplane.engines.knative.render import RESTRICTED, USER

VERSION: Final = "kubeserve.dev/version"
ATTEMPT: Final = "kubeserve.dev/attempt"
STANDBY: Final = "kubeserve.dev/standby"  # id of a builder that waits, or waited before its build
UNTIL: Final = "kubeserve.dev/waits-s"  # annotation: so long after its start it takes a build
CONTAINER: Final = "build"
MIB: Final = 1 << 20
# Interpreter, scikit-learn, and the process that watches, beside what the model itself may take.
OWN_MEMORY_MIB: Final = 768
KEPT_S: Final = 3600  # after its end, if nobody removes it before
UNUSED_S: Final = 60  # the same, of one that waited for nothing
TMP_MIB: Final = 64
GRACE_S: Final = 10
REQUESTS: Final = {"cpu": "250m", "memory": "512Mi"}


def name(version: uuid.UUID, attempt: int) -> str:
    """Give the name of a Job: the same build has the same."""
    return f"build-{version.hex}-{attempt}"


def build_labels(version: uuid.UUID, attempt: int) -> dict[str, str]:
    """Give what a Job is found by."""
    return {VERSION: str(version), ATTEMPT: str(attempt)}


def render(job: BuildJob, install: Install) -> Document:
    """Render the Job of one attempt."""
    labels = build_labels(job.version, job.attempt)
    return _job(job, install, {"name": name(job.version, job.attempt)}, labels, KEPT_S)


def render_standby(job: StandbyJob, install: Install) -> Document:
    """Render the Job of a builder that waits."""
    metadata = {
        "name": f"standby-{job.id.hex}",
        "annotations": {UNTIL: f"{job.wait_s:g}"},
    }
    return _job(job, install, metadata, {STANDBY: str(job.id)}, UNUSED_S)


def render_taken(standby: Document, version: uuid.UUID, attempt: int) -> Document:
    """Render what makes the Job of a waiting builder, as it was read, the Job of a build."""
    read = standby["metadata"]
    metadata = {key: read[key] for key in ("name", "namespace", "uid", "resourceVersion")}
    return {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {**metadata, "labels": build_labels(version, attempt)},
        "spec": {"ttlSecondsAfterFinished": KEPT_S},
    }


def _job(
    job: BuilderPod, install: Install, metadata: Document, own: dict[str, str], kept_s: int
) -> Document:
    placed = {
        **metadata,
        "namespace": names.namespace(install.namespace_prefix, job.tenant),
        "labels": {**names.tenant_labels(job.tenant, install.instance), **own},
    }
    # Another try is another Job: only we can tell a model's fault from a node's.
    found = once(placed, _pod(job, install), job.deadline_s, kept_s)
    # A pod that is evicted, drained or lost with its node is replaced and not counted.
    found["spec"]["podFailurePolicy"] = {
        "rules": [{"action": "Ignore", "onPodConditions": [_DISRUPTED]}]
    }
    return found


_DISRUPTED: Final = {"type": "DisruptionTarget", "status": "True"}


def _pod(job: BuilderPod, install: Install) -> Document:
    disk = f"{math.ceil(job.disk_bytes / MIB)}Mi"
    return locked_pod(
        _container(job, install),
        {"name": "work", "emptyDir": {"sizeLimit": disk}},
        {"name": "tmp", "emptyDir": {"sizeLimit": f"{TMP_MIB}Mi"}},
    )


def once(metadata: Document, pod: Document, deadline_s: int, kept_s: int) -> Document:
    """Render a Job of one pod that is tried once; the pod has the Job's labels."""
    return {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": metadata,
        "spec": {
            "backoffLimit": 0,
            "completions": 1,
            "parallelism": 1,
            "activeDeadlineSeconds": deadline_s,
            "ttlSecondsAfterFinished": kept_s,
            "podReplacementPolicy": "Failed",
            "template": {"metadata": {"labels": metadata["labels"]}, "spec": pod},
        },
    }


def locked_pod(container: Document, *volumes: Document) -> Document:
    """Render the pod of a Job of ours: without rights, credentials and another try."""
    return {
        "restartPolicy": "Never",
        "serviceAccountName": names.ACCOUNT,
        "automountServiceAccountToken": False,
        "enableServiceLinks": False,
        "terminationGracePeriodSeconds": GRACE_S,
        "securityContext": {
            "runAsNonRoot": True,
            "runAsUser": USER,
            "runAsGroup": USER,
            "fsGroup": USER,
            "seccompProfile": {"type": "RuntimeDefault"},
        },
        "containers": [container],
        "volumes": list(volumes),
    }


def _container(job: BuilderPod, install: Install) -> dict[str, Any]:
    memory = math.ceil(job.memory_bytes / MIB) + OWN_MEMORY_MIB
    environment = {"PYTHONDONTWRITEBYTECODE": "1", "HOME": "/tmp", **job.environment}  # noqa: S108
    return {
        "name": CONTAINER,
        "image": install.builder_image,
        "imagePullPolicy": "IfNotPresent",
        "command": ["python3", "-m", "controlplane.builder.remote"],
        "env": [{"name": key, "value": value} for key, value in environment.items()],
        "securityContext": RESTRICTED,
        # What it needs for an ordinary model is asked for; only a large one takes the rest.
        "resources": {
            "requests": REQUESTS,
            "limits": {"cpu": "2", "memory": f"{memory}Mi"},
        },
        "terminationMessagePolicy": "FallbackToLogsOnError",
        "volumeMounts": [
            {"name": "work", "mountPath": job.work},
            {"name": "tmp", "mountPath": "/tmp"},  # noqa: S108
        ],
    }
