"""Files of tenants by name: what a tenant can list, take away and delete again."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Protocol

from runtime.payload_log import Counts


class Objects(Protocol):
    """Files by name, such as `payloads/TENANT/…`. A file is there whole or not at all.

    Raises StoreUnavailable while the store does not answer; the same call again is harmless.
    """

    async def put(self, name: str, file: Path) -> None:
        """Write a file, in place of one of that name."""

    async def fetch_to(self, name: str, path: Path) -> None:
        """Write it to a path; raises FileNotFoundError."""

    def read(self, name: str) -> AsyncIterator[bytes]:
        """Give it in chunks; raises FileNotFoundError."""

    async def remove(self, names: list[str]) -> None:
        """Remove files; one that is not there is success."""

    async def older_than(self, prefix: str, seconds: float) -> list[str]:
        """List the names below a prefix that were written longer ago than that."""


class Inbox(Protocol):
    """Batches of logged requests (`runtime.payload_batches`) as workers hand them over.

    Raises OSError or StoreUnavailable while it cannot be read.
    """

    async def endpoints(self) -> list[str]:
        """Name the endpoints of which there is anything."""

    async def batches(self, endpoint: str) -> list[tuple[str, int, float]]:
        """Give name, bytes and age in seconds of an endpoint's batches, in order of names."""

    async def fetch(self, endpoint: str, names: list[str], folder: Path) -> list[Path]:
        """Give files with the contents of batches, those that are gone left out."""

    async def remove(self, endpoint: str, names: list[str]) -> None:
        """Remove batches; one that is not there is success."""

    async def sources(self, endpoint: str) -> list[tuple[str, Counts, bool]]:
        """Give the processes that counted, what they counted, and whether they live."""

    async def forget(self, endpoint: str, source: str) -> None:
        """Forget what a process counted that lives no more."""

    async def discard(self, endpoint: str) -> None:
        """Remove all there is of an endpoint."""
