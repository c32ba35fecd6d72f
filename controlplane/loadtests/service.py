"""Load tests: asked for within a quota, run by the leader, followed while they run, kept a while.

Nothing here sends a request to an endpoint: rows are written, the reconciler starts the program.
"""

import asyncio
import uuid
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

from controlplane.artifacts.store import Store
from controlplane.audit import service as audit
from controlplane.callers import Caller
from controlplane.database import transaction
from controlplane.endpoints import service as endpoints
from controlplane.loadtests import limits as of_tests
from controlplane.loadtests import repository
from controlplane.loadtests.news import News
from controlplane.loadtests.outcomes import Outcome
from controlplane.loadtests.states import ENDED, LoadTestState, may_move
from controlplane.loadtests.tables import LoadTest
from controlplane.loadtests.why import cause
from controlplane.telemetry import LOADTESTS
from controlplane.tenants import limits
from controlplane.tenants.limits import Limits
from controlplane.tenants.service import Quotas, TenantId
from controlplane.wakes import Wake, tell
from controlplane.webhooks import service as webhooks
from controlplane.webhooks.states import Event
from loadtests.plan import Plan, PlanError, held_to, plan_from
from runtime.problems import Conflict, InvalidInput, NotFound

# Gives what is kept of the plan of a test that is asked for later; raises QuotaExceeded.
Admit = Callable[[Plan], dict[str, Any]]
# Of a plan, what the installation decides.
OURS: Final = {"address"}
# Files that come with a test are kept beside its reports, their names in its plan.
GIVEN: Final = frozenset({"sample", "compare"})
LOOK_AGAIN_S: Final = 5.0
EVENTS_AT_A_TIME: Final = 200
KEPT: Final = timedelta(days=90)
KEPT_OF_A_TENANT: Final = 200
MOST_REPORT_BYTES: Final = 32 << 20
CANCELLED: Final = "It was cancelled."
LAST_WORDS: Final = 3  # events, of which one says how a test was, where it said so


for _state_ in ENDED:  # counters are there before the first test ends
    LOADTESTS.labels(str(_state_))


@dataclass(frozen=True, slots=True)
class TestToRun:
    """A test that was taken from the queue. `by`: the subject and the client it is run for."""

    id: uuid.UUID
    tenant: TenantId
    tenant_name: str
    endpoint_id: uuid.UUID
    plan: dict[str, Any]
    files: dict[str, "Given"]
    by: tuple[str, str]


@dataclass(frozen=True, slots=True)
class Given:
    """A file that came with a test, in the artifact store."""

    name: str
    sha256: str
    size_bytes: int


@dataclass(frozen=True, slots=True)
class Told:
    """An event of a test; its number goes on from the one before."""

    number: int
    document: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Report:
    """A file in the artifact store."""

    format: str
    sha256: str
    size_bytes: int


async def keep(store: Store, files: Mapping[str, tuple[str, bytes]]) -> dict[str, Given]:
    """Store the files that come with a test, by what they are: `sample`, `compare`."""
    found = {}
    for kind, (name, content) in files.items():
        blob = await store.put(_whole(content), max_bytes=len(content))
        found[kind] = Given(name, blob.sha256, blob.size_bytes)
    return found


async def _whole(content: bytes) -> AsyncIterator[bytes]:
    yield content


async def create(
    caller: Caller,
    tenant: TenantId,
    plan: Plan,
    files: Mapping[str, Given],
    quotas: Quotas,
    most_generators: int,
) -> dict[str, Any]:
    """Ask for a test, by what the endpoint promises where nothing else is asked.

    Raises NotFound for an endpoint that the tenant has not, InvalidInput, QuotaExceeded.
    """
    endpoint = await endpoints.id_of(tenant, plan.endpoint)
    try:
        plan = held_to(plan, await endpoints.slo(tenant, plan.endpoint))
    except PlanError as error:
        raise InvalidInput(str(error), field="slo") from error
    async with transaction():
        most = await quotas.hold(tenant)
        plan = of_tests.admitted(plan, most, most_generators)
        row = await _ask(caller, tenant, endpoint, plan, most, files)
    return show(row, [])


