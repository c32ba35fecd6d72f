"""What every artifact store promises, held by the folder and by the real MinIO."""

import asyncio
import hashlib
import os
import uuid
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from controlplane.artifacts.folder import FolderStore
from controlplane.artifacts.s3 import S3Store
from controlplane.artifacts.store import Store
from runtime.problems import Malformed, TooLarge
from tests.integration.minio_server import MinioServer, running

MIB = 1 << 20


@pytest.fixture(scope="module")
def minio_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MinioServer]:
    with running(tmp_path_factory.mktemp("minio")) as server:
        yield server


@pytest.fixture(params=["folder", "s3"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Store:
    if request.param == "folder":
        return FolderStore(tmp_path / "store")
    server: MinioServer = request.getfixturevalue("minio_server")
    return S3Store.from_url(server.url(f"b{uuid.uuid4().hex[:20]}"), tmp_path / "scratch")


async def stream(*chunks: bytes) -> AsyncIterator[bytes]:
    for chunk in chunks:
        yield chunk


async def everything(store: Store) -> set[str]:
    """List all blobs; the store's clock has passed what it stored once they show."""
    return set(await store.older_than(-3600))


def left_files(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


@pytest.mark.parametrize(
    "chunks",
    [(), (b"",), (b"one",), (b"a" * 63, b"b", b"c" * 200), (os.urandom(MIB),) * 12],
    ids=["nothing", "an empty chunk", "one", "over the head", "twelve MiB in parts"],
)
async def test_what_comes_out_is_what_went_in(
    store: Store, tmp_path: Path, chunks: tuple[bytes, ...]
) -> None:
    raw = b"".join(chunks)
    blob = await store.put(stream(*chunks), max_bytes=20 * MIB)
    assert (blob.sha256, blob.size_bytes) == (hashlib.sha256(raw).hexdigest(), len(raw))
    assert blob.head == raw[:64]
    assert blob.created
    await store.fetch_to(blob.sha256, tmp_path / "copy")
    assert (tmp_path / "copy").read_bytes() == raw


async def test_the_same_bytes_are_kept_once_also_when_they_come_together(store: Store) -> None:
    puts = (store.put(stream(b"same", b" bytes"), max_bytes=100) for _ in range(8))
    blobs = await asyncio.gather(*puts)
    assert await everything(store) == {blobs[0].sha256}
    assert not (await store.put(stream(b"same bytes"), max_bytes=100)).created


async def test_a_file_is_stored_as_its_bytes(store: Store, tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"from a file")
    assert (await store.put_file(path)).sha256 == hashlib.sha256(b"from a file").hexdigest()


async def test_what_ends_early_leaves_nothing(store: Store, tmp_path: Path) -> None:
    async def breaks() -> AsyncIterator[bytes]:
        yield b"half"
        raise ConnectionResetError

    with pytest.raises(ConnectionResetError):
        await store.put(breaks(), max_bytes=100)
    with pytest.raises(TooLarge, match="KUBESERVE_MAX_UPLOAD_BYTES"):
        await store.put(stream(b"x" * 60, b"x" * 60), max_bytes=100)
    with pytest.raises(Malformed, match="send the file again"):
        await store.put(stream(b"x"), max_bytes=100, expected_sha256="0" * 64)
    hangs = asyncio.Event()

    async def stalls() -> AsyncIterator[bytes]:
        yield b"half"
        hangs.set()
        await asyncio.Event().wait()

    task = asyncio.create_task(store.put(stalls(), max_bytes=100))
    await asyncio.wait_for(hangs.wait(), 10)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    assert await everything(store) == set()
    assert left_files(tmp_path) == []


async def test_a_blob_that_is_not_there_is_told(store: Store, tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        await store.fetch_to("0" * 64, tmp_path / "copy")
    assert left_files(tmp_path) == []
    await store.delete("0" * 64)
    await store.delete("0" * 64, older_s=60)


async def test_the_sweep_takes_what_is_old_and_nothing_stored_lately(store: Store) -> None:
    blob = await store.put(stream(b"young"), max_bytes=100)
    assert await store.older_than(3600) == []
    await store.delete(blob.sha256, older_s=3600)
    assert await everything(store) == {blob.sha256}
    async with asyncio.timeout(30):
        while await store.older_than(0.5) != [blob.sha256]:
            await asyncio.sleep(0.05)
    async with asyncio.timeout(30):
        while await everything(store):
            await store.delete(blob.sha256, older_s=0.5)
    assert (await store.put(stream(b"young"), max_bytes=100)).created
    await store.delete(blob.sha256)
    assert await everything(store) == set()


async def test_ping_finds_the_store(store: Store) -> None:
    await store.ping()
