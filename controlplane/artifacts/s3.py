"""The artifact store in a bucket (MinIO, S3): the same promises through multipart uploads.

A stream is written to a local file first: its name is its digest, which is known only at its end.
"""

import asyncio
import os
import shutil
import uuid
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final
from urllib.parse import unquote, urlsplit

from minio import Minio
from minio.error import S3Error

from controlplane.artifacts.folder import FolderStore, read_file
from controlplane.artifacts.store import Blob

FRESH_S: Final = 3600.0  # far below the age of what the sweep takes


class S3Store:
    """Content-addressed objects `ab/abcdef…` in one bucket."""

    def __init__(self, client: Minio, bucket: str, scratch: Path) -> None:
        self._client, self._bucket = client, bucket
        self._scratch = scratch
        shutil.rmtree(scratch, ignore_errors=True)  # uploads that a crash cut off

    @classmethod
    def from_url(cls, url: str, scratch: Path) -> "S3Store":
        """Open `s3://KEY:SECRET@HOST[:PORT]/BUCKET[?insecure]`; makes the bucket if need be."""
        parts = urlsplit(url)
        bucket = parts.path.strip("/")
        if parts.scheme != "s3" or not parts.hostname or not bucket:
            raise ValueError("KUBESERVE_STORE must be s3://KEY:SECRET@HOST[:PORT]/BUCKET")
        host = parts.hostname + (f":{parts.port}" if parts.port else "")
        client = Minio(
            host,
            access_key=unquote(parts.username or ""),
            secret_key=unquote(parts.password or ""),
            secure=parts.query != "insecure",
        )
        if not client.bucket_exists(bucket):
            client.make_bucket(bucket)
        return cls(client, bucket, scratch)

    def _name(self, sha256: str) -> str:
        return f"{sha256[:2]}/{sha256}"

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
        name = self._name(sha256)
        age_s = self._age_s(name)
        if age_s is None or age_s > FRESH_S:
            # Also when it is there, or the sweep could take what a new version is about to name.
            self._client.fput_object(self._bucket, name, str(path))
        return age_s is None

    def _age_s(self, name: str) -> float | None:
        try:
            stored = self._client.stat_object(self._bucket, name).last_modified
        except S3Error as error:
            if error.code in ("NoSuchKey", "NoSuchObject"):
                return None
            raise
        return (datetime.now(UTC) - stored).total_seconds() if stored else FRESH_S + 1

    async def put_file(self, path: Path) -> Blob:
        """Store a local file."""
        return await self.put(read_file(path), max_bytes=os.stat(path).st_size)

    async def fetch_to(self, sha256: str, path: Path) -> None:
        """Download a blob; raises FileNotFoundError."""
        try:
            await asyncio.to_thread(
                self._client.fget_object, self._bucket, self._name(sha256), str(path)
            )
        except S3Error as error:
            if error.code == "NoSuchKey":
                raise FileNotFoundError(sha256) from error
            raise

    async def delete(self, sha256: str, *, older_s: float = 0.0) -> None:
        """Remove a blob, unless it was stored again lately; nothing there is success."""
        await asyncio.to_thread(self._delete, self._name(sha256), older_s)

    def _delete(self, name: str, older_s: float) -> None:
        age_s = self._age_s(name)
        if age_s is None or (older_s and age_s <= older_s):
            return
        self._client.remove_object(self._bucket, name)

    async def older_than(self, seconds: float) -> list[str]:
        """List blobs stored longer ago than that."""
        return await asyncio.to_thread(self._older_than, seconds)

    def _older_than(self, seconds: float) -> list[str]:
        limit = datetime.now(UTC) - timedelta(seconds=seconds)
        return [
            Path(found.object_name).name
            for found in self._client.list_objects(self._bucket, recursive=True)
            if found.object_name and found.last_modified and found.last_modified < limit
        ]

    async def ping(self) -> None:
        """Raise if the bucket cannot be reached."""
        if not await asyncio.to_thread(self._client.bucket_exists, self._bucket):
            raise FileNotFoundError(f"bucket {self._bucket}")