async def _ask(
    caller: Caller,
    tenant: TenantId,
    endpoint: uuid.UUID,
    plan: Plan,
    most: Limits,
    files: Mapping[str, Given],
) -> LoadTest:
    """Ask for an admitted test in a transaction that holds the tenant's limits."""
    limits.check("loadtests", most.loadtests, await repository.count_live(tenant))
    row = await repository.add(
        tenant,
        endpoint_id=endpoint,
        endpoint=plan.endpoint,
        plan=document_of(plan) | {kind: file.name for kind, file in files.items()},
        state=LoadTestState.QUEUED,
        created_by=caller.subject,
        client=caller.client,
    )
    for kind, file in files.items():
        await repository.put_report(row.id, kind, file.sha256, file.size_bytes)
    await _add_event(row, {"event": "queued"})
    await audit.record(
        caller, "loadtest.create", f"loadtest:{row.id}", endpoint=row.endpoint, plan=row.plan
    )
    return row


async def ask(
    caller: Caller,
    tenant: TenantId,
    endpoint: uuid.UUID,
    plan: dict[str, Any],
    most: Limits,
) -> uuid.UUID:
    """Ask for a test within a transaction of another's that holds the tenant's limits.

    plan     as `check` gave it
    returns  its id; raises QuotaExceeded
    """
    asked = plan_from(plan)
    asked = of_tests.admitted(asked, most, asked.processes)  # the quota may be another by now
    row = await _ask(caller, tenant, endpoint, asked, most, {})
    found: uuid.UUID = row.id
    return found


def check(plan: Plan, most: Limits, most_generators: int) -> dict[str, Any]:
    """Give the plan of a test that is to be asked for later; raises QuotaExceeded."""
    return document_of(of_tests.admitted(plan, most, most_generators))


def document_of(plan: Plan) -> dict[str, Any]:
    """Give what is kept of a plan."""
    return plan.model_dump(mode="json", exclude_none=True, exclude=OURS)


async def outcome(key: uuid.UUID) -> Outcome | None:
    """Tell how a test stands; None: it is forgotten."""
    row = await repository.find_of_all(key)
    if row is None:
        return None
    told = [one.document for one in await repository.last_events(key, LAST_WORDS)]
    verdicts = next((one["verdicts"] for one in told if one["event"] == "finished"), ())
    return Outcome(
        str(row.id),
        row.number,
        row.state,
        row.verdict,
        row.reason,
        row.cancelled_at is not None,
        row.ended_at,
        tuple(verdicts),
    )


async def call_off(key: uuid.UUID) -> None:
    """End a test that nobody wants any more, within a transaction; one that has ended stays."""
    row = await repository.lock_of_all(key)
    if row is not None and row.state not in ENDED:
        await _call_off(row)


async def _call_off(row: LoadTest) -> None:
    if row.cancelled_at is None:
        await repository.save(row, cancelled_at=datetime.now(UTC))
    if row.state is LoadTestState.QUEUED:
        await _end(row, LoadTestState.INTERRUPTED, None, CANCELLED, ())
    await tell(Wake.LOADTEST, str(row.id))


async def get(tenant: TenantId, key: str) -> LoadTest:
    """Find a test; raises NotFound."""
    return _found(key, await repository.find(tenant, _id(key)))


async def document(tenant: TenantId, key: str) -> dict[str, Any]:
    """Describe a test; raises NotFound."""
    return (await _documents([await get(tenant, key)]))[0]


async def explain(tenant: TenantId, key: str) -> dict[str, Any]:
    """Say why a test waits, or ended as it did; raises NotFound."""
    row = await get(tenant, key)
    told = await outcome(row.id)
    before = await repository.waiting_before_of_all(row)
    running = len(await repository.running_of_all())
    found = cause(show(row, []), () if told is None else told.verdicts, before, running)
    return found.document(f"loadtest:{row.id}")


async def page(
    tenant: TenantId, endpoint: str | None, limit: int, below: int | None
) -> list[dict[str, Any]]:
    """Describe limit + 1 tests, the newest first."""
    return await _documents(await repository.page(tenant, endpoint, limit, below))


