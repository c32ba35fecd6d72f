"""The exchange with pods in a bucket (MinIO, S3)."""

import asyncio
import functools
import hashlib
import io
import re
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Final, ParamSpec, TypeVar

from minio import Minio
from minio.commonconfig import CopySource
from minio.datatypes import PostPolicy
from minio.deleteobjects import DeleteObject
from minio.error import MinioException, S3Error

from controlplane.artifacts.exchange import Differs, SignedForm, Taken
from controlplane.artifacts.s3 import FRESH_S, age_s, in_words, object_name
from controlplane.artifacts.store import Blob, StoreUnavailable

BUILDS: Final = "builds/"
TENANTS: Final = "tenants/"
CHUNK: Final = 1 << 20
SHA256: Final = re.compile(r"[0-9a-f]{64}")
HEAD_BYTES: Final = 64
GONE: Final = ("NoSuchKey", "NoSuchObject")
# Of a request that arrived: sent again it is answered otherwise.
PASSING: Final = ("InternalError", "ServiceUnavailable", "SlowDown", "XMinioServerNotInitialized")

if TYPE_CHECKING:
    from urllib3 import BaseHTTPResponse

Given = ParamSpec("Given")
Result = TypeVar("Result")


class S3Exchange:
    """Implements `controlplane.artifacts.exchange.Exchange`.

    client   reaches the store from here; outside: signs for its address as pods reach it
    address  that is, http[s]://HOST[:PORT]
    """

    def __init__(self, client: Minio, outside: Minio, bucket: str, address: str) -> None:
        self._client, self._outside, self._bucket = client, outside, bucket
        self._address = address.rstrip("/")

    # Builds

    async def presign_get(self, sha256: str, expires_s: float) -> str:
        """Sign an address, as pods reach it, to read one blob from."""
        sign = self._outside.presigned_get_object
        return await call(sign, self._bucket, object_name(sha256), timedelta(seconds=expires_s))

    async def sign_form(self, name: str, most_bytes: int, expires_s: float) -> SignedForm:
        """Sign a form, for the address as pods reach it, to write `builds/{name}` with."""
        key = BUILDS + name
        policy = policy_of(self._bucket, most_bytes, expires_s)
        policy.add_equals_condition("key", key)
        fields = await call(self._outside.presigned_post_policy, policy)
        return SignedForm(f"{self._address}/{self._bucket}", {**fields, "key": key})

    async def presign_read(self, name: str, expires_s: float) -> str:
        """Sign an address, as pods reach it, to read `builds/{name}` from."""
        sign = self._outside.presigned_get_object
        return await call(sign, self._bucket, BUILDS + name, timedelta(seconds=expires_s))

    async def write(self, name: str, content: bytes) -> None:
        """Write `builds/{name}`."""
        put = self._client.put_object
        await call(put, self._bucket, BUILDS + name, io.BytesIO(content), len(content))

    async def read(self, name: str, most_bytes: int) -> bytes | None:
        """Give `builds/{name}`, None if it is not there; raises Differs if it is larger."""
        return await call(read_whole, self._client, self._bucket, BUILDS + name, most_bytes)

    async def take(self, name: str, path: Path, sha256: str, size_bytes: int) -> Taken:
        """Download `builds/{name}` to a new file; raises Differs unless it is as announced."""
        return await call(self._take, BUILDS + name, path, sha256, size_bytes)

    def _take(self, name: str, path: Path, sha256: str, size_bytes: int) -> Taken:
        digest, size, head = hashlib.sha256(), 0, b""
        try:
            with opened(self._client, self._bucket, name) as answer, path.open("wb") as file:
                etag = str(answer.headers.get("etag", "")).strip('"')
                for chunk in answer.stream(CHUNK):
                    size += len(chunk)
                    if size > size_bytes:
                        raise Differs(f"{name} is larger than the {size_bytes} bytes announced")
                    head = head or chunk[:HEAD_BYTES]
                    digest.update(chunk)
                    file.write(chunk)
        except FileNotFoundError as error:
            raise Differs(f"{name} was announced and is not there") from error
        if size != size_bytes or digest.hexdigest() != sha256:
            raise Differs(f"{name} is not the one announced: {size} of {size_bytes} bytes")
        return Taken(name, Blob(sha256, size, head, created=False), etag)

    async def adopt(self, taken: Taken) -> Blob:
        """Make a blob of what was taken; raises Differs if it was changed since."""
        created = await call(self._adopt, taken)
        blob = taken.blob
        return Blob(blob.sha256, blob.size_bytes, blob.head, created)

    def _adopt(self, taken: Taken) -> bool:
        # Its address is signed for some minutes more: only the very bytes that were read.
        return self._copy(taken.name, object_name(taken.blob.sha256), taken.etag)

    def _copy(self, source: str, target: str, etag: str | None = None) -> bool:
        """Copy unless it is there; a copy that is old becomes young, or the sweep could take it."""
        age = age_s(self._client, self._bucket, target)
        if age is not None and age <= FRESH_S:
            return False
        try:
            self._client.copy_object(
                self._bucket, target, CopySource(self._bucket, source, match_etag=etag)
            )
        except S3Error as error:
            if error.code == "PreconditionFailed":
                raise Differs(f"{source} was changed after it was read") from error
            if error.code in GONE:
                raise FileNotFoundError(source) from error
            raise
        return age is None

    async def clear(self, prefix: str) -> int:
        """Remove every `builds/{prefix}…`; gives how many."""
        return await call(self._clear, BUILDS + prefix)

    def _clear(self, prefix: str) -> int:
        names = [name for name, _ in self._list(prefix)]
        for name in names:
            self._client.remove_object(self._bucket, name)
        return len(names)

    async def builds_older_than(self, seconds: float) -> list[str]:
        """List the names below `builds/` that were written longer ago than that."""
        return await call(self._older_than, BUILDS, seconds)

    # Tenants

    async def place(self, sha256: str, tenant: str) -> None:
        """Copy a blob to where the tenant's pods may read it; raises FileNotFoundError."""
        await call(self._copy, object_name(sha256), placed(tenant, sha256))

    async def unplace(self, sha256: str, tenant: str) -> None:
        """Remove that copy; nothing there is success."""
        await call(self._client.remove_object, self._bucket, placed(tenant, sha256))

    async def placed_older_than(self, seconds: float) -> list[tuple[str, str]]:
        """List (tenant, sha256) of the copies that were made longer ago than that."""
        names = await call(self._older_than, TENANTS, seconds)
        split = [name.split("/") for name in names]
        return [(one[0], one[1]) for one in split if len(one) == 2 and SHA256.fullmatch(one[1])]

    async def hand(self, tenant: str, name: str, content: bytes) -> None:
        """Write `tenants/{tenant}/{name}`."""
        put, path = self._client.put_object, placed(tenant, name)
        await call(put, self._bucket, path, io.BytesIO(content), len(content))

    # How it asks

    def _list(self, prefix: str) -> list[tuple[str, datetime | None]]:
        found = self._client.list_objects(self._bucket, prefix, recursive=True)
        return [(one.object_name, one.last_modified) for one in found if one.object_name]

    def _older_than(self, prefix: str, seconds: float) -> list[str]:
        limit = datetime.now(UTC) - timedelta(seconds=seconds)
        return [
            name.removeprefix(prefix)
            for name, written in self._list(prefix)
            if written is not None and written < limit
        ]


