"""What of an endpoint's requests is logged, and as what it is read."""

import secrets
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from controlplane.audit import service as audit
from controlplane.callers import Caller
from controlplane.database import transaction
from controlplane.endpoints import repository, service
from controlplane.endpoints.payload_log import (
    PayloadLog,
    UnknownColumns,
    check_columns,
    payload_log_from,
)
from controlplane.endpoints.tables import Endpoint
from controlplane.tenants import service as tenants
from controlplane.tenants.service import TenantId
from controlplane.wakes import Wake, tell
from runtime.problems import Conflict, InvalidInput


async def set_payload_log(
    tenant: TenantId, name: str, log: PayloadLog | None, by: Caller
) -> uuid.UUID:
    """Say what of an endpoint's requests is logged from now on; None: nothing.

    It is no part of releases: to go back to an earlier one must not log again what was left out.
    Raises NotFound, Conflict, InvalidInput for columns that no routed version has.
    """
    async with transaction():
        row = await service.locked(tenant, name)
        before = payload_log_from(row.payload_log)
        document = None
        if log is not None:
            await _check_columns(row, log)
            # The same key while it is logged at all, so that hashes stay comparable.
            key = before.key if before is not None else secrets.token_hex(32)
            document = replace(log, key=key).to_json()
        await repository.save_payload_log(row, document)
        shown = None if log is None else log.shown()
        await audit.record(by, "endpoint.payload-log", f"endpoint:{name}", payload_log=shown)
        await tell(Wake.ENDPOINT, str(row.id))
    found: uuid.UUID = row.id
    return found


async def _check_columns(row: Endpoint, log: PayloadLog) -> None:
    current = await repository.release(row, row.release)
    if current is None:
        raise Conflict(f"{row.name} serves nothing yet; deploy a model first.")
    routed = await repository.revisions(row, [line["revision"] for line in current.traffic])
    try:
        check_columns(log, [one.signature for one in routed])
    except UnknownColumns as error:
        raise InvalidInput(str(error), field="redact") from error


async def payload_log(tenant: TenantId, name: str) -> PayloadLog | None:
    """Give what of an endpoint's requests is logged; None: nothing. Raises NotFound."""
    return payload_log_from((await service.get(tenant, name)).payload_log)


@dataclass(frozen=True, slots=True)
class Served:
    """A revision as its logged requests are read."""

    model: str
    version: int
    version_id: uuid.UUID
    signature: dict[str, Any]


@dataclass(frozen=True, slots=True)
class LoggedEndpoint:
    """An endpoint whose logged requests are to be kept; `log` None: none of them any more.

    main  name of the revision that most of its traffic goes to
    """

    id: uuid.UUID
    tenant: TenantId
    tenant_name: str
    name: str
    log: PayloadLog | None
    main: str | None
    revisions: Mapping[str, Served]


async def logged(endpoint_id: uuid.UUID) -> LoggedEndpoint | None:
    """Give an endpoint as its logged requests are read; None: there is none, or not any more."""
    row = await repository.by_id_of_all(endpoint_id)
    if row is None or row.deleted_at is not None:
        return None
    tenant, current = TenantId(row.tenant_id), await repository.release(row, row.release)
    traffic = [] if current is None else current.traffic
    most = max(traffic, key=lambda line: line["percent"], default=None)
    return LoggedEndpoint(
        row.id,
        tenant,
        await tenants.name_of(tenant),
        row.name,
        payload_log_from(row.payload_log),
        None if most is None else most["revision"],
        {
            one.name: Served(one.model, one.version, one.version_id, one.signature)
            for one in await repository.revisions_of_all(row.id)
        },
    )


async def with_payload_log() -> list[uuid.UUID]:
    """Give the endpoints of which requests are logged."""
    return [row.id for row in await repository.with_payload_log_of_all()]
