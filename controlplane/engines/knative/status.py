"""From KService and Revisions to what the engine interface calls observed. Pure.

No status is believed whose `observedGeneration` is not the object's generation.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from controlplane.engines import engine
from controlplane.engines.engine import Condition, EndpointId, ObservedEndpoint, Status
from controlplane.engines.knative import names
from controlplane.engines.knative.names import Document

EPOCH: Final = datetime.fromtimestamp(0, UTC)
SEEN_S: Final = 20.0
# What Knative's Route says of a Revision that it does not see yet, or that failed. Of those that
# have, their own conditions say so, and the Route's come later: by itself it is no failure.
OF_A_ROUTE: Final = "RevisionMissing"


def observed(service: Document, revisions: Sequence[Document]) -> ObservedEndpoint:
    """Tell the state of an endpoint.

    revisions  every Revision of it that there is; the routed ones are counted
    """
    metadata, status = service["metadata"], service.get("status") or {}
    routed = {line.get("revisionName") for line in service["spec"].get("traffic") or ()}
    serving = [one for one in revisions if one["metadata"]["name"] in routed]
    return ObservedEndpoint(
        id=EndpointId(metadata["labels"][names.ENDPOINT]),
        observed_generation=generation(service),
        url=str(status.get("url") or ""),
        replicas=_total(serving, "actualReplicas"),
        desired_replicas=_total(serving, "desiredReplicas"),
        conditions=(_ready(service, serving), _active(serving)),
        tag_urls={
            str(line["tag"]): str(line["url"])
            for line in status.get("traffic") or ()
            if line.get("tag") and line.get("url")
        },
    )


def remains(endpoint: EndpointId) -> ObservedEndpoint:
    """Tell of an endpoint of which only parts are there."""
    message = "Its KService is missing; what belongs to it is still there."
    gone = Status("Ready", Condition.UNKNOWN, "Missing", message, EPOCH)
    return ObservedEndpoint(endpoint, 0, "", 0, 0, (gone,))


@dataclass(frozen=True, slots=True)
class Refusal:
    """What the cluster said to a generation that it did not take."""

    generation: int
    reason: str
    message: str
    text: str
    at: datetime


def refused(
    endpoint: EndpointId, seen: ObservedEndpoint | None, refusal: Refusal
) -> ObservedEndpoint:
    """Tell of an endpoint whose newest state the cluster does not take."""
    if seen is not None and seen.observed_generation >= refusal.generation:
        return seen  # somebody else got it through
    ready = Status("Ready", Condition.FALSE, refusal.reason, refusal.message, refusal.at)
    return engine.refused(endpoint, seen, refusal.generation, ready)


def generation(service: Document) -> int:
    """Give the generation of the desired state that a KService was last rendered from, whole."""
    annotations = service["metadata"].get("annotations") or {}
    text = str(annotations.get(names.GENERATION, "0"))
    return int(text) if text.isdigit() else 0


def believed(document: Document) -> bool:
    """Tell whether the status is about what the object says now."""
    status = document.get("status") or {}
    return bool(status.get("observedGeneration") == document["metadata"].get("generation"))


def condition(document: Document, kind: str) -> Document | None:
    """Find a condition by type."""
    found: list[Document] = (document.get("status") or {}).get("conditions") or []
    return next((one for one in found if one.get("type") == kind), None)


def is_not_ready(service: Document) -> bool:
    """Tell whether Knative says that it does not serve what the object says now."""
    found = condition(service, "Ready")
    return believed(service) and found is not None and found["status"] == "False"


def since(found: Document | None) -> datetime:
    """Give the time of a condition's last transition."""
    text = (found or {}).get("lastTransitionTime")
    return datetime.fromisoformat(text) if text else EPOCH


def gave_up(revision: Document, now: datetime) -> bool:
    """Tell whether Knative no longer tries to start a Revision that has never been ready.

    It does so for good when the first replica is not ready in time, also where there only was no
    room for it. Told only when everybody has had the time to see it, and only where the container
    is not known to be at fault: that would be no better the next time.
    """
    timed_out, active = condition(revision, "ResourcesAvailable"), condition(revision, "Active")
    healthy = condition(revision, "ContainerHealthy")
    return (
        believed(revision)
        and timed_out is not None
        and timed_out["status"] == "False"
        and timed_out.get("reason") == "ProgressDeadlineExceeded"
        and active is not None
        and active["status"] == "False"
        and (healthy is None or healthy["status"] != "False")
        and (now - max(since(timed_out), since(active))).total_seconds() >= SEEN_S
    )


def _total(revisions: Sequence[Document], field: str) -> int:
    return sum(int((one.get("status") or {}).get(field) or 0) for one in revisions)


def _ready(service: Document, revisions: Sequence[Document]) -> Status:
    found = condition(service, "Ready")
    if found is None or not believed(service):
        text = "Knative has not looked at this release yet."
        return Status("Ready", Condition.UNKNOWN, "Deploying", text, since(found))
    value = Condition(found["status"])
    if value is Condition.TRUE:
        count = _total(revisions, "actualReplicas")
        if count:
            return Status("Ready", value, "Serving", f"{count} replica(s) running.", since(found))
        text = "No replica runs; the next request starts one."
        return Status("Ready", value, "AtZero", text, since(found))
    worst = _cause(service, revisions) or found
    reason = str(worst.get("reason") or "Deploying")
    message = str(worst.get("message") or "This release is being rolled out.")
    if reason == OF_A_ROUTE:
        value = Condition.UNKNOWN
    return Status("Ready", value, reason, message, since(found))


def _cause(service: Document, revisions: Sequence[Document]) -> Document | None:
    """Find the condition that says most: of a Revision, then of the Route."""
    candidates: list[tuple[Document, str]] = [
        (one, kind) for one in revisions for kind in ("ContainerHealthy", "ResourcesAvailable")
    ]
    candidates += [(service, "ConfigurationsReady"), (service, "RoutesReady")]
    found = [condition(document, kind) for document, kind in candidates]
    for status in ("False", "Unknown"):
        for one in found:
            if one is not None and one.get("status") == status and one.get("message"):
                return one
    return None


def _active(revisions: Sequence[Document]) -> Status:
    found: list[dict[str, Any]] = [c for one in revisions if (c := condition(one, "Active"))]
    by_status = {Condition(one["status"]): one for one in found}
    for value in (Condition.TRUE, Condition.UNKNOWN, Condition.FALSE):
        one = by_status.get(value)
        if one is not None:
            reason = str(one.get("reason") or ("Serving" if value is Condition.TRUE else "Idle"))
            message = str(one.get("message") or "Requests are being served.")
            return Status("Active", value, reason, message, since(one))
    text = "No replica was started yet."
    return Status("Active", Condition.UNKNOWN, "Deploying", text, EPOCH)