async def cancel(caller: Caller, tenant: TenantId, key: str) -> dict[str, Any]:
    """End a test that waits or runs; what it measured is kept. Raises NotFound and Conflict."""
    async with transaction():
        row = _found(key, await repository.lock(tenant, _id(key)))
        if row.state in ENDED:
            raise Conflict(f"This test is {row.state} already; there is nothing to cancel.")
        if row.cancelled_at is None:
            await audit.record(
                caller, "loadtest.cancel", f"loadtest:{row.id}", endpoint=row.endpoint
            )
        await _call_off(row)
    return (await _documents([row]))[0]


async def follow(row: LoadTest, after: int, news: News) -> AsyncIterator[Told | None]:
    """Give the events of a test behind a number, those to come too, until it has ended.

    None: there was nothing for a while.
    """
    with news.following(row.id) as woken:
        while True:
            woken.clear()
            # Before the events: those of a test that has ended are all there then.
            state = await _state(row)
            found = await repository.events(row.id, after, EVENTS_AT_A_TIME)
            for one in found:
                after = one.number
                yield Told(one.number, one.document)
            if found:
                continue
            if state is None or state in ENDED:
                return
            try:
                async with asyncio.timeout(LOOK_AGAIN_S):
                    await woken.wait()
            except TimeoutError:
                yield None


async def _state(row: LoadTest) -> LoadTestState | None:
    now = await repository.find(row.tenant_id, row.id)
    return None if now is None else now.state


async def report(tenant: TenantId, key: str, form: str) -> Report:
    """Find a report; raises NotFound, which says what there is."""
    row = await get(tenant, key)
    found = {
        one.format: one for one in await repository.reports([row.id]) if one.format not in GIVEN
    }
    if form not in found:
        there = f"there are {sorted(found)}" if found else "it has left none"
        when = "" if row.state in ENDED else " It has not ended yet."
        raise NotFound(f"This test has no report {form!r}; {there}.{when}")
    return Report(form, found[form].sha256, found[form].size_bytes)


async def fetch(store: Store, found: Report, into: Path) -> None:
    """Write a report to a path that does not exist yet; raises NotFound."""
    try:
        await store.fetch_to(found.sha256, into)
    except FileNotFoundError as error:
        raise NotFound("The report is not in the artifact store any more.") from error


async def count_live(tenant: TenantId) -> int:
    """Count the tests of a tenant that wait or run."""
    return await repository.count_live(tenant)


async def take_waiting(free: int) -> list[TestToRun]:
    """Take up to `free` tests from the queue, those that wait longest first."""
    waiting = await repository.waiting_of_all(free)
    return [await _to_run(row) for row in waiting if await begun(row.id)]


async def _files(row: LoadTest) -> dict[str, Given]:
    kept = {one.format: one for one in await repository.reports([row.id])}
    return {
        kind: Given(row.plan[kind], one.sha256, one.size_bytes)
        for kind, one in kept.items()
        if kind in GIVEN
    }


async def begun(key: uuid.UUID) -> bool:
    """Keep that a test runs now; False: it does not wait any more."""
    async with transaction():
        row = await repository.lock_of_all(key)
        if row is None or not may_move(row.state, LoadTestState.RUNNING):
            return False
        await repository.save(row, state=LoadTestState.RUNNING, started_at=datetime.now(UTC))
    return True


def longest_s(test: TestToRun) -> float:
    """Give the seconds that a test sends, or waits to send, at most."""
    return of_tests.longest_s(plan_from(test.plan))


def processes(test: TestToRun) -> int:
    """Give the number of generators of a test."""
    return plan_from(test.plan).processes


async def cancelled() -> list[uuid.UUID]:
    """Give the tests that run and are not wanted any more."""
    return await repository.cancelled_of_all()


async def running() -> list[uuid.UUID]:
    """Give the tests that run, or whose runner is gone."""
    return [row.id for row in await repository.running_of_all()]


async def left_running() -> list[tuple[TestToRun, int]]:
    """Give the tests whose runner is gone, with the `n` of the last event that was kept."""
    rows = await repository.running_of_all()
    return [(await _to_run(row), await repository.last_told(row.id)) for row in rows]


