"""What Knative wrote down of a Revision that failed, whose pods may be gone by now. Pure."""

import re
from typing import Final

from controlplane.engines.engine import Cause
from controlplane.engines.knative.ends import End, ended
from controlplane.engines.knative.facts import (
    Evidence,
    name_of,
    quote_condition,
    quote_event,
    revision_of,
    short,
)
from controlplane.engines.knative.names import Document
from controlplane.engines.knative.pod_causes import (
    IMAGE,
    SETTINGS,
    image_missing,
    unschedulable,
)
from controlplane.engines.knative.refusals import OPERATOR, refused

EXIT_CODE: Final = re.compile(r"^ExitCode(\d+)$")


def revision_cause(evidence: Evidence, revision: Document, found: Document) -> Cause:
    """Name the cause of a condition of a Revision that is False."""
    reason, message = str(found.get("reason") or ""), str(found.get("message") or "")
    facts = (quote_condition("Revision", revision, found),)
    code = EXIT_CODE.match(reason)
    if code:
        limits = (revision["spec"]["containers"][0].get("resources") or {}).get("limits") or {}
        words = tuple(message.removeprefix("Container failed with: ").splitlines())
        wanted, limit = evidence.revision(revision), str(limits.get("memory", ""))
        name, number = evidence.desired.name, int(code[1])
        return ended(End(name, wanted, number, "", words, limit, facts))
    if reason in IMAGE or reason == "ContainerMissing":
        return image_missing(message, facts)
    if reason == "Unschedulable":
        return unschedulable(message, "its share", facts)
    if reason == "FailedCreate":
        return refused(message, facts, evidence.quotas)
    if reason in SETTINGS:
        step = f"{OPERATOR}image, command or settings of KubeServe's containers do not fit."
        text = f"The node cannot start the container: {short(message)}"
        return Cause("ConfigurationError", False, text, facts, step)
    if reason in ("ProgressDeadlineExceeded", "TimedOut"):
        return _too_slow(evidence, revision, facts)
    text = f"Knative says that the revision failed: {short(message or reason)}"
    step = "Read `kubeserve logs " + evidence.desired.name + "`; deploy another version."
    return Cause(reason or "RevisionFailed", False, text, facts, step)


def _too_slow(evidence: Evidence, revision: Document, facts: tuple[str, ...]) -> Cause:
    annotations = revision["metadata"].get("annotations") or {}
    within = annotations.get("serving.knative.dev/progress-deadline", "the deadline")
    pods = [one for one in evidence.pods if revision_of(one) == name_of(revision)]
    more = [x for pod in pods for x in (*warnings(evidence, pod), *evidence.log_of(pod))]
    name = evidence.desired.name
    text = f"No replica became ready within {within}."
    step = (
        f"Nothing, if the cluster had no room: it is started again by itself. Otherwise read "
        f"`kubeserve logs {name}`: a model that loads for long has to become smaller."
    )
    return Cause("ReadinessTimeout", False, text, (*facts, *more), step)


def warnings(evidence: Evidence, pod: Document) -> tuple[str, ...]:
    """Quote the last warnings about a pod."""
    found = [x for x in evidence.events_of(name_of(pod)) if x.get("type") == "Warning"]
    return tuple(map(quote_event, found[-2:]))
