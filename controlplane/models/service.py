"""The registry's rules: immutable versions, numbers never used twice, aliases that move."""

import uuid
from collections import defaultdict
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from controlplane import tracing
from controlplane.artifacts.store import Blob, Store
from controlplane.audit import service as audit
from controlplane.callers import Caller
from controlplane.database import Taken, transaction
from controlplane.models import repository
from controlplane.models.states import VersionState
from controlplane.models.storage import Storage
from controlplane.models.tables import Model, Version
from controlplane.models.turns import Standing, Waiting, next_builds
from controlplane.models.why import Queue, cause
from controlplane.rest import check_name, is_name, whole_number
from controlplane.tenants.limits import Limits, check
from controlplane.tenants.service import Quotas, TenantId
from controlplane.wakes import Wake, tell
from controlplane.webhooks import service as webhooks
from controlplane.webhooks.states import Event
from runtime import bundle
from runtime.problems import Conflict, InvalidInput, NotFound, QuotaExceeded, TooLarge

# First bytes of what joblib and pickle write: protocol 2 to 5, joblib's compressions; of a bundle.
MAGICS: Final = {
    b"\x80\x02": "pickle",
    b"\x80\x03": "pickle",
    b"\x80\x04": "pickle",
    b"\x80\x05": "pickle",
    b"x\x01": "zlib",
    b"x\x5e": "zlib",
    b"x\x9c": "zlib",
    b"x\xda": "zlib",
    b"\x1f\x8b": "gzip",
    b"BZh": "bz2",
    b"\xfd7zXZ": "xz",
    b"\x5d\x00\x00": "lzma",
    b"\x04\x22\x4d\x18": "lz4",
    bundle.MAGIC: "bundle",
}
MAX_ATTEMPTS: Final = 3


@dataclass(frozen=True, slots=True)
class VersionToBuild:
    """A version taken from the queue; `tenant` is its name.

    environment  what an earlier build of it resolved
    name         as people write it: `iris:3`
    traceparent  of the request that pushed it
    """

    id: uuid.UUID
    tenant: str
    sha256: str
    size_bytes: int
    attempts: int
    environment: dict[str, Any] | None = None
    name: str = ""
    traceparent: str | None = None


@dataclass(frozen=True, slots=True)
class Expected:
    """What was announced of an upload, and how large it may be in this installation."""

    max_bytes: int
    sha256: str | None
    size_bytes: int | None


@dataclass(frozen=True, slots=True)
class Deployable:
    """A ready version as an endpoint needs it."""

    version_id: uuid.UUID
    model: str
    number: int
    backend: str
    artifact_sha256: str
    artifact_size_bytes: int
    signature: dict[str, Any]
    sklearn_version: str | None
    environment: dict[str, Any] | None


async def list_models(tenant: TenantId, limit: int, after: str | None) -> list[dict[str, Any]]:
    """Give limit + 1 models in order of name."""
    return await _shown(await repository.models(tenant, limit, after))


async def show_model(row: Model) -> dict[str, Any]:
    """Describe a model with its newest version's state."""
    [shown] = await _shown([row])
    return shown


async def _shown(rows: list[Model]) -> list[dict[str, Any]]:
    """Describe models by two queries, however many they are."""
    ids = [row.id for row in rows]
    newest = await repository.newest(ids)
    aliases: dict[uuid.UUID, dict[str, int]] = defaultdict(dict)
    for alias in await repository.aliases_of(ids):
        aliases[alias.model_id][alias.name] = alias.version
    return [
        {
            "name": row.name,
            "description": row.description,
            "versions": row.versions,
            "latest_state": newest[row.id][0] if row.id in newest else None,
            "latest_at": newest[row.id][1].isoformat() if row.id in newest else None,
            "aliases": aliases[row.id],
            "created_at": row.created_at.isoformat(),
        }
        for row in rows
    ]


async def create_model(
    tenant: TenantId, name: str, description: str, quotas: Quotas, by: Caller
) -> dict[str, Any]:
    """Make an empty model; raises Conflict, QuotaExceeded."""
    check_name("model", name)
    try:
        async with transaction():
            await _admit_model(tenant, name, await quotas.hold(tenant))
            row = await repository.create_model(tenant, name, description)
            await audit.record(by, "model.create", f"model:{name}")
        return await show_model(row)
    except Taken as error:
        raise Conflict(f"There is a model {name!r} already.") from error


