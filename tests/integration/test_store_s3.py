"""The bucket when its server is away, refuses us, or goes in the middle."""

import asyncio
import contextlib
import os
import uuid
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from controlplane.artifacts.s3 import S3Store
from controlplane.artifacts.store import StoreUnavailable
from tests.integration.minio_server import SECRET, MinioServer, running

MIB = 1 << 20


@pytest.fixture(scope="module")
def minio_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MinioServer]:
    with running(tmp_path_factory.mktemp("minio")) as server:
        yield server


async def stream(*chunks: bytes) -> AsyncIterator[bytes]:
    for chunk in chunks:
        yield chunk


def files(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


@pytest.mark.parametrize("wrong", ["secret", "key"])
def test_wrong_credentials_are_told_at_the_start(
    minio_server: MinioServer, tmp_path: Path, wrong: str
) -> None:
    url = minio_server.url("any-bucket")
    url = (
        url.replace(f":{SECRET}@", ":wrong-wrong@")
        if wrong == "secret"
        else url.replace("//", "//un")
    )
    with pytest.raises(StoreUnavailable, match="KUBESERVE_STORE") as told:
        S3Store.from_url(url, tmp_path)
    assert SECRET not in told.value.detail


async def test_a_bucket_that_was_deleted_is_told(minio_server: MinioServer, tmp_path: Path) -> None:
    store = S3Store.from_url(minio_server.url("goes-away"), tmp_path)
    store._client.remove_bucket("goes-away")
    with pytest.raises(StoreUnavailable, match="no bucket goes-away"):
        await store.ping()
    with pytest.raises(StoreUnavailable, match="KUBESERVE_STORE"):
        await store.put(stream(b"x"), max_bytes=10)


async def test_a_server_that_goes_is_told_and_what_it_had_is_there_when_it_is_back(
    tmp_path: Path,
) -> None:
    server_folder, scratch = tmp_path / "server", tmp_path / "scratch"
    server_folder.mkdir()
    raw = os.urandom(8 * MIB)
    with running(server_folder) as server:
        url = server.url(f"b{uuid.uuid4().hex[:20]}")
        store = S3Store.from_url(url, scratch)
        blob = await store.put(stream(raw), max_bytes=10 * MIB)

    with pytest.raises(StoreUnavailable, match="does not answer"):
        await store.put(stream(b"lost"), max_bytes=10)
    for call in (
        store.fetch_to(blob.sha256, tmp_path / "copy"),
        store.delete(blob.sha256),
        store.older_than(0),
        store.ping(),
    ):
        with pytest.raises(StoreUnavailable, match="Try again shortly"):
            await call
    assert not (tmp_path / "copy").exists()
    assert files(scratch) == []

    with running(server_folder, port=server.port):
        await store.fetch_to(blob.sha256, tmp_path / "copy")
        assert (tmp_path / "copy").read_bytes() == raw
        assert await store.older_than(-3600) == [blob.sha256]


@pytest.mark.parametrize("way", ["up", "down"])
async def test_what_breaks_off_in_the_middle_is_told_and_leaves_nothing(
    minio_server: MinioServer, tmp_path: Path, way: str
) -> None:
    bucket = f"cut-{way}"
    whole = S3Store.from_url(minio_server.url(bucket), tmp_path / "scratch")
    blob = await whole.put(stream(os.urandom(4 * MIB)), max_bytes=5 * MIB)
    async with _cutting_proxy(minio_server.port) as port:
        url = minio_server.url(bucket).replace(f":{minio_server.port}/", f":{port}/")
        cut = await asyncio.to_thread(S3Store.from_url, url, tmp_path / "scratch")
        call = (
            cut.put(stream(os.urandom(12 * MIB)), max_bytes=20 * MIB)
            if way == "up"
            else cut.fetch_to(blob.sha256, tmp_path / "copy")
        )
        with pytest.raises(StoreUnavailable, match="does not answer"):
            await call
    assert files(tmp_path) == []
    assert await whole.older_than(-3600) == [blob.sha256]


@contextlib.asynccontextmanager
async def _cutting_proxy(port: int) -> AsyncIterator[int]:
    """Forward to a port, and end each connection after a MiB in either direction."""

    async def copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        sent = 0
        while sent < MIB and (data := await reader.read(1 << 16)):
            writer.write(data)
            await writer.drain()
            sent += len(data)

    serving: set[asyncio.Task[None] | None] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        serving.add(asyncio.current_task())
        far_reader, far_writer = await asyncio.open_connection("127.0.0.1", port)
        ways = [
            asyncio.create_task(copy(reader, far_writer)),
            asyncio.create_task(copy(far_reader, writer)),
        ]
        try:
            await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for way in ways:
                way.cancel()
            await asyncio.gather(*ways, return_exceptions=True)
            for end in (writer, far_writer):
                end.transport.abort()
                with contextlib.suppress(OSError):
                    await end.wait_closed()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        for task in filter(None, serving):
            task.cancel()
        await asyncio.gather(*filter(None, serving), return_exceptions=True)
