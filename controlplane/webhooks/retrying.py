"""When a delivery is tried again, and when a webhook is given up. Pure."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

# As https://www.standardwebhooks.com recommends, with the first one at once: three days in all, so
# that a receiver that breaks on a Friday evening still gets what it missed on Monday.
SCHEDULE: Final = (
    timedelta(seconds=5),
    timedelta(minutes=5),
    timedelta(minutes=30),
    timedelta(hours=2),
    timedelta(hours=5),
    timedelta(hours=10),
    timedelta(hours=14),
    timedelta(hours=20),
    timedelta(hours=24),
)
JITTER: Final = 0.2  # of a pause, longer: those that failed together do not come back together
MOST_ASKED: Final = timedelta(hours=1)  # of what a receiver asks for by Retry-After
GIVEN_UP_AFTER: Final = timedelta(days=5)  # without one delivery that went well
GONE: Final = 410


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of an attempt.

    status    the receiver's; None: there was no answer, `error` says why
    response  the first of its body
    retry_after  what it asked for
    """

    status: int | None
    error: str | None
    took: timedelta
    response: str = ""
    retry_after: timedelta | None = None

    @property
    def ok(self) -> bool:
        """Tell whether the receiver has taken it: any 2xx, and nothing else."""
        return self.status is not None and 200 <= self.status < 300


def next_attempt(attempts: int, outcome: Outcome, now: datetime, drawn: float) -> datetime | None:
    """Say when to try again after so many attempts, all in vain; None: not any more.

    drawn  from 0 to 1, by chance
    """
    if attempts > len(SCHEDULE):
        return None
    pause = SCHEDULE[attempts - 1]
    if outcome.retry_after is not None:
        pause = max(pause, min(outcome.retry_after, MOST_ASKED))
    return now + pause * (1 + JITTER * drawn)


def given_up(outcome: Outcome, failing_since: datetime, now: datetime) -> str | None:
    """Say why nothing more is sent to a webhook, if so."""
    if outcome.status == GONE:
        return "Its receiver answered 410 (Gone)."
    if now - failing_since >= GIVEN_UP_AFTER:
        days = GIVEN_UP_AFTER.days
        said = f"it answered {outcome.status}" if outcome.status else outcome.error
        return f"No delivery went well for {days} days; the last time: {said}."
    return None
