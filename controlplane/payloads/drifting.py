"""What drift is measured against, and how the files of a window compare with it."""

import hashlib
import json
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

from prometheus_client import Gauge

from controlplane.artifacts.objects import Objects
from controlplane.endpoints import health
from controlplane.endpoints.logged import LoggedEndpoint
from controlplane.payloads import arrow, psi, repository
from controlplane.payloads.psi import Level, Shift
from controlplane.payloads.tables import DriftReference, PayloadFile
from controlplane.telemetry import REGISTRY
from runtime.sketches import Sketch, added, sketch_from

TRAINING, WINDOW, FIRST = "training", "window", "first"
FIRST_ROWS: Final = 1000
MOST_ROWS: Final = 100_000  # of a reference window
INPUT: Final = "input."
AGAIN_FILES: Final = 500  # counted anew when the reference changes, the newest
MOST_FILES: Final = 3000  # of a window: two days of one each minute
AT_ONCE: Final = 20
LOOK_BACK: Final = timedelta(days=30)
FACTS: Final = 10  # columns that are named where many drift
USUAL: Final = timedelta(hours=24)
EVER: Final = datetime(2000, 1, 1, tzinfo=UTC)

WORST_PSI = Gauge(
    "kubeserve_drift_worst_psi",
    "The largest population stability index of an endpoint's columns, of the last 24 hours.",
    ["tenant", "endpoint"],
    registry=REGISTRY,
)
DRIFTING = Gauge(
    "kubeserve_drift_columns",
    "Columns of an endpoint by how far they drifted from their reference in the last 24 hours.",
    ["tenant", "endpoint", "level"],
    registry=REGISTRY,
)


@dataclass(frozen=True, slots=True)
class Column:
    """What one column is measured against; `since`, `until` of the rows that it was made of."""

    sketch: Sketch
    kind: str
    since: datetime | None
    until: datetime | None

    def takes(self, file: PayloadFile) -> bool:
        """Tell whether a file is to be compared: not if the reference was made of it."""
        if self.since is None or self.until is None:
            return True
        return not self.since <= file.first_at <= self.until


@dataclass(frozen=True, slots=True)
class Reference:
    """What an endpoint's columns are measured against; `id` changes with any of it."""

    id: str
    columns: Mapping[str, Column]

    def documents(self) -> dict[str, Any]:
        """Give the sketches by column."""
        return {name: one.sketch.to_json() for name, one in self.columns.items()}


@dataclass(frozen=True, slots=True)
class Report:
    """How the columns of a window compare with their references.

    since  when it begins, where it had more files than are looked at; None: as it was asked for
    """

    level: Level
    rows: int
    since: datetime | None
    columns: Mapping[str, tuple[Column, Shift]]


async def reference(found: LoggedEndpoint) -> Reference | None:
    """Give what an endpoint's main version is measured against; None: nothing yet.

    A window that was chosen goes before training data, and these before the first logged rows,
    column by column: training data have no predictions.
    """
    if found.main is None or found.main not in found.revisions:
        return None
    version = found.revisions[found.main].version_id
    rows = (
        await repository.reference_of_endpoint(found.id, FIRST, version),
        await repository.reference_of_version(version),
        await repository.reference_of_endpoint(found.id, WINDOW),
    )
    columns: dict[str, Column] = {}
    for row in rows:
        if row is not None and row.columns:
            columns |= _columns(row)
    columns = {name: one for name, one in columns.items() if _is_logged(found, name)}
    if not columns:
        return None
    text = json.dumps({name: one.sketch.to_json() for name, one in sorted(columns.items())})
    return Reference(hashlib.sha256(text.encode()).hexdigest()[:16], columns)


def _is_logged(found: LoggedEndpoint, name: str) -> bool:
    """Tell whether a column is logged as its reference has it: hashes are of no training data."""
    role, _, column = name.partition(".")
    if found.log is None or role == "output":
        return True
    is_hashed = column in found.log.hashed
    return column not in found.log.redact and is_hashed == (role == "hashed")


def _columns(row: DriftReference) -> dict[str, Column]:
    prefix = INPUT if row.kind == TRAINING else ""
    return {
        f"{prefix}{name}": Column(sketch_from(document), row.kind, row.since, row.until)
        for name, document in (row.columns or {}).items()
    }


# Kept up by whoever leads


async def follow(found: LoggedEndpoint, objects: Objects, work: Path, now: datetime) -> None:
    """Make references that can be made, count what was not counted in their bins, tell gauges."""
    if found.main is None or found.main not in found.revisions:
        return
    served = found.revisions[found.main]
    await _first(found, objects, work)
    await _chosen(found, objects, work)
    current = await reference(found)
    if current is None:
        await health.note_drift(found.id, served.version_id, [], over=False, at=now)
        return
    since = now - LOOK_BACK
    files = await repository.window(
        found.id, served.model, served.version, since, limit=AGAIN_FILES, oldest=False
    )
    await _count(current, [one for one in files if one.binned_by != current.id], objects, work)
    seen = await report(found, current, now - USUAL, None)
    tell(found, seen)
    far = [name for name, (_, shift) in seen.columns.items() if shift.level is Level.MAJOR]
    facts = [f"{name}: {seen.columns[name][1].evidence}" for name in sorted(far)[:FACTS]]
    over = seen.level is Level.STABLE
    await health.note_drift(found.id, served.version_id, facts, over=over, at=now)


