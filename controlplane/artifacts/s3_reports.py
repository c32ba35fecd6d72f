"""Reports of pods in a bucket (MinIO, S3)."""

import logging
import re
from collections.abc import Generator, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from typing import Final

from minio import Minio
from minio.deleteobjects import DeleteObject

from controlplane.artifacts.exchange import Differs
from controlplane.artifacts.reports import (
    MOST_BYTES,
    Answered,
    Counted,
    Report,
    read_answered,
    read_counted,
)
from controlplane.artifacts.s3_exchange import call, policy_of, read_whole
from runtime.telling import Form

log = logging.getLogger("kubeserve.usage")
USAGE: Final = "usage/"
# Of one tenant, pods and their restarts; the rest is removed unread.
MOST_OF_TENANT: Final = 2000
PAGE: Final = 1000
AT_ONCE: Final = 8
BEHIND: Final = "0"  # the character after "/": where the names of the next tenant begin
NAME: Final = re.compile(
    r"usage/[a-z0-9-]{1,40}/[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"
    r"/[a-z0-9.-]{1,63}/[0-9a-f]{32}"
)


# What an object says, as far as it can be read.
Content = tuple[Counted | None, Mapping[str, Answered]]
NOTHING: Final[Content] = (None, {})


class S3Reports:
    """Implements `controlplane.artifacts.reports.Reports`.

    client   reaches the store from here; outside: signs for its address as pods reach it
    """

    def __init__(self, client: Minio, outside: Minio, bucket: str) -> None:
        self._client, self._outside, self._bucket = client, outside, bucket
        self._read: dict[str, tuple[str, Content]] = {}  # by name, with the ETag it had

    async def sign_form(self, tenant: str, expires_s: float) -> bytes:
        """Sign what a tenant's pods write reports with."""
        prefix = f"{USAGE}{tenant}/"
        policy = policy_of(self._bucket, MOST_BYTES, expires_s)
        policy.add_starts_with_condition("key", prefix)
        return Form(prefix, await call(self._outside.presigned_post_policy, policy)).write()

    async def read_all(self) -> tuple[Report, ...]:
        """Give every report that is there."""
        return await call(self._read_all)

    def _read_all(self) -> tuple[Report, ...]:
        found, strangers = dict[str, str](), list[str]()
        for name, etag in self._list():
            if NAME.fullmatch(name):
                found[name] = etag
            else:
                strangers.append(name)
        if strangers:
            log.warning(
                "%d objects that no pod of ours writes, as %s", len(strangers), strangers[0]
            )
            self._remove(strangers)
        self._read = self._contents(found)
        return tuple(_report(name, content) for name, (_, content) in self._read.items())

    def _contents(self, found: Mapping[str, str]) -> dict[str, tuple[str, Content]]:
        """Read what changed of objects; their ETags are given by name."""
        known = self._read
        changed = [name for name, etag in found.items() if known.get(name, ("",))[0] != etag]
        with ThreadPoolExecutor(AT_ONCE, "reports") as pool:
            new = dict(zip(changed, pool.map(self._content, changed), strict=True))
        return {
            name: (etag, new[name]) if name in new else known[name] for name, etag in found.items()
        }

    async def read_of(self, tenant: str, endpoint: str) -> tuple[Report, ...]:
        """Give the reports of one endpoint's pods."""
        return await call(self._read_of, f"{USAGE}{tenant}/{endpoint}/")

    def _read_of(self, prefix: str) -> tuple[Report, ...]:
        listed = self._client.list_objects(self._bucket, prefix, recursive=True)
        some = islice(listed, MOST_OF_TENANT)
        named = {str(one.object_name): str(one.etag) for one in some}
        read = self._contents({name: etag for name, etag in named.items() if NAME.fullmatch(name)})
        self._read = {**self._read, **read}
        return tuple(_report(name, content) for name, (_, content) in read.items())

    def _list(self) -> Iterator[tuple[str, str]]:
        """Give (name, ETag) of the first objects of each tenant, in order of their names.

        One tenant's pods, however many objects they write, keep nobody from the others'.
        """
        behind = USAGE
        while behind:
            behind = yield from self._list_from(behind)

    def _list_from(self, behind: str) -> Generator[tuple[str, str], None, str]:
        """List up to where one tenant has far too many; gives where to go on, empty: no more."""
        seen, current, surplus = 0, "", list[str]()
        listed = self._client.list_objects(self._bucket, USAGE, recursive=True, start_after=behind)
        behind = ""
        for one in listed:
            name = str(one.object_name)
            tenant = name.removeprefix(USAGE).partition("/")[0]
            seen, current = (seen + 1 if tenant == current else 1), tenant
            if seen <= MOST_OF_TENANT:
                yield name, str(one.etag)
                continue
            surplus.append(name)
            if len(surplus) == PAGE:
                behind = f"{USAGE}{tenant}{BEHIND}"
                break
        if surplus:
            log.warning("more reports than pods, as %s: they are removed unread", surplus[0])
            self._remove(surplus)
        return behind

    def _content(self, name: str) -> Content:
        try:
            raw = read_whole(self._client, self._bucket, name, MOST_BYTES)
        except Differs:
            return NOTHING
        return NOTHING if raw is None else (read_counted(raw), read_answered(raw))

    async def remove(self, names: list[str]) -> None:
        """Remove reports; one that is not there is success."""
        if names:
            await call(self._remove, names)

    def _remove(self, names: list[str]) -> None:
        refused = self._client.remove_objects(self._bucket, [*map(DeleteObject, names)])
        for error in refused:
            log.warning("%s could not be removed: %s", error.name, error.message)


def _report(name: str, content: Content) -> Report:
    _, tenant, endpoint, host, process = name.split("/")
    return Report(name, tenant, endpoint, host, process, *content)
