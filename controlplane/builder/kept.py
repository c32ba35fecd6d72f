"""Folders that are made once and kept: whole or not at all, one maker at a time, bounded.

    folder/PREFIX…NAME        what was made; its time of change is that of its last use
    folder/.NAME.lock         held while it is made or removed, by one process of this machine

One appears by a rename, so what is there is whole.
"""

import asyncio
import contextlib
import fcntl
import logging
import os
import shutil
from collections.abc import AsyncIterator, Awaitable, Callable, Collection
from pathlib import Path
from typing import Final

from runtime.problems import EngineUnavailable

log = logging.getLogger("kubeserve.builds")

InUse = Callable[[], Awaitable[Collection[str]]]
Make = Callable[[Path], Awaitable[None]]

_LOCK_LOOK_S: Final = 0.2
_RESTED_S: Final = 3600.0  # younger ones may be in use by a build


class Kept:
    """The folders of one kind.

    most    more are removed, the longest unused first, but none that was used within an hour
    sign    the path inside one that is there when it is whole
    in_use  tells of paths that endpoints need, whatever their age; EngineUnavailable: not now
    """

    def __init__(self, folder: Path, prefix: str, most: int, sign: str = ".") -> None:
        self._folder, self._prefix, self._most, self._sign = folder, prefix, most, sign
        self.in_use: InUse | None = None

    def place(self, name: str) -> Path:
        """Give where it is, or would be."""
        return self._folder / f"{self._prefix}{name}"

    async def have(self, name: str, make: Make) -> Path:
        """Give one, made in an empty folder if it is not there; the caller bounds the time."""
        place = self.place(name)
        async with self._locked(name):
            if not (place / self._sign).exists():
                await self._made(name, place, make)
            os.utime(place)
        return place

    async def _made(self, name: str, place: Path, make: Make) -> None:
        making = self._folder / f".making-{name}"
        await asyncio.to_thread(remove, place)  # a part of it is gone
        await asyncio.to_thread(shutil.rmtree, making, ignore_errors=True)  # a crash left it
        try:
            await make(making)
            # Power may fail after the rename, and half a file would be there for good.
            await asyncio.to_thread(os.sync)
            making.rename(place)
        finally:
            await asyncio.to_thread(shutil.rmtree, making, ignore_errors=True)

    async def discard(self, name: str) -> None:
        """Remove one that does not work, so that the next use makes it anew."""
        async with self._locked(name):
            await asyncio.to_thread(remove, self.place(name))

    @contextlib.asynccontextmanager
    async def _locked(self, name: str) -> AsyncIterator[None]:
        descriptor = self.lock(name)
        try:
            while not taken(descriptor):  # noqa: ASYNC110  another process's lock has no event
                await asyncio.sleep(_LOCK_LOOK_S)
            yield
        finally:
            os.close(descriptor)

    def lock(self, name: str) -> int:
        """Open the file that is locked while one is made or removed."""
        # Others may pass, since locked processes of another uid read what is inside.
        self._folder.mkdir(parents=True, exist_ok=True, mode=0o755)
        flags = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW
        return os.open(self._folder / f".{name}.lock", flags, 0o600)

    async def make_room(self) -> None:
        """Remove what is beyond the bound; one that is being made or removed is left alone."""
        found = self._folder.glob(f"{self._prefix}*")
        used = {place: _last_used(place) for place in found if (place / self._sign).exists()}
        if len(used) <= self._most:
            return
        newest = max(used.values())
        try:
            needed = set(await self.in_use()) if self.in_use is not None else set()
        except EngineUnavailable:
            return
        excess = len(used) - self._most
        for place in sorted(used, key=used.__getitem__):
            rested = newest - used[place] >= _RESTED_S and str(place / self._sign) not in needed
            if excess and rested and await self._end(place, used[place]):
                excess -= 1

    async def _end(self, place: Path, last_used: float) -> bool:
        """Remove one, unless it is being made, removed or used since."""
        descriptor = self.lock(place.name.removeprefix(self._prefix))
        try:
            if not taken(descriptor) or _last_used(place) != last_used:
                return False
            log.info("removing %s, the longest unused", place.name)
            await asyncio.to_thread(remove, place)
            return True
        finally:
            os.close(descriptor)


def taken(descriptor: int) -> bool:
    """Lock a file if nobody has."""
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def remove(place: Path) -> None:
    """Remove a folder; half of it is never under its name."""
    going = place.with_name(f".going-{place.name}")
    shutil.rmtree(going, ignore_errors=True)
    with contextlib.suppress(FileNotFoundError):
        place.rename(going)
    shutil.rmtree(going, ignore_errors=True)


def _last_used(place: Path) -> float:
    try:
        return place.stat().st_mtime
    except FileNotFoundError:  # removed by another process just now
        return 0.0
