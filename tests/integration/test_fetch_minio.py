"""A worker whose plan is in an object store: the real MinIO, reached over a wire that breaks."""

import hashlib
import io
import json
import os
import socket
import struct
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from minio import Minio

from runtime import handed
from runtime.fetch import Fetch, source_from
from runtime.launch import Exit, Launch, RevisionLaunch
from runtime.renewal import EVERY_S, NAME
from runtime.server import UNDISTURBED_S
from tests.integration.minio_server import KEY, SECRET, MinioServer, running
from tests.integration.runtime_rig import ROW, Keys, free_port, linear_plan, served
from tests.integration.test_runtime_process import run_to_end

BUCKET, PREFIX = "kubeserve", "tenants/acme/"


@pytest.fixture(scope="module")
def minio_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MinioServer]:
    with running(tmp_path_factory.mktemp("minio")) as server:
        client_of(server).make_bucket(BUCKET)
        yield server


def client_of(server: MinioServer) -> Minio:
    host = server.address.removeprefix("http://")
    return Minio(host, access_key=KEY, secret_key=SECRET, secure=False)


def store(server: MinioServer, content: bytes) -> str:
    sha256 = hashlib.sha256(content).hexdigest()
    client_of(server).put_object(BUCKET, PREFIX + sha256, io.BytesIO(content), len(content))
    return sha256


def settings(url: str, into: Path, secret: str = SECRET) -> dict[str, str]:
    place = {"url": url, "bucket": BUCKET, "prefix": PREFIX, "region": "us-east-1"}
    return {
        "KUBESERVE_FETCH": json.dumps({**place, "into": str(into)}),
        "AWS_ACCESS_KEY_ID": KEY,
        "AWS_SECRET_ACCESS_KEY": secret,
    }


def launch_from(into: Path, keys: Keys, sha256: str) -> Launch:
    revision = RevisionLaunch("iris-00001", "iris", 1, str(into / sha256), sha256)
    issuer = "http://issuer.test"
    audience = f"{issuer}/endpoints/0b9e"
    return Launch("acme", "iris", issuer, audience, str(keys.file), (revision,), port=free_port())


class BrokenWire:
    """Passes bytes to a server; the first answers are reset after so many bytes."""

    def __init__(self, port: int, *cuts: int) -> None:
        self.cuts, self.port = list(cuts), port
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self.listener.getsockname()[1]}"
        self.requests: list[bytes] = []
        self.thread = threading.Thread(target=self._run)
        self.thread.start()

    def _run(self) -> None:
        while True:
            client, _ = self.listener.accept()
            with client, socket.create_connection(("127.0.0.1", self.port)) as server:
                request = client.recv(65536)
                if not request:  # the end, see `close`
                    return
                self.requests.append(request)
                # The host is signed: the server must see the one that the client called.
                server.sendall(request)
                self._answer(server, client)

    def _answer(self, server: socket.socket, client: socket.socket) -> None:
        left = self.cuts.pop(0) if self.cuts else None
        server.settimeout(20)
        while left is None or left > 0:
            block = server.recv(65536 if left is None else min(65536, left))
            if not block:
                return
            client.sendall(block)
            left = None if left is None else left - len(block)
        client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))

    def close(self) -> None:
        socket.create_connection(self.listener.getsockname()).close()
        self.thread.join()
        self.listener.close()


def test_a_worker_serves_what_it_fetched(minio_server: MinioServer, tmp_path: Path) -> None:
    keys, into = Keys(tmp_path), tmp_path / "fetched"
    into.mkdir()
    sha256 = store(minio_server, linear_plan(tmp_path / "plan").read_bytes())
    launch = launch_from(into, keys, sha256)
    with served(launch, keys, tmp_path / "log", settings(minio_server.address, into)) as worker:
        status, _, answer = worker.ask(body=[ROW])
        assert (status, answer["predictions"]) == (200, [0])
        assert "fetched" in worker.log.read_text()
        assert worker.stop() == Exit.OK
    assert [path.name for path in into.iterdir()] == [sha256]