async def _admit_model(tenant: TenantId, name: str, limits: Limits) -> None:
    if await repository.model(tenant, name) is None:
        check("models", limits.models, await repository.count(tenant))


async def count(tenant: TenantId) -> int:
    """Give how many models a tenant has."""
    return await repository.count(tenant)


async def builds_running(tenant: TenantId) -> int:
    """Give how many builds of a tenant run."""
    running, _ = (await repository.building([tenant])).get(tenant, (0, None))
    return running


async def get_model(tenant: TenantId, name: str) -> Model:
    """Find a model; raises NotFound."""
    row = await repository.model(tenant, name) if is_name(name) else None
    if row is None:
        named = f" --name {name}" if is_name(name) else ""
        raise NotFound(f"There is no model {name[:60]!r}; `kubeserve push FILE{named}` makes it.")
    return row


async def delete_model(tenant: TenantId, name: str, by: Caller) -> None:
    """Delete a model with all versions; endpoints that serve one keep their artifact."""
    async with transaction():
        row = await get_model(tenant, name)
        if await repository.delete_model(tenant, row):
            await audit.record(by, "model.delete", f"model:{name}", versions=row.versions)


async def upload(
    tenant: TenantId,
    name: str,
    chunks: AsyncIterator[bytes],
    store: Store,
    storage: Storage,
    expected: Expected,
    by: Caller,
) -> tuple[Model, Version, bool]:
    """Take a file in as a new version; gives the version and whether it is new."""
    check_name("model", name)
    await _admit_model(tenant, name, await storage.quotas.of(tenant))
    blob = await _stored(tenant, chunks, store, storage, expected)
    try:
        check_format(blob)
    except InvalidInput:
        # Unless a version names these bytes (it cannot: they are no model), they go at once.
        if blob.created:
            await store.delete(blob.sha256)
        raise
    async with transaction():
        # One upload to a model at a time from here: the same bytes twice are one version, and
        # other bytes the next number.
        limits = await storage.quotas.hold(tenant)
        await _admit_model(tenant, name, limits)
        await storage.admit(tenant, blob, limits)
        model = await repository.lock(await repository.ensure_model(tenant, name))
        if model is None:
            raise Conflict(f"Model {name!r} was deleted just now; push again to make it anew.")
        await tell(Wake.VERSIONS)
        known = await repository.version_by_digest(model, blob.sha256)
        if known is not None:
            await _again(known)
            await _record_upload(by, model, known, "again")
            return model, known, False
        version = await repository.add_version(
            model, blob.sha256, blob.size_bytes, by.subject, tracing.traceparent()
        )
        await _record_upload(by, model, version, "new")
        return model, version, True


async def _stored(
    tenant: TenantId,
    chunks: AsyncIterator[bytes],
    store: Store,
    storage: Storage,
    expected: Expected,
) -> Blob:
    """Store an upload within the room that the tenant has."""
    room = await storage.room(tenant, expected.sha256, expected.size_bytes)
    most = expected.max_bytes if room is None else min(room, expected.max_bytes)
    try:
        return await store.put(chunks, max_bytes=most, expected_sha256=expected.sha256)
    except TooLarge:
        if most == expected.max_bytes:
            raise
        limits, held = await storage.quotas.of(tenant), await storage.held(tenant)
        check("storage_bytes", limits.storage_bytes, sum(held.values()), most + 1)
        raise


async def _record_upload(by: Caller, model: Model, version: Version, what: str) -> None:
    target = f"version:{model.name}:{version.number}"
    await audit.record(by, "version.upload", target, what=what, sha256=version.sha256)


async def _again(version: Version) -> None:
    """Queue a failed version once more: pushing the same file again means "try again"."""
    if version.state is VersionState.FAILED:
        await repository.move(
            version.id,
            VersionState.FAILED,
            VersionState.UPLOADED,
            attempts=0,
            reason=None,
            advice=None,
            traceparent=tracing.traceparent(),
        )
        await repository.refresh(version)


