"""The database: connection, transactions, and migrations on start under an advisory lock."""

import os
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Any, Final

import asyncpg
from aerich import Command
from tortoise import Tortoise, connections
from tortoise.exceptions import IntegrityError
from tortoise.transactions import in_transaction

import migrations

Taken = IntegrityError  # a name or number that must be unique is there already

APP: Final = "kubeserve"
TABLES: Final = [
    "controlplane.tenants.tables",
    "controlplane.oauth.tables",
    "controlplane.models.tables",
    "controlplane.endpoints.tables",
    "controlplane.idempotency",
    "aerich.models",
]
MIGRATION_LOCK: Final = 0x6B756265  # "kube": one migration at a time, however many replicas start

START_LOCK: Final = MIGRATION_LOCK + 1


def config(url: str) -> dict[str, Any]:
    """Give Tortoise's configuration for one database."""
    return {
        "connections": {"default": url},
        "apps": {APP: {"models": TABLES, "default_connection": "default"}},
        "use_tz": True,
        "timezone": "UTC",
    }


# Read by the aerich command when a developer writes a migration.
TORTOISE_ORM = config(
    os.environ.get("KUBESERVE_DATABASE_URL", "asyncpg://postgres@localhost/postgres")
)


async def open_database(url: str) -> None:
    """Connect, and bring the tables up to date; another process doing the same is waited for."""
    settings = config(url)
    await Tortoise.init(config=settings, _enable_global_fallback=True)
    # A session lock on a connection of its own: the migrations run on others.
    lock = await asyncpg.connect(url.replace("asyncpg://", "postgresql://", 1))
    try:
        await lock.execute("SELECT pg_advisory_lock($1)", MIGRATION_LOCK)
        command = Command(settings, app=APP, location=str(Path(migrations.__path__[0])))
        await command.init()
        await command.upgrade(run_in_transaction=True)
    finally:
        await lock.close()


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


def transaction() -> AbstractAsyncContextManager[Any]:
    """Open a transaction that the repositories below join; never start a task inside it."""
    return in_transaction()
