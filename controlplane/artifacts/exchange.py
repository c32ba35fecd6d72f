"""What pods get of the store: signed addresses for one object, and a tenant's own prefix."""

from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple, Protocol

from controlplane.artifacts.store import Blob


class Differs(Exception):
    """An object is not what its sender announced."""


@dataclass(frozen=True, slots=True)
class Taken:
    """An object that was read whole: digest and size are of what was read, and `etag` its state."""

    name: str
    blob: Blob
    etag: str


class SignedForm(NamedTuple):
    """What one object is written with: POST to `url` as multipart/form-data, the file last."""

    url: str
    fields: dict[str, str]


class Exchange(Protocol):
    """Objects `builds/…` of builds' pods, and `tenants/TENANT/SHA256` that endpoints' pods read.

    Raises StoreUnavailable while the store does not answer; the same call again is harmless.
    """

    async def presign_get(self, sha256: str, expires_s: float) -> str:
        """Sign an address, as pods reach it, to read one blob from."""

    async def sign_form(self, name: str, most_bytes: int, expires_s: float) -> SignedForm:
        """Sign a form, for the address as pods reach it, to write `builds/{name}` with.

        The store refuses more than `most_bytes`.
        """

    async def presign_read(self, name: str, expires_s: float) -> str:
        """Sign an address, as pods reach it, to read `builds/{name}` from."""

    async def write(self, name: str, content: bytes) -> None:
        """Write `builds/{name}`."""

    async def read(self, name: str, most_bytes: int) -> bytes | None:
        """Give `builds/{name}`, None if it is not there; raises Differs if it is larger."""

    async def take(self, name: str, path: Path, sha256: str, size_bytes: int) -> Taken:
        """Download `builds/{name}` to a new file; raises Differs unless it is as announced."""

    async def adopt(self, taken: Taken) -> Blob:
        """Make a blob of what was taken; raises Differs if it was changed since."""

    async def clear(self, prefix: str) -> int:
        """Remove every `builds/{prefix}…`; gives how many."""

    async def builds_older_than(self, seconds: float) -> list[str]:
        """List the names below `builds/` that were written longer ago than that."""

    async def place(self, sha256: str, tenant: str) -> None:
        """Copy a blob to where the tenant's pods may read it; raises FileNotFoundError."""

    async def unplace(self, sha256: str, tenant: str) -> None:
        """Remove that copy; nothing there is success."""

    async def placed_older_than(self, seconds: float) -> list[tuple[str, str]]:
        """List (tenant, sha256) of the copies that were made longer ago than that."""

    async def hand(self, tenant: str, name: str, content: bytes) -> None:
        """Write `tenants/{tenant}/{name}`, which endpoints' pods read."""
