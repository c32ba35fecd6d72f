"""What a crash can leave behind: blobs no row names, endpoints of the engine without a row."""

import asyncio
import functools
import logging
from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Final, Protocol

from controlplane import idempotency
from controlplane.accounts import service as accounts
from controlplane.artifacts.exchange import Exchange
from controlplane.artifacts.store import Store
from controlplane.endpoints import service as endpoints
from controlplane.engines.engine import Engine
from controlplane.loadtests import service as loadtests
from controlplane.models import service as models
from controlplane.reconciler.builds import Builds

log = logging.getLogger("kubeserve.sweep")
Part = Callable[[], Awaitable[int]]
# Never younger: an upload's blob is there before its row is.
ORPHAN_S: Final = 24 * 3600.0


class Shelf(Protocol):
    """Where archives of environments are kept by name."""

    async def sweep(self) -> frozenset[str]:
        """Forget names that are not used; gives the digests of the others."""


async def _in_use(sha256: str) -> bool:
    return (
        await models.digest_in_use(sha256)
        or await endpoints.artifact_in_use(sha256)
        or await loadtests.report_in_use(sha256)
    )


async def sweep_blobs(
    store: Store, older_s: float = ORPHAN_S, *, shelf: Shelf | None = None
) -> int:
    """Delete blobs that no version, revision, environment or load test names; gives how many."""
    removed = 0
    shelved = frozenset[str]() if shelf is None else await shelf.sweep()
    for sha256 in await store.older_than(older_s):
        if sha256 not in shelved and not await _in_use(sha256):
            await store.delete(sha256, older_s=older_s)
            removed += 1
    return removed


async def sweep_endpoints(engine: Engine) -> int:
    """Take down what the engine runs and no row wants; gives how many."""
    # In this order: a row is there before the engine hears of it, so what is deployed between the
    # two looks is no orphan.
    running = await engine.observe_all()
    wanted = {str(found) for found in await endpoints.all_ids()}
    orphans = [seen.id for seen in running if seen.id not in wanted]
    for orphan in orphans:
        await engine.delete(orphan)
    return len(orphans)


async def sweep_placed(
    exchange: Exchange, older_s: float = ORPHAN_S, *, shelf: Shelf | None = None
) -> int:
    """Remove tenants' copies of artifacts and environments that nothing names; gives how many.

    What a version names stays: it may be deployed again, by an engine that knows it is there.
    """
    removed = 0
    shelved = frozenset[str]() if shelf is None else await shelf.sweep()
    for tenant, sha256 in await exchange.placed_older_than(older_s):
        if sha256 not in shelved and not await _in_use(sha256):
            await exchange.unplace(sha256, tenant)
            removed += 1
    return removed


async def sweep_builds(builds: Builds) -> int:
    """Remove what builds left that were recorded, or whose version is gone; gives how many."""
    return await builds.tidy(models.unfinished)


async def run(
    store: Store,
    engine: Engine,
    every_s: float = 600.0,
    *,
    builds: Builds | None = None,
    exchange: Exchange | None = None,
    shelf: Shelf | None = None,
    more: Mapping[str, Part] | None = None,
) -> None:
    """Sweep at times until cancelled; one part that fails leaves the others their turn."""
    parts: dict[str, Part] = {
        "blobs": lambda: sweep_blobs(store, shelf=shelf),
        "endpoints": lambda: sweep_endpoints(engine),
        "ended sessions": lambda: accounts.forget_ended(datetime.now(UTC)),
        "idempotency keys": lambda: idempotency.forget(
            datetime.now(UTC) - timedelta(seconds=ORPHAN_S)
        ),
    }
    if builds is not None:
        parts["left-overs of builds"] = functools.partial(sweep_builds, builds)
    if exchange is not None:
        parts["tenants' copies"] = functools.partial(sweep_placed, exchange, shelf=shelf)
    parts |= more or {}
    while True:
        await asyncio.sleep(every_s)
        for what, sweep in parts.items():
            try:
                removed = await sweep()
            except Exception:
                log.exception("sweeping %s failed", what)
            else:
                if removed:
                    log.info("swept %d %s", removed, what)
