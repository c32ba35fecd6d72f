"""The embedded Postgres as a process: as whom it runs, what it survives, that it ends with us."""

import asyncio
import os
import pwd
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import asyncpg
import psutil
import pytest

from controlplane import postgres
from tests import waiting

WITHIN_S = 30.0
until = partial(waiting.until, within_s=WITHIN_S)
as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root has to become someone else")


@pytest.fixture
def home() -> Iterator[Path]:
    """Give a home folder below one that is closed to everybody else."""
    with tempfile.TemporaryDirectory(prefix="ks-pg-") as folder:
        closed = Path(folder) / "closed"
        closed.mkdir(mode=0o700)
        yield closed / "home"


class Server:
    """Starts and stops the embedded Postgres of one home folder."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> psutil.Process:
        process = self.process = postgres.start(self.home, self.home / "logs" / "postgres.log")

        def ready() -> bool:
            assert process.poll() is None, (self.home / "logs" / "postgres.log").read_text()
            return postgres.is_ready(self.home, process.pid)

        until(ready)
        return psutil.Process(process.pid)

    def stop(self, number: signal.Signals = signal.SIGINT) -> None:
        if self.process is not None:
            self.process.send_signal(number)
            self.process.wait(WITHIN_S)
            self.process = None

    def query(self, text: str) -> Any:
        async def ask() -> Any:
            connection = await asyncpg.connect(
                postgres.url(self.home).replace("asyncpg", "postgresql")
            )
            try:
                return await connection.fetchval(text)
            finally:
                await connection.close()

        return asyncio.run(ask())


@pytest.fixture
def server(home: Path) -> Iterator[Server]:
    made = Server(home)
    yield made
    made.stop(signal.SIGKILL)


def test_nothing_committed_is_lost_by_kill_9(server: Server) -> None:
    killed = server.start()
    server.query("CREATE TABLE kept AS SELECT 42 AS number")
    children = killed.children(recursive=True)
    server.stop(signal.SIGKILL)
    assert (server.home / "postgres" / "postmaster.pid").exists()
    psutil.wait_procs(children, timeout=WITHIN_S)
    started = server.start()
    assert started.pid != killed.pid
    assert server.query("SELECT number FROM kept") == 42


def test_it_takes_no_connections_from_the_network(server: Server) -> None:
    server.start()
    assert server.query("SHOW listen_addresses") == ""
    folder = postgres.socket_folder(server.home)
    assert folder.stat().st_mode & 0o077 == 0


def test_a_crash_of_the_first_start_leaves_no_half_of_a_database(server: Server) -> None:
    half = server.home / "postgres.new"
    half.mkdir(parents=True)
    (half / "PG_VERSION").write_text("18")
    server.start()
    assert server.query("SELECT 1") == 1
    assert not half.exists()


def test_a_long_path_has_its_socket_elsewhere_and_no_one_elses(home: Path) -> None:
    server = Server(home / ("long" * 25))
    folder = postgres.socket_folder(server.home)
    assert folder.parent == Path(tempfile.gettempdir())
    try:
        folder.mkdir(mode=0o777)
        folder.chmod(0o777)
        with pytest.raises(PermissionError, match="belongs to someone else"):
            server.start()
        folder.chmod(0o700)
        server.start()
        assert server.query("SELECT 1") == 1
    finally:
        server.stop()
        shutil.rmtree(folder)


def test_it_ends_with_whoever_started_it(home: Path) -> None:
    program = (
        "import sys, time; from pathlib import Path; from controlplane import postgres\n"
        "home = Path(sys.argv[1])\n"
        "print(postgres.start(home, home / 'postgres.log').pid, flush=True)\n"
        "time.sleep(600)"
    )
    with subprocess.Popen(
        [sys.executable, "-c", program, str(home)], stdout=subprocess.PIPE, text=True
    ) as starter:
        assert starter.stdout is not None
        pid = int(starter.stdout.readline())
        until(lambda: postgres.is_ready(home, pid))
        family = [psutil.Process(pid), *psutil.Process(pid).children(recursive=True)]
        starter.kill()
    assert psutil.wait_procs(family, timeout=WITHIN_S)[1] == []


@as_root
def test_root_needs_no_account_where_it_may_make_a_namespace(server: Server) -> None:
    if not postgres._namespaces():
        pytest.skip("this system forbids user namespaces")
    server.start()
    assert (server.home / "postgres").stat().st_uid == 0


@as_root
def test_root_without_namespaces_is_nobody_and_keeps_one_capability(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(postgres, "_namespaces", lambda: False)
    process = server.start()
    nobody = pwd.getpwnam("nobody").pw_uid
    assert set(process.uids()) == {nobody}
    status = Path(f"/proc/{process.pid}/status").read_text()
    assert int(status.partition("CapEff:")[2].split()[0], 16) == 1 << postgres.CAP_DAC_READ_SEARCH
    assert server.query("SELECT 1") == 1


@as_root
@pytest.mark.parametrize("first", [True, False], ids=["then not", "then allowed"])
def test_its_data_moves_when_the_system_changes_its_mind_about_namespaces(
    server: Server, monkeypatch: pytest.MonkeyPatch, first: bool
) -> None:
    if not postgres._namespaces():
        pytest.skip("this system forbids user namespaces")
    for allowed in (first, not first):
        monkeypatch.setattr(postgres, "_namespaces", lambda allowed=allowed: allowed)
        server.start()
        server.query("CREATE TABLE IF NOT EXISTS kept AS SELECT 42 AS number")
        assert server.query("SELECT number FROM kept") == 42
        server.stop()
