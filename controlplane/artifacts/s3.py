"""The artifact store in a bucket (MinIO, S3): the same promises through multipart uploads.

A stream is written to a local file first: its name is its digest, which is known only at its end.
"""

import asyncio
import contextlib
import os
import re
import shutil
import uuid
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final
from urllib.parse import unquote, urlsplit

import certifi
import urllib3
from minio import Minio
from minio.error import S3Error

from controlplane.artifacts.folder import FolderStore, read_file
from controlplane.artifacts.store import Blob, StoreUnavailable, store_full

FRESH_S: Final = 3600.0  # far below the age of what the sweep takes
TIMEOUT: Final = urllib3.Timeout(connect=5.0, read=60.0)
FULL: Final = ("XMinioStorageFull", "XMinioAdminBucketQuotaExceeded")
REFUSALS: Final = (
    *(
        "AccessDenied",
        "InvalidAccessKeyId",
        "SignatureDoesNotMatch",
        "AuthorizationHeaderMalformed",
    ),
    *("ExpiredToken", "InvalidTokenId", "NoSuchBucket", "RequestTimeTooSkewed"),
)
CONTENT: Final = re.compile(r"([0-9a-f]{2})/(\1[0-9a-f]{62})")


def object_name(sha256: str) -> str:
    """Give the name of a blob's object."""
    return f"{sha256[:2]}/{sha256}"


def open_client(
    url: str, *, address: str | None = None, region: str | None = None
) -> tuple[Minio, str]:
    """Open `s3://KEY:SECRET@HOST[:PORT]/BUCKET[?insecure]`; gives the client and the bucket.

    address  http(s)://HOST[:PORT] to reach (or sign for) the same store by instead
    region   None: asked for, which signing for an address that is not ours to reach cannot do
    """
    parts = urlsplit(url)
    bucket = parts.path.strip("/")
    if parts.scheme != "s3" or not parts.hostname or not bucket:
        raise ValueError("KUBESERVE_STORE must be s3://KEY:SECRET@HOST[:PORT]/BUCKET")
    host = parts.hostname + (f":{parts.port}" if parts.port else "")
    secure = parts.query != "insecure"
    if address is not None:
        other = urlsplit(address)
        host, secure = other.netloc, other.scheme == "https"
    client = Minio(
        host,
        access_key=unquote(parts.username or ""),
        secret_key=unquote(parts.password or ""),
        secure=secure,
        region=region,
        # Its own waits five minutes for a store that does not answer, six times.
        http_client=urllib3.PoolManager(
            timeout=TIMEOUT,
            retries=urllib3.Retry(2, backoff_factor=0.2, status_forcelist=[500, 502, 503, 504]),
            cert_reqs="CERT_REQUIRED",
            ca_certs=os.environ.get("SSL_CERT_FILE") or certifi.where(),
        ),
    )
    return client, bucket


def age_s(client: Minio, bucket: str, name: str) -> float | None:
    """Tell how long ago an object was written; None if it is not there."""
    try:
        stored = client.stat_object(bucket, name).last_modified
    except S3Error as error:
        if error.code in ("NoSuchKey", "NoSuchObject"):
            return None
        raise
    return (datetime.now(UTC) - stored).total_seconds() if stored else FRESH_S + 1


@contextlib.contextmanager
def in_words() -> Iterator[None]:
    """Say what the client raises as something a caller, or the operator, can act on."""
    try:
        yield
    except urllib3.exceptions.HTTPError as error:
        raise StoreUnavailable(
            "The artifact store does not answer. Try again shortly; nothing was stored half.",
            retry_after_s=5,
        ) from error
    except S3Error as error:
        if error.code in FULL:
            raise store_full() from error
        if error.code in REFUSALS:
            raise StoreUnavailable(
                f"The artifact store refuses this installation ({error.code}): the operator must "
                "check the key, the secret and the bucket in KUBESERVE_STORE."
            ) from error
        raise


