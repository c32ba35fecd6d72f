"""How long to wait before a worker that keeps dying is started again."""

from dataclasses import dataclass

FIRST_S = 0.5
MOST_S = 30.0
LASTED_S = 10.0
DOUBLINGS = 6  # reach MOST_S; an exponent that goes on growing is an overflow one day


@dataclass(slots=True)
class Backoff:
    """The first death is answered at once, then 0.5 s, 1 s, 2 s … up to 30 s."""

    failures: int = 0
    not_before: float = 0.0

    def failed(self, now: float, lived_s: float) -> None:
        """Count a death; after a life of ten seconds it is the first one again."""
        self.failures = 1 if lived_s >= LASTED_S else self.failures + 1
        doubled = FIRST_S * 2 ** min(self.failures - 2, DOUBLINGS)
        delay = 0.0 if self.failures == 1 else min(MOST_S, doubled)
        self.not_before = now + delay

    def left(self, now: float) -> float:
        """Give the seconds still to wait."""
        return max(0.0, self.not_before - now)

    def forget(self) -> None:
        """Begin anew: something else is started."""
        self.failures, self.not_before = 0, 0.0