async def _to_run(row: LoadTest) -> TestToRun:
    name: str = row.tenant.name  # type: ignore[attr-defined]
    tenant, by = TenantId(row.tenant_id), (row.created_by, row.client)
    plan = {key: value for key, value in row.plan.items() if key not in GIVEN}
    return TestToRun(row.id, tenant, name, row.endpoint_id, plan, await _files(row), by)


async def told(key: uuid.UUID, event: dict[str, Any]) -> None:
    """Keep what a test told."""
    async with transaction():
        row = await repository.lock_of_all(key)
        if row is not None:
            await _add_event(row, event)


async def ended(
    key: uuid.UUID,
    state: LoadTestState,
    verdict: str | None,
    reason: str | None,
    reports: tuple[Report, ...],
) -> None:
    """Keep how a test ended; one that has ended already stays as it is."""
    async with transaction():
        row = await repository.lock_of_all(key)
        if row is not None and may_move(row.state, state):
            await _end(row, state, verdict, reason, reports)


async def _end(
    row: LoadTest,
    state: LoadTestState,
    verdict: str | None,
    reason: str | None,
    reports: tuple[Report, ...],
) -> None:
    for one in reports:
        await repository.put_report(row.id, one.format, one.sha256, one.size_bytes)
    now = datetime.now(UTC)
    await repository.save(row, state=state, verdict=verdict, reason=reason, ended_at=now)
    LOADTESTS.labels(str(state)).inc()
    formats = sorted(one.format for one in reports)
    await _add_event(
        row,
        {
            "event": "ended",
            "state": str(state),
            "verdict": verdict,
            "reason": reason,
            "reports": formats,
        },
    )
    said = {
        "loadtest": str(row.id),
        "number": row.number,
        "endpoint": row.endpoint,
        "state": str(state),
        "verdict": verdict,
        "reason": reason,
        "reports": formats,
    }
    await webhooks.emit(TenantId(row.tenant_id), Event.LOADTEST_FINISHED, said)


async def _add_event(row: LoadTest, event: dict[str, Any]) -> None:
    at = datetime.now(UTC).isoformat()
    await repository.add_event(row.id, {**event, "told_at": at})
    await tell(Wake.LOADTEST, str(row.id))


async def report_in_use(sha256: str) -> bool:
    """Tell whether a test names a blob."""
    return await repository.report_in_use_of_all(sha256)


async def forget(store: Store, now: datetime) -> int:
    """Delete tests that are older or more than are kept, with their reports; gives how many."""
    gone = await repository.ended_of_all(now - KEPT)
    for tenant in await repository.tenants_with_more_of_all(KEPT_OF_A_TENANT):
        gone += await repository.oldest(tenant, KEPT_OF_A_TENANT)
    keys = [row.id for row in gone]
    blobs = {one.sha256 for one in await repository.reports(keys)}
    await repository.remove(keys)
    for sha256 in blobs:
        if not await repository.report_in_use_of_all(sha256):
            await store.delete(sha256)
    return len(set(keys))


async def _documents(rows: list[LoadTest]) -> list[dict[str, Any]]:
    formats: dict[uuid.UUID, list[str]] = {}
    for one in await repository.reports([row.id for row in rows]):
        if one.format not in GIVEN:
            formats.setdefault(one.loadtest_id, []).append(one.format)
    return [show(row, formats.get(row.id, [])) for row in rows]


def show(row: LoadTest, formats: list[str]) -> dict[str, Any]:
    """Describe a test."""
    times = ("created_at", "started_at", "ended_at", "cancelled_at")
    return {
        "id": str(row.id),
        "number": row.number,
        "endpoint": row.endpoint,
        "endpoint_id": str(row.endpoint_id),
        "plan": row.plan,
        "state": str(row.state),
        "verdict": row.verdict,
        "reason": row.reason,
        "reports": formats,
        "created_by": row.created_by,
        **{name: at.isoformat() if (at := getattr(row, name)) else None for name in times},
    }


def _id(key: str) -> uuid.UUID:
    try:
        return uuid.UUID(key)
    except ValueError as error:
        raise _missing(key) from error


def _found(key: str, row: LoadTest | None) -> LoadTest:
    if row is None:
        raise _missing(key)
    return row


def _missing(key: str) -> NotFound:
    return NotFound(f"There is no load test {key[:60]!r}; `kubeserve loadtests` lists them.")
