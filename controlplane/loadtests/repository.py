"""Queries on load tests; the tenant comes first."""

import uuid
from datetime import datetime
from typing import Any

from tortoise.functions import Max

from controlplane.loadtests.states import ENDED, LoadTestState
from controlplane.loadtests.tables import LoadTest, LoadTestEvent, LoadTestReport


async def add(tenant: uuid.UUID, **values: Any) -> LoadTest:
    """Make a test; the tenant's row is locked, so that no two get the same number."""
    last = await LoadTest.filter(tenant_id=tenant).annotate(last=Max("number")).values("last")
    number = ((last[0]["last"] if last else None) or 0) + 1
    return await LoadTest.create(id=uuid.uuid4(), tenant_id=tenant, number=number, **values)


async def find(tenant: uuid.UUID, key: uuid.UUID) -> LoadTest | None:
    return await LoadTest.get_or_none(tenant_id=tenant, id=key)


async def find_of_all(key: uuid.UUID) -> LoadTest | None:
    """Find a test of whichever tenant."""
    return await LoadTest.get_or_none(id=key)


async def lock(tenant: uuid.UUID, key: uuid.UUID) -> LoadTest | None:
    """Find a test and lock it to the end of the transaction."""
    return await LoadTest.filter(tenant_id=tenant, id=key).select_for_update().first()


async def lock_of_all(key: uuid.UUID) -> LoadTest | None:
    """Find a test of whichever tenant and lock it to the end of the transaction."""
    return await LoadTest.filter(id=key).select_for_update().first()


async def page(
    tenant: uuid.UUID, endpoint: str | None, limit: int, below: int | None
) -> list[LoadTest]:
    """Give limit + 1 tests, the newest first."""
    rows = LoadTest.filter(tenant_id=tenant)
    if endpoint is not None:
        rows = rows.filter(endpoint=endpoint)
    if below is not None:
        rows = rows.filter(number__lt=below)
    return await rows.order_by("-number").limit(limit + 1)


async def count_live(tenant: uuid.UUID) -> int:
    """Count the tests that wait or run."""
    return await LoadTest.filter(tenant_id=tenant).exclude(state__in=ENDED).count()


async def waiting_of_all(limit: int) -> list[LoadTest]:
    """Give tests that wait, those that wait longest first, with their tenants."""
    rows = LoadTest.filter(state=LoadTestState.QUEUED)
    return await rows.order_by("created_at", "id").limit(limit).select_related("tenant")


async def waiting_before_of_all(row: LoadTest) -> int:
    """Count the tests, of any tenant, that wait for longer than one."""
    rows = LoadTest.filter(state=LoadTestState.QUEUED, created_at__lt=row.created_at)
    return await rows.exclude(id=row.id).count()


async def running_of_all() -> list[LoadTest]:
    """Give tests that run, with their tenants."""
    return await LoadTest.filter(state=LoadTestState.RUNNING).select_related("tenant")


async def last_told(key: uuid.UUID) -> int:
    """Give the highest `n` among a test's events, 0 if none has one."""
    newest = LoadTestEvent.filter(loadtest_id=key).order_by("-number").limit(10)
    return max((int(one.document.get("n", 0)) for one in await newest), default=0)


async def cancelled_of_all() -> list[uuid.UUID]:
    """Give the tests that run and are not wanted any more."""
    rows = LoadTest.filter(state=LoadTestState.RUNNING, cancelled_at__not_isnull=True)
    return [row.id for row in await rows.only("id")]


async def save(row: LoadTest, **values: Any) -> None:
    row.update_from_dict(values)
    await row.save(update_fields=list(values))


async def add_event(key: uuid.UUID, document: dict[str, Any]) -> None:
    """Add an event; the test's row is locked, so that numbers have no gaps."""
    last = await LoadTestEvent.filter(loadtest_id=key).order_by("-number").first()
    number = 1 if last is None else last.number + 1
    await LoadTestEvent.create(loadtest_id=key, number=number, document=document)


async def events(key: uuid.UUID, after: int, limit: int) -> list[LoadTestEvent]:
    """Give events of a test behind a number, in their order."""
    rows = LoadTestEvent.filter(loadtest_id=key, number__gt=after)
    return await rows.order_by("number").limit(limit)


async def last_events(key: uuid.UUID, limit: int) -> list[LoadTestEvent]:
    """Give the newest events of a test, the last one first."""
    return await LoadTestEvent.filter(loadtest_id=key).order_by("-number").limit(limit)


async def put_report(key: uuid.UUID, form: str, sha256: str, size_bytes: int) -> None:
    values = {"sha256": sha256, "size_bytes": size_bytes}
    await LoadTestReport.update_or_create(defaults=values, loadtest_id=key, format=form)


async def reports(keys: list[uuid.UUID]) -> list[LoadTestReport]:
    """Give the reports of some tests, by format."""
    return await LoadTestReport.filter(loadtest_id__in=keys).order_by("format") if keys else []


async def report_in_use_of_all(sha256: str) -> bool:
    return await LoadTestReport.filter(sha256=sha256).exists()


async def tenants_with_more_of_all(kept: int) -> list[uuid.UUID]:
    """Give the tenants whose number of tests has been above `kept`."""
    found = await LoadTest.filter(number__gt=kept).distinct().values_list("tenant_id", flat=True)
    return [uuid.UUID(str(one)) for one in found]


async def oldest(tenant: uuid.UUID, kept: int) -> list[LoadTest]:
    """Give the tests that have ended, but for the `kept` newest."""
    rows = LoadTest.filter(tenant_id=tenant, state__in=ENDED)
    return await rows.order_by("-number").offset(kept).limit(1000)


async def ended_of_all(before: datetime) -> list[LoadTest]:
    """Give tests that ended before a time."""
    return await LoadTest.filter(ended_at__lt=before).limit(1000)


async def remove(keys: list[uuid.UUID]) -> None:
    await LoadTest.filter(id__in=keys).delete()