def test_what_broke_off_twice_is_put_together(minio_server: MinioServer, tmp_path: Path) -> None:
    content = os.urandom(6 << 20)
    sha256 = store(minio_server, content)
    wire = BrokenWire(minio_server.port, 1 << 20, 2 << 20)
    try:
        source = source_from(settings(wire.url, tmp_path))
        fetch = Fetch(source, [RevisionLaunch("r", "m", 1, str(tmp_path / sha256), sha256)])
        fetch.begin()
        fetch.wait()
    finally:
        wire.close()
    assert (tmp_path / sha256).read_bytes() == content
    assert fetch.size == len(content)
    first, *more = wire.requests
    assert b"range:" not in first.lower()
    assert len(more) == 2
    assert all(b"range: bytes=" in request.lower() for request in more)


@pytest.mark.parametrize(
    ("fault", "code", "says"),
    [
        ("gone", Exit.NO_ARTIFACT, "is not there"),
        ("changed", Exit.BAD_PLAN, "was changed after it was stored"),
        ("credentials", Exit.NO_ARTIFACT, "SignatureDoesNotMatch"),
        ("bucket", Exit.NO_ARTIFACT, "is not there"),
    ],
)
def test_what_cannot_be_had_ends_the_worker_with_its_reason(
    minio_server: MinioServer, tmp_path: Path, fault: str, code: Exit, says: str
) -> None:
    sha256 = store(minio_server, f"a plan, {fault}".encode())
    client, env = client_of(minio_server), settings(minio_server.address, tmp_path)
    if fault == "gone":
        client.remove_object(BUCKET, PREFIX + sha256)
    elif fault == "changed":
        client.put_object(BUCKET, PREFIX + sha256, io.BytesIO(b"another"), 7)
    elif fault == "bucket":
        env["KUBESERVE_FETCH"] = env["KUBESERVE_FETCH"].replace(BUCKET, "another-bucket")
    else:
        env = settings(minio_server.address, tmp_path, secret="an-old-secret")
    ended = run_to_end(launch_from(tmp_path, Keys(tmp_path), sha256), "-m", "runtime", **env)
    assert ended.returncode == code, ended.stderr
    last = ended.stderr.splitlines()[-1]
    assert says in last
    assert sha256 in last
    assert "an-old-secret" not in ended.stderr


def test_a_worker_without_a_file_of_its_own_is_handed_all_and_hears_of_a_revocation(
    minio_server: MinioServer, tmp_path: Path
) -> None:
    keys, content = Keys(tmp_path), linear_plan(tmp_path / "plan").read_bytes()
    sha256 = hashlib.sha256(content).hexdigest()
    place = {"url": minio_server.address, "bucket": BUCKET, "prefix": PREFIX, "region": "us-east-1"}
    launch = launch_from(tmp_path, keys, sha256)._replace(
        revisions=(RevisionLaunch("iris-00001", "iris", 1, handed.ARTIFACT_FILE, sha256),),
        keys_file=handed.KEYS_FILE,
        keys_from=json.dumps(place),
    )
    env = {f"{handed.PIECES}{n}": piece for n, piece in enumerate(handed.pieces(content))}
    env |= {handed.KEYS: keys.file.read_text()}
    env |= {"AWS_ACCESS_KEY_ID": KEY, "AWS_SECRET_ACCESS_KEY": SECRET}
    (tmp_path / "plan").unlink()
    with served(launch, keys, tmp_path / "log", env) as worker:
        assert worker.ask(body=[ROW])[0] == 200
        at = int(time.time())  # noqa: TID251  (tokens are about wall time)
        listed = keys.listed(at, clients={"c1": at + 60})
        client_of(minio_server).put_object(
            BUCKET, f"{PREFIX}{NAME}", io.BytesIO(listed), len(listed)
        )
        deadline = time.monotonic() + UNDISTURBED_S + 2 * EVERY_S
        while worker.ask(body=[ROW])[0] != 401:
            assert time.monotonic() < deadline, worker.log.read_text()
            time.sleep(0.2)
        assert "revoked" in str(worker.ask(body=[ROW])[2])
        assert worker.stop() == Exit.OK
