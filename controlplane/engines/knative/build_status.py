"""From a build's Job, its pods and events to how far it is and why it failed, in words. Pure."""

import uuid
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any, Final

from controlplane.engines.jobs import Blame, JobSeen, Phase
from controlplane.engines.knative.build_job import (
    ATTEMPT,
    CONTAINER,
    MIB,
    OWN_MEMORY_MIB,
    REQUESTS,
    STANDBY,
    UNTIL,
)
from controlplane.engines.knative.holding import quantity
from controlplane.engines.knative.names import Document

OPERATOR: Final = "Ask the operator; nothing is wrong with your file."
SMALLER: Final = "Make the model smaller, or ask the operator for a higher limit."
ROOM: Final = "Delete endpoints that are not needed, or ask the operator for a higher quota."
# What does not go away by waiting; a first failure to pull may.
STUCK: Final = {
    "ImagePullBackOff": "the builder's image cannot be pulled",
    "InvalidImageName": "the builder's image has no proper name",
    "ErrImageNeverPull": "the builder's image is not on the node",
    "CreateContainerConfigError": "the build's container cannot be made",
    "CreateContainerError": "the build's container cannot be made",
    "RunContainerError": "the build's container cannot be started",
}
# Exit codes of `controlplane.builder.remote`.
ENDINGS: Final = {
    64: (Blame.INSTALL, "the builder was told what it does not understand"),
    65: (Blame.HOST, "the stored upload did not arrive as it was stored"),
    66: (Blame.HOST, "the environment that the model needs did not arrive as it was made"),
    69: (Blame.HOST, "the object store did not answer the build"),
    70: (Blame.HOST, "the build's pod cannot build"),
    143: (Blame.HOST, "the build was told to end"),
}
LATE: Final = 75
_MOST_TEXT: Final = 500
# Between our decision and the pod's next look at what it is told, clocks that differ included.
_MARGIN_S: Final = 30.0


def seen(job: Document, pods: Sequence[Document], events: Sequence[Document]) -> JobSeen:
    """Tell of one Job.

    pods    of this Job, in any order
    events  warnings about the Job itself; needed only while it has no pod
    """
    labels = job["metadata"]["labels"]
    standby = uuid.UUID(labels[STANDBY]) if STANDBY in labels else None
    return replace(_seen(job, pods, events), standby=standby)


def _seen(job: Document, pods: Sequence[Document], events: Sequence[Document]) -> JobSeen:
    attempt = int(job["metadata"]["labels"][ATTEMPT])
    true = true_conditions(job)
    if "Complete" in true:
        return JobSeen(attempt, Phase.DONE)
    failed = true.get("Failed")
    newest = max(pods, key=lambda pod: str(pod["metadata"].get("creationTimestamp")), default=None)
    if failed is not None:
        return _failed(attempt, job, failed, newest, events)
    if newest is None:
        return _no_pod(attempt, events)
    return _pending(attempt, newest)


def ended(job: Document) -> bool:
    """Tell whether a Job is over."""
    return not true_conditions(job).keys().isdisjoint(("Complete", "Failed"))


def true_conditions(job: Document) -> dict[str, Document]:
    """Give the conditions that hold, by type."""
    conditions = (job.get("status") or {}).get("conditions") or ()
    return {one["type"]: one for one in conditions if one.get("status") == "True"}


def takes_a_build(job: Document, image: str, now: datetime) -> bool:
    """Tell whether a builder that waits runs our image and will still look what it is told."""
    status, metadata = job.get("status") or {}, job["metadata"]
    if metadata.get("deletionTimestamp") or ended(job) or not status.get("ready"):
        return False
    (container,) = job["spec"]["template"]["spec"]["containers"]
    waited_s = (now - datetime.fromisoformat(status["startTime"])).total_seconds()
    most_s = float(metadata["annotations"][UNTIL]) - _MARGIN_S
    return container["image"] == image and waited_s < most_s


def has_room(quota: Document | None) -> bool:
    """Tell whether a builder that waits would leave half of what a tenant may use."""
    status = (quota or {}).get("status") or {}
    needs = {f"requests.{what}": text for what, text in REQUESTS.items()} | {"pods": "1"}
    for what, text in needs.items():
        most, used = (quantity(str((status.get(of) or {}).get(what))) for of in ("hard", "used"))
        need = quantity(text)
        if most is None or used is None or need is None or used + need > most / 2:
            return False
    return True


