"""The real application on a real Postgres, called without a socket."""

import asyncio
import contextlib
import json
import uuid
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import asyncpg
import httpx
import uvicorn
from fastapi import FastAPI
from pydantic import SecretStr
from tortoise import connections

from controlplane.app import create_app
from controlplane.builder.job import Builder
from controlplane.builder.report import Limits
from controlplane.settings import Settings
from tests.fakes import FakeEngine


@dataclass
class Api:
    """A running application and its first administrator's token."""

    app: FastAPI
    http: httpx.AsyncClient
    engine: FakeEngine
    home: Path
    client_id: str
    client_secret: str

    async def token(self, **form: str) -> httpx.Response:
        auth = (self.client_id, self.client_secret)
        return await self.http.post(
            "/oauth2/token", data={"grant_type": "client_credentials", **form}, auth=auth
        )

    async def sign_in(self) -> None:
        answer = await self.token()
        self.http.headers["authorization"] = f"Bearer {answer.json()['access_token']}"

    @contextlib.asynccontextmanager
    async def on_a_socket(self, port: int = 0) -> AsyncIterator[int]:
        """Serve the application on loopback too; gives the port."""
        config = uvicorn.Config(self.app, port=port, lifespan="off", log_config=None)
        server = uvicorn.Server(config)
        task = asyncio.create_task(server.serve())
        try:
            async with asyncio.timeout(10):
                while not server.started:
                    await asyncio.sleep(0.01)
            yield int(server.servers[0].sockets[0].getsockname()[1])
        finally:
            server.should_exit = True
            await task

    async def audited(self, tenant: str) -> list[dict[str, Any]]:
        """Read a tenant's audit log, oldest first."""
        rows = await connections.get("default").execute_query_dict(
            "SELECT * FROM audit_events WHERE tenant = $1 ORDER BY id", [tenant]
        )
        for row in rows:
            row["detail"] = json.loads(row["detail"])
        return [*rows]

    async def execute(self, statement: str, *values: object) -> None:
        """Change what no API changes."""
        await connections.get("default").execute_query(statement, [*values])

    async def another_tenant(self, name: str) -> "Api":
        """Make a tenant with a client of its own, signed in."""
        assert (await self.http.post("/v1/tenants", json={"name": name})).status_code == 201
        made = await self.http.post("/v1/clients", json={"name": "theirs", "tenant": name})
        client = made.json()
        other = Api(
            self.app,
            httpx.AsyncClient(transport=self.http._transport, base_url=self.http.base_url),
            self.engine,
            self.home,
            client["id"],
            client["secret"],
        )
        await other.sign_in()
        return other


@contextlib.asynccontextmanager
async def running_api(
    server: str, home: Path, builder: Builder | None = None, **settings: Any
) -> AsyncIterator[Api]:
    """Run the application on a fresh database of the given server."""
    name = f"t{uuid.uuid4().hex}"
    control = await asyncpg.connect(server)
    await control.execute(f"CREATE DATABASE {name}")
    try:
        url = server.replace("/postgres?", f"/{name}?")
        engine = FakeEngine()
        made = Settings(home=home, database_url=SecretStr(url), **settings)
        builder = builder or Builder(Limits(), warm=False)
        app = create_app(made, engine=engine, builder=builder)
        transport = httpx.ASGITransport(app, raise_app_exceptions=False)
        base = made.public_url
        async with (
            app.router.lifespan_context(app),
            httpx.AsyncClient(transport=transport, base_url=base) as http,
        ):
            kept = json.loads((home / "credentials.json").read_text())
            api = Api(app, http, engine, home, kept["client_id"], kept["client_secret"])
            await api.sign_in()
            yield api
    finally:
        await control.execute(f"DROP DATABASE {name} WITH (FORCE)")
        await control.close()
