"""Batches of logged requests that pods put into the bucket with signed forms."""

import logging
import re
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import Final

from minio import Minio

from controlplane.artifacts.exchange import Differs
from controlplane.artifacts.s3_exchange import call, policy_of, read_whole, remove_all
from runtime.payload_batches import MOST_BATCH_BYTES
from runtime.payload_log import Counts
from runtime.telling import Form

log = logging.getLogger("kubeserve.payloads")
BATCHES: Final = "payload-batches/"
# Of one endpoint at a look; the rest waits for the next one.
MOST_LISTED: Final = 1000
NAME: Final = re.compile(r"[0-9a-f]{32}-[0-9]{8}")
ENDPOINT: Final = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")


class S3Inbox:
    """Implements `controlplane.artifacts.objects.Inbox`; endpoints are named TENANT/ENDPOINT.

    client   reaches the store from here; outside: signs for its address as pods reach it
    """

    def __init__(self, client: Minio, outside: Minio, bucket: str) -> None:
        self._client, self._outside, self._bucket = client, outside, bucket

    async def sign_form(self, tenant: str, expires_s: float) -> bytes:
        """Sign what a tenant's pods write batches with."""
        prefix = f"{BATCHES}{tenant}/"
        policy = policy_of(self._bucket, MOST_BATCH_BYTES, expires_s)
        policy.add_starts_with_condition("key", prefix)
        return Form(prefix, await call(self._outside.presigned_post_policy, policy)).write()

    async def endpoints(self) -> list[str]:
        """Name the endpoints of which there is anything, with the tenant whose pods wrote it."""
        return await call(self._endpoints)

    def _endpoints(self) -> list[str]:
        found, strangers = list[str](), list[str]()
        for tenant in self._client.list_objects(self._bucket, BATCHES):
            for one in self._client.list_objects(self._bucket, tenant.object_name):
                name = str(one.object_name)
                place = name.removeprefix(BATCHES).rstrip("/")
                is_place = one.is_dir and ENDPOINT.fullmatch(place.rpartition("/")[2])
                (found if is_place else strangers).append(place if is_place else name)
        for name in strangers:
            log.warning("%s is nothing that a pod of ours writes", name)
            if not name.endswith("/"):
                self._client.remove_object(self._bucket, name)
        return found

    async def batches(self, endpoint: str) -> list[tuple[str, int, float]]:
        """Give name, bytes and age of an endpoint's batches."""
        return await call(self._batches, f"{BATCHES}{endpoint}/")

    def _batches(self, prefix: str) -> list[tuple[str, int, float]]:
        now, found = datetime.now(UTC), []
        listed = self._client.list_objects(self._bucket, prefix, recursive=True)
        for one in islice(listed, MOST_LISTED):
            name = str(one.object_name).removeprefix(prefix)
            if NAME.fullmatch(name) is None:
                self._client.remove_object(self._bucket, str(one.object_name))
            elif one.last_modified is not None:
                found.append((name, one.size or 0, (now - one.last_modified).total_seconds()))
        return sorted(found)

    async def fetch(self, endpoint: str, names: list[str], folder: Path) -> list[Path]:
        """Download batches."""
        return await call(self._fetch, f"{BATCHES}{endpoint}/", names, folder)

    def _fetch(self, prefix: str, names: list[str], folder: Path) -> list[Path]:
        paths = []
        for name in names:
            try:
                raw = read_whole(self._client, self._bucket, prefix + name, MOST_BATCH_BYTES)
            except Differs:
                raw = b""  # it is read as what it is: no batch
            if raw is not None:
                path = folder / f"{name}.batch"
                path.write_bytes(raw)
                paths.append(path)
        return paths

    async def remove(self, endpoint: str, names: list[str]) -> None:
        """Remove batches."""
        await call(
            remove_all,
            self._client,
            self._bucket,
            [f"{BATCHES}{endpoint}/{name}" for name in names],
        )

    async def sources(self, endpoint: str) -> list[tuple[str, Counts, bool]]:  # noqa: ARG002
        """Give none: batches say themselves what was counted."""
        return []

    async def forget(self, endpoint: str, source: str) -> None:
        """Nothing is kept of a process."""

    async def discard(self, endpoint: str) -> None:
        """Remove all there is of an endpoint."""
        await self.remove(endpoint, [name for name, _, _ in await self.batches(endpoint)])
