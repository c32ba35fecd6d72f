"""The supervisor's memory: desired endpoints and ports, on disk before anything acts on them.

Two files an endpoint. ID.json is what must not be lost, replaced durably; ID.history is counters
and transition times, written without fsync: the loop that wakes endpoints cannot wait for a disk.
"""

import json
import os
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from controlplane.engines.embedded.metering import Meter, meter_from
from controlplane.engines.embedded.wire import LocalEndpoint, WireError, endpoint_from
from controlplane.engines.engine import Condition, EndpointId
from controlplane.files import sync, write_durably

VERSION = 2
HISTORY = ".history"


class LedgerError(RuntimeError):
    """The ledger is there and cannot be used; the message says what to do."""


class PortsExhausted(RuntimeError):
    """Every port of the range belongs to an endpoint."""


@dataclass(frozen=True, slots=True)
class Transition:
    """The last change of a condition's status."""

    status: Condition
    at: datetime


@dataclass(slots=True)
class Entry:
    """One endpoint.

    proven       the newest state of which a worker was ready once: served while a newer one fails
    meter        what it used
    transitions  by type of condition
    """

    desired: LocalEndpoint
    port: int
    proven: LocalEndpoint | None = None
    meter: Meter = field(default_factory=Meter)
    transitions: dict[str, Transition] = field(default_factory=dict)

    def turned(self, kind: str, status: Condition) -> bool:
        """Note the status of a condition; True when it is another than before."""
        before = self.transitions.get(kind)
        if before is not None and before.status is status:
            return False
        self.transitions[kind] = Transition(status, datetime.now(UTC))
        return True


@dataclass(slots=True)
class Ledger:
    """All entries, and the folder they are in."""

    folder: Path
    ports: range
    entries: dict[EndpointId, Entry] = field(default_factory=dict)

    def load(self) -> None:
        """Read the folder; none there is an empty ledger."""
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        for path in (*self.folder.glob(".*.json.*"), *self.folder.glob(f".*{HISTORY}")):
            path.unlink(missing_ok=True)  # of a supervisor that was killed amid a write
        for path in self.folder.glob(f"*{HISTORY}"):
            if not path.with_suffix(".json").exists():
                path.unlink(missing_ok=True)  # of one that was killed amid forgetting
        for path in sorted(self.folder.glob("*.json")):
            entry = _entry(path)
            _recall(entry, path.with_suffix(HISTORY))
            self.entries[entry.desired.id] = entry

    def save(self, entry: Entry) -> None:
        """Make an entry durable: at every moment either the old or the new one is on disk."""
        document = {
            "version": VERSION,
            "desired": entry.desired.to_json(),
            "proven": None if entry.proven is None else entry.proven.to_json(),
            "port": entry.port,
        }
        write_durably(self._path(entry.desired.id), json.dumps(document).encode())
        self.entries[entry.desired.id] = entry

    def save_history(self, entry: Entry) -> None:
        """Write counters and transition times; a power cut may lose the latest."""
        document = {
            "meter": entry.meter.to_json(),
            "transitions": {
                kind: [turn.status.value, turn.at.isoformat()]
                for kind, turn in entry.transitions.items()
            },
        }
        path = self._path(entry.desired.id).with_suffix(HISTORY)
        temporary = path.with_name(f".{path.name}")
        temporary.write_text(json.dumps(document))
        os.replace(temporary, path)

    def forget(self, endpoint: EndpointId) -> None:
        """Remove an entry; nothing there is success."""
        self.entries.pop(endpoint, None)
        path = self._path(endpoint)
        path.unlink(missing_ok=True)
        path.with_suffix(HISTORY).unlink(missing_ok=True)
        sync(self.folder)

    def files(self) -> set[str]:
        """Name every file that workers may open."""
        states = [s for e in self.entries.values() for s in (e.desired, e.proven) if s]
        return {name for state in states for name in state.files()}

    def free_port(self, usable: Callable[[int], bool]) -> int:
        """Give the lowest port of the range that belongs to no endpoint and is `usable`."""
        taken = {entry.port for entry in self.entries.values()}
        for port in self.ports:
            if port not in taken and usable(port):
                return port
        raise PortsExhausted(
            f"all {len(self.ports)} ports from {self.ports.start} are used, by endpoints or by "
            "other programs; delete endpoints, or give a wider range in KUBESERVE_PORTS"
        )

    def _path(self, endpoint: EndpointId) -> Path:
        return self.folder / f"{endpoint}.json"


def _entry(path: Path) -> Entry:
    try:
        document = json.loads(path.read_text())
        if document["version"] != VERSION:
            raise ValueError(f"version {document['version']} is not {VERSION}")
        proven = document["proven"]
        return Entry(
            desired=endpoint_from(document["desired"]),
            port=int(document["port"]),
            proven=None if proven is None else endpoint_from(proven),
        )
    except (KeyError, TypeError, ValueError, WireError) as error:
        raise LedgerError(
            f"{path} cannot be read ({error}); it is written whole or not at all, so it was "
            "changed by hand or by another version: move it away and deploy again"
        ) from error


def _recall(entry: Entry, path: Path) -> None:
    try:
        document = json.loads(path.read_text())
        meter = meter_from(document["meter"])
        transitions = {
            kind: Transition(Condition(status), datetime.fromisoformat(at))
            for kind, (status, at) in document["transitions"].items()
        }
    except (OSError, AttributeError, KeyError, TypeError, ValueError):
        # Counters begin anew, as after any restart of what counts; the endpoint is whole.
        return
    entry.meter, entry.transitions = meter, transitions
