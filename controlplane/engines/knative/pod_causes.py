"""What is wrong with one pod, read long before Knative's deadline passes. Pure."""

import re
from typing import Any, Final

from controlplane.engines.engine import Cause
from controlplane.engines.knative.ends import End, ended
from controlplane.engines.knative.facts import (
    CONTAINER,
    Evidence,
    failed,
    is_ready,
    name_of,
    quote_condition,
    quote_event,
    short,
    statuses,
)
from controlplane.engines.knative.holding import quantity
from controlplane.engines.knative.names import KEYS, STORE, Document

IMAGE: Final = frozenset(
    {
        "ErrImagePull", "ImagePullBackOff", "ErrImageNeverPull", "InvalidImageName",
        "ImageInspectError", "RegistryUnavailable",
    }
)  # fmt: skip
SETTINGS: Final = frozenset({"CreateContainerConfigError", "CreateContainerError",
                             "RunContainerError", "StartError"})  # fmt: skip
ABSENT: Final = re.compile(r"(secret|configmap) \"([^\"]+)\" not found", re.IGNORECASE)
LACKS: Final = re.compile(r"\d+ (Insufficient [\w./-]+|Too many pods|node\(s\) [^,.]+)")
# The kubelet has just begun to look, and tries again.
PASSING: Final = re.compile("failed to sync|not registered")
INNERMOST: Final = 3
RECENT_S: Final = 300
MANY_EVENTS: Final = 4
OPERATOR: Final = "Ask the operator of the cluster: "


def pod_cause(pod: Document, evidence: Evidence) -> Cause | None:
    """Name what keeps a pod from serving, or just ended it; None: nothing that is known."""
    if is_ready(pod):
        return _restarted(pod, evidence)
    return (
        _evicted(pod)
        or _unschedulable(pod)
        or _containers(pod, evidence)
        or _not_made(pod, evidence)
    )


def image_missing(message: str, facts: tuple[str, ...]) -> Cause:
    """Name an image that cannot be had."""
    # The innermost reason comes last: "failed to pull …: dial tcp: lookup registry: no such host".
    reason = ": ".join(message.split(": ")[-INNERMOST:])
    said = f"The cluster cannot get the image of the replica: {short(reason)}"
    step = (
        f"{OPERATOR}KUBESERVE_RUNTIME_IMAGE and KUBESERVE_BUILDER_IMAGE must name images that "
        "every node can pull. Nothing of the model is wrong."
    )
    return Cause("ImageMissing", False, said, facts, step)


def unschedulable(message: str, needs: str, facts: tuple[str, ...]) -> Cause:
    """Name what no node has."""
    found = dict.fromkeys(one.rstrip(".") for one in LACKS.findall(message))
    lacks = ", ".join(found) or short(message)
    said = f"No node has room for the replica, which asks for {needs}: {lacks}."
    step = (
        "Free room (delete endpoints, lower --min-scale), or ask the operator for a node; a "
        "cluster that grows by itself may be adding one."
    )
    return Cause("Unschedulable", False, said, facts, step)


def absent(kind: str, name: str, facts: tuple[str, ...]) -> Cause:
    """Name an object of ours that is not there."""
    what = {KEYS: "the keys that tokens are checked with", STORE: "the credentials of the store"}
    said = what.get(name, "the artifact that is served")
    message = f"{kind} {name}, {said}, is missing in the namespace."
    step = (
        "KubeServe makes it again within a minute; if it stays away, ask the operator who or what "
        "deletes it."
    )
    reason = "ConfigurationError" if name == KEYS else "ArtifactMissing"
    return Cause(reason, False, message, facts, step)


def needs_of(pod: Document) -> str:
    """Add up what a pod asks of a node."""
    asked = [
        ((one.get("resources") or {}).get("requests") or {}) for one in pod["spec"]["containers"]
    ]
    cpu, memory = (
        sum(quantity(str(one.get(kind, "0"))) or 0 for one in asked) for kind in ("cpu", "memory")
    )
    return f"{float(cpu):g} CPU and {float(memory) / (1 << 20):.0f} MiB"


def _evicted(pod: Document) -> Cause | None:
    status = pod.get("status") or {}
    if status.get("phase") != "Failed" or not status.get("reason"):
        return None
    facts = (f"Pod {name_of(pod)}: {status['reason']}: {short(status.get('message', ''))}",)
    message = f"A replica was thrown out by its node: {short(status.get('message', ''))}"
    step = "Another one takes over by itself; if it happens again, ask the operator about the node."
    return Cause("Evicted", False, message, facts, step)


def _unschedulable(pod: Document) -> Cause | None:
    found = failed(pod, "PodScheduled")
    if found is None or found.get("reason") != "Unschedulable":
        return None
    facts = (quote_condition("Pod", pod, found),)
    return unschedulable(str(found.get("message", "")), needs_of(pod), facts)


