"""When signing keys change: the schedule as a table, and what never happens."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from controlplane.oauth.rotation import KeyRow, KeyState, Move, Schedule, moves

START = datetime(2026, 11, 29, tzinfo=UTC)
PLAN = Schedule()


def row(kid: str, state: KeyState, ago: timedelta) -> KeyRow:
    return KeyRow(kid, state, START - ago)


def test_nothing_is_due_while_the_key_is_young() -> None:
    young = row("a", KeyState.ACTIVE, PLAN.every - timedelta(seconds=1))
    waiting = row("b", KeyState.NEXT, PLAN.every)
    assert moves([young, waiting], PLAN, START, {"a", "b"}) == []


def test_there_is_always_a_next_key() -> None:
    young = [row("a", KeyState.ACTIVE, timedelta(0))]
    assert moves(young, PLAN, START, {"a"}) == [(Move.MAKE_NEXT, "")]


def test_the_next_key_signs_once_everybody_has_it() -> None:
    active = row("a", KeyState.ACTIVE, PLAN.every)
    for ago, published, due in (
        (PLAN.lead - timedelta(seconds=1), {"a", "b"}, []),
        (PLAN.lead, {"a"}, []),
        (PLAN.lead, {"a", "b"}, [(Move.ACTIVATE, "b")]),
    ):
        assert moves([active, row("b", KeyState.NEXT, ago)], PLAN, START, published) == due
    assert PLAN.lead >= timedelta(seconds=600)


def test_an_old_key_is_published_until_its_last_token_has_expired() -> None:
    active = row("b", KeyState.ACTIVE, timedelta(hours=1))
    last = PLAN.longest_token + timedelta(seconds=30 + 300)
    waiting = row("c", KeyState.NEXT, timedelta(0))
    early = row("a", KeyState.RETIRING, last - timedelta(seconds=1))
    assert moves([early, active, waiting], PLAN, START, {"a", "b"}) == []
    late = row("a", KeyState.RETIRING, last)
    assert moves([late, active, waiting], PLAN, START, {"a", "b"}) == [(Move.DELETE, "a")]


@given(st.lists(st.integers(1, 40 * 24 * 3600), max_size=60), st.data())
def test_there_is_always_one_active_key_that_was_published_long_enough(
    waits: list[int], data: st.DataObject
) -> None:
    now, made = START, 1
    keys = {"k0": KeyRow("k0", KeyState.ACTIVE, now)}
    published: dict[str, datetime] = {"k0": now}
    for wait in waits:
        now += timedelta(seconds=wait)
        if data.draw(st.booleans()):
            published |= {kid: now for kid in keys if kid not in published}
        for move, kid in moves(keys.values(), PLAN, now, published):
            if move is Move.MAKE_NEXT:
                keys[f"k{made}"] = KeyRow(f"k{made}", KeyState.NEXT, now)
                made += 1
            elif move is Move.DELETE:
                assert keys[kid].state is KeyState.RETIRING
                assert now - keys[kid].changed_at >= PLAN.retires
                del keys[kid]
            else:
                assert kid in published
                assert now - keys[kid].changed_at >= PLAN.lead
                for other in [k for k in keys.values() if k.state is KeyState.ACTIVE]:
                    keys[other.kid] = KeyRow(other.kid, KeyState.RETIRING, now)
                keys[kid] = KeyRow(kid, KeyState.ACTIVE, now)
        assert [k.state for k in keys.values()].count(KeyState.ACTIVE) == 1
        assert [k.state for k in keys.values()].count(KeyState.NEXT) <= 1
