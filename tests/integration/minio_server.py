"""The real MinIO as a process of a test run: on loopback, in a folder of its own."""

import contextlib
import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from tests.cluster import build

KEY, SECRET = "rootroot", "rootrootroot"
WITHIN_S = 60.0


@dataclass(frozen=True)
class MinioServer:
    """`url`: what KUBESERVE_STORE would say; `address`: what an HTTP client calls."""

    address: str

    @property
    def port(self) -> int:
        return int(self.address.rpartition(":")[2])

    def url(self, bucket: str) -> str:
        host = self.address.removeprefix("http://")
        return f"s3://{KEY}:{SECRET}@{host}/{bucket}?insecure"


def program() -> str | None:
    """Find the server: installed, or built as for the test cluster; None without Go."""
    found = shutil.which("minio")
    if found is None and (build.ALL["minio"].built() or shutil.which("go")):
        build.build("minio")
        found = str(build.binary("minio"))
    return found


@contextlib.contextmanager
def running(folder: Path, port: int | None = None) -> Iterator[MinioServer]:
    """Run one server; skips where there is none. The same folder and port are the same server."""
    found = program()
    if found is None:
        pytest.skip("no MinIO: install it as `minio`, or Go (1.26 or newer) to build it with")
    if port is None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
    server = MinioServer(f"http://127.0.0.1:{port}")
    with (folder / "minio.log").open("wb") as log:
        process = subprocess.Popen(
            [found, "server", str(folder / "data"), "--address", f"127.0.0.1:{port}"],
            env={**os.environ, "MINIO_ROOT_USER": KEY, "MINIO_ROOT_PASSWORD": SECRET},
            stdout=log,
            stderr=log,
        )
        try:
            _until_ready(process, server)
            yield server
        finally:
            process.terminate()
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def _until_ready(process: "subprocess.Popen[bytes]", server: MinioServer) -> None:
    deadline = time.monotonic() + WITHIN_S
    with httpx.Client() as http:
        while True:
            with contextlib.suppress(httpx.TransportError):
                if http.get(f"{server.address}/minio/health/ready").is_success:
                    return
            assert process.poll() is None, "MinIO ended while it started"
            assert time.monotonic() < deadline, "MinIO does not become ready"
            time.sleep(0.05)
