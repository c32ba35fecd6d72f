"""From a Job of a load test, its pod and events to how far it is, in words. Pure."""

from collections.abc import Sequence

from controlplane.engines.jobs import LoadSeen, Phase
from controlplane.engines.knative.build_status import STUCK, true_conditions, with_message
from controlplane.engines.knative.names import Document


def seen(job: Document, pod: Document | None, events: Sequence[Document]) -> LoadSeen:
    """Tell of one Job.

    events  warnings about the Job itself; needed only while it has no pod
    """
    true = true_conditions(job)
    if "Complete" in true:
        return LoadSeen(Phase.DONE)
    if "Failed" in true:
        return LoadSeen(Phase.FAILED, _failed(true["Failed"], pod))
    if pod is None:
        return _no_pod(events)
    return _with_pod(pod)


def _with_pod(pod: Document) -> LoadSeen:
    status = pod.get("status") or {}
    address = status.get("podIP")
    match status.get("phase"):
        case "Failed":
            return LoadSeen(Phase.FAILED, _ended(pod))
        case "Pending":
            reason, stuck = _waits(status)
            return LoadSeen(Phase.WAITING, reason, stuck, address)
        case _:
            return LoadSeen(Phase.RUNNING, address=address)


def _waits(status: Document) -> tuple[str, bool]:
    waiting = (_state(status).get("waiting")) or {}
    if waiting.get("reason") in STUCK:
        what = f"the container waits for {waiting['reason']}"
        return with_message(what, waiting.get("message")), True
    for one in status.get("conditions") or ():
        if one.get("type") == "PodScheduled" and one.get("status") == "False":
            return with_message("no node has room", one.get("message")), False
    return "its pod is starting.", False


def _no_pod(events: Sequence[Document]) -> LoadSeen:
    refused = [one for one in events if one.get("reason") == "FailedCreate"]
    if not refused:
        return LoadSeen(Phase.WAITING, "its pod is being made.")
    last = max(refused, key=lambda one: str(one.get("lastTimestamp") or one.get("eventTime")))
    message = str(last.get("message") or "")
    if "exceeded quota" in message:
        return LoadSeen(
            Phase.WAITING, with_message("the quota of the namespace is used up", message)
        )
    return LoadSeen(Phase.WAITING, with_message("the cluster refuses its pod", message), stuck=True)


def _failed(condition: Document, pod: Document | None) -> str:
    if condition.get("reason") == "DeadlineExceeded":
        return "it had not ended in time."
    if pod is None:
        return with_message("its pod is gone", condition.get("message"))
    return _ended(pod)


def _ended(pod: Document) -> str:
    status = pod.get("status") or {}
    ended = _state(status).get("terminated") or {}
    if ended.get("reason") == "OOMKilled":
        return "it needed more memory than its limit."
    lines = str(ended.get("message") or status.get("message") or "").strip().splitlines()
    how = status.get("reason") or f"exit code {ended.get('exitCode', 'unknown')}"
    return with_message(f"its pod ended ({how})", lines[-1] if lines else "")


def _state(status: Document) -> Document:
    containers: list[Document] = status.get("containerStatuses") or [{}]
    return containers[0].get("state") or {}
