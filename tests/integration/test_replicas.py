"""One replica of several: it works while it leads, is woken by rows of others, waits otherwise.

The others are played by what they would write; several real ones run in tests/cluster.
"""

import asyncio
import base64
import contextlib
import uuid
from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import asyncpg
import httpx
import pytest
from fastapi import FastAPI

from controlplane import wakes
from controlplane.app import create_app
from controlplane.artifacts.folder import FolderStore
from controlplane.builder.job import Builder
from controlplane.builder.report import Limits
from controlplane.database import transaction
from controlplane.leading import Record
from controlplane.settings import Settings
from controlplane.wakes import Wake
from runtime.problems import Conflict
from tests.fakes import FakeEngine
from tests.integration.test_api_registry import OCTETS, model_bytes

SIGNING = base64.b64encode(bytes(range(32))).decode()
ADMIN, SECRET = "ks-0123456789abcdef", "kss_" + "x" * 40
WITHIN_S = 15  # below any resync


class InMemory:
    """A lease that replicas of one test share."""

    def __init__(self, shared: list[Record]) -> None:
        self._shared = shared

    async def get(self) -> Record:
        return self._shared[0]

    async def put(self, record: Record) -> Record:
        if record.version != self._shared[0].version:
            raise Conflict("it changed")
        number = str(int(record.version or 0) + 1)
        self._shared[0] = replace(record, version=number, renewals=number)
        return self._shared[0]


@dataclass
class Replicas:
    """A database and what runs on it."""

    url: str
    home: Path
    engine: FakeEngine = field(default_factory=FakeEngine)
    shared: list[Record] = field(default_factory=lambda: [Record()])

    def settings(self, **changes: Any) -> Settings:
        return Settings.model_validate(
            {
                "home": self.home / uuid.uuid4().hex,
                "database_url": self.url,
                "signing_secret": SIGNING,
                "admin_client_id": ADMIN,
                "admin_client_secret": SECRET,
                **changes,
            }
        )

    @contextlib.asynccontextmanager
    async def one(self, **changes: Any) -> AsyncIterator[tuple[FastAPI, httpx.AsyncClient]]:
        app = create_app(
            self.settings(**changes),
            engine=self.engine,
            store=FolderStore(self.home / "artifacts"),
            builder=Builder(Limits(), warm=False),
            leases=InMemory(self.shared),
        )
        transport = httpx.ASGITransport(app)
        base = app.state.settings.public_url
        async with (
            app.router.lifespan_context(app),
            httpx.AsyncClient(transport=transport, base_url=base) as http,
        ):
            yield app, http


@pytest.fixture
async def replicas(postgres_server: str, tmp_path: Path) -> AsyncIterator[Replicas]:
    name = f"t{uuid.uuid4().hex}"
    control = await asyncpg.connect(postgres_server)
    await control.execute(f"CREATE DATABASE {name}")
    try:
        yield Replicas(postgres_server.replace("/postgres?", f"/{name}?"), tmp_path)
    finally:
        await control.execute(f"DROP DATABASE {name} WITH (FORCE)")
        await control.close()


async def until(holds: Any) -> None:
    async with asyncio.timeout(WITHIN_S):
        while not holds():
            await asyncio.sleep(0.02)


async def sign_in(http: httpx.AsyncClient, secret: str = SECRET) -> int:
    answer = await http.post(
        "/oauth2/token", data={"grant_type": "client_credentials"}, auth=(ADMIN, secret)
    )
    if answer.status_code == 200:
        http.headers["authorization"] = f"Bearer {answer.json()['access_token']}"
    return answer.status_code


async def notify(url: str, *words: str) -> None:
    """Say something on the channel as another replica would."""
    connection = await asyncpg.connect(url)
    try:
        for word in words:
            await connection.execute("SELECT pg_notify($1, $2)", wakes.CHANNEL, word)
    finally:
        await connection.close()


async def test_a_release_that_another_replica_wrote_is_reconciled(replicas: Replicas) -> None:
    async with replicas.one() as (app, http):
        app.state.wake_builds = app.state.wake_endpoint = lambda *_: None  # as if written elsewhere
        await sign_in(http)
        answer = await http.post("/v1/models/m/versions", content=model_bytes(), headers=OCTETS)
        assert answer.status_code == 201
        async with asyncio.timeout(60):
            while (await http.get("/v1/models/m/versions/1")).json()["state"] != "ready":
                await asyncio.sleep(0.05)
        await until(lambda: replicas.engine.keys)
        answer = await http.post("/v1/endpoints/e/releases", json={"model": "m"})
        assert answer.status_code == 201, answer.text
        await until(lambda: [one.name for one in replicas.engine.wanted.values()] == ["e"])
        assert (await http.delete("/v1/endpoints/e")).status_code == 204
        await until(lambda: not replicas.engine.wanted)


