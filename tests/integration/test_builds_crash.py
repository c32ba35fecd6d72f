"""The control plane killed while it builds: what was acknowledged is built when it is back."""

import asyncio
import contextlib
import json
import os
import pickle
import signal
import socket
import subprocess
import sys
import time
import uuid
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any

import asyncpg
import httpx
import psutil
import pytest

from tests.integration.test_api_registry import OCTETS, model_bytes

WITHIN_S = 60.0


class Sleeps:
    """A file that keeps its build busy until somebody ends it."""

    def __reduce__(self) -> tuple[Any, ...]:
        return time.sleep, (3600,)


def until(holds: Callable[[], Any]) -> Any:
    deadline = time.monotonic() + WITHIN_S
    while not (found := holds()):
        assert time.monotonic() < deadline
        time.sleep(0.02)
    return found


class Process:
    """`python -m controlplane api` on its own database and home folder, started again at will."""

    def __init__(self, database: str, home: Path, **settings: str) -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.listen = f"127.0.0.1:{probe.getsockname()[1]}"
        self.home = home
        self._env = {
            **os.environ,
            "KUBESERVE_HOME": str(home),
            "KUBESERVE_DATABASE_URL": database,
            "KUBESERVE_LISTEN": self.listen,
            **settings,
        }
        self.http = httpx.Client(base_url=f"http://{self.listen}", timeout=10)

    def start(self) -> None:
        with (self.home / "api.log").open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "controlplane", "api"],
                env=self._env,
                stdout=log,
                stderr=log,
            )
        until(self._answers)

    def _answers(self) -> bool:
        assert self.process.poll() is None, (self.home / "api.log").read_text()
        with contextlib.suppress(httpx.TransportError):
            return self.http.get("/healthz").is_success
        return False

    def kill(self) -> None:
        """Kill it and see its children go too."""
        children = psutil.Process(self.process.pid).children(recursive=True)
        self.process.kill()
        self.process.wait()
        _, alive = psutil.wait_procs(children, timeout=WITHIN_S)
        assert alive == []

    def stop(self) -> None:
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            self.process.wait(WITHIN_S)
        self.http.close()

    def sign_in(self) -> None:
        kept = json.loads((self.home / "credentials.json").read_text())
        answer = self.http.post(
            "/oauth2/token",
            data={"grant_type": "client_credentials"},
            auth=(kept["client_id"], kept["client_secret"]),
        )
        self.http.headers["authorization"] = f"Bearer {answer.json()['access_token']}"

    def push(self, model: str, raw: bytes) -> None:
        answer = self.http.post(f"/v1/models/{model}/versions", content=raw, headers=OCTETS)
        assert answer.status_code == 201, answer.text

    def version(self, model: str) -> dict[str, Any]:
        return dict(self.http.get(f"/v1/models/{model}/versions/1").json())

    def state(self, model: str, *states: str) -> bool:
        return self.version(model)["state"] in states


@pytest.fixture
async def database(postgres_server: str) -> AsyncIterator[str]:
    name = f"t{uuid.uuid4().hex}"
    control = await asyncpg.connect(postgres_server)
    await control.execute(f"CREATE DATABASE {name}")
    yield postgres_server.replace("/postgres?", f"/{name}?")
    await control.execute(f"DROP DATABASE {name} WITH (FORCE)")
    await control.close()


@pytest.fixture
def api_process(database: str, tmp_path: Path) -> Iterator[Process]:
    process = Process(database, tmp_path)
    process.start()
    process.sign_in()
    yield process
    process.stop()


def attempts(database: str, change: str = "SELECT 1") -> int:
    """Give the attempts at the endless file, after a change of the table."""

    async def ask() -> int:
        connection = await asyncpg.connect(database)
        try:
            await connection.execute(change)
            return int(await connection.fetchval("SELECT max(attempts) FROM versions"))
        finally:
            await connection.close()

    return asyncio.run(ask())


def test_a_build_cut_off_is_taken_up_again_but_not_for_ever(
    api_process: Process, database: str
) -> None:
    # One build at a time: the good file waits behind the one that never ends.
    api_process.push("endless", pickle.dumps(Sleeps()))
    api_process.push("iris", model_bytes())
    until(lambda: api_process.state("endless", "building"))
    assert attempts(database) == 1

    api_process.process.send_signal(signal.SIGTERM)
    assert api_process.process.wait(WITHIN_S) in (0, -signal.SIGTERM)
    assert attempts(database) == 0, "a stop in good order is no attempt"

    api_process.start()
    until(lambda: api_process.state("endless", "building"))
    api_process.kill()
    assert attempts(database) == 1
    api_process.start()
    until(lambda: attempts(database) == 2)
    assert api_process.state("endless", "building")
    assert api_process.state("iris", "uploaded")

    attempts(database, "UPDATE versions SET attempts = 3 WHERE state = 'building'")
    api_process.kill()
    api_process.start()
    until(lambda: api_process.state("iris", "ready"))
    ended = api_process.version("endless")
    assert ended["state"] == "failed"
    assert "ended 3 times" in ended["reason"]
    work = api_process.home / "work" / "builds"
    until(lambda: list(work.iterdir()) == [])
