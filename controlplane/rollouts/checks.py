"""One question that a step is judged by, and how it is answered. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from controlplane.rollouts.tails import binomial_tail, fisher_tail
from runtime.plan.ops import override

# Up to here a count that is too high may well be chance: more requests will tell.
SUGGESTIVE: Final = 0.05
FIRST_LOOK: Final = 20
# Of a candidate that is no worse than the running revision, so many steps are wrongly failed.
FALSE_ALARMS: Final = 0.01


class Verdict(StrEnum):
    PASSED = "passed"
    FAILED = "failed"
    UNSURE = "unsure"


@dataclass(frozen=True, slots=True)
class Check:
    """The answer so far. `name` is what was looked at, `message` a sentence with the figures."""

    name: str
    verdict: Verdict
    message: str


@dataclass(frozen=True, slots=True)
class Share:
    """So many of so many."""

    count: int
    of: int

    @property
    def value(self) -> float:
        return self.count / self.of if self.of else 0.0

    @override
    def __str__(self) -> str:
        return f"{self.value:.2%} ({self.count} of {self.of})"


def look_number(count: int) -> int:
    """Give how often one may have looked for faults among so many: at 20, 40, 80, 160, …

    Who looks at every request finds chance guilty sooner or later. Looks are so few that all of
    them together raise a false alarm no more often than is said (`level`).
    """
    return (count // FIRST_LOOK).bit_length()


def level(look: int, tests: int) -> float:
    """Give how unlikely something must be to be a fault at a look.

    The levels of all looks, 1/(1·2) + 1/(2·3) + …, and of all tests sum to FALSE_ALARMS.
    """
    return FALSE_ALARMS / (look * (look + 1) * tests) if look else 0.0


def compared(name: str, what: str, candidate: Share, running: Share, alpha: float) -> Check:
    """Ask whether the candidate has more of something than the running revision; Fisher's test.

    alpha  of a look for faults; 0: none is due
    """
    if not running.of:
        text = f"{what}: {candidate} of the candidate's answers, and none beside to compare with"
        return Check(name, Verdict.PASSED, text)
    p = fisher_tail(candidate.count, candidate.of, running.count, running.of)
    text = f"{what}: {candidate} of the candidate's answers, {running} of the running revision's"
    return judged(name, text, p, alpha)


def bounded(name: str, what: str, found: Share, most: float, alpha: float) -> Check:
    """Ask whether a share is above its bound; exact binomial test."""
    p = binomial_tail(found.count, found.of, most)
    return judged(name, f"{what}: {found}, {most:.2%} allowed", p, alpha)


def judged(name: str, text: str, p: float, alpha: float, *, more: str = "requests") -> Check:
    """Say what a p-value means at a look; `more` of what will tell where it is not decided."""
    if p < alpha:
        return Check(name, Verdict.FAILED, f"{text} (p = {p:.1g})")
    if p > SUGGESTIVE:
        return Check(name, Verdict.PASSED, text)
    return Check(name, Verdict.UNSURE, f"{text} (p = {p:.1g}: more {more} will tell)")


def failed(checks: Sequence[Check]) -> Check | None:
    """Give the first one that failed."""
    return next((one for one in checks if one.verdict is Verdict.FAILED), None)


def unsure(checks: Sequence[Check]) -> Check | None:
    """Give the first one that is not decided."""
    return next((one for one in checks if one.verdict is Verdict.UNSURE), None)
