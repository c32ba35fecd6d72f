"""The audit log over HTTP, for administrators of a tenant."""

import json
from collections.abc import AsyncIterator
from enum import StrEnum
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from fastapi.responses import StreamingResponse

from controlplane.audit import service
from controlplane.audit.service import FOREIGN, Wanted
from controlplane.callers import CurrentCaller
from controlplane.edge.operations import file
from controlplane.rest import MAX_PAGE, Moment, Text, after_number, page
from controlplane.subjects import Subjects
from runtime.problems import InvalidInput

router = APIRouter(prefix="/v1/audit", tags=["audit"])
OPERATOR = "an administrator of this installation"


class Format(StrEnum):
    """A page, or all of it as one JSON object a line."""

    JSON = "json"
    NDJSON = "ndjson"


@router.get("", response_model=None, responses={200: file("application/x-ndjson")})
async def list_events(  # noqa: PLR0913  (each is a filter)
    caller: CurrentCaller,
    request: Request,
    limit: Annotated[int, Query(ge=1, le=MAX_PAGE)] = 50,
    cursor: str | None = None,
    action: Annotated[
        Text | None, Query(max_length=60, description="`endpoint.delete`, or all of `endpoint.`")
    ] = None,
    subject: Annotated[Text | None, Query(max_length=100)] = None,
    target: Annotated[Text | None, Query(max_length=200)] = None,
    since: Annotated[Moment | None, Query(description="at or after; RFC 3339")] = None,
    until: Annotated[Moment | None, Query(description="before; RFC 3339")] = None,
    format: Annotated[  # noqa: A002  (its name in the address)
        Format, Query(description="ndjson: all that is asked for, one JSON object a line")
    ] = Format.JSON,
) -> dict[str, Any] | StreamingResponse:
    """Tell who changed what, when and from where, the newest first."""
    if since is not None and until is not None and since >= until:
        raise InvalidInput("since must be before until.", field="since")
    wanted = Wanted(action, subject, target, since, until)
    naming = _Naming(request.app.state.subjects, caller.tenant)
    if format is Format.NDJSON:
        lines = _lines(service.export(caller.tenant, wanted), naming)
        return StreamingResponse(lines, media_type="application/x-ndjson")
    rows = await service.page(caller.tenant, wanted, limit, after_number(cursor))
    return page(await naming.named(rows), limit, lambda row: row, lambda row: str(row["id"]))


async def _lines(
    pages: AsyncIterator[list[dict[str, Any]]], naming: "_Naming"
) -> AsyncIterator[bytes]:
    async for rows in pages:
        yield b"".join(json.dumps(row).encode() + b"\n" for row in await naming.named(rows))


class _Naming:
    """Says who a subject is, as far as the tenant may know."""

    def __init__(self, subjects: Subjects, tenant: str) -> None:
        self._subjects, self._tenant = subjects, tenant

    async def named(self, rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
        own = [row["subject"] for row in rows if FOREIGN not in row["detail"]]
        names = await self._subjects.names(self._tenant, own)
        return [
            {
                **row,
                "subject_name": OPERATOR if FOREIGN in row["detail"] else names.get(row["subject"]),
            }
            for row in rows
        ]
