"""The artifact store in a folder: `ab/abcdef…`, written aside, synced, renamed."""

import asyncio
import errno
import hashlib
import os
import shutil
import uuid
from collections.abc import AsyncIterator
from pathlib import Path
from typing import BinaryIO, Final

from controlplane.artifacts.store import Blob, digest_differs, store_full, too_large
from controlplane.files import sync

HEAD_BYTES: Final = 64
CHUNK: Final = 1 << 20
FULL: Final = (errno.ENOSPC, errno.EDQUOT)


class FolderStore:
    """Content-addressed files below one folder."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._incoming = root / "incoming"
        self._incoming.mkdir(parents=True, exist_ok=True, mode=0o700)

    def path(self, sha256: str) -> Path:
        """Give the place of a blob."""
        return self._root / sha256[:2] / sha256

    async def put(
        self, chunks: AsyncIterator[bytes], *, max_bytes: int, expected_sha256: str | None = None
    ) -> Blob:
        """Store a stream; whatever ends it early leaves nothing behind."""
        part = self._incoming / uuid.uuid4().hex
        try:
            with part.open("xb") as file:
                digest, size, head = hashlib.sha256(), 0, b""
                async for chunk in chunks:
                    size += len(chunk)
                    if size > max_bytes:
                        raise too_large(max_bytes)
                    if len(head) < HEAD_BYTES:
                        head = (head + chunk)[:HEAD_BYTES]
                    await asyncio.to_thread(_write, file, chunk, digest)
                sha256 = digest.hexdigest()
                if expected_sha256 is not None and sha256 != expected_sha256:
                    raise digest_differs(expected_sha256, sha256)
                await asyncio.to_thread(_sync, file)
            created = await asyncio.to_thread(self._publish, part, sha256)
            return Blob(sha256, size, head, created)
        except OSError as error:
            if error.errno in FULL:
                raise store_full() from error
            raise
        finally:
            part.unlink(missing_ok=True)

    async def put_file(self, path: Path) -> Blob:
        """Store a local file."""
        return await self.put(read_file(path), max_bytes=os.stat(path).st_size)

    def _publish(self, part: Path, sha256: str) -> bool:
        """Move a finished file to its place; False if it was there already."""
        place = self.path(sha256)
        if place.exists():
            # Young again: the sweep must not take what a new version is about to name.
            os.utime(place)
            return False
        place.parent.mkdir(exist_ok=True, mode=0o700)
        part.chmod(0o400)
        part.rename(place)
        for folder in (place.parent, self._root):
            sync(folder)
        return True

    async def fetch_to(self, sha256: str, path: Path) -> None:
        """Copy a blob; the copy may be changed or deleted without harm."""
        await asyncio.to_thread(shutil.copyfile, self.path(sha256), path)

    async def delete(self, sha256: str, *, older_s: float = 0.0) -> None:
        """Remove a blob, unless it was stored again lately; nothing there is success."""
        path = self.path(sha256)
        if older_s and path.exists() and self._now() - path.stat().st_mtime <= older_s:
            return
        path.unlink(missing_ok=True)

    async def older_than(self, seconds: float) -> list[str]:
        """List blobs stored longer ago than that; uploads cut off by a crash are removed."""
        return await asyncio.to_thread(self._older_than, seconds)

    def _older_than(self, seconds: float) -> list[str]:
        now = self._now()
        for part in self._incoming.iterdir():
            if now - part.stat().st_mtime > seconds:
                part.unlink(missing_ok=True)
        return [
            blob.name for blob in self._root.glob("??/*") if now - blob.stat().st_mtime > seconds
        ]

    def _now(self) -> float:
        """Read the file system's clock, which stamps the blobs; on a network it is not ours."""
        probe = self._incoming / f"clock-{uuid.uuid4().hex}"
        probe.touch()
        now = probe.stat().st_mtime
        probe.unlink()
        return now

    async def ping(self) -> None:
        """Raise if the folder is gone."""
        self._incoming.stat()


async def read_file(path: Path) -> AsyncIterator[bytes]:
    """Give a file's bytes in chunks, read in a thread."""
    file = await asyncio.to_thread(path.open, "rb")
    try:
        while chunk := await asyncio.to_thread(file.read, CHUNK):
            yield chunk
    finally:
        file.close()


def _write(file: BinaryIO, chunk: bytes, digest: "hashlib._Hash") -> None:
    file.write(chunk)
    digest.update(chunk)


def _sync(file: BinaryIO) -> None:
    file.flush()
    os.fsync(file.fileno())
