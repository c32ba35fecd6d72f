"""Archives of environments in a bucket: blobs as others, and a small object that names each.

    environments/NAME      {"sha256", "size_bytes", "unpacked_bytes", "etag"}; young: used lately

What a name says is believed only while the blob is the one that was written: of a blob that is
gone, or another since, nothing is found, and whoever asked makes it anew.
"""

import io
import json
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from minio import Minio
from minio.error import S3Error

from controlplane.artifacts.s3 import age_s, object_name
from controlplane.artifacts.s3_exchange import GONE, call, opened
from controlplane.artifacts.store import Store
from runtime.archive import Archive

ENVIRONMENTS: Final = "environments/"
USED_S: Final = 24 * 3600.0  # a use within this is not written down
UNUSED_S: Final = 14 * USED_S
_MOST_BYTES: Final = 64 * 1024


class S3Shelf:
    """Implements `controlplane.builder.archives.Shelf`."""

    def __init__(self, client: Minio, bucket: str, store: Store) -> None:
        self._client, self._bucket, self._store = client, bucket, store

    async def find(self, name: str) -> Archive | None:
        """Give an archive that is there whole, which counts as a use of it."""
        raw = await call(self._named, ENVIRONMENTS + name)
        if raw is None:
            return None
        try:
            document = json.loads(raw)
            archive, etag = Archive.read(document), document["etag"]
        except (ValueError, KeyError):
            return None
        there = await call(self._etag, archive.sha256)
        if there != etag:
            if there is not None:  # a store does not write again what it has
                await self._store.delete(archive.sha256)
            return None
        age = await call(age_s, self._client, self._bucket, ENVIRONMENTS + name)
        if age is None or age > USED_S:
            await call(self._write, ENVIRONMENTS + name, raw)
        return archive

    async def put(self, name: str, file: Path, unpacked_bytes: int) -> Archive:
        """Keep an archive."""
        blob = await self._store.put_file(file)
        archive = Archive(blob.sha256, blob.size_bytes, unpacked_bytes)
        etag = await call(self._etag, blob.sha256)
        document = json.dumps({**asdict(archive), "etag": etag}).encode()
        await call(self._write, ENVIRONMENTS + name, document)
        return archive

    async def fetch_to(self, sha256: str, path: Path) -> None:
        """Write an upload to a new file."""
        await self._store.fetch_to(sha256, path)

    async def sweep(self) -> frozenset[str]:
        """Forget names that were not used for two weeks; gives the digests of the others."""
        return await call(self._sweep)

    def _sweep(self) -> frozenset[str]:
        kept = set()
        for found in list(self._client.list_objects(self._bucket, ENVIRONMENTS, recursive=True)):
            if found.object_name is None or found.last_modified is None:
                continue
            if (datetime.now(UTC) - found.last_modified).total_seconds() > UNUSED_S:
                self._client.remove_object(self._bucket, found.object_name)
            elif (named := self._named(found.object_name)) is not None:
                kept.add(_digest(named))
        return frozenset(kept)

    def _named(self, name: str) -> bytes | None:
        try:
            with opened(self._client, self._bucket, name) as answer:
                raw: bytes = answer.read(_MOST_BYTES)
        except FileNotFoundError:
            return None
        return raw

    def _etag(self, sha256: str) -> str | None:
        try:
            return self._client.stat_object(self._bucket, object_name(sha256)).etag
        except S3Error as error:
            if error.code in GONE:
                return None
            raise

    def _write(self, name: str, content: bytes) -> None:
        self._client.put_object(self._bucket, name, io.BytesIO(content), len(content))


def _digest(raw: bytes) -> str:
    try:
        document: Any = json.loads(raw)
        return Archive.read(document).sha256
    except ValueError:
        return ""
