"""What workers logged becomes Parquet in the store: read, written, noted, and only then removed.

Whoever leads does it, and may die between any two lines: a batch is noted in the transaction of
the file that it became part of, under its name, so it is in one file, once.
"""

import logging
import tempfile
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any, Final

from controlplane.artifacts.objects import Inbox, Objects
from controlplane.database import Taken, transaction
from controlplane.endpoints import logged
from controlplane.endpoints import service as endpoints
from controlplane.endpoints.logged import LoggedEndpoint
from controlplane.endpoints.payload_log import PayloadLog
from controlplane.models.storage import Storage
from controlplane.payloads import arrow, drifting, repository
from controlplane.payloads.tables import PayloadFile
from runtime.payload_log import Counts
from runtime.problems import Problem, QuotaExceeded

log = logging.getLogger("kubeserve.payloads")
AT_ONCE_BYTES: Final = 16 * 1024 * 1024
SOON_BYTES: Final = 8 * 1024 * 1024
PREFIX: Final = "payloads/"
# While the store is down, Parquet is not made again and again for it.
PAUSES: Final = tuple(timedelta(seconds=seconds) for seconds in (5, 10, 20, 30))
DOOMED_AT_ONCE: Final = 500
# A batch is removed at once; only a crash leaves it, and the next look finds it.
REMEMBERED: Final = timedelta(days=2)
ORPHAN_S: Final = 3600.0
NAMESPACE: Final = uuid.UUID("7a1ee0e8-5c0c-4a55-8a3f-0d5a3ad7c1d5")


@dataclass(frozen=True, slots=True)
class Site:
    """Where payloads come from, and where they go.

    every_s  how long a batch waits for more before a file is made of it
    work     a folder for files that are being made
    """

    inbox: Inbox
    objects: Objects
    storage: Storage
    work: Path
    every_s: float = 60.0


class Taking:
    """Looks at all endpoints, again and again; one that fails is left alone for a while."""

    def __init__(self, site: Site) -> None:
        self._site = site
        self._failed: dict[str, tuple[int, datetime]] = {}

    async def look(self, now: datetime) -> int:
        """Make files of what is due; gives how many. One endpoint's trouble is not another's."""
        made, there = 0, await self._site.inbox.endpoints()
        self._failed = {name: one for name, one in self._failed.items() if name in there}
        for name in there:
            failures, again_at = self._failed.get(name, (0, now))
            if now < again_at:
                continue
            try:
                made += await take(self._site, name, now)
                self._failed.pop(name, None)
            except Exception as error:  # noqa: BLE001  (logged; its batches stay where they are)
                pause = PAUSES[min(failures, len(PAUSES) - 1)]
                self._failed[name] = (failures + 1, now + pause)
                log.warning("payloads of %s could not be kept yet: %s", name, error)
        return made


async def take(site: Site, name: str, now: datetime) -> int:
    """Make files of one endpoint's batches, if they are due."""
    tenant, _, key = name.rpartition("/")
    found = await logged.logged(uuid.UUID(key))
    # Where pods write it is sure whose they are, and not that the endpoint is theirs.
    if found is None or tenant not in ("", found.tenant_name):
        await site.inbox.discard(name)
        return 0
    batches = await site.inbox.batches(name)
    if found.log is None:
        # Turned off: what was not written until then is not kept either.
        await site.inbox.remove(name, [batch for batch, _, _ in batches])
        await _ended(site, name, found.id, now)
        if not await site.inbox.sources(name):
            await site.inbox.discard(name)
        return 0
    done = await repository.taken([batch for batch, _, _ in batches])
    if done:
        await site.inbox.remove(name, sorted(done))
        batches = [one for one in batches if one[0] not in done]
    made, waiting = 0, sum(size for _, size, _ in batches)
    due = waiting >= SOON_BYTES or any(age_s >= site.every_s for _, _, age_s in batches)
    while due and batches:
        some, batches = _some(batches)
        made += await _write(site, name, found, some, now)
    if not batches:
        await _ended(site, name, found.id, now)
    if made:
        await drifting.follow(found, site.objects, site.work, now)
    return made