async def _first(found: LoggedEndpoint, objects: Objects, work: Path) -> None:
    """Make a reference of the first rows of a version, once there are enough."""
    served = found.revisions[found.main or ""]
    if await repository.reference_of_endpoint(found.id, FIRST, served.version_id) is not None:
        return
    files, rows = list[PayloadFile](), 0
    there = await repository.window(found.id, served.model, served.version, EVER, limit=AGAIN_FILES)
    for one in there:
        files.append(one)
        rows += one.good_rows
        if rows >= FIRST_ROWS:
            break
    if rows < FIRST_ROWS:
        return
    told = await _sketch(files, objects, work)
    await repository.put_reference(
        found.tenant,
        FIRST,
        served.version_id,
        found.id,
        rows=told["rows"],
        columns=told["columns"],
        since=files[0].first_at,
        until=files[-1].last_at,
    )


async def _chosen(found: LoggedEndpoint, objects: Objects, work: Path) -> None:
    """Make the reference of a window that was chosen, if it is not made yet."""
    row = await repository.reference_of_endpoint(found.id, WINDOW)
    if row is None or row.columns is not None or row.since is None:
        return
    served = found.revisions[found.main or ""]
    there = await repository.window(
        found.id, served.model, served.version, row.since, row.until, limit=AGAIN_FILES
    )
    files = _enough(there)
    if not files:
        await repository.fill_reference(row, 0, {}, row.since, row.until or row.since)
        return
    told = await _sketch(files, objects, work)
    since, until = files[0].first_at, files[-1].last_at
    await repository.fill_reference(row, told["rows"], told["columns"], since, until)


def _enough(files: Sequence[PayloadFile]) -> list[PayloadFile]:
    """Give the first files, up to the rows that are looked at: they are read together."""
    some, rows = list[PayloadFile](), 0
    for one in files:
        if rows >= MOST_ROWS:
            break
        some.append(one)
        rows += one.good_rows
    return some


async def _sketch(files: Sequence[PayloadFile], objects: Objects, work: Path) -> dict[str, Any]:
    with tempfile.TemporaryDirectory(dir=work) as folder:
        paths = await _fetched(files, objects, Path(folder))
        return await arrow.ask({"do": "sketch", "files": paths, "rows": MOST_ROWS})


async def _count(
    current: Reference, files: Sequence[PayloadFile], objects: Objects, work: Path
) -> None:
    for at in range(0, len(files), AT_ONCE):
        some = files[at : at + AT_ONCE]
        with tempfile.TemporaryDirectory(dir=work) as folder:
            paths = await _fetched(some, objects, Path(folder))
            job = {"do": "count", "files": paths, "bins": current.documents()}
            told = await arrow.ask(job)
        for one, counted in zip(some, told["files"], strict=True):
            await repository.save_counts(one, current.id, counted["counts"])


async def _fetched(files: Iterable[PayloadFile], objects: Objects, folder: Path) -> list[str]:
    paths = []
    for one in files:
        path = folder / f"{one.key}.parquet"
        await objects.fetch_to(one.name, path)
        paths.append(str(path))
    return paths


# Compared


async def report(
    found: LoggedEndpoint, current: Reference, since: datetime, until: datetime | None
) -> Report:
    """Compare a window of the main version's files with the reference."""
    served = found.revisions[found.main or ""]
    files = await repository.window(
        found.id, served.model, served.version, since, until, limit=MOST_FILES, oldest=False
    )
    counted = [one for one in files if one.binned_by == current.id]
    columns = {
        name: (column, psi.shift(column.sketch, _sum(name, column, counted)))
        for name, column in current.columns.items()
    }
    level = psi.worst([shift.level for _, shift in columns.values()])
    begins = files[0].first_at if len(files) == MOST_FILES else None
    return Report(level, sum(one.good_rows for one in counted), begins, columns)


def _sum(name: str, column: Column, files: Iterable[PayloadFile]) -> Sketch:
    bins = column.sketch.bins
    total = Sketch(bins, (0,) * bins.size, 0)
    for one in files:
        found = (one.counts or {}).get(name)
        if found is not None and len(found) == bins.size + 1 and column.takes(one):
            total = added(total, Sketch(bins, tuple(found[1:]), found[0]))
    return total


def tell(found: LoggedEndpoint, seen: Report) -> None:
    """Show Prometheus the worst column and how many drift: by endpoint, however many columns."""
    values = [shift.psi for _, shift in seen.columns.values() if shift.psi is not None]
    labels = (found.tenant_name, found.name)
    WORST_PSI.labels(*labels).set(max(values, default=0.0))
    for level in Level:
        many = sum(shift.level is level for _, shift in seen.columns.values())
        DRIFTING.labels(*labels, str(level)).set(many)


def forget_gauges() -> None:
    """Show nothing: another replica leads, or nothing is logged any more."""
    WORST_PSI.clear()
    DRIFTING.clear()