def check_format(blob: Blob) -> None:
    """Refuse what no model file starts with."""
    if blob.size_bytes == 0:
        raise InvalidInput("The file is empty. Save the model with joblib.dump(model, path).")
    if any(blob.head.startswith(magic) for magic in MAGICS):
        return
    raise InvalidInput(
        "This is not a file written by joblib.dump or pickle.dump: it starts with "
        f"{blob.head[:8]!r}. Save the fitted estimator with joblib.dump(model, 'model.joblib') "
        "and push that file.",
        known_formats=sorted(set(MAGICS.values())),
    )


async def find_version(tenant: TenantId, name: str, which: str) -> tuple[Model, Version]:
    """Find a version by number or alias; raises NotFound."""
    model = await get_model(tenant, name)
    number = whole_number(which)
    if number is None:
        alias = await repository.alias(model, which) if is_name(which) else None
        if alias is None:
            raise NotFound(f"Model {name!r} has no version or alias {which[:60]!r}.")
        number = alias.version
    version = await repository.version(model, number)
    if version is None:
        raise NotFound(f"Model {name!r} has no version {number}{_numbers(model)}.")
    return model, version


def _numbers(model: Model) -> str:
    return f"; it has 1 to {model.versions}" if model.versions else "; it has none yet"


async def list_versions(
    tenant: TenantId, name: str, limit: int, below: int | None
) -> list[dict[str, Any]]:
    """Give limit + 1 versions, the newest first."""
    model = await get_model(tenant, name)
    rows = await repository.versions(model, limit, below)
    aliases = await repository.aliases(model)
    return [
        show_version(model.name, row, [a.name for a in aliases if a.version == row.number])
        for row in rows
    ]


async def version_document(model: Model, row: Version) -> dict[str, Any]:
    """Describe a version with its aliases."""
    aliases = [a.name for a in await repository.aliases(model) if a.version == row.number]
    return show_version(model.name, row, aliases)


async def explain(tenant: TenantId, name: str, which: str, quotas: Quotas) -> dict[str, Any]:
    """Say why a version is as it is: reason, ok, message, evidence, next_step."""
    model, row = await find_version(tenant, name, which)
    queue = Queue(0, 0, 0)
    if row.state is VersionState.UPLOADED:
        limit = (await quotas.of(tenant)).builds
        ahead = await repository.waiting_before(tenant, row)
        queue = Queue(ahead, await builds_running(tenant), limit)
    found = cause(show_version(model.name, row, []), queue)
    return found.document(f"version:{model.name}:{row.number}")


def show_version(model: str, row: Version, aliases: list[str]) -> dict[str, Any]:
    """Describe a version; what the build found out is empty until it has ended."""
    report = row.report or {}
    cost = report.get("cost")
    return {
        "model": model,
        "number": row.number,
        "state": str(row.state),
        "reason": row.reason,
        "advice": row.advice,
        "backend": row.backend,
        "fallback_because": row.fallback_because,
        "sha256": row.sha256,
        "size_bytes": row.size_bytes,
        "aliases": aliases,
        "sklearn_version": report.get("sklearn_version"),
        "estimator": report.get("estimator"),
        "imports": report.get("imports"),
        "signature": report.get("signature"),
        "cost_us": {"call": cost["c0_us"], "row": cost["c1_us"]} if cost else None,
        "exactness": report.get("exactness"),
        "families": report.get("families"),
        "packages": _packages(report.get("environment")),
        "sandbox": report.get("sandbox"),
        "plan_sha256": row.plan_sha256,
        "plan_size_bytes": row.plan_size_bytes,
        "build_seconds": report.get("seconds"),
        "created_by": row.created_by,
        "created_at": row.created_at.isoformat(),
        "ready_at": row.ready_at.isoformat() if row.ready_at else None,
    }


async def last_layers_of_all() -> tuple[str, ...] | None:
    """Give the layers of the sandbox of the build that ended last; None: there was none."""
    report = await repository.last_report_of_all()
    layers = (report or {}).get("sandbox")
    return tuple(layers) if layers else None


