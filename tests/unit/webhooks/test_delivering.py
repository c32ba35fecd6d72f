"""Signatures, retries, and whose message is sent next."""

import json
import uuid
from datetime import UTC, datetime, timedelta

import pytest
from standardwebhooks import Webhook, WebhookVerificationError

from controlplane.reconciler.webhooks import AT_ONCE, OF_A_TENANT, chosen
from controlplane.webhooks import signing
from controlplane.webhooks.retrying import (
    GIVEN_UP_AFTER,
    MOST_ASKED,
    SCHEDULE,
    Outcome,
    given_up,
    next_attempt,
)
from controlplane.webhooks.states import Event, wants

NOW = datetime(2026, 11, 30, tzinfo=UTC)
REFUSED = Outcome(500, None, timedelta())


def test_the_standards_own_library_takes_what_is_signed() -> None:
    secret, other = signing.spelled(b"k" * 32), signing.spelled(b"o" * 32)
    body = json.dumps({"type": "version.ready"}).encode()
    now = int(datetime.now(UTC).timestamp())
    both = signing.headers((secret, other), "msg_1", now, body)
    for known in (secret, other):
        assert Webhook(known).verify(body, both) == {"type": "version.ready"}
    with pytest.raises(WebhookVerificationError):
        Webhook(signing.spelled(b"x" * 32)).verify(body, both)
    with pytest.raises(WebhookVerificationError):
        Webhook(secret).verify(body + b" ", both)
    with pytest.raises(WebhookVerificationError):
        Webhook(secret).verify(body, {**both, "webhook-id": "msg_2"})


def test_retries_go_on_for_three_days_and_end() -> None:
    at, waits = NOW, []
    attempts = 1
    while (following := next_attempt(attempts, REFUSED, at, 0.0)) is not None:
        waits.append(following - at)
        at, attempts = following, attempts + 1
    assert waits == list(SCHEDULE)
    assert timedelta(days=3) <= at - NOW <= timedelta(days=4)
    late = next_attempt(1, REFUSED, NOW, 1.0)
    assert late is not None
    assert late - NOW == SCHEDULE[0] * 1.2


def test_a_receiver_may_ask_for_more_time_within_bounds() -> None:
    def asked(pause: timedelta) -> timedelta:
        at = next_attempt(1, Outcome(503, None, timedelta(), "", pause), NOW, 0.0)
        assert at is not None
        return at - NOW

    assert asked(timedelta(minutes=2)) == timedelta(minutes=2)
    assert asked(timedelta(days=9)) == MOST_ASKED
    assert asked(timedelta(seconds=-5)) == SCHEDULE[0]


def test_one_that_never_takes_anything_or_is_gone_is_given_up_with_the_reason() -> None:
    assert given_up(REFUSED, NOW, NOW + GIVEN_UP_AFTER - timedelta(seconds=1)) is None
    assert "it answered 500" in str(given_up(REFUSED, NOW, NOW + GIVEN_UP_AFTER))
    silent = Outcome(None, "ConnectTimeout", timedelta())
    assert "ConnectTimeout" in str(given_up(silent, NOW, NOW + GIVEN_UP_AFTER))
    assert "410" in str(given_up(Outcome(410, None, timedelta()), NOW, NOW))


@pytest.mark.parametrize(
    ("status", "ok"), [(200, True), (204, True), (299, True), (302, False), (199, False)]
)
def test_only_a_success_is_one(status: int, ok: bool) -> None:
    assert Outcome(status, None, timedelta()).ok is ok


def test_subscriptions_are_by_name_by_kind_or_to_all() -> None:
    assert wants(["version.ready"], Event.VERSION_READY)
    assert not wants(["version.ready"], Event.VERSION_FAILED)
    assert wants(["release.*"], Event.RELEASE_ROLLED_BACK)
    assert not wants(["release.*"], Event.ROLLOUT_STEP)
    assert wants(["*"], Event.SLO_BREACHED)


def test_nobody_takes_all_places_and_failing_receivers_come_last() -> None:
    greedy = uuid.uuid4()
    due = [(n, uuid.uuid4(), greedy, True) for n in range(500)]
    modest = [(1000 + n, uuid.uuid4(), uuid.uuid4(), False) for n in range(AT_ONCE - 2)]
    found = chosen([*due, *modest], [])
    assert set(found) >= {number for number, *_ in modest}
    assert len(found) == AT_ONCE
    assert len(chosen(due, [])) == OF_A_TENANT
    hook = uuid.uuid4()
    assert len(chosen([(n, hook, greedy, True) for n in range(9)], [])) == 1
    assert len(chosen([(n, hook, greedy, False) for n in range(9)], [])) == 2
    assert chosen([(1, hook, greedy, True)], [(hook, greedy)]) == []
    assert chosen(modest, [(uuid.uuid4(), uuid.uuid4())] * AT_ONCE) == []
