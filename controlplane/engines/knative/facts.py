"""What is known of an endpoint whose state is to be explained, and how facts are quoted. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final

from controlplane.engines.engine import DesiredEndpoint, DesiredRevision
from controlplane.engines.knative import names
from controlplane.engines.knative.names import Document
from controlplane.engines.knative.status import condition, generation
from controlplane.redaction import redacted

REVISION: Final = "serving.knative.dev/revision"
CONTAINER: Final = "runtime"
MOST: Final = 600
LINES: Final = 5


@dataclass(frozen=True, slots=True)
class Evidence:
    """All that was read, of one moment.

    instance   what our objects are told from others' by
    refusal    what the API server says to the next object we would apply; None: nothing against it
    hindrance  what the last try to apply it lacked, as the store; None: nothing, or not tried here
    missing    our own objects that are not there, as "Secret NAME" or "ConfigMap NAME"
    logs       the last lines of the runtime container, by pod
    hidden     what our account may not read
    """

    desired: DesiredEndpoint
    now: datetime
    instance: str = "kubeserve"
    namespace: Document | None = None
    service: Document | None = None
    route: Document | None = None
    refusal: str | None = None
    hindrance: str | None = None
    missing: tuple[str, ...] = ()
    revisions: Sequence[Document] = ()
    deployments: Sequence[Document] = ()
    pods: Sequence[Document] = ()
    events: Sequence[Document] = ()
    quotas: Sequence[Document] = ()
    logs: Mapping[str, Sequence[str]] = field(default_factory=dict)
    hidden: tuple[str, ...] = ()

    @property
    def behind(self) -> bool:
        """True while the KService does not say all of what is wanted."""
        return self.service is None or generation(self.service) != self.desired.generation

    def concerned(self) -> frozenset[str]:
        """Name the Revisions that matter now: those routed to and the one being made."""
        spec = (self.service or {}).get("spec") or {}
        routed = {line.get("revisionName") for line in spec.get("traffic") or ()}
        template = ((spec.get("template") or {}).get("metadata") or {}).get("name")
        return frozenset(str(name) for name in routed | {template} if name)

    def of(self, documents: Iterable[Document]) -> list[Document]:
        """Keep what belongs to a Revision that matters and is not going away."""
        wanted = self.concerned()
        return [
            one
            for one in documents
            if not one["metadata"].get("deletionTimestamp") and revision_of(one) in wanted
        ]

    def revision(self, document: Document) -> DesiredRevision:
        """Find what is wanted of the Revision that a pod belongs to; the newest if it is gone."""
        labels = document["metadata"].get("labels") or {}
        name = labels.get(names.REVISION)
        known = self.desired.revisions
        return next((one for one in known if one.name == name), known[-1])

    def events_of(self, name: str) -> list[Document]:
        """Give the events on an object, the newest last."""
        found = [one for one in self.events if one.get("involvedObject", {}).get("name") == name]
        return sorted(found, key=_moment)

    def log_of(self, pod: Document) -> tuple[str, ...]:
        """Quote the last lines of a pod."""
        name = name_of(pod)
        last = tuple(self.logs.get(name, ()))[-LINES:]
        return tuple(f"log of {name}: {redacted(line)}" for line in last)

    def age(self, text: str | None) -> int:
        """Give the whole seconds since a Kubernetes time."""
        if not text:
            return 0
        return max(0, int((self.now - datetime.fromisoformat(text)).total_seconds()))


def revision_of(document: Document) -> str:
    """Name the Revision that an object belongs to, or is."""
    labels = document["metadata"].get("labels") or {}
    return str(labels.get(REVISION) or name_of(document))


def name_of(document: Document) -> str:
    """Name an object."""
    return str(document["metadata"]["name"])


def failed(document: Document, kind: str, status: str = "False") -> Document | None:
    """Give a condition if it has that status."""
    found = condition(document, kind)
    return found if found is not None and found.get("status") == status else None


def quote_condition(kind: str, document: Document, found: Document) -> str:
    """Quote a condition as it is."""
    said = f": {found['message']}" if found.get("message") else ""
    return short(
        f"{kind} {name_of(document)}: {found['type']}={found['status']}"
        f" {found.get('reason') or ''}{said}"
    )


def quote_event(event: Document) -> str:
    """Quote an event as it is."""
    target = event.get("involvedObject", {})
    count = event.get("count") or 1
    times = f" ({count} times)" if count > 1 else ""
    return short(
        f"event on {target.get('kind', 'object')} {target.get('name', '')}: "
        f"{event.get('reason', '')}{times}: {event.get('message', '')}"
    )


def short(text: str) -> str:
    """Put a text of others on one line without secrets."""
    line = " ".join(redacted(text).split())
    return line if len(line) <= MOST else f"{line[: MOST - 1]}…"


def statuses(pod: Document) -> list[dict[str, Any]]:
    """Give the states of a pod's containers, ours first."""
    found = (pod.get("status") or {}).get("containerStatuses") or []
    return sorted(found, key=lambda one: one.get("name") != CONTAINER)


def restarted(pod: Document) -> bool:
    """Tell whether a container of a pod ended once."""
    return any(one.get("restartCount") for one in statuses(pod))


def is_ready(pod: Document) -> bool:
    """Tell whether a pod takes requests."""
    return failed(pod, "Ready", "True") is not None


def _moment(event: Document) -> datetime:
    text = event.get("lastTimestamp") or event.get("eventTime") or event.get("firstTimestamp")
    return datetime.fromisoformat(text) if text else datetime.min.replace(tzinfo=UTC)