class S3Store:
    """Content-addressed objects `ab/abcdef…` in one bucket."""

    def __init__(self, client: Minio, bucket: str, scratch: Path) -> None:
        self._client, self._bucket = client, bucket
        self._scratch = scratch
        shutil.rmtree(scratch, ignore_errors=True)  # uploads that a crash cut off

    @classmethod
    def from_url(cls, url: str, scratch: Path) -> "S3Store":
        """Open `s3://KEY:SECRET@HOST[:PORT]/BUCKET[?insecure]`; makes the bucket if need be."""
        client, bucket = open_client(url)
        with in_words():
            if not client.bucket_exists(bucket):
                client.make_bucket(bucket)
        return cls(client, bucket, scratch)

    async def put(
        self, chunks: AsyncIterator[bytes], *, max_bytes: int, expected_sha256: str | None = None
    ) -> Blob:
        """Store a stream; the object appears when all of it is there."""
        aside = self._scratch / uuid.uuid4().hex
        try:
            local = FolderStore(aside)
            blob = await local.put(chunks, max_bytes=max_bytes, expected_sha256=expected_sha256)
            created = await asyncio.to_thread(self._upload, blob.sha256, local.path(blob.sha256))
        finally:
            await asyncio.to_thread(shutil.rmtree, aside, ignore_errors=True)
        return Blob(blob.sha256, blob.size_bytes, blob.head, created)

    def _upload(self, sha256: str, path: Path) -> bool:
        name = object_name(sha256)
        with in_words():
            age = age_s(self._client, self._bucket, name)
            if age is None or age > FRESH_S:
                # Also if it is there, or the sweep could take what a new version will name.
                self._client.fput_object(self._bucket, name, str(path))
        return age is None

    async def put_file(self, path: Path) -> Blob:
        """Store a local file."""
        return await self.put(read_file(path), max_bytes=os.stat(path).st_size)

    async def fetch_to(self, sha256: str, path: Path) -> None:
        """Download a blob, whole or not at all; raises FileNotFoundError."""
        await asyncio.to_thread(self._fetch, sha256, path)

    def _fetch(self, sha256: str, path: Path) -> None:
        part = path.with_name(f"{path.name}.part")
        try:
            with in_words():
                self._client.fget_object(
                    self._bucket, object_name(sha256), str(path), tmp_file_path=str(part)
                )
        except S3Error as error:
            if error.code == "NoSuchKey":
                raise FileNotFoundError(sha256) from error
            raise
        finally:
            part.unlink(missing_ok=True)

    async def delete(self, sha256: str, *, older_s: float = 0.0) -> None:
        """Remove a blob, unless it was stored again lately; nothing there is success."""
        await asyncio.to_thread(self._delete, object_name(sha256), older_s)

    def _delete(self, name: str, older_s: float) -> None:
        with in_words():
            age = age_s(self._client, self._bucket, name)
            if age is None or (older_s and age <= older_s):
                return
            self._client.remove_object(self._bucket, name)

    async def older_than(self, seconds: float) -> list[str]:
        """List blobs stored longer ago than that."""
        return await asyncio.to_thread(self._older_than, seconds)

    def _older_than(self, seconds: float) -> list[str]:
        limit = datetime.now(UTC) - timedelta(seconds=seconds)
        with in_words():
            # Other prefixes of the bucket are the exchange's.
            return [
                name[2]
                for found in self._client.list_objects(self._bucket, recursive=True)
                if found.last_modified and found.last_modified < limit
                if (name := CONTENT.fullmatch(found.object_name or ""))
            ]

    async def ping(self) -> None:
        """Raise if the bucket cannot be reached."""
        await asyncio.to_thread(self._ping)

    def _ping(self) -> None:
        with in_words():
            if not self._client.bucket_exists(self._bucket):
                raise StoreUnavailable(
                    f"The artifact store has no bucket {self._bucket}; the operator must make it, "
                    "or name another in KUBESERVE_STORE."
                )
