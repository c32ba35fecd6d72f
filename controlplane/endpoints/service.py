"""What endpoints are wanted: releases make revisions and move traffic; engines follow.

Nothing here talks to an engine except to read. A release is one transaction: revision, traffic,
generation. What an engine must do follows from the rows alone (`desired`).
"""

import asyncio
import uuid
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from controlplane import tracing
from controlplane.audit import service as audit
from controlplane.callers import Caller
from controlplane.database import transaction
from controlplane.endpoints import repository, windows
from controlplane.endpoints.payload_log import payload_log_from
from controlplane.endpoints.tables import Endpoint, EndpointRevision, Release
from controlplane.endpoints.why import status_of
from controlplane.endpoints.windows import BadWindow, Window, windows_from
from controlplane.engines.engine import (
    BackendKind,
    DesiredEndpoint,
    DesiredRevision,
    DesiredShadow,
    EndpointId,
    Engine,
    ObservedEndpoint,
    Scaling,
)
from controlplane.models import service as models
from controlplane.models.service import Deployable
from controlplane.rest import check_name, is_name
from controlplane.tenants import limits
from controlplane.tenants import service as tenants
from controlplane.tenants.service import Quotas, TenantId
from controlplane.wakes import Wake, tell
from controlplane.webhooks import service as webhooks
from controlplane.webhooks.states import Event
from loadtests.slo import QUANTILES, Objectives, objectives_from
from runtime.problems import Conflict, EngineUnavailable, InvalidInput, NotFound
from runtime.resource import audience_of

HUNDRED: Final = 100
ROLLBACK: Final = "rollback"
CANARY: Final = "canary"  # the action of a rollout's step that is not its last
TAGGED_LENGTH: Final = 62  # with the hyphen between them, a label of DNS
LOOK_WITHIN_S: Final = 2.0
Check = Callable[[Endpoint], None]
Revisions = dict[tuple[uuid.UUID, str], EndpointRevision]


@dataclass(frozen=True, slots=True)
class TargetWanted:
    """One line of the traffic a caller asks for: a revision by name, or the newest of a version."""

    percent: int
    revision: str | None = None
    version: int | None = None
    tag: str | None = None


@dataclass(frozen=True, slots=True)
class ReleaseWanted:
    """What a caller asks of an endpoint; None keeps what is."""

    model: str | None
    version: str | None
    scaling: dict[str, Any]
    container_concurrency: int | None
    timeout_s: float | None
    traffic: tuple[TargetWanted, ...] | None


async def release(
    tenant: TenantId, name: str, wanted: ReleaseWanted, by: Caller, check: Check, quotas: Quotas
) -> Endpoint:
    """Make a release of an endpoint, which is made if there is none.

    check  refuses a row that is not as the caller saw it; nobody else changes it meanwhile
    """
    check_name("endpoint", name)
    if (
        wanted.model is None
        and wanted.traffic is None
        and await repository.endpoint(tenant, name) is None
    ):
        raise NotFound(f"There is no endpoint {name!r}; name a model to make it.")
    deployable = None
    if wanted.model is not None:
        deployable = await models.deployable(tenant, wanted.model, wanted.version)
    async with transaction():
        await _admit(tenant, name, quotas)
        if warm := wanted.scaling.get("min_scale", 0):
            limits.check("replicas", (await quotas.of(tenant)).replicas, 0, warm)
        endpoint = await repository.lock_or_create(tenant, name)
        if endpoint.deleted_at is not None:
            raise Conflict(
                f"Endpoint {name!r} is being deleted; try again when it is gone.", retry_after_s=1
            )
        check(endpoint)
        current = await repository.release(endpoint, endpoint.release)
        revision = await revision_of(endpoint, deployable) if deployable else None
        traffic = await _traffic(endpoint, current, revision, wanted.traffic)
        action = "deploy" if revision is not None else "traffic"
        await add_release(endpoint, current, traffic, wanted, Made(action, by))
    return endpoint