@contextmanager
def opened(client: Minio, bucket: str, name: str) -> "Iterator[BaseHTTPResponse]":
    """Read an object; raises FileNotFoundError."""
    try:
        answer = client.get_object(bucket, name)
    except S3Error as error:
        if error.code in GONE:
            raise FileNotFoundError(name) from error
        raise
    try:
        yield answer
    finally:
        # Closed, not given back: what was not read of it would be read to its end.
        answer.close()


def read_whole(client: Minio, bucket: str, name: str, most_bytes: int) -> bytes | None:
    """Give an object, None if it is not there; raises Differs if it is larger."""
    try:
        with opened(client, bucket, name) as answer:
            raw: bytes = answer.read(most_bytes + 1)
    except FileNotFoundError:
        return None
    if len(raw) > most_bytes:
        raise Differs(f"{name} is larger than {most_bytes} bytes")
    return raw


def remove_all(client: Minio, bucket: str, names: Iterable[str]) -> None:
    """Remove objects; raises ConnectionError for the first that stays."""
    for error in client.remove_objects(bucket, map(DeleteObject, names)):
        raise ConnectionError(f"{error.name} could not be removed: {error.code}")


def policy_of(bucket: str, most_bytes: int, expires_s: float) -> PostPolicy:
    """Give the policy of a form for objects up to a size; the caller adds which ones."""
    policy = PostPolicy(bucket, datetime.now(UTC) + timedelta(seconds=expires_s))
    policy.add_content_length_range_condition(1, most_bytes)
    return policy


def placed(tenant: str, name: str) -> str:
    """Give the name of an object that a tenant's pods may read: a blob's copy by its digest."""
    return f"{TENANTS}{tenant}/{name}"


async def call(
    function: Callable[Given, Result], *args: Given.args, **kwargs: Given.kwargs
) -> Result:
    """Call in a thread; what the store cannot do now is StoreUnavailable, or Overloaded."""
    try:
        with in_words():
            return await asyncio.to_thread(functools.partial(function, *args, **kwargs))
    except S3Error as error:
        if error.code not in PASSING:
            raise
        raise _unavailable(error) from error
    except (MinioException, ConnectionError) as error:
        raise _unavailable(error) from error


def _unavailable(error: Exception) -> StoreUnavailable:
    return StoreUnavailable(f"The object store does not answer: {error}", retry_after_s=2)
