"""The keeper as a process: nothing outlives it, however it ends, and what it kept is there."""

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import httpx
import psutil
import pytest

from tests import waiting

WITHIN_S = 60.0
until = partial(waiting.until, within_s=WITHIN_S)


class Installation:
    """`python -m controlplane keeper` on a home folder of its own."""

    def __init__(self, home: Path) -> None:
        self.home = home
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.url = f"http://127.0.0.1:{probe.getsockname()[1]}"
        self.process: subprocess.Popen[bytes] | None = None

    def start(self, **settings: str) -> subprocess.Popen[bytes]:
        env = {
            **os.environ,
            "KUBESERVE_HOME": str(self.home),
            "KUBESERVE_LISTEN": self.url.removeprefix("http://"),
            **settings,
        }
        self.home.mkdir(exist_ok=True)
        with (self.home / "keeper.log").open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "controlplane", "keeper"], env=env, stdout=log, stderr=log
            )
        return self.process

    def ready(self) -> bool:
        assert self.process is not None
        assert self.process.poll() is None, (self.home / "keeper.log").read_text()
        with contextlib.suppress(httpx.TransportError):
            return httpx.get(f"{self.url}/readyz", timeout=10).is_success
        return False

    def family(self) -> list[psutil.Process]:
        assert self.process is not None
        return psutil.Process(self.process.pid).children(recursive=True)


@pytest.fixture
def installation(tmp_path: Path) -> Iterator[Installation]:
    made = Installation(tmp_path / "home")
    yield made
    if made.process is not None and made.process.poll() is None:
        made.process.terminate()
        made.process.wait(WITHIN_S)


def test_nothing_outlives_the_keeper_and_nothing_is_lost(installation: Installation) -> None:
    keeper = installation.start()
    until(installation.ready)
    credentials = json.loads((installation.home / "credentials.json").read_text())
    family = installation.family()
    names = " ".join(" ".join(process.cmdline()) for process in family)
    assert all(name in names for name in ("postgres", "supervisor", " api", "runtime.zygote"))

    keeper.kill()
    keeper.wait()
    assert psutil.wait_procs(family, timeout=WITHIN_S)[1] == []

    keeper = installation.start()
    until(installation.ready)
    answer = httpx.post(
        f"{installation.url}/oauth2/token",
        data={"grant_type": "client_credentials"},
        auth=(credentials["client_id"], credentials["client_secret"]),
    )
    assert answer.status_code == 200, answer.text

    family = installation.family()
    keeper.send_signal(signal.SIGTERM)
    assert keeper.wait(WITHIN_S) == 0
    assert psutil.wait_procs(family, timeout=WITHIN_S)[1] == []
    assert not (installation.home / "keeper.pid").exists()


def test_it_may_be_stopped_before_it_has_started(installation: Installation) -> None:
    keeper = installation.start()
    until((installation.home / "keeper.pid").exists)
    keeper.send_signal(signal.SIGTERM)
    assert keeper.wait(WITHIN_S) == 0
    installation.start()
    until(installation.ready)


def test_bad_settings_end_it_with_their_names(installation: Installation) -> None:
    keeper = installation.start(KUBESERVE_PORTS="many", KUBESERVE_SANDBOX="maybe")
    assert keeper.wait(WITHIN_S) == 64
    said = (installation.home / "keeper.log").read_text()
    assert [line.partition(":")[0] for line in said.splitlines()] == [
        "KUBESERVE_PORTS",
        "KUBESERVE_SANDBOX",
    ]
