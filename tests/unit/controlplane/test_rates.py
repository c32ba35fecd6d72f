"""Token buckets in virtual time."""

import pytest

from controlplane import rates
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
