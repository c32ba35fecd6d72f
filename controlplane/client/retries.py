"""When a request is sent again, and how long to wait before.

Everything the SDK sends may be sent twice: predictions are pure, uploads are named by their
content, other POSTs carry an Idempotency-Key, and PUT and DELETE are idempotent by nature.
"""

import random
import threading
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Final

from controlplane.client.errors import TimedOut, Unreachable
from controlplane.client.steps import Answer, Broken, Flow, Pause, Send, retry_after

AGAIN: Final = frozenset({429, 502, 503, 504})


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """tries        sends of one request, the first included
    budget       retries allowed, as a share of requests; a failing server is not hit three times
    longest_s    a server that asks for a longer wait is not waited for
    """

    tries: int = 3
    first_s: float = 0.05
    most_s: float = 2.0
    longest_s: float = 10.0
    budget: float = 0.1
    reserve: float = 10.0


@dataclass(slots=True)
class Budget:
    """Retries in hand: every request earns a tenth of one, every retry costs one."""

    policy: RetryPolicy
    _left: float = field(init=False)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def __post_init__(self) -> None:
        self._left = self.policy.reserve

    def earn(self) -> None:
        """Count a request."""
        with self._lock:
            self._left = min(self.policy.reserve, self._left + self.policy.budget)

    def spend(self) -> bool:
        """Take a retry if there is one."""
        with self._lock:
            if self._left < 1:
                return False
            self._left -= 1
            return True


def delay(policy: RetryPolicy, attempt: int, draw: Callable[[], float] = random.random) -> float:
    """Seconds before try number `attempt` + 1: exponential, capped, between half and all of it."""
    most = min(policy.most_s, policy.first_s * 2 ** (attempt - 1))
    return float(most * (0.5 + draw() / 2))


def send(request: Send, policy: RetryPolicy, budget: Budget) -> Flow[Answer]:
    """Send until it is answered or there is no more reason to try; raises Unreachable, TimedOut."""
    budget.earn()
    for attempt in range(1, policy.tries + 1):
        wait = delay(policy, attempt)
        try:
            answer: Answer = yield request
        except Broken as broken:
            if broken.timed_out:
                raise TimedOut(
                    f"{request.url} did not answer within {request.timeout_s:g} s"
                ) from broken
            if attempt == policy.tries or not budget.spend():
                raise Unreachable(request.url, broken.because) from broken
            request = replace(request, fresh=True)
        else:
            if attempt > 1 and request.method == "DELETE" and answer.status == 404:
                # The try before this one reached the server; only its answer was lost.
                return Answer(204, answer.headers, b"")
            if answer.status not in AGAIN or attempt == policy.tries:
                return answer
            asked = retry_after(answer)
            if (asked is not None and asked > policy.longest_s) or not budget.spend():
                return answer
            wait = max(wait, asked or 0.0)
        yield Pause(wait)
    raise AssertionError("the last try returns or raises")
