"""The artifact folder: a blob is there whole or not at all."""

import asyncio
import errno
import hashlib
import os
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from controlplane.artifacts import folder
from controlplane.artifacts.folder import FolderStore
from runtime.problems import Malformed, Overloaded, TooLarge


async def stream(*chunks: bytes) -> AsyncIterator[bytes]:
    for chunk in chunks:
        yield chunk


def files(root: Path) -> list[str]:
    return sorted(path.name for path in root.rglob("*") if path.is_file())


@given(st.lists(st.binary(max_size=200), max_size=6))
@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_what_comes_out_is_what_went_in(tmp_path: Path, chunks: list[bytes]) -> None:
    raw, store = b"".join(chunks), FolderStore(tmp_path / "store")

    async def both_ways() -> bytes:
        blob = await store.put(stream(*chunks), max_bytes=10_000)
        assert (blob.sha256, blob.size_bytes) == (hashlib.sha256(raw).hexdigest(), len(raw))
        assert raw.startswith(blob.head)
        assert len(blob.head) == min(64, len(raw))
        copy = tmp_path / "copy"
        copy.unlink(missing_ok=True)
        await store.fetch_to(blob.sha256, copy)
        return copy.read_bytes()

    assert asyncio.run(both_ways()) == raw


async def test_the_same_bytes_are_kept_once_also_when_they_come_together(tmp_path: Path) -> None:
    store = FolderStore(tmp_path)
    puts = [store.put(stream(b"same", b" bytes"), max_bytes=100) for _ in range(8)]
    blobs = await asyncio.gather(*puts)
    assert files(tmp_path) == [blobs[0].sha256]
    assert {blob.sha256 for blob in blobs} == {blobs[0].sha256}


async def test_what_ends_early_leaves_nothing(tmp_path: Path) -> None:
    store = FolderStore(tmp_path)

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
    assert files(tmp_path) == []


async def test_a_full_disk_is_told_and_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(folder, "_write", full)
    with pytest.raises(Overloaded, match="no room left"):
        await FolderStore(tmp_path).put(stream(b"x"), max_bytes=100)
    assert files(tmp_path) == []


async def test_a_blob_that_is_not_there_is_told(tmp_path: Path) -> None:
    store = FolderStore(tmp_path / "store")
    with pytest.raises(FileNotFoundError):
        await store.fetch_to("0" * 64, tmp_path / "copy")
    await store.delete("0" * 64)


async def test_the_sweep_takes_old_blobs_and_what_a_crash_left_but_none_stored_again(
    tmp_path: Path,
) -> None:
    store = FolderStore(tmp_path)
    old = await store.put(stream(b"old"), max_bytes=100)
    again = await store.put(stream(b"again"), max_bytes=100)
    young = await store.put(stream(b"young"), max_bytes=100)
    (tmp_path / "incoming" / "left").touch()
    for path in (*map(store.path, (old.sha256, again.sha256)), tmp_path / "incoming" / "left"):
        os.utime(path, (0, 0))
    assert sorted(await store.older_than(3600)) == sorted([old.sha256, again.sha256])
    assert not (await store.put(stream(b"again"), max_bytes=100)).created
    for blob in (old, again):
        await store.delete(blob.sha256, older_s=3600)
    assert files(tmp_path) == sorted([again.sha256, young.sha256])