async def _admit(tenant: TenantId, name: str, quotas: Quotas) -> None:
    """Raise QuotaExceeded if there is no room for an endpoint that would be new."""
    if await repository.named(tenant, name) is None:
        most = (await quotas.hold(tenant)).endpoints
        if await repository.named(tenant, name) is None:
            limits.check("endpoints", most, await repository.count(tenant))


async def revision_of(endpoint: Endpoint, version: Deployable) -> EndpointRevision:
    """Find or make the revision of a version."""
    known = await repository.revision_for(endpoint, version.version_id)
    if known is not None:
        return known
    endpoint.revisions += 1
    return await repository.add_revision(
        endpoint,
        name=f"{endpoint.name}-{endpoint.revisions:05d}",
        version_id=version.version_id,
        model=version.model,
        version=version.number,
        backend=version.backend,
        artifact_sha256=version.artifact_sha256,
        artifact_size_bytes=version.artifact_size_bytes,
        signature=version.signature,
        sklearn_version=version.sklearn_version,
        environment=version.environment,
    )


async def _traffic(
    endpoint: Endpoint,
    current: Release | None,
    revision: EndpointRevision | None,
    wanted: tuple[TargetWanted, ...] | None,
) -> list[dict[str, Any]]:
    """Give the traffic of the new release by revision name."""
    if wanted is None:
        if revision is not None:
            return [{"revision": revision.name, "percent": HUNDRED, "tag": None}]
        if current is None:
            raise InvalidInput("Name a model: this endpoint has nothing to serve yet.")
        return current.traffic
    lines = [
        {"revision": await _named(endpoint, line), "percent": line.percent, "tag": line.tag}
        for line in wanted
    ]
    for line in wanted:
        if line.tag and len(line.tag) + len(endpoint.name) > TAGGED_LENGTH:
            raise InvalidInput(
                f"Tag {line.tag} is too long: with the endpoint's name it makes one label of a "
                f"host name, {TAGGED_LENGTH} characters at most for both."
            )
    return check_traffic(lines)


