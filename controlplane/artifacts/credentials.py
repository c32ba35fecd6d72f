"""What a tenant's pods read the store with: keys for their own prefix, to read and nothing else."""

import asyncio
import base64
import hashlib
import hmac
from typing import NamedTuple, Protocol
from urllib.parse import unquote, urlsplit

import urllib3
from minio import MinioAdmin
from minio.credentials.providers import StaticProvider
from minio.error import MinioAdminException
from typing_extensions import override

from controlplane.artifacts.exchange import Exchange
from controlplane.artifacts.store import StoreUnavailable


class Keys(NamedTuple):
    """A pair of keys."""

    access_key: str
    secret_key: str

    @override
    def __repr__(self) -> str:
        return f"Keys({self.access_key!r})"


class Readers(Protocol):
    """Hands out a tenant's reading keys; StoreUnavailable while the store does not answer."""

    async def reader(self, tenant: str) -> Keys:
        """Give keys that read `tenants/TENANT/*` and nothing else; the same ones each time."""

    async def revoke(self, tenant: str) -> None:
        """Make a tenant's keys useless; none there is success."""


class StaticReaders:
    """One pair for all tenants, made by the operator, for stores whose accounts are not ours.

    It reads the whole of `tenants/`: pods of one tenant could then read another's artifacts, so
    this is for installations with one tenant, or whose tenants trust each other.
    """

    def __init__(self, keys: Keys) -> None:
        self._keys = keys

    async def reader(self, tenant: str) -> Keys:  # noqa: ARG002  (the seam's)
        """Give the operator's pair."""
        return self._keys

    async def revoke(self, tenant: str) -> None:
        """Do nothing: the pair is the operator's."""


class MinioReaders:
    """A service account a tenant in MinIO.

    The secret is derived from the store's own, so that it is the same after a crash between making
    the account and handing it out, and another when the store's changes.
    """

    def __init__(self, admin: MinioAdmin, bucket: str, secret: str) -> None:
        self._admin, self._bucket, self._secret = admin, bucket, secret.encode()

    @classmethod
    def from_url(cls, url: str) -> "MinioReaders":
        """Use the store's own URL, `s3://KEY:SECRET@HOST[:PORT]/BUCKET[?insecure]`."""
        parts = urlsplit(url)
        key, secret = unquote(parts.username or ""), unquote(parts.password or "")
        admin = MinioAdmin(
            endpoint=(parts.hostname or "") + (f":{parts.port}" if parts.port else ""),
            credentials=StaticProvider(key, secret),
            secure=parts.query != "insecure",
        )
        return cls(admin, parts.path.strip("/"), secret)

    async def reader(self, tenant: str) -> Keys:
        """Give the tenant's keys, making the account or bringing it up to date."""
        keys = self.keys(tenant)
        await asyncio.to_thread(self._ensure, tenant, keys)
        return keys

    def keys(self, tenant: str) -> Keys:
        """Derive the tenant's keys; MinIO takes 3 to 20 and 8 to 40 characters."""
        place = f"{self._bucket}/{tenant}".encode()
        name = hashlib.sha256(place).hexdigest()[:18]
        derived = hmac.digest(self._secret, b"kubeserve reader " + place, "sha256")
        return Keys(f"ks{name}", base64.urlsafe_b64encode(derived).decode()[:40])

    def _ensure(self, tenant: str, keys: Keys) -> None:
        policy = policy_of(self._bucket, tenant)
        access, secret = keys
        try:
            if self._known(access):
                self._admin.update_service_account(
                    access_key=access, secret_key=secret, policy=policy
                )
            else:
                self._admin.add_service_account(
                    access_key=access, secret_key=secret, policy=policy, name="kubeserve-reader"
                )
        except (urllib3.exceptions.HTTPError, MinioAdminException, OSError) as error:
            raise _problem(error) from error

    def _known(self, access_key: str) -> bool:
        try:
            self._admin.get_service_account(access_key)
        except MinioAdminException as error:
            if _is_missing(error):
                return False
            raise
        return True

    async def revoke(self, tenant: str) -> None:
        """Delete the tenant's account."""
        await asyncio.to_thread(self._revoke, self.keys(tenant).access_key)

    def _revoke(self, access_key: str) -> None:
        try:
            if self._known(access_key):
                self._admin.delete_service_account(access_key)
        except (urllib3.exceptions.HTTPError, MinioAdminException, OSError) as error:
            raise _problem(error) from error


class Places:
    """How pods get at large artifacts: a copy below their tenant's prefix, and keys for it."""

    def __init__(self, exchange: Exchange, readers: Readers) -> None:
        self._exchange, self._readers = exchange, readers

    async def place(self, sha256: str, tenant: str) -> None:
        """Put a blob where the tenant's pods may read it; there already is success."""
        await self._exchange.place(sha256, tenant)

    async def reader(self, tenant: str) -> Keys:
        """Give keys that read the tenant's place and nothing else."""
        return await self._readers.reader(tenant)


def policy_of(bucket: str, tenant: str) -> dict[str, object]:
    """Give the policy: read the objects of one prefix; not even list them."""
    statement = {
        "Effect": "Allow",
        "Action": ["s3:GetObject"],
        "Resource": [f"arn:aws:s3:::{bucket}/tenants/{tenant}/*"],
    }
    return {"Version": "2012-10-17", "Statement": [statement]}


def _is_missing(error: MinioAdminException) -> bool:
    return "XMinioInvalidIAMCredentials" in str(error) or "NoSuch" in str(error)


def _problem(error: Exception) -> StoreUnavailable:
    return StoreUnavailable(
        f"The object store gives no keys for a tenant: {str(error)[:300]}", retry_after_s=5
    )
