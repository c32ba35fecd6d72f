"""Whose build is next."""

import uuid
from datetime import UTC, datetime, timedelta

from controlplane.models.turns import Standing, Waiting, next_builds

NOON = datetime(2026, 11, 29, 12, tzinfo=UTC)
MANY, ONE, OTHER = (uuid.UUID(int=number) for number in (1, 2, 3))


def queue(tenant: uuid.UUID, count: int, since: datetime = NOON) -> list[Waiting]:
    return [
        Waiting(uuid.uuid4(), tenant, place, since + timedelta(seconds=place))
        for place in range(1, count + 1)
    ]


def idle(limit: int = 4, began_at: datetime | None = None) -> Standing:
    return Standing(0, began_at, limit)


def test_with_one_place_a_tenant_of_twenty_does_not_delay_anothers_one() -> None:
    many, one = queue(MANY, 20), queue(ONE, 1, NOON + timedelta(hours=1))
    just_had_one = {MANY: idle(began_at=NOON), ONE: idle()}
    assert next_builds([*many, *one], just_had_one, 1) == [one[0].version]


def test_places_are_shared_before_one_tenant_gets_a_second() -> None:
    many, one = queue(MANY, 20), queue(ONE, 1, NOON + timedelta(hours=1))
    standing = {MANY: idle(), ONE: idle()}
    assert next_builds([*many, *one], standing, 3) == [
        many[0].version,
        one[0].version,
        many[1].version,
    ]


def test_tenants_with_one_place_take_turns() -> None:
    queues = {tenant: queue(tenant, 5) for tenant in (MANY, ONE, OTHER)}
    standing, served, now = {tenant: idle() for tenant in queues}, [], NOON
    while any(queues.values()):
        waiting = [
            Waiting(one.version, tenant, place, one.since)
            for tenant, left in queues.items()
            for place, one in enumerate(left, 1)
        ]
        (version,) = next_builds(waiting, standing, 1)
        tenant = next(t for t, left in queues.items() if left and left[0].version == version)
        queues[tenant].pop(0)
        now += timedelta(seconds=1)
        standing[tenant] = idle(began_at=now)
        served.append(tenant)
    for at in range(0, 15, 3):
        assert set(served[at : at + 3]) == {MANY, ONE, OTHER}


def test_nobody_gets_more_than_the_limit_though_places_are_free() -> None:
    waiting = queue(MANY, 20)
    standing = {MANY: Standing(1, NOON, 3)}
    assert next_builds(waiting, standing, 10) == [one.version for one in waiting[:2]]
    assert next_builds(waiting, {MANY: Standing(3, NOON, 3)}, 10) == []
