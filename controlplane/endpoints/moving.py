"""Traffic of an endpoint as rollouts move it: within their transaction, from step to step."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from controlplane.endpoints import repository, service
from controlplane.endpoints.service import Check, Made, ReleaseWanted
from controlplane.endpoints.tables import Endpoint
from controlplane.models import service as models
from controlplane.tenants.service import TenantId
from loadtests.slo import Objectives, objectives_from
from runtime.problems import NotFound

Traffic = list[dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Routed:
    """A revision as far as others need to know it. `signature` as a document."""

    name: str
    model: str
    version: int
    signature: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Held:
    """An endpoint whose row is locked to the end of the transaction.

    release, action  of the current release
    traffic          of the current release; lines of revision, percent, tag
    """

    id: uuid.UUID
    tenant: TenantId
    name: str
    generation: int
    release: int
    action: str
    traffic: Traffic
    slo: Objectives | None


@dataclass(frozen=True, slots=True)
class Standing:
    """An endpoint that nobody holds. `revisions`: those that were asked for, by name."""

    tenant: TenantId
    name: str
    revisions: dict[str, Routed]


async def as_it_is(endpoint_id: uuid.UUID, names: Sequence[str]) -> Standing | None:
    """Read an endpoint and some of its revisions; None: there is none any more."""
    row = await repository.by_id_of_all(endpoint_id)
    if row is None:
        return None
    found = await repository.revisions(row, list(names)) if names else []
    return Standing(TenantId(row.tenant_id), row.name, {one.name: _routed(one) for one in found})


async def hold(endpoint_id: uuid.UUID) -> Held | None:
    """Lock an endpoint; None: there is none any more."""
    row = await repository.lock_of_all(endpoint_id)
    return None if row is None else await _held(row)


async def hold_named(tenant: TenantId, name: str, check: Check) -> Held:
    """Lock an endpoint by its name; raises NotFound, or what `check` raises."""
    row = await service.locked(tenant, name)
    check(row)
    return await _held(row)


async def _held(row: Endpoint) -> Held:
    current = await repository.release(row, row.release)
    if current is None:
        raise NotFound(f"{row.name} serves nothing yet: deploy a version first.")
    return Held(
        row.id,
        TenantId(row.tenant_id),
        row.name,
        row.generation,
        row.release,
        current.action,
        current.traffic,
        objectives_from(row.slo),
    )


async def candidate(held: Held, model: str, version: str | None) -> Routed:
    """Find or make the revision of a version; raises NotFound or Conflict."""
    row = await _row(held.id)
    found = await models.deployable(held.tenant, model, version)
    revision = await service.revision_of(row, found)
    await repository.save_endpoint(row)
    return _routed(revision)


async def routed(held: Held, name: str) -> Routed:
    """Give a revision by its name."""
    (found,) = await repository.revisions(await _row(held.id), [name])
    return _routed(found)


def _routed(row: Any) -> Routed:
    return Routed(row.name, row.model, row.version, row.signature)


async def move(held: Held, traffic: Traffic, made: Made) -> int:
    """Make a release that changes traffic alone; gives its number."""
    row = await _row(held.id)
    current = await repository.release(row, row.release)
    wanted = ReleaseWanted(None, None, {}, None, None, None)
    await service.add_release(row, current, service.check_traffic(traffic), wanted, made)
    return row.release


async def _row(endpoint_id: uuid.UUID) -> Endpoint:
    row = await repository.lock_of_all(endpoint_id)
    if row is None:
        raise NotFound("The endpoint was deleted meanwhile.")
    return row