async def test_who_does_not_lead_takes_rows_and_does_nothing_until_it_leads(
    replicas: Replicas,
) -> None:
    replicas.shared[0] = Record("other", 3600.0, 1, "1", "1")
    async with replicas.one() as (app, http):
        assert await sign_in(http) == 200
        assert (await http.get("/readyz")).status_code == 200
        answer = await http.post("/v1/models/m/versions", content=model_bytes(), headers=OCTETS)
        assert answer.status_code == 201
        gone = await http.post("/v1/clients", json={"name": "gone"})
        assert (await http.delete(f"/v1/clients/{gone.json()['id']}")).status_code == 204
        assert (replicas.engine.keys, replicas.engine.wanted) == ([], {})
        assert not app.state.parts.leading.leads()
        replicas.shared[0] = replace(replicas.shared[0], holder="", version="2", renewals="2")
        await notify(replicas.url, "leader")
        async with asyncio.timeout(60):
            while (await http.get("/v1/models/m/versions/1")).json()["state"] != "ready":
                await asyncio.sleep(0.05)
        assert app.state.parts.leading.leads()
        assert gone.json()["id"].encode() in replicas.engine.keys_of["default"]
    assert replicas.shared[0].holder == ""


async def test_whoever_ends_tells_the_others(replicas: Replicas) -> None:
    heard: list[str] = []
    async with replicas.one() as (app, _):
        await until(app.state.parts.leading.leads)
        connection = await asyncpg.connect(replicas.url)
        await connection.add_listener(wakes.CHANNEL, lambda *said: heard.append(said[3]))
    try:
        await until(lambda: heard)
    finally:
        await connection.close()
    assert heard == ["leader"]


async def test_a_wake_is_heard_when_it_is_committed_and_after_a_cut(replicas: Replicas) -> None:
    heard: list[tuple[Wake, str]] = []
    async with replicas.one():
        task = asyncio.create_task(
            wakes.listen(replicas.url, lambda wake, key: heard.append((wake, key)))
        )
        try:
            await until(lambda: heard == [(Wake.ALL, "")])
            async with transaction():
                await wakes.tell(Wake.ENDPOINT, "one")
                await notify(replicas.url, "something-new", "versions")
                await until(lambda: len(heard) == 2)
            with contextlib.suppress(ZeroDivisionError):
                async with transaction():
                    await wakes.tell(Wake.ENDPOINT, "never")
                    raise ZeroDivisionError
            await wakes.tell(Wake.KEYS)
            await until(lambda: len(heard) == 4)
            assert heard[1:] == [
                (Wake.VERSIONS, ""),
                (Wake.ENDPOINT, "one"),
                (Wake.KEYS, ""),
            ]
            control = await asyncpg.connect(replicas.url)
            await control.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                "WHERE pid <> pg_backend_pid() AND datname = current_database() "
                "AND query NOT LIKE '%pg_notify%'"
            )
            await control.close()
            await until(lambda: len(heard) == 5)
            assert heard[4] == (Wake.ALL, "")
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)


async def test_the_administrator_of_a_secret_is_made_once_and_gets_its_new_secret(
    replicas: Replicas,
) -> None:
    for _ in range(2):
        async with replicas.one() as (app, http):
            assert await sign_in(http) == 200
            clients = (await http.get("/v1/clients")).json()["items"]
            assert [client["id"] for client in clients] == [ADMIN]
            assert "admin" in clients[0]["scopes"]
            assert (await http.get("/v1/people")).status_code == 200
            assert not (app.state.settings.home / "credentials.json").exists()
            assert not (app.state.settings.home / "secrets").exists()
    async with replicas.one(admin_client_secret="kss_" + "y" * 40) as (_, http):
        assert await sign_in(http) == 401
        assert await sign_in(http, "kss_" + "y" * 40) == 200
        assert (await http.delete(f"/v1/clients/{ADMIN}")).status_code == 204
    async with replicas.one(admin_client_secret="kss_" + "y" * 40) as (_, http):
        assert await sign_in(http, "kss_" + "y" * 40) == 401  # a revocation outlives a restart
    async with replicas.one() as (_, http):
        assert await sign_in(http) == 200  # another secret is another decision


async def test_another_signing_secret_is_refused_by_name(replicas: Replicas) -> None:
    async with replicas.one():
        pass
    other = base64.b64encode(bytes(32)).decode()
    with pytest.raises(RuntimeError, match="KUBESERVE_SIGNING_SECRET"):
        async with replicas.one(signing_secret=other):
            pass
