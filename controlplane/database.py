"""The database: connection, transactions, and migrations on start under an advisory lock.

Aerich writes the migrations and its command line can apply them; here they are applied without it,
since importing aerich takes as long as everything else a warm start does.
"""

import asyncio
import base64
import importlib
import os
import pkgutil
import zlib
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from types import ModuleType
from typing import Any, Final

import asyncpg
from tortoise import Tortoise, connections
from tortoise.exceptions import IntegrityError
from tortoise.transactions import in_transaction

import migrations.kubeserve

Taken = IntegrityError  # a name or number that must be unique is there already

APP: Final = "kubeserve"
TABLES: Final = [
    "controlplane.accounts.tables",
    "controlplane.audit.tables",
    "controlplane.tenants.tables",
    "controlplane.oauth.tables",
    "controlplane.models.tables",
    "controlplane.endpoints.tables",
    "controlplane.rollouts.tables",
    "controlplane.api_keys.tables",
    "controlplane.usage.tables",
    "controlplane.loadtests.tables",
    "controlplane.webhooks.tables",
    "controlplane.payloads.tables",
    "controlplane.idempotency",
]
MIGRATION_LOCK: Final = 0x6B756265  # "kube": one migration at a time, however many replicas start

START_LOCK: Final = MIGRATION_LOCK + 1
CONNECTED_WITHIN_S: Final = 30.0
NOT_YET: Final = (OSError, asyncpg.CannotConnectNowError, asyncpg.TooManyConnectionsError)


def config(url: str, *more: str) -> dict[str, Any]:
    """Give Tortoise's configuration for one database."""
    return {
        "connections": {"default": url},
        "apps": {APP: {"models": [*TABLES, *more], "default_connection": "default"}},
        "use_tz": True,
        "timezone": "UTC",
    }


# Read by the aerich command when a developer writes a migration.
TORTOISE_ORM = config(
    os.environ.get("KUBESERVE_DATABASE_URL", "asyncpg://postgres@localhost/postgres"),
    "aerich.models",
)


async def open_database(url: str) -> None:
    """Bring the tables up to date and connect."""
    await upgrade(url)
    await Tortoise.init(config=config(url), _enable_global_fallback=True)


async def upgrade(url: str) -> list[str]:
    """Apply the migrations that are missing; another process doing the same is waited for."""
    connection = await _connect(url.replace("asyncpg://", "postgresql://", 1))
    try:
        await connection.execute("SELECT pg_advisory_lock($1)", MIGRATION_LOCK)
        return await migrate(connection)
    finally:
        await connection.close()


async def _connect(url: str) -> Any:
    """Connect to a database that may still be starting."""
    async with asyncio.timeout(CONNECTED_WITHIN_S):
        while True:
            try:
                return await asyncpg.connect(url)
            except NOT_YET:
                await asyncio.sleep(0.02)


def steps() -> list[str]:
    """Name every migration in order; each is a file of aerich's."""
    found = (module.name for module in pkgutil.iter_modules(migrations.kubeserve.__path__))
    return sorted(found, key=lambda name: int(name.partition("_")[0]))


async def migrate(connection: Any) -> list[str]:
    """Apply what was not applied yet; gives the names of the steps taken."""
    known = await connection.fetchval("SELECT to_regclass('aerich') IS NOT NULL")
    rows = await connection.fetch("SELECT version FROM aerich WHERE app = $1", APP) if known else []
    applied = {row["version"] for row in rows}
    ahead = sorted(applied - {f"{step}.py" for step in steps()})
    if ahead:
        raise RuntimeError(
            f"the database has {ahead[-1]}, which this KubeServe does not know: a newer one "
            "wrote it. Install that version again."
        )
    missing = [step for step in steps() if f"{step}.py" not in applied]
    for step in missing:
        await _apply(connection, step)
    return missing


async def _apply(connection: Any, step: str) -> None:
    module = importlib.import_module(f"{migrations.kubeserve.__name__}.{step}")
    script = await module.upgrade(None)
    if not getattr(module, "RUN_IN_TRANSACTION", True):
        await connection.execute(script)
        await _record(connection, step, module)
        return
    async with connection.transaction():
        await connection.execute(script)
        await _record(connection, step, module)


async def _record(connection: Any, step: str, module: ModuleType) -> None:
    """Note a step as aerich itself does, so that its command line goes on from here."""
    await connection.execute(
        "INSERT INTO aerich (version, app, content) VALUES ($1, $2, $3::jsonb)",
        f"{step}.py",
        APP,
        zlib.decompress(base64.b64decode(module.MODELS_STATE)).decode(),
    )


@asynccontextmanager
async def start_lock() -> AsyncIterator[None]:
    """Let one process at a time make what the first start makes; also a transaction."""
    async with in_transaction() as connection:
        await connection.execute_query("SELECT pg_advisory_xact_lock($1)", [START_LOCK])
        yield


async def close_database() -> None:
    """Close every connection."""
    await Tortoise.close_connections()


async def ping() -> None:
    """Raise if the database does not answer."""
    await connections.get("default").execute_query("SELECT 1")


def pool() -> dict[str, int]:
    """Count the connections of the pool by what they do; none before it is open."""
    open_ = getattr(connections.get("default"), "_pool", None)
    if open_ is None:
        return {}
    idle, size = open_.get_idle_size(), open_.get_size()
    return {"used": size - idle, "idle": idle, "most": open_.get_max_size()}


def transaction() -> AbstractAsyncContextManager[Any]:
    """Open a transaction that the repositories below join; never start a task inside it."""
    return in_transaction()
