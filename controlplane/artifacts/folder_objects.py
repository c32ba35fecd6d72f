"""Files by name in a folder, and the batches that workers of this machine put there."""

import asyncio
import errno
import fcntl
import shutil
import time
import uuid
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Final

from controlplane.artifacts.folder import FULL, read_file
from controlplane.artifacts.store import StoreUnavailable, store_full
from controlplane.files import sync
from runtime import spool
from runtime.payload_log import COUNTS, Counts

PART: Final = ".part-"


class FolderObjects:
    """Implements `controlplane.artifacts.objects.Objects`."""

    def __init__(self, root: Path) -> None:
        self._root = root

    async def put(self, name: str, file: Path) -> None:
        """Write a file aside, sync and rename it."""
        try:
            await asyncio.to_thread(self._put, self._root / name, file)
        except OSError as error:
            if error.errno in FULL:
                raise store_full() from error
            raise StoreUnavailable(
                f"The artifact store cannot be written ({error.strerror}).", retry_after_s=5
            ) from error

    def _put(self, place: Path, file: Path) -> None:
        place.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        part = place.with_name(f"{PART}{uuid.uuid4().hex}")
        try:
            shutil.copyfile(file, part)
            sync(part)
            part.rename(place)
            sync(place.parent)
        finally:
            part.unlink(missing_ok=True)

    async def fetch_to(self, name: str, path: Path) -> None:
        """Copy a file."""
        await asyncio.to_thread(shutil.copyfile, self._root / name, path)

    async def read(self, name: str) -> AsyncIterator[bytes]:
        """Give a file in chunks."""
        async for chunk in read_file(self._root / name):
            yield chunk

    async def remove(self, names: list[str]) -> None:
        """Remove files, and folders that hold nothing more."""
        await asyncio.to_thread(self._remove, names)

    def _remove(self, names: list[str]) -> None:
        for name in names:
            path = self._root / name
            path.unlink(missing_ok=True)
            for folder in path.parents[: len(Path(name).parents) - 1]:
                try:
                    folder.rmdir()
                except FileNotFoundError:
                    continue
                except OSError as error:
                    if error.errno != errno.ENOTEMPTY:
                        raise
                    break

    async def older_than(self, prefix: str, seconds: float) -> list[str]:
        """List old files; parts of files that a crash left are removed."""
        return await asyncio.to_thread(self._older_than, prefix, seconds)

    def _older_than(self, prefix: str, seconds: float) -> list[str]:
        limit = time.time() - seconds  # noqa: TID251  (the file system's own)
        old = [
            path
            for path in (self._root / prefix).rglob("*")
            if path.is_file() and path.stat().st_mtime < limit
        ]
        for path in old:
            if path.name.startswith(PART):
                path.unlink(missing_ok=True)
        return [str(path.relative_to(self._root)) for path in old if not path.name.startswith(PART)]


class FolderInbox:
    """Implements `controlplane.artifacts.objects.Inbox` over `runtime.spool`."""

    def __init__(self, root: Path) -> None:
        self._root = root

    async def endpoints(self) -> list[str]:
        """Name the endpoints of which there is anything."""
        return await asyncio.to_thread(self._endpoints)

    def _endpoints(self) -> list[str]:
        if not self._root.exists():
            return []
        return sorted(path.name for path in self._root.iterdir() if path.is_dir())

    async def batches(self, endpoint: str) -> list[tuple[str, int, float]]:
        """Give name, bytes and age of an endpoint's batches."""
        return await asyncio.to_thread(self._batches, self._root / endpoint)

    def _batches(self, folder: Path) -> list[tuple[str, int, float]]:
        now, found = time.time(), []  # noqa: TID251  (the file system's own)
        for name, size in spool.batches(folder) if folder.exists() else ():
            try:
                age_s = now - (folder / name).stat().st_mtime
            except FileNotFoundError:
                continue
            found.append((name.removesuffix(spool.BATCH), size, age_s))
        return found

    async def fetch(
        self, endpoint: str, names: list[str], folder: Path  # noqa: ARG002  (they are here)
    ) -> list[Path]:
        """Give the files themselves."""
        paths = [self._root / endpoint / f"{name}{spool.BATCH}" for name in names]
        return [path for path in paths if path.exists()]

    async def remove(self, endpoint: str, names: list[str]) -> None:
        """Remove batches."""
        for name in names:
            (self._root / endpoint / f"{name}{spool.BATCH}").unlink(missing_ok=True)

    async def sources(self, endpoint: str) -> list[tuple[str, Counts, bool]]:
        """Read what processes counted; one lives as long as it holds its lock."""
        return await asyncio.to_thread(self._sources, self._root / endpoint)

    def _sources(self, folder: Path) -> list[tuple[str, Counts, bool]]:
        found = []
        for path in sorted(folder.glob(f"*{spool.SUFFIX}")):
            with path.open("rb") as file:
                try:
                    # Before it is read: what is counted after a look at the lock would be missed.
                    fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
                    lives = False
                except BlockingIOError:
                    lives = True
                raw = file.read(COUNTS.size)
            if len(raw) == COUNTS.size:
                counts = Counts(*COUNTS.unpack(raw))
                found.append((path.name.removesuffix(spool.SUFFIX), counts, lives))
        return found

    async def forget(self, endpoint: str, source: str) -> None:
        """Remove what a process counted."""
        (self._root / endpoint / f"{source}{spool.SUFFIX}").unlink(missing_ok=True)

    async def discard(self, endpoint: str) -> None:
        """Remove an endpoint's folder."""
        await asyncio.to_thread(shutil.rmtree, self._root / endpoint, ignore_errors=True)
