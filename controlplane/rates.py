"""How often each tenant may ask the API: a token bucket in each replica.

With n replicas a tenant gets between one and n times its rate, as its requests are spread; a limit
that was changed holds within `LIMIT_FOR_S`. Predictions do not come by here.
"""

import math
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final

from runtime.problems import RateLimited

LIMIT_FOR_S: Final = 5.0
MANY: Final = 1000  # buckets, before those that are full are forgotten


@dataclass(slots=True)
class Bucket:
    """Requests in hand of one tenant; `full` at most, `rate` more each second."""

    rate: float
    full: float
    tokens: float
    at: float
    known_until: float

    def refill(self, now: float) -> None:
        """Add what time gave."""
        self.tokens = min(self.full, self.tokens + (now - self.at) * self.rate)
        self.at = now

    def wait_s(self) -> int:
        """Say in how many seconds there is one more."""
        return 0 if self.tokens >= 1 else math.ceil((1 - self.tokens) / self.rate)

    def spend(self) -> None:
        """Count a request that was let through."""
        self.tokens -= 1

    def take(self) -> None:
        """Count a request; raises RateLimited with when to come again."""
        if not (wait_s := self.wait_s()):
            self.spend()
            return
        limit = f"{self.rate:.0f} requests each second, {self.full:.0f} at once"
        raise RateLimited(
            f"The tenant asks the API more often than it may: {limit}. Wait as Retry-After says, "
            "ask less often, or ask the operator of this installation to raise the quota.",
            retry_after_s=wait_s,
            quota="requests_per_s",
            limit=round(self.rate),
            used=round(self.rate),
        )

    def headers(self) -> dict[str, str]:
        """Say where the tenant stands (draft-ietf-httpapi-ratelimit-headers-06)."""
        return {
            "ratelimit-limit": f"{self.full:.0f}",
            "ratelimit-remaining": f"{max(0, math.floor(self.tokens))}",
            "ratelimit-reset": f"{math.ceil((self.full - self.tokens) / self.rate)}",
            "ratelimit-policy": f"{self.full:.0f};w={self.full / self.rate:.0f}",
        }


class Rates:
    """All buckets of this process.

    rate     of a tenant by name, requests each second
    burst_s  of its rate a tenant has at once
    """

    def __init__(
        self,
        rate: Callable[[str], Awaitable[int]],
        burst_s: float,
        clock: Callable[[], float],
    ) -> None:
        self._rate, self._burst_s, self._clock = rate, burst_s, clock
        self._buckets: dict[str, Bucket] = {}

    def wait_s(self, tenant: str) -> int:
        """Say how long to wait; whoever never asked is not noted."""
        bucket = self._buckets.get(tenant)
        if bucket is None:
            return 0
        bucket.refill(self._clock())
        return bucket.wait_s()

    def knows(self, tenant: str) -> bool:
        """Tell whether somebody asked lately."""
        return tenant in self._buckets

    async def bucket(self, tenant: str) -> Bucket:
        """Give a tenant's bucket as it is now."""
        bucket = await self._known(tenant)
        bucket.refill(self._clock())
        return bucket

    async def _known(self, tenant: str) -> Bucket:
        bucket, now = self._buckets.get(tenant), self._clock()
        if bucket is not None and now < bucket.known_until:
            return bucket
        rate = await self._rate(tenant)
        bucket, full = self._buckets.get(tenant), rate * self._burst_s
        if bucket is None:
            self._forget_full(now)
            bucket = self._buckets[tenant] = Bucket(rate, full, full, now, now)
        bucket.refill(now)
        bucket.rate, bucket.full = rate, full
        bucket.known_until = now + LIMIT_FOR_S
        return bucket

    def _forget_full(self, now: float) -> None:
        if len(self._buckets) < MANY:
            return
        for tenant, bucket in tuple(self._buckets.items()):
            bucket.refill(now)
            if bucket.tokens >= bucket.full:
                del self._buckets[tenant]
