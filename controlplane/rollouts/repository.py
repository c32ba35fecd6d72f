"""Queries on rollouts; their endpoint comes first."""

import uuid
from typing import Any

from controlplane.rollouts.states import State
from controlplane.rollouts.tables import Rollout, RolloutRows


async def add(endpoint_id: uuid.UUID, **values: Any) -> Rollout:
    """Make the next rollout of an endpoint whose row is locked."""
    newest = await Rollout.filter(endpoint_id=endpoint_id).order_by("-number").first()
    number = 1 if newest is None else newest.number + 1
    return await Rollout.create(id=uuid.uuid4(), endpoint_id=endpoint_id, number=number, **values)


async def one(endpoint_id: uuid.UUID, number: int) -> Rollout | None:
    return await Rollout.get_or_none(endpoint_id=endpoint_id, number=number)


async def page(endpoint_id: uuid.UUID, limit: int, below: int | None) -> list[Rollout]:
    rows = Rollout.filter(endpoint_id=endpoint_id)
    if below is not None:
        rows = rows.filter(number__lt=below)
    return await rows.order_by("-number").limit(limit + 1)


async def running(endpoint_id: uuid.UUID) -> Rollout | None:
    """Find the rollout of an endpoint that has not ended and lock it."""
    rows = Rollout.filter(endpoint_id=endpoint_id, state=State.RUNNING)
    return await rows.select_for_update().first()


async def as_it_is(endpoint_id: uuid.UUID) -> Rollout | None:
    """Find the rollout of an endpoint that has not ended, as it is now: without a lock."""
    return await Rollout.filter(endpoint_id=endpoint_id, state=State.RUNNING).first()


async def endpoints_with_one_of_all() -> list[uuid.UUID]:
    """Give the endpoints, of any tenant, that have a rollout which has not ended."""
    rows = Rollout.filter(state=State.RUNNING)
    return [row.endpoint_id for row in await rows.only("id", "endpoint_id")]


async def save(row: Rollout) -> None:
    await row.save()


async def add_rows(row: Rollout, rows: bytes) -> None:
    await RolloutRows.create(rollout_id=row.id, rows=rows)


async def rows(row: Rollout) -> bytes | None:
    """Give the rows that a rollout replays; None: they are forgotten."""
    found = await RolloutRows.get_or_none(rollout_id=row.id)
    return None if found is None else bytes(found.rows)


async def forget_rows(row: Rollout) -> None:
    await RolloutRows.filter(rollout_id=row.id).delete()