def _restarted(pod: Document, evidence: Evidence) -> Cause | None:
    """Name why a replica ended a moment ago, though it is well again: its callers saw it."""
    for status in statuses(pod):
        end = (status.get("lastState") or {}).get("terminated")
        if not (status["name"] == CONTAINER and end and end.get("exitCode")):
            continue
        if evidence.age(end.get("finishedAt")) <= RECENT_S:
            return _ended(pod, status, end, evidence)
    return None


def _containers(pod: Document, evidence: Evidence) -> Cause | None:
    for status in statuses(pod):
        waiting = (status.get("state") or {}).get("waiting") or {}
        reason, message = waiting.get("reason", ""), str(waiting.get("message", ""))
        fact = short(f"Pod {name_of(pod)}, container {status['name']}: {reason}: {message}")
        if reason in IMAGE:
            return image_missing(message or reason, (fact, *_quoted(pod, evidence)))
        if reason in SETTINGS and not PASSING.search(message):
            return _unable(message or reason, (fact, *_quoted(pod, evidence)))
        end = terminated(status)
        if end is not None and status["name"] == CONTAINER:
            return _ended(pod, status, end, evidence)
        if end is not None and end.get("exitCode"):
            return _queue_proxy(pod, status, end, evidence)
    return None


def terminated(status: dict[str, Any]) -> dict[str, Any] | None:
    """Give how a container that does not serve ended last; None: it never did."""
    for moment in ("state", "lastState"):
        found: dict[str, Any] | None = (status.get(moment) or {}).get("terminated")
        if found is not None:
            return found
    return None


def _ended(pod: Document, status: dict[str, Any], end: dict[str, Any], evidence: Evidence) -> Cause:
    said = tuple(str(end.get("message") or "").splitlines())
    words = said or tuple(evidence.logs.get(name_of(pod), ()))
    waiting = (status.get("state") or {}).get("waiting") or {}
    now = f", now {waiting['reason']}" if waiting.get("reason") else ""
    fact = (
        f"Pod {name_of(pod)}, container {status['name']}: exit code {end.get('exitCode')} "
        f"({end.get('reason', 'unknown')}), {status.get('restartCount', 0)} restarts{now}"
    )
    lines = evidence.log_of(pod) or tuple(f"last words: {short(line)}" for line in said[-5:])
    limits = next(
        (
            (one.get("resources") or {}).get("limits") or {}
            for one in pod["spec"]["containers"]
            if one["name"] == status["name"]
        ),
        {},
    )
    return ended(
        End(
            evidence.desired.name,
            evidence.revision(pod),
            int(end.get("exitCode") or 0),
            str(end.get("reason") or ""),
            words,
            str(limits.get("memory", "")),
            (fact, *lines),
        )
    )


def _queue_proxy(
    pod: Document, status: dict[str, Any], end: dict[str, Any], evidence: Evidence
) -> Cause:
    fact = (
        f"Pod {name_of(pod)}, container {status['name']}: exit code {end['exitCode']} "
        f"({end.get('reason', 'unknown')}): {short(str(end.get('message') or ''))}"
    )
    message = f"Knative's own container {status['name']} of the replica ended."
    step = f"{OPERATOR}it belongs to Knative; its log and its memory limit tell more."
    return Cause("CrashLoop", False, message, (fact, *_quoted(pod, evidence)), step)


def _unable(message: str, facts: tuple[str, ...]) -> Cause:
    found = ABSENT.search(message)
    if found:
        kind = "Secret" if found[1].lower() == "secret" else "ConfigMap"
        return absent(kind, found[2], facts)
    said = f"The node cannot start the container: {short(message)}"
    step = f"{OPERATOR}image, command or settings of KubeServe's containers do not fit the nodes."
    return Cause("ConfigurationError", False, said, facts, step)


def _not_made(pod: Document, evidence: Evidence) -> Cause | None:
    """Look at what only events tell: mounts and sandboxes that fail."""
    if any((one.get("state") or {}).get("running") for one in statuses(pod)):
        return None
    for event in reversed(evidence.events_of(name_of(pod))):
        message = str(event.get("message", ""))
        if event.get("reason") == "FailedMount" and not PASSING.search(message):
            return _unable(message, _quoted(pod, evidence))
        if event.get("reason") in ("FailedCreatePodSandBox", "NetworkNotReady"):
            said = f"The node cannot make the pod: {short(message)}"
            step = f"{OPERATOR}the node's container runtime or network has a fault."
            return Cause("NodeTrouble", False, said, _quoted(pod, evidence), step)
    return None


def _quoted(pod: Document, evidence: Evidence) -> tuple[str, ...]:
    warnings = [x for x in evidence.events_of(name_of(pod)) if x.get("type") == "Warning"]
    return tuple(map(quote_event, warnings[-MANY_EVENTS:]))