def _packages(environment: dict[str, Any] | None) -> list[str]:
    """Give what is installed for a version, NAME==VERSION, then its own wheels."""
    if environment is None:
        return []
    locked = [line.partition(" ")[0] for line in environment["lock"]]
    return [*locked, *(wheel["file"] for wheel in environment["wheels"])]


async def set_alias(
    tenant: TenantId, name: str, alias: str, number: int, by: Caller
) -> dict[str, Any]:
    """Point an alias at a version that is ready; raises NotFound, Conflict."""
    check_name("alias", alias)
    model, version = await find_version(tenant, name, str(number))
    if version.state is not VersionState.READY:
        raise Conflict(f"Version {number} is {version.state}; an alias points at a ready version.")
    async with transaction():
        await repository.set_alias(model, alias, number)
        await audit.record(by, "alias.set", f"alias:{name}:{alias}", version=number)
    return {"model": name, "alias": alias, "version": number}


async def list_aliases(tenant: TenantId, name: str) -> list[dict[str, Any]]:
    """Give every alias of a model."""
    model = await get_model(tenant, name)
    rows = await repository.aliases(model)
    return [{"model": name, "alias": row.name, "version": row.version} for row in rows]


async def get_alias(tenant: TenantId, name: str, alias: str) -> dict[str, Any]:
    """Give one alias; raises NotFound."""
    model = await get_model(tenant, name)
    row = await repository.alias(model, alias) if is_name(alias) else None
    if row is None:
        raise NotFound(f"Model {name!r} has no alias {alias[:60]!r}.")
    return {"model": name, "alias": row.name, "version": row.version}


async def delete_alias(tenant: TenantId, name: str, alias: str, by: Caller) -> None:
    """Remove an alias; raises NotFound."""
    model = await get_model(tenant, name)
    async with transaction():
        if not (is_name(alias) and await repository.delete_alias(model, alias)):
            raise NotFound(f"Model {name!r} has no alias {alias[:60]!r}.")
        await audit.record(by, "alias.delete", f"alias:{name}:{alias}")


async def deployable(tenant: TenantId, name: str, which: str | None) -> Deployable:
    """Give a version an endpoint may serve: by number or alias, or the newest ready one."""
    if which is None:
        model = await get_model(tenant, name)
        version = await repository.newest_ready(model)
        if version is None:
            raise Conflict(f"Model {name!r} has no version that is ready yet.")
    else:
        model, version = await find_version(tenant, name, which)
    if version.state is not VersionState.READY or version.report is None:
        reason = f": {version.reason}" if version.reason else ""
        raise Conflict(f"{name}:{version.number} is {version.state}{reason}; it cannot serve.")
    plan = version.backend == "plan"
    return Deployable(
        version.id,
        model.name,
        version.number,
        version.backend or "",
        (version.plan_sha256 if plan else version.sha256) or "",
        (version.plan_size_bytes if plan else version.size_bytes) or 0,
        version.report["signature"],
        version.report.get("sklearn_version"),
        None if plan else version.report.get("environment"),
    )


async def resume_builds(attempts: int = MAX_ATTEMPTS) -> int:
    """Put builds that a crash cut off back into the queue; a file that was there at each is done.

    Without the bound a file that takes the whole control plane down would do so for ever.
    """
    for version_id in await repository.cut_off_of_all(attempts):
        await build_failed(
            version_id,
            f"The control plane ended {attempts} times while this file was built.",
            "Push the file again to try once more; the log of the control plane says why it ended.",
            None,
        )
    return await repository.release_cut_off_builds_of_all()


async def queue() -> dict[str, int]:
    """Count the builds of all tenants that wait, and that run."""
    return {
        "waiting": await repository.count_of_all(VersionState.UPLOADED),
        "running": await repository.count_of_all(VersionState.BUILDING),
    }


async def take_waiting(free: int, quotas: Quotas) -> list[VersionToBuild]:
    """Take versions from the queue for building; tenants take turns."""
    rows = await repository.versions_of_all(await _next_builds(free, quotas))
    tenant = await repository.tenants_of_all([row.id for row in rows]) if rows else {}
    return [
        VersionToBuild(
            row.id,
            tenant[row.id],
            row.sha256,
            row.size_bytes,
            row.attempts + 1,
            (row.report or {}).get("environment"),
            f"{row.model.name}:{row.number}",  # type: ignore[attr-defined]
            row.traceparent,
        )
        for row in rows
        # Not there: its model was deleted between the two looks.
        if row.id in tenant and await repository.begin_build(row.id)
    ]