def _some(
    batches: list[tuple[str, int, float]],
) -> tuple[list[str], list[tuple[str, int, float]]]:
    """Take as many as are made into files at once."""
    size, many = 0, 0
    for _, one, _ in batches:
        if many and size + one > AT_ONCE_BYTES:
            break
        size, many = size + one, many + 1
    return [batch for batch, _, _ in batches[:many]], batches[many:]


async def _write(
    site: Site, place: str, found: LoggedEndpoint, names: list[str], now: datetime
) -> int:
    """Make files of some batches and note them; `place`: what the inbox calls the endpoint."""
    wanted = found.log
    if wanted is None:
        return 0
    site.work.mkdir(mode=0o700, parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=site.work) as folder:
        into = Path(folder)
        paths = await site.inbox.fetch(place, names, into)
        if not paths:
            return 0
        reference = await drifting.reference(found)
        told = await arrow.ask(
            {
                "do": "write",
                "batches": [*map(str, paths)],
                "into": folder,
                "redact": wanted.redact,
                "hashed": wanted.hashed,
                "predictions": wanted.predictions,
                "revisions": {name: _served(one) for name, one in found.revisions.items()},
                "bins": {} if reference is None else reference.documents(),
            }
        )
        binned_by = None if reference is None else reference.id
        if told["bad"]:
            log.warning("%d batches of %s cannot be read", len(told["bad"]), found.name)
        files, counted = await _put(site, found, wanted, told["files"], [p.stem for p in paths])
        try:
            async with transaction():
                await repository.take(found.id, names)
                for values in files:
                    await repository.add_file(**values, binned_by=binned_by)
                for day, sums in counted.items():
                    await repository.add_day(found.id, day, sums)
                for source, counts in told["sources"].items():
                    await _tell(source, found.id, Counts(*counts), now)
        except Taken:  # by another leader: its files are there, and ours are found by `tidy`
            log.info("batches of %s were taken by another replica", found.name)
            return 0
    await site.inbox.remove(place, names)
    return len(files)


def _served(one: logged.Served) -> dict[str, Any]:
    return {
        "model": one.model,
        "version": one.version,
        "columns": [c["name"] for c in one.signature["columns"]],
        "outputs": [
            [o["name"], o["datatype"], o["width"], o["columns"]] for o in one.signature["outputs"]
        ],
    }


async def _put(
    site: Site,
    found: LoggedEndpoint,
    wanted: PayloadLog,
    made: Sequence[Mapping[str, Any]],
    names: list[str],
) -> tuple[list[dict[str, Any]], dict[date, dict[str, int]]]:
    """Store files within their limits; gives their rows, and what is counted by day."""
    rows, counted = list[dict[str, Any]](), dict[date, dict[str, int]]()
    for one in made:
        day = date.fromisoformat(one["day"])
        sums = counted.setdefault(day, {"logged": 0, "size_bytes": 0, "over_limit": 0})
        used = sums["size_bytes"] + await repository.bytes_of_day(found.id, day)
        full = used + one["size_bytes"] > wanted.max_bytes_per_day
        if full or not await _fits(site, found, one["size_bytes"]):
            sums["over_limit"] += one["requests"]
            continue
        # From the same batches the same name, so what a crash left is written over.
        what = (one["revision"], str(day), one["schema"], *sorted(names))
        key = uuid.uuid5(NAMESPACE, f"{found.id} {' '.join(what)}")
        served = found.revisions[one["revision"]]
        # A folder for each schema, since a reader of several files takes the first one's for all.
        folder = f"{served.model}-{served.version}-{one['schema']}"
        name = f"{PREFIX}{found.tenant_name}/{found.id}/{folder}/date={day}/{key}.parquet"
        await site.objects.put(name, Path(one["path"]))
        sums["logged"] += one["requests"]
        sums["size_bytes"] += one["size_bytes"]
        rows.append(_row(found, wanted, one, day, key, name))
    return rows, counted


