"""One embedded Postgres for all integration tests."""

import signal
import tempfile
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from controlplane import postgres
from controlplane.loadtests import service as loadtests
from controlplane.loadtests.service import TestToRun
from tests.integration.api import Api, running_api
from tests.integration.quick_builds import QuickBuilder

READY_WITHIN_S = 30.0


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[str]:
    """Give the URL of a real Postgres of our own."""
    with tempfile.TemporaryDirectory(prefix="ks-pg-") as folder:
        home = Path(folder)
        process = postgres.start(home, home / "postgres.log")
        try:
            deadline = time.monotonic() + READY_WITHIN_S
            while not postgres.is_ready(home, process.pid):
                assert process.poll() is None, (home / "postgres.log").read_text()
                assert time.monotonic() < deadline
                time.sleep(0.01)
            yield postgres.url(home).replace("asyncpg://", "postgresql://")
        finally:
            process.send_signal(signal.SIGINT)
            process.wait()


@pytest.fixture
async def quick_api(
    postgres_server: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Api]:
    """Give the application where every upload can be served at once, and load tests wait.

    The fake engine's endpoints have no address; tests that run are in test_loadtests_run.
    """

    async def nothing(_: int) -> list[TestToRun]:
        return []

    monkeypatch.setattr(loadtests, "take_waiting", nothing)
    builder, many = QuickBuilder(), 10_000
    most = {"tenant_loadtests": many, "tenant_webhooks": many}
    async with running_api(postgres_server, tmp_path, builder, **most) as running:
        yield running


@pytest.fixture
async def api(postgres_server: str, tmp_path: Path) -> AsyncIterator[Api]:
    """Give the application with its administrator signed in."""
    async with running_api(postgres_server, tmp_path) as running:
        yield running