async def _next_builds(free: int, quotas: Quotas) -> list[uuid.UUID]:
    waiting = [
        Waiting(row["id"], row["tenant_id"], row["place"], row["created_at"])
        for row in await repository.waiting_of_all(free)
    ]
    tenants = list({one.tenant for one in waiting})
    running = await repository.building(tenants) if tenants else {}
    standing = {
        tenant: Standing(
            *running.get(tenant, (0, None)), (await quotas.of(TenantId(tenant))).builds
        )
        for tenant in tenants
    }
    return next_builds(waiting, standing, free)


async def unfinished() -> frozenset[uuid.UUID]:
    """Give every version that is built, or waits for it."""
    return frozenset(await repository.unfinished_of_all())


async def build_succeeded(
    version_id: uuid.UUID,
    report: dict[str, Any],
    plan: Blob | None,
    fallback_because: str | None,
    storage: Storage,
) -> bool:
    """Record a build that can be served: from a plan that fits, or by the fallback runtime."""
    async with transaction():
        tenant = await repository.tenant_of(version_id)
        if plan is not None and tenant is not None:
            limits = await storage.quotas.hold(TenantId(tenant))
            try:
                await storage.admit(TenantId(tenant), plan, limits)
            except QuotaExceeded as error:
                reason = f"Its plan has {plan.size_bytes} bytes. {error.detail}"
                return await build_failed(version_id, reason, "Then push it again.", report)
        return await _ready(version_id, report, plan, fallback_because)


async def _ready(
    version_id: uuid.UUID, report: dict[str, Any], plan: Blob | None, fallback_because: str | None
) -> bool:
    moved = await repository.move(
        version_id,
        VersionState.BUILDING,
        VersionState.READY,
        report=report,
        backend="plan" if plan else "fallback",
        plan_sha256=plan.sha256 if plan else None,
        plan_size_bytes=plan.size_bytes if plan else None,
        fallback_because=fallback_because,
        reason=None,
        ready_at=datetime.now(UTC),
    )
    if moved:
        await _emit(version_id, Event.VERSION_READY)
    return moved


async def _emit(version_id: uuid.UUID, event: Event) -> None:
    """Tell webhooks what became of a build; call within its transaction."""
    found = await repository.named_of_all(version_id)
    if found is None:
        return
    tenant, model, row = found
    facts = {"backend": row.backend, "fallback_because": row.fallback_because}
    if event is Event.VERSION_FAILED:
        facts = {"reason": row.reason, "advice": row.advice}
    said = {"model": model, "version": row.number, "sha256": row.sha256, **facts}
    await webhooks.emit(TenantId(tenant), event, said)


async def build_tells(version_id: uuid.UUID, what: str) -> bool:
    """Say why a build takes long, as the reason of its state."""
    return await repository.move(
        version_id, VersionState.BUILDING, VersionState.BUILDING, reason=what
    )


async def build_failed(
    version_id: uuid.UUID, reason: str, advice: str | None, report: dict[str, Any] | None
) -> bool:
    """Record a build that cannot be served, in words."""
    async with transaction():
        moved = await repository.move(
            version_id,
            VersionState.BUILDING,
            VersionState.FAILED,
            reason=reason,
            advice=advice,
            report=report,
        )
        if moved:
            await _emit(version_id, Event.VERSION_FAILED)
    return moved


async def return_build(version_id: uuid.UUID) -> bool:
    """Return a version to the queue because we stop; that is no attempt."""
    return await repository.return_build(version_id)


async def put_back(version_id: uuid.UUID) -> bool:
    """Return a version to the queue after a failure on our side."""
    return await repository.move(version_id, VersionState.BUILDING, VersionState.UPLOADED)


async def digest_in_use(sha256: str) -> bool:
    """Tell whether any version names a blob."""
    return await repository.digest_in_use_of_all(sha256)
