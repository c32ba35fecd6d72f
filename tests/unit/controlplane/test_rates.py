"""Token buckets in virtual time."""

import pytest

from controlplane import rates
from controlplane.oauth.server import Answer, TooOftenError
from controlplane.oauth.throttle import Throttle
from controlplane.rates import Rates
from runtime.problems import RateLimited


class Rig:
    def __init__(self, rate: int = 2, burst_s: float = 5.0) -> None:
        self.rate, self.now, self.asked = rate, 100.0, 0
        self.rates = Rates(self._of, burst_s, lambda: self.now)

    async def _of(self, tenant: str) -> int:
        self.asked += 1
        return self.rate

    async def take(self, count: int = 1, tenant: str = "acme") -> int:
        """Give how many of so many requests are let through."""
        taken = 0
        for _ in range(count):
            bucket = await self.rates.bucket(tenant)
            try:
                bucket.take()
            except RateLimited:
                continue
            taken += 1
        return taken


async def test_after_silence_a_burst_and_then_the_rate() -> None:
    rig = Rig()
    assert await rig.take(20) == 10
    rig.now += 1.0
    assert await rig.take(20) == 2
    rig.now += 3600.0
    assert await rig.take(20) == 10


async def test_tenants_do_not_share() -> None:
    rig = Rig()
    assert await rig.take(20) == 10
    assert await rig.take(20, "rival") == 10


async def test_a_refusal_says_what_and_when() -> None:
    rig = Rig()
    await rig.take(10)
    bucket = await rig.rates.bucket("acme")
    with pytest.raises(RateLimited, match="2 requests each second, 10 at once") as refused:
        bucket.take()
    assert refused.value.headers() == {"retry-after": "1"}
    assert refused.value.members == {"quota": "requests_per_s", "limit": 2, "used": 2}
    assert bucket.headers() == {
        "ratelimit-limit": "10",
        "ratelimit-remaining": "0",
        "ratelimit-reset": "5",
        "ratelimit-policy": "10;w=5",
    }


async def test_a_changed_limit_holds_within_seconds_and_is_not_asked_for_each_time() -> None:
    rig = Rig()
    await rig.take(20)
    assert rig.asked == 1
    rig.rate, rig.now = 100, rig.now + rates.LIMIT_FOR_S
    await rig.take(20)
    rig.now += 1.0
    assert await rig.take(200) == 100
    assert rig.asked == 2


async def test_full_buckets_are_forgotten_when_there_are_many(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(rates, "MANY", 10)
    rig = Rig()
    await rig.take(20, "busy")
    for number in range(30):
        await rig.take(1, f"t-{number}")
        rig.now += 0.5
    assert len(rig.rates._buckets) <= 11


async def test_an_address_pays_for_refusals_and_a_client_for_what_it_gets() -> None:
    now = [0.0]
    throttle = Throttle(2, 3, lambda: now[0])
    given: Answer = (200, {}, {})
    refused: Answer = (401, {"error": "invalid_client"}, {})
    waiting: Answer = (400, {"error": "authorization_pending"}, {})
    for _ in range(100):
        await throttle.count("a", "c", waiting, costly=False)
    for _ in range(20):
        throttle.check("a", "c")
        await throttle.count("a", "c", refused, costly=False)
    with pytest.raises(TooOftenError) as error:
        throttle.check("a", "c")
    assert dict(error.value.get_headers())["Retry-After"] == "1"
    throttle.check("b", "c")
    for _ in range(30):
        throttle.check("b", "c")
        await throttle.count("b", "c", given, costly=False)
    with pytest.raises(TooOftenError):
        throttle.check("b", "c")
    throttle.check("b", "d")
    now[0] += 1
    throttle.check("a", "c")


async def test_a_program_is_not_held_back_for_what_others_send_from_its_address() -> None:
    throttle = Throttle(1, 9, lambda: 0.0)
    for client in ("ks-1", "kubeserve-cli"):
        await throttle.count("ingress", client, (200, {}, {}), costly=False)
    for _ in range(10):
        await throttle.count("ingress", "anything", (401, {}, {}), costly=False)
    throttle.check("ingress", "ks-1", costly=False)
    for client, costly in (("ks-1", True), ("ks-2", False), ("kubeserve-cli", False), ("", False)):
        with pytest.raises(TooOftenError):
            throttle.check("ingress", client, costly=costly)


async def test_what_begins_or_ends_something_is_paid_by_the_address_whatever_name_it_says() -> None:
    throttle = Throttle(1, 1, lambda: 0.0)
    for n in range(10):
        await throttle.count(f"2001:db8::{n}", "kubeserve-cli", (200, {}, {}), costly=True)
    throttle.check("192.0.2.1", "kubeserve-cli")
    with pytest.raises(TooOftenError):
        throttle.check("2001:db8::ffff", "another")
