"""Where workers of one machine put what they logged: files that the control plane takes away.

A worker writes, a rename makes a batch be there, and whoever makes Parquet of it removes it. So
neither waits for the other, and what is there survives the end of both. The folder is bounded:
while nobody takes from it, nothing more is put there.

    FOLDER/SOURCE-SEQUENCE.batch   `runtime.payload_batches`
    FOLDER/SOURCE.counts           `Counts`, as of now; locked while its process lives
"""

import fcntl
import mmap
import os
from pathlib import Path
from typing import Final

from runtime.payload_log import COUNTS

MOST_BYTES: Final = 64 * 1024 * 1024  # of an endpoint's batches
BATCH: Final = ".batch"
SUFFIX: Final = ".counts"


class SpoolFull(OSError):
    """Nobody took what is there."""


class Spool:
    """One process' part of an endpoint's folder."""

    def __init__(self, folder: Path, source: str, most_bytes: int = MOST_BYTES) -> None:
        self._folder, self._most = folder, most_bytes
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._file = os.open(folder / f"{source}{SUFFIX}", os.O_RDWR | os.O_CREAT, 0o600)
        fcntl.flock(self._file, fcntl.LOCK_EX)
        os.ftruncate(self._file, COUNTS.size)
        # Memory that outlives us: what we held when we were killed is known to the last request.
        self._counts = mmap.mmap(self._file, COUNTS.size)

    def note(self, counts: tuple[int, int, int, int, int]) -> None:
        """Remember counts."""
        COUNTS.pack_into(self._counts, 0, *counts)

    def close(self) -> None:
        """Let go of its counts, as the end of the process does."""
        self._counts.close()
        os.close(self._file)

    def take(self, name: str, batch: bytes) -> None:
        """Put a batch there; raises SpoolFull, OSError."""
        there = sum(size for _, size in batches(self._folder))
        if there + len(batch) > self._most:
            raise SpoolFull(f"{there} bytes wait to be taken already")
        part = self._folder / f".{name}.part"
        with part.open("wb") as file:
            file.write(batch)
            file.flush()
            os.fsync(file.fileno())
        part.rename(self._folder / f"{name}{BATCH}")


def batches(folder: Path) -> list[tuple[str, int]]:
    """List batches with their sizes, the oldest of each process first."""
    found = []
    with os.scandir(folder) as entries:
        for one in entries:
            if one.name.endswith(BATCH):
                try:
                    found.append((one.name, one.stat().st_size))
                except FileNotFoundError:  # taken meanwhile
                    continue
    return sorted(found)
