"""Whose build is next: tenants take turns, whatever the number of their builds that wait. Pure."""

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

NEVER: Final = datetime.fromtimestamp(0, UTC)


@dataclass(frozen=True, slots=True)
class Waiting:
    """A version in the queue; `place` is its own among its tenant's, from 1 on."""

    version: uuid.UUID
    tenant: uuid.UUID
    place: int
    since: datetime


@dataclass(frozen=True, slots=True)
class Standing:
    """A tenant's builds that run, when its last one was begun, and how many may run."""

    running: int
    began_at: datetime | None
    limit: int


def next_builds(
    waiting: Sequence[Waiting], tenants: Mapping[uuid.UUID, Standing], free: int
) -> list[uuid.UUID]:
    """Give at most `free` versions to build now.

    First who has the fewest builds running, then whose last one was begun longest ago, so that with
    one place too a tenant waits for one build of each other tenant at most.
    """

    def turn(one: Waiting) -> tuple[int, datetime, datetime]:
        standing = tenants[one.tenant]
        return standing.running + one.place, standing.began_at or NEVER, one.since

    allowed = [
        one
        for one in waiting
        if tenants[one.tenant].running + one.place <= tenants[one.tenant].limit
    ]
    return [one.version for one in sorted(allowed, key=turn)[:free]]
