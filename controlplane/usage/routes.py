"""Usage over HTTP."""

from dataclasses import asdict
from datetime import UTC, datetime
from enum import StrEnum
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request

from controlplane.callers import CurrentCaller
from controlplane.rest import MAX_PAGE, Moment, after, check_name, page
from controlplane.tenants import service as tenants
from controlplane.usage import schemas, service

router = APIRouter(prefix="/v1/usage", tags=["usage"])


class Interval(StrEnum):
    TOTAL = "total"
    DAY = "day"
    HOUR = "hour"


@router.get("")
async def usage(  # noqa: PLR0913  (each is a parameter of the address)
    caller: CurrentCaller,
    request: Request,
    start: Annotated[Moment | None, Query(alias="from")] = None,
    end: Annotated[Moment | None, Query(alias="to")] = None,
    endpoint: str | None = None,
    interval: Interval = Interval.TOTAL,
    limit: Annotated[int, Query(ge=1, le=MAX_PAGE)] = 50,
    cursor: str | None = None,
) -> schemas.UsagePage:
    """Say what endpoints used, deleted ones too, and what it cost; by default the last 30 days.

    `from` and `to` (ISO 8601 with a time zone) are rounded to whole hours of UTC, and to whole days
    before `hours_since`.
    """
    if endpoint is not None:
        check_name("endpoint", endpoint)
    tenant = (await tenants.get(caller.tenant)).id
    now = datetime.now(UTC)
    hours_since = request.app.state.usage_kept.hours_since(now)
    asked = service.period(start, end, now, hours_since)
    rows = await service.page(tenant, asked, interval, endpoint, limit, after(cursor))
    prices = request.app.state.prices

    def show(row: dict[str, Any]) -> dict[str, Any]:
        return service.show(row, asked, prices)

    shown = page(rows, limit, show, service.place)
    return schemas.UsagePage(
        **shown,
        start=asked.start,
        end=asked.end,
        since=await service.first_hour(tenant),
        hours_since=hours_since,
        prices=None if prices is None else schemas.Prices(**asdict(prices)),
    )
