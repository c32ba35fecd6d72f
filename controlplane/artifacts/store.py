"""Where files are kept: content-addressed, so that a name is a promise of the bytes."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from runtime.problems import Malformed, Overloaded, Problem, TooLarge


@dataclass(frozen=True, slots=True)
class Blob:
    """A stored file. `created`: False if the same bytes were there already."""

    sha256: str
    size_bytes: int
    head: bytes
    created: bool


class StoreUnavailable(Problem):
    """The store does not answer, or refuses us; nothing was stored or lost by it."""

    type, status, title = "/problems/store-unavailable", 503, "The artifact store cannot be used"


class Store(Protocol):
    """Content-addressed files. A blob is there whole or not at all, also after a crash."""

    async def put(
        self, chunks: AsyncIterator[bytes], *, max_bytes: int, expected_sha256: str | None = None
    ) -> Blob:
        """Store a stream; raises TooLarge while it is read, Malformed if the digest differs."""

    async def put_file(self, path: Path) -> Blob:
        """Store a local file."""

    async def fetch_to(self, sha256: str, path: Path) -> None:
        """Write a blob to a path that does not exist yet; raises FileNotFoundError."""

    async def delete(self, sha256: str, *, older_s: float = 0.0) -> None:
        """Remove a blob, unless it was stored again lately; nothing there is success."""

    async def older_than(self, seconds: float) -> list[str]:
        """List blobs stored longer ago than that, for the sweep."""

    async def ping(self) -> None:
        """Raise if the store cannot be reached."""


def too_large(limit: int) -> TooLarge:
    """Make the problem of an upload over the limit."""
    return TooLarge(
        f"The file is larger than {limit} bytes, the limit of this installation. "
        "Compress it (`joblib.dump(model, path, compress=3)`) or raise KUBESERVE_MAX_UPLOAD_BYTES.",
        limit=limit,
    )


def store_full() -> Overloaded:
    """Make the problem of a store without room."""
    return Overloaded(
        "The artifact store has no room left. Delete models that are not needed, or give it a "
        "larger disk.",
        retry_after_s=60,
    )


def digest_differs(expected: str, found: str) -> Malformed:
    """Make the problem of an upload that arrived other than it was sent."""
    return Malformed(
        "The bytes that arrived are not those that were announced; send the file again.",
        expected_sha256=expected,
        found_sha256=found,
    )
