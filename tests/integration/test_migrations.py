"""Migrations on a real Postgres: once, whoever starts first, and the same as the tables in code."""

import asyncio
import os
import sys
import uuid
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from aerich import Command
from tortoise import Tortoise

from controlplane import database


@pytest.fixture
async def fresh(postgres_server: str) -> AsyncIterator[str]:
    """Give the URL of an empty database."""
    name = f"t{uuid.uuid4().hex}"
    control = await asyncpg.connect(postgres_server)
    await control.execute(f"CREATE DATABASE {name}")
    yield postgres_server.replace("/postgres?", f"/{name}?")
    await control.execute(f"DROP DATABASE {name} WITH (FORCE)")
    await control.close()


async def query(url: str, text: str) -> list[Any]:
    connection = await asyncpg.connect(url)
    try:
        return list(await connection.fetch(text))
    finally:
        await connection.close()


async def test_of_four_that_start_together_one_migrates(fresh: str) -> None:
    taken = await asyncio.gather(*(database.upgrade(fresh) for _ in range(4)))
    assert sorted(taken) == [[], [], [], database.steps()]
    rows = await query(fresh, "SELECT version FROM aerich ORDER BY id")
    assert [row["version"] for row in rows] == [f"{step}.py" for step in database.steps()]


async def test_the_tables_in_code_are_those_the_migrations_make(fresh: str) -> None:
    await database.upgrade(fresh)
    settings = database.config(fresh.replace("postgresql://", "asyncpg://"), "aerich.models")
    await Tortoise.init(config=settings)
    try:
        command = Command(settings, app=database.APP, location="migrations")
        await command.init()
        assert await command.heads() == []
        assert await command.migrate("difference", no_input=True) == ""
    finally:
        await Tortoise.close_connections()


async def test_a_step_that_fails_leaves_nothing_of_itself(
    fresh: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    last = database.steps()[-1]
    module = database.importlib.import_module(f"migrations.kubeserve.{last}")
    whole = await module.upgrade(None)

    async def broken(_: object) -> str:
        return f"{whole}; SELECT no_such_function()"

    monkeypatch.setattr(module, "upgrade", broken)
    with pytest.raises(asyncpg.UndefinedFunctionError):
        await database.upgrade(fresh)
    kept = [row["version"] for row in await query(fresh, "SELECT version FROM aerich")]
    assert kept == [f"{step}.py" for step in database.steps()[:-1]]
    monkeypatch.undo()
    assert await database.upgrade(fresh) == [last]


async def test_a_database_of_a_newer_kubeserve_is_left_alone(fresh: str) -> None:
    await database.upgrade(fresh)
    await query(fresh, "UPDATE aerich SET version = '999_later.py' WHERE id = 1 RETURNING id")
    with pytest.raises(RuntimeError, match=r"999_later\.py.*newer"):
        await database.upgrade(fresh)


async def test_the_role_migrate_does_it_and_ends(fresh: str, tmp_path: Path) -> None:
    env = {"PATH": os.environ["PATH"], "KUBESERVE_HOME": str(tmp_path)}
    command = [sys.executable, "-m", "controlplane", "migrate"]
    for url, code in (("", 64), (fresh, 0), (fresh, 0)):
        given = {**env, "KUBESERVE_DATABASE_URL": url} if url else env
        process = await asyncio.create_subprocess_exec(*command, env=given)
        assert await process.wait() == code
    rows = await query(fresh, "SELECT version FROM aerich ORDER BY id")
    assert [row["version"] for row in rows] == [f"{step}.py" for step in database.steps()]
    assert os.listdir(tmp_path) == []
