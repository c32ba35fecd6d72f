"""What a crash can leave behind: blobs no row names, endpoints of the engine without a row."""

import asyncio
import logging
from datetime import UTC, datetime, timedelta
from typing import Final

from controlplane import idempotency
from controlplane.artifacts.store import Store
from controlplane.endpoints import service as endpoints
from controlplane.engines.engine import Engine
from controlplane.models import service as models

log = logging.getLogger("kubeserve.sweep")
# Never younger: an upload's blob is there before its row is.
ORPHAN_S: Final = 24 * 3600.0


async def sweep_blobs(store: Store, older_s: float = ORPHAN_S) -> int:
    """Delete blobs that no version and no revision names; gives how many."""
    removed = 0
    for sha256 in await store.older_than(older_s):
        if not await models.digest_in_use(sha256) and not await endpoints.artifact_in_use(sha256):
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


async def run(store: Store, engine: Engine, every_s: float = 600.0) -> None:
    """Sweep at times until cancelled."""
    while True:
        await asyncio.sleep(every_s)
        try:
            blobs, running = await sweep_blobs(store), await sweep_endpoints(engine)
            await idempotency.forget(datetime.now(UTC) - timedelta(seconds=ORPHAN_S))
        except Exception:
            log.exception("the sweep failed")
        else:
            if blobs or running:
                log.info("swept %d blobs and %d endpoints", blobs, running)