def _pending(attempt: int, pod: Document) -> JobSeen:
    status = pod.get("status") or {}
    if status.get("phase") != "Pending":
        return JobSeen(attempt, Phase.RUNNING)
    waiting = (_container(pod).get("state") or {}).get("waiting") or {}
    what = STUCK.get(str(waiting.get("reason")))
    if what is not None:
        return _waits(attempt, what, waiting.get("message"), OPERATOR, stuck=True)
    for one in status.get("conditions") or ():
        if one.get("type") == "PodScheduled" and one.get("status") == "False":
            return _waits(attempt, "no node has room for the build", one.get("message"), ROOM)
    return JobSeen(attempt, Phase.WAITING, "The build's pod is starting.")


def _no_pod(attempt: int, events: Sequence[Document]) -> JobSeen:
    refused = [one for one in events if one.get("reason") == "FailedCreate"]
    if not refused:
        return JobSeen(attempt, Phase.WAITING, "The build's pod is being made.")
    last = max(refused, key=lambda one: str(one.get("lastTimestamp") or one.get("eventTime")))
    message = str(last.get("message") or "")
    if "exceeded quota" in message:
        return _waits(attempt, "the quota of the namespace is used up", message, ROOM)
    return _waits(attempt, "the cluster refuses the build's pod", message, OPERATOR, stuck=True)


def _waits(
    attempt: int, what: str, message: object, advice: str, *, stuck: bool = False
) -> JobSeen:
    blame = Blame.INSTALL if stuck else Blame.MODEL
    reason = f"The build did not start: {with_message(what, message)}"
    return JobSeen(attempt, Phase.WAITING, reason, advice, blame, stuck)


def _failed(
    attempt: int,
    job: Document,
    condition: Document,
    pod: Document | None,
    events: Sequence[Document],
) -> JobSeen:
    if condition.get("reason") == "DeadlineExceeded":
        before = _no_pod(attempt, events) if pod is None else _pending(attempt, pod)
        if before.phase is Phase.WAITING and before.advice:
            return replace(before, phase=Phase.FAILED)
        # The program has a shorter deadline of its own, so most of this was no building.
        seconds = job["spec"]["activeDeadlineSeconds"]
        reason = f"The build had not ended after {seconds} s, waiting for its place included."
        return JobSeen(attempt, Phase.FAILED, reason, OPERATOR, Blame.HOST, stuck=True)
    if pod is None:
        reason = with_message("The build's pod is gone", condition.get("message"))
        return JobSeen(attempt, Phase.FAILED, reason, OPERATOR, Blame.HOST)
    return _ended(attempt, job, pod)


def _ended(attempt: int, job: Document, pod: Document) -> JobSeen:
    status = pod.get("status") or {}
    message = str(status.get("message") or "")
    if status.get("reason") == "Evicted" and ("emptyDir" in message or "ephemeral" in message):
        reason = "Building the model needed more disk than its limit."
        return JobSeen(attempt, Phase.FAILED, reason, SMALLER, Blame.MODEL)
    ended = (_container(pod).get("state") or {}).get("terminated") or {}
    code = int(ended.get("exitCode", -1))
    if ended.get("reason") == "OOMKilled":
        reason = f"Building the model needs more memory than {_memory(job)} MiB."
        return JobSeen(attempt, Phase.FAILED, reason, SMALLER, Blame.MODEL)
    if code == LATE:
        reason = with_message("Building the model took too long", _said(ended))
        return JobSeen(attempt, Phase.FAILED, reason, SMALLER, Blame.MODEL)
    blame, what = ENDINGS.get(code, (Blame.HOST, f"the build ended with exit code {code}"))
    reason = with_message(f"The build failed on our side: {what}", _said(ended) or message)
    return JobSeen(attempt, Phase.FAILED, reason, OPERATOR, blame)


def _said(ended: Document) -> str:
    """Give the program's own last words; before them there may be tracebacks."""
    lines = str(ended.get("message") or "").strip().splitlines()
    return lines[-1].removeprefix("kubeserve build: ") if lines else ""


def _memory(job: Document) -> int:
    containers = job["spec"]["template"]["spec"]["containers"]
    limits = next(one for one in containers if one["name"] == CONTAINER)["resources"]["limits"]
    total = quantity(str(limits["memory"]))
    return 0 if total is None else int(total) // MIB - OWN_MEMORY_MIB


def _container(pod: Document) -> dict[str, Any]:
    found: list[dict[str, Any]] = (pod.get("status") or {}).get("containerStatuses") or []
    return next((one for one in found if one.get("name") == CONTAINER), {})


def with_message(what: str, message: object) -> str:
    """Add a message on one line: a pod's is a tenant's text, cut and without control characters."""
    text = " ".join(str(message or "").split())[:_MOST_TEXT]
    text = "".join(character for character in text if character.isprintable())
    return f"{what}: {text.rstrip('.')}." if text else f"{what}."