def check_traffic(lines: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Refuse traffic that does not add up."""
    total = sum(line["percent"] for line in lines)
    if total != HUNDRED:
        raise InvalidInput(f"The percentages sum to {total}; they must sum to 100.")
    twice = [name for name, n in Counter(line["revision"] for line in lines).items() if n > 1]
    if twice:
        raise InvalidInput(f"Revision {twice[0]} is there twice.")
    tags = Counter(line["tag"] for line in lines if line["tag"])
    if any(n > 1 for n in tags.values()):
        raise InvalidInput("Two revisions have the same tag.")
    return lines


async def _named(endpoint: Endpoint, line: TargetWanted) -> str:
    if (line.revision is None) == (line.version is None):
        raise InvalidInput("Each line of traffic names either a revision or a version.")
    if line.version is not None:
        found = await repository.revisions_of_version(endpoint, line.version)
        if not found:
            raise NotFound(f"Version {line.version} was never deployed on {endpoint.name}.")
        return found[0].name
    names = await repository.revisions(endpoint, [line.revision or ""])
    if not names:
        raise NotFound(f"{endpoint.name} has no revision {line.revision!r}.")
    return names[0].name


@dataclass(frozen=True, slots=True)
class Made:
    """How a release comes about: what is done, who does it, and why where nobody asked for it.

    shadow  compares two of its revisions; None: what did so goes on where the traffic stays
    """

    action: str
    by: Caller
    reason: str | None = None
    shadow: DesiredShadow | None = None


async def add_release(
    endpoint: Endpoint,
    current: Release | None,
    traffic: list[dict[str, Any]],
    wanted: ReleaseWanted,
    made: Made,
) -> None:
    """Make a release of a row that is locked; what is not in `wanted` stays as in `current`."""
    scaling = {**(current.scaling if current else {}), **wanted.scaling}
    merged = scaling_of(scaling)
    if merged.max_scale < merged.min_scale:
        raise InvalidInput("max_scale must not be below min_scale.")
    concurrency = wanted.container_concurrency
    if concurrency is None:
        concurrency = current.container_concurrency if current else 0
    endpoint.release += 1
    endpoint.generation += 1
    await repository.add_release(
        endpoint,
        number=endpoint.release,
        action=made.action,
        traffic=traffic,
        scaling=scaling,
        container_concurrency=concurrency,
        timeout_s=wanted.timeout_s or (current.timeout_s if current else 60.0),
        shadow=_shadow(current, traffic, made),
        reason=made.reason,
        created_by=made.by.subject,
        traceparent=tracing.traceparent(),
    )
    await repository.save_endpoint(endpoint)
    await audit.record(
        made.by,
        f"endpoint.{made.action}",
        f"endpoint:{endpoint.name}",
        release=endpoint.release,
        traffic=traffic,
        **({} if made.reason is None else {"reason": made.reason}),
    )
    await _emit(endpoint, traffic, made)
    await tell(Wake.ENDPOINT, str(endpoint.id))


async def _emit(endpoint: Endpoint, traffic: list[dict[str, Any]], made: Made) -> None:
    said = {
        "endpoint": endpoint.name,
        "release": endpoint.release,
        "action": made.action,
        "traffic": traffic,
        "reason": made.reason,
        "created_by": made.by.subject,
    }
    tenant = TenantId(endpoint.tenant_id)
    await webhooks.emit(tenant, Event.RELEASE_CREATED, said)
    if made.action == ROLLBACK:
        automatic = made.by.subject.startswith("rollout:")
        await webhooks.emit(tenant, Event.RELEASE_ROLLED_BACK, {**said, "automatic": automatic})


def _shadow(
    current: Release | None, traffic: list[dict[str, Any]], made: Made
) -> dict[str, Any] | None:
    if made.shadow is not None:
        return asdict(made.shadow)
    return current.shadow if current is not None and current.traffic == traffic else None


async def rollback(
    tenant: TenantId, name: str, to: int | None, by: Caller, check: Check
) -> Endpoint:
    """Make a release equal to an earlier one.

    to  its number; None: the one before the current, steps of rollouts left out
    """
    async with transaction():
        endpoint = await locked(tenant, name)
        check(endpoint)
        if to is None:
            old = await repository.release_before(endpoint, but=CANARY)
        else:
            old = await repository.release(endpoint, to)
        if old is None or old.number == endpoint.release:
            raise Conflict(
                f"{name} has no other release to go back to."
                if to is None
                else f"{name} has no earlier release {to}."
            )
        wanted = ReleaseWanted(
            None, None, old.scaling, old.container_concurrency, old.timeout_s, None
        )
        await add_release(endpoint, None, old.traffic, wanted, Made(ROLLBACK, by))
    return endpoint


async def get(tenant: TenantId, name: str) -> Endpoint:
    """Find an endpoint; raises NotFound."""
    return _found(name, await repository.endpoint(tenant, name) if is_name(name) else None)


async def locked(tenant: TenantId, name: str) -> Endpoint:
    """Find an endpoint and lock its row to the end of the transaction; raises NotFound."""
    return _found(name, await repository.lock(tenant, name) if is_name(name) else None)


def _found(name: str, row: Endpoint | None) -> Endpoint:
    if row is None:
        raise NotFound(f"There is no endpoint {name[:60]!r}; `kubeserve deploy MODEL` makes one.")
    return row


async def set_slo(tenant: TenantId, name: str, slo: Objectives | None, by: Caller) -> None:
    """Declare what an endpoint promises; None: nothing any more. Raises NotFound."""
    async with transaction():
        row = await locked(tenant, name)
        document = None if slo is None else slo.to_json()
        await repository.save_slo(row, document)
        await audit.record(by, "endpoint.slo", f"endpoint:{name}", slo=document)


@dataclass(frozen=True, slots=True)
class Promise:
    """What an endpoint promises of its answers; `latencies_s` by quantile."""

    tenant: str
    endpoint: str
    error_rate: float | None
    latencies_s: Mapping[float, float]


async def promises(limit: int) -> list[Promise]:
    """Give what endpoints of all tenants promise."""
    found = []
    for tenant, name, document in await repository.slos_of_all(limit):
        if (slo := objectives_from(document)) is not None:
            latencies = {QUANTILES[which]: seconds for which, seconds in slo.latencies.items()}
            found.append(Promise(tenant, name, slo.error_rate, latencies))
    return found


async def slo(tenant: TenantId, name: str) -> Objectives | None:
    """Give what an endpoint promises; None: nothing. Raises NotFound."""
    return objectives_from((await get(tenant, name)).slo)


async def set_warm(
    tenant: TenantId, name: str, wanted: Sequence[Window], by: Caller, quotas: Quotas
) -> None:
    """Say when an endpoint is kept warm, in place of what was said before.

    Raises NotFound, InvalidInput for a window that never opens, QuotaExceeded.
    """
    try:
        windows.check(wanted, datetime.now(UTC))
    except BadWindow as error:
        raise InvalidInput(str(error), field="windows") from error
    async with transaction():
        row = await locked(tenant, name)
        most = max((one.replicas for one in wanted), default=0)
        limits.check("replicas", (await quotas.of(tenant)).replicas, 0, most)
        documents = [asdict(one) for one in wanted]
        await repository.save_warm(row, documents)
        await audit.record(by, "endpoint.warm", f"endpoint:{name}", windows=documents)
        await tell(Wake.ENDPOINT, str(row.id))


async def warm(tenant: TenantId, name: str) -> tuple[Window, ...]:
    """Give when an endpoint is kept warm. Raises NotFound."""
    return windows_from((await get(tenant, name)).warm)


async def with_windows() -> list[uuid.UUID]:
    """Give the endpoints that are kept warm at times."""
    return await repository.with_windows_of_all()


async def delete(tenant: TenantId, name: str, by: Caller, check: Check) -> uuid.UUID:
    """Say that an endpoint is not wanted any more; the reconciler takes it down."""
    async with transaction():
        row = await locked(tenant, name)
        check(row)
        await repository.mark_deleted(row, datetime.now(UTC))
        await audit.record(by, "endpoint.delete", f"endpoint:{name}")
        await tell(Wake.ENDPOINT, str(row.id))
    return row.id


def as_wanted(row: Endpoint) -> dict[str, Any]:
    """Give what an ETag is of: what is wanted, not what the engine happens to see."""
    return {"id": row.id, "generation": row.generation}


async def id_of(tenant: TenantId, name: str) -> uuid.UUID:
    """Give the id of an endpoint; raises NotFound."""
    found: uuid.UUID = (await get(tenant, name)).id
    return found


async def of_id(tenant: TenantId, endpoint_id: uuid.UUID) -> Endpoint | None:
    """Find an endpoint of a tenant; None: there is none, or it is being deleted."""
    return await repository.by_id(tenant, endpoint_id)


async def exists(tenant: TenantId, endpoint_id: uuid.UUID) -> bool:
    """Tell whether a tenant has an endpoint of this id."""
    return await repository.exists(tenant, endpoint_id)


def scaling_of(changes: dict[str, Any]) -> Scaling:
    """Give all settings from those that were changed."""
    return replace(Scaling(), **changes)


async def desired(
    endpoint_id: uuid.UUID, issuer: str, now: datetime, ahead: timedelta
) -> DesiredEndpoint | None:
    """Give what an engine must run; None: nothing, it was deleted.

    ahead  of its beginning a warm window opens
    """
    row = await repository.by_id_of_all(endpoint_id)
    found = None if row is None else await wanted(row, issuer)
    if row is None or found is None:
        return None
    return replace(found, warm=_warm(row.warm, now, ahead))


def _warm(kept: list[dict[str, Any]] | None, now: datetime, ahead: timedelta) -> int | None:
    return None if kept is None else windows.replicas(windows_from(kept), now, ahead)


async def wanted(row: Endpoint, issuer: str) -> DesiredEndpoint | None:
    """Give what an engine must run of a row; None: nothing, it was deleted."""
    if row.deleted_at is not None:
        return None
    current = await repository.release(row, row.release)
    if current is None:
        return None
    routed = {line["revision"]: line for line in current.traffic}
    revisions = await repository.revisions(row, list(routed))
    log = payload_log_from(row.payload_log)
    return DesiredEndpoint(
        id=EndpointId(str(row.id)),
        tenant=await tenants.name_of(TenantId(row.tenant_id)),
        name=row.name,
        generation=row.generation,
        audience=audience_of(issuer, row.id),
        revisions=tuple(
            DesiredRevision(
                name=r.name,
                model=r.model,
                version=r.version,
                backend=BackendKind(r.backend),
                artifact_sha256=r.artifact_sha256,
                artifact_size_bytes=r.artifact_size_bytes,
                signature=r.signature,
                percent=routed[r.name]["percent"],
                tag=routed[r.name]["tag"],
                sklearn_version=r.sklearn_version,
                environment=r.environment,
            )
            for r in sorted(revisions, key=lambda r: r.name)
        ),
        scaling=scaling_of(current.scaling),
        container_concurrency=current.container_concurrency,
        timeout_s=current.timeout_s,
        shadow=_shadow_from(current.shadow),
        payload_log=None if log is None else log.desired(),
    )


def _shadow_from(document: dict[str, Any] | None) -> DesiredShadow | None:
    return None if document is None else DesiredShadow(**document)


@dataclass(frozen=True, slots=True)
class Standing:
    """An endpoint's rows as far as an explanation needs them; `desired` None: nothing is wanted."""

    id: EndpointId
    tenant: TenantId
    generation: int
    released_at: datetime
    action: str
    reason: str | None
    deleted_at: datetime | None
    desired: DesiredEndpoint | None


async def standing(tenant: TenantId, name: str, issuer: str) -> Standing | None:
    """Read what is wanted of an endpoint, or that it is being deleted; None: there is none."""
    row = await repository.named(tenant, name) if is_name(name) else None
    return None if row is None else await standing_of(row, issuer)


async def standing_of(row: Endpoint, issuer: str) -> Standing:
    """Read what is wanted of a row."""
    current = await repository.release(row, row.release)
    return Standing(
        id=EndpointId(str(row.id)),
        tenant=TenantId(row.tenant_id),
        generation=row.generation,
        released_at=current.created_at if current else row.created_at,
        action=current.action if current else "",
        reason=current.reason if current else None,
        deleted_at=row.deleted_at,
        desired=await wanted(row, issuer),
    )


async def traceparent(endpoint_id: uuid.UUID) -> str | None:
    """Give the trace of the request that made the current release."""
    row = await repository.by_id_of_all(endpoint_id)
    current = None if row is None else await repository.release(row, row.release)
    return None if current is None else current.traceparent


async def all_ids() -> list[uuid.UUID]:
    """Give every endpoint there is a row of."""
    return await repository.ids_of_all()


async def forget(endpoint_id: uuid.UUID) -> None:
    """Remove the row of a deleted endpoint, once the engine has nothing of it left."""
    await repository.remove(endpoint_id)


async def artifact_in_use(sha256: str) -> bool:
    """Tell whether a revision names a blob."""
    return await repository.artifact_in_use_of_all(sha256)


async def page(tenant: TenantId, limit: int, after: str | None) -> list[Endpoint]:
    """Give limit + 1 endpoints in order of name."""
    return await repository.endpoints(tenant, limit, after)


@dataclass(frozen=True, slots=True)
class Look:
    """What an engine said of some endpoints, or why it said nothing."""

    seen: dict[EndpointId, ObservedEndpoint]
    failure: str | None = None

    def is_behind(self, row: Endpoint) -> bool:
        """Tell whether the engine answered and has not got what the row wants."""
        seen = self.seen.get(EndpointId(str(row.id)))
        return not self.failure and (seen is None or seen.observed_generation < row.generation)


async def look(engine: Engine, rows: list[Endpoint]) -> Look:
    """Ask the engine once, whatever the number; never inside a transaction."""
    ids = [EndpointId(str(row.id)) for row in rows]
    try:
        async with asyncio.timeout(LOOK_WITHIN_S):
            if len(ids) > 1:
                found = await engine.observe_all()
            else:
                found = tuple([one for key in ids if (one := await engine.observe(key))])
    except EngineUnavailable as error:
        return Look({}, error.detail)
    except TimeoutError:
        return Look({}, f"The engine did not answer within {LOOK_WITHIN_S:g} s.")
    return Look({one.id: one for one in found})


async def look_for(engine: Engine, tenant: TenantId, name: str) -> Look:
    """Ask the engine about an endpoint that may not be there yet."""
    row = await repository.endpoint(tenant, name) if is_name(name) else None
    return await look(engine, [row] if row else [])


async def documents(rows: list[Endpoint], issuer: str, look: Look) -> list[dict[str, Any]]:
    """Describe endpoints: what is wanted, and what the engine said of them."""
    current = await repository.current_releases(rows)
    revisions = await repository.revisions_of(list(current.values()))
    return [_document(row, issuer, look, current.get(row.id), revisions) for row in rows]


def _document(
    row: Endpoint, issuer: str, look: Look, current: Release | None, revisions: Revisions
) -> dict[str, Any]:
    seen = look.seen.get(EndpointId(str(row.id)))
    ready, active = status_of(row.generation, seen, look.failure)
    return {
        "name": row.name,
        "id": str(row.id),
        "url": seen.url if seen else None,
        "audience": audience_of(issuer, row.id),
        "generation": row.generation,
        "ready": ready,
        "active": active,
        **_counts(seen),
        **_configuration(current, revisions, seen.tag_urls if seen else {}),
        "slo": None if (slo := objectives_from(row.slo)) is None else slo.to_json(),
        "created_at": row.created_at.isoformat(),
    }


def _counts(seen: ObservedEndpoint | None) -> dict[str, Any]:
    start = seen.cold_start if seen else None
    return {
        "observed_generation": seen.observed_generation if seen else 0,
        "replicas": seen.replicas if seen else 0,
        "warm_replicas": seen.warm if seen else 0,
        "desired_replicas": seen.desired_replicas if seen else 0,
        "concurrency": seen.concurrency if seen else 0.0,
        "requests_total": seen.requests_total if seen else 0,
        "starts_total": seen.starts_total if seen else 0,
        "cold_start": (
            {"at": start.at.isoformat(), "total_ms": start.total_ms, "phases_ms": start.phases_ms}
            if start
            else None
        ),
    }


def _configuration(
    current: Release | None, revisions: Revisions, tag_urls: Mapping[str, str]
) -> dict[str, Any]:
    if current is None:
        return {"model": None, "revisions": [], "release": 0, "scaling": asdict(Scaling())}
    lines = [{**line, "tag_url": tag_urls.get(line["tag"])} for line in _lines(current, revisions)]
    return {
        "model": lines[0]["model"] if lines else None,
        "release": current.number,
        "revisions": lines,
        "scaling": asdict(scaling_of(current.scaling)),
        "container_concurrency": current.container_concurrency,
        "timeout_s": current.timeout_s,
    }


def _lines(of: Release, revisions: Revisions) -> list[dict[str, Any]]:
    routed = [(line, revisions[of.endpoint_id, line["revision"]]) for line in of.traffic]
    return [
        {
            "name": revision.name,
            "model": revision.model,
            "version": revision.version,
            "backend": revision.backend,
            "percent": line["percent"],
            "tag": line["tag"],
        }
        for line, revision in routed
    ]


async def releases(
    tenant: TenantId, name: str, limit: int, below: int | None
) -> list[dict[str, Any]]:
    """Give limit + 1 releases, the newest first."""
    row = await get(tenant, name)
    rows = await repository.releases(row, limit, below)
    revisions = await repository.revisions_of(rows)
    return [
        {
            "number": found.number,
            "endpoint": row.name,
            "action": found.action,
            "revisions": _lines(found, revisions),
            "scaling": asdict(scaling_of(found.scaling)),
            "reason": found.reason,
            "created_at": found.created_at.isoformat(),
            "created_by": found.created_by,
            "current": found.number == row.release,
        }
        for found in rows
    ]