async def _fits(site: Site, found: LoggedEndpoint, size_bytes: int) -> bool:
    try:
        await site.storage.room(found.tenant, None, size_bytes)
    except QuotaExceeded as error:
        log.warning("payloads of %s are not kept: %s", found.name, error.detail)
        return False
    return True


def _row(
    found: LoggedEndpoint,
    wanted: PayloadLog,
    one: Mapping[str, Any],
    day: date,
    key: uuid.UUID,
    name: str,
) -> dict[str, Any]:
    served = found.revisions[one["revision"]]
    return {
        "key": key,
        "tenant_id": found.tenant,
        "endpoint_id": found.id,
        "name": name,
        "day": day,
        "revision": one["revision"],
        "model": served.model,
        "version": served.version,
        "requests": one["requests"],
        "rows": one["rows"],
        "good_rows": one["good_rows"],
        "size_bytes": one["size_bytes"],
        "first_at": datetime.fromtimestamp(one["first_at"], UTC),
        "last_at": datetime.fromtimestamp(one["last_at"], UTC),
        "expires_at": expiry(day, wanted.retention_days),
        "counts": one["counts"],
    }


def expiry(day: date, retention_days: int) -> datetime:
    """Give when a day's files are deleted: so many days after its end."""
    after = day + timedelta(days=retention_days + 1)
    return datetime(after.year, after.month, after.day, tzinfo=UTC)


# What was counted


async def _ended(site: Site, name: str, endpoint: uuid.UUID, now: datetime) -> None:
    """Note what processes counted; what one held when it was killed is lost."""
    for source, counts, lives in await site.inbox.sources(name):
        async with transaction():
            await _tell(source, endpoint, counts, now)
            if not lives:
                await repository.add_day(endpoint, now.date(), {"lost": counts.held})
                await repository.forget_source(source)
        if not lives:
            await site.inbox.forget(name, source)


async def _tell(source: str, endpoint: uuid.UUID, counts: Counts, now: datetime) -> None:
    """Add what a process counted since it told last; the same twice adds nothing."""
    before = Counts(*(await repository.source(source) or Counts()))
    more = {
        name: max(0, getattr(counts, name) - getattr(before, name))
        for name in ("seen", "sampled", "full", "large")
    }
    if any(more.values()):
        await repository.add_day(endpoint, now.date(), more)
        highest = [max(pair) for pair in zip(counts, before, strict=True)]
        await repository.save_source(source, endpoint, highest)


async def follow_all(site: Site, now: datetime) -> None:
    """Make references that were asked for, and count by those that changed."""
    for key in await logged.with_payload_log():
        found = await logged.logged(key)
        if found is not None:
            site.work.mkdir(mode=0o700, parents=True, exist_ok=True)
            try:
                await drifting.follow(found, site.objects, site.work, now)
            except (Problem, arrow.NoAnswer, FileNotFoundError) as error:
                log.warning("drift of %s cannot be told yet: %s", found.name, error)


# What is to go


async def tidy(site: Site, now: datetime) -> int:
    """Delete what is old, or was asked to go, or whose endpoint is gone; gives how many files."""
    wanted = {*await endpoints.all_ids()}
    for gone in await repository.endpoints_of_all() - wanted:
        await repository.doom_of_all(gone, now)
    done = 0
    while doomed := await repository.doomed_of_all(now, DOOMED_AT_ONCE):
        await remove(site.objects, doomed)
        done += len(doomed)
    return done


async def remove(objects: Objects, files: Sequence[PayloadFile]) -> None:
    """Remove objects, then their rows: a row names what may still be there."""
    await objects.remove([one.name for one in files])
    await repository.remove_of_all([one.id for one in files])


async def sweep(site: Site, now: datetime) -> int:
    """Remove objects that no file is, as a crash leaves them; gives how many."""
    await repository.forget_batches_of_all(now - REMEMBERED)
    old = await site.objects.older_than(PREFIX, ORPHAN_S)
    orphans = sorted({*old} - await repository.known_of_all(old))
    if orphans:
        await site.objects.remove(orphans)
    return len(orphans)
