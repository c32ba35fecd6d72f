"""Files by name in a bucket (MinIO, S3)."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from minio import Minio

from controlplane.artifacts.s3 import in_words
from controlplane.artifacts.s3_exchange import call, opened, remove_all

CHUNK: Final = 1 << 20


class S3Objects:
    """Implements `controlplane.artifacts.objects.Objects`."""

    def __init__(self, client: Minio, bucket: str) -> None:
        self._client, self._bucket = client, bucket

    async def put(self, name: str, file: Path) -> None:
        """Upload a file; the object appears when all of it is there."""
        await call(self._client.fput_object, self._bucket, name, str(file))

    async def fetch_to(self, name: str, path: Path) -> None:
        """Download a file."""
        with path.open("wb") as file:
            async for chunk in self.read(name):
                await asyncio.to_thread(file.write, chunk)

    async def read(self, name: str) -> AsyncIterator[bytes]:
        """Give a file in chunks."""
        with in_words():
            answer = opened(self._client, self._bucket, name)
            body = await asyncio.to_thread(answer.__enter__)
            try:
                while chunk := await asyncio.to_thread(body.read, CHUNK):
                    yield chunk
            finally:
                answer.__exit__(None, None, None)

    async def remove(self, names: list[str]) -> None:
        """Remove files."""
        await call(remove_all, self._client, self._bucket, names)

    async def older_than(self, prefix: str, seconds: float) -> list[str]:
        """List old files."""
        return await call(self._older_than, prefix, seconds)

    def _older_than(self, prefix: str, seconds: float) -> list[str]:
        limit = datetime.now(UTC) - timedelta(seconds=seconds)
        listed = self._client.list_objects(self._bucket, prefix, recursive=True)
        return [
            str(one.object_name)
            for one in listed
            if one.last_modified is not None and one.last_modified < limit
        ]
