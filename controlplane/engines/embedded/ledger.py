"""The supervisor's memory: desired endpoints, ports, transition times."""

import json
import os
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from controlplane.engines.embedded.wire import LocalEndpoint, endpoint_from
from controlplane.engines.engine import EndpointId

VERSION = 1


class LedgerError(RuntimeError):
    """The ledger is there and cannot be used; the message says what to do."""


class PortsExhausted(RuntimeError):
    """Every port of the range belongs to an endpoint."""


@dataclass(slots=True)
class Entry:
    """One endpoint.

    proven        the newest state of which a worker was ready once: served while a newer one fails
    active_since  last transition of the condition Active
    """

    desired: LocalEndpoint
    port: int
    proven: LocalEndpoint | None = None
    active: bool = False
    active_since: datetime | None = None
    requests_total: int = 0
    starts_total: int = 0


@dataclass(slots=True)
class Ledger:
    """All entries, and the file they are in. A change is durable once `save` has returned."""

    path: Path
    ports: range
    entries: dict[EndpointId, Entry] = field(default_factory=dict)

    def load(self) -> None:
        """Read the file; none there is an empty ledger."""
        try:
            text = self.path.read_text()
        except FileNotFoundError:
            return
        try:
            document = json.loads(text)
            if document["version"] != VERSION:
                raise ValueError(f"version {document['version']} is not {VERSION}")
            self.entries = {EndpointId(i): _entry(e) for i, e in document["endpoints"].items()}
        except (KeyError, TypeError, ValueError) as error:
            raise LedgerError(
                f"{self.path} cannot be read ({error}); it is written whole or not at all, so it "
                "was changed by hand or by another version: move it away and deploy again"
            ) from error

    def save(self) -> None:
        """Replace the file: at every moment either the old or the new one is on disk."""
        document = {
            "version": VERSION,
            "endpoints": {i: _entry_json(e) for i, e in self.entries.items()},
        }
        write_durably(self.path, json.dumps(document).encode())

    def free_port(self) -> int:
        """Give the lowest port of the range that belongs to no endpoint."""
        taken = {entry.port for entry in self.entries.values()}
        for port in self.ports:
            if port not in taken:
                return port
        raise PortsExhausted(
            f"all {len(self.ports)} ports from {self.ports.start} are used by endpoints; "
            "delete some, or give a wider range in KUBESERVE_PORTS"
        )


def write_durably(path: Path, content: bytes, mode: int = 0o600) -> None:
    """Write, fsync, rename, fsync the folder."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, mode)
    with open(descriptor, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    os.replace(temporary, path)
    sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    """Make the names in a folder durable."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _entry(document: dict[str, object]) -> Entry:
    values = dict(document)
    since = values["active_since"]
    values["active_since"] = None if since is None else datetime.fromisoformat(str(since))
    for name in ("desired", "proven"):
        if values[name] is not None:
            values[name] = endpoint_from(values[name])  # type: ignore[arg-type]  # checked there
    return Entry(**values)  # type: ignore[arg-type]  # a wrong field raises TypeError


def _entry_json(entry: Entry) -> dict[str, object]:
    return {
        "desired": entry.desired.to_json(),
        "proven": None if entry.proven is None else entry.proven.to_json(),
        "port": entry.port,
        "active": entry.active,
        "active_since": None if entry.active_since is None else entry.active_since.isoformat(),
        "requests_total": entry.requests_total,
        "starts_total": entry.starts_total,
    }
