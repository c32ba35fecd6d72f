"""Does an endpoint keep what it promises? Two windows of what it answered lately. Pure.

The long one says that a promise is broken, and that this is no chance; the short one that it is so
now, so that what is over ends soon, and what goes up and down does not come and go with it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from controlplane.engines.engine import Answers, Measured
from controlplane.rollouts.checks import Share
from controlplane.rollouts.judging import above
from controlplane.rollouts.tails import binomial_tail
from loadtests.slo import QUANTILES, Objectives

SLOT_S: Final = 30
LONG_S: Final = 1800
SHORT_S: Final = 300
# Below so many answers nothing is said: one slow answer of three is no news.
LEAST: Final = 20
# So seldom chance alone looks like a broken promise at one look.
ALPHA: Final = 0.001
Counts = tuple[int, ...]  # of all answers, then for each objective of those that broke it


@dataclass(frozen=True, slots=True)
class Kept:
    """How one objective stands: shares of answers that broke it, of which `budget` may."""

    name: str
    budget: float
    long: Share
    short: Share

    @property
    def is_broken(self) -> bool:
        """Tell whether it surely is, and still."""
        if self.long.of < LEAST or self.short.value <= self.budget:
            return False
        return binomial_tail(self.long.count, self.long.of, self.budget) < ALPHA

    @property
    def is_kept(self) -> bool:
        """Tell whether it is kept again: lately, or because what broke it is long ago."""
        lately = self.short.of >= LEAST and self.short.value <= self.budget
        return lately or self.long.value <= self.budget

    @property
    def message(self) -> str:
        """Say it in a sentence."""
        return (
            f"{self.name}: {self.long} of the last {LONG_S // 60} minutes' answers broke it, "
            f"{self.short} of the last {SHORT_S // 60}'s; {self.budget:.2%} may"
        )


def budgets(slo: Objectives) -> dict[str, float]:
    """Give the share of answers that may break each objective."""
    found = {name: 1.0 - QUANTILES[name] for name in slo.latencies}
    return found | ({} if slo.error_rate is None else {"error_rate": slo.error_rate})


def counted(told: Sequence[Measured], slo: Objectives) -> dict[str, Counts]:
    """Count what each source has told so far."""
    return {
        one.source: _sum([_counts(a, slo) for a in one.revisions.values()], 1 + len(budgets(slo)))
        for one in told
    }


def _counts(answers: Answers, slo: Objectives) -> Counts:
    slow = [above(answers, seconds).count for seconds in slo.latencies.values()]
    return (answers.count, *slow, *([] if slo.error_rate is None else [answers.errors]))


@dataclass(slots=True)
class Burn:
    """What was read of an endpoint.

    slo    it is counted for; another one begins anew
    last   what each source told last; None: nothing was read yet
    slots  number of each half minute with its counts, oldest first
    """

    slo: dict[str, Any]
    last: dict[str, Counts] | None = None
    slots: list[tuple[int, Counts]] = field(default_factory=list)

    def read(self, now: Mapping[str, Counts], at_s: float) -> None:
        """Add what is new; what a source told before its first reading is of a time before."""
        known, slot = self.last, int(at_s // SLOT_S)
        self.last = dict(now)
        oldest = slot - LONG_S // SLOT_S
        self.slots = [one for one in self.slots if one[0] > oldest]
        if known is None:
            return
        for source, counts in now.items():
            before = known.get(source, (0,) * len(counts))
            new = tuple(max(0, b - a) for a, b in zip(before, counts, strict=True))
            if new[0]:
                self._add(slot, new)

    def _add(self, slot: int, new: Counts) -> None:
        if self.slots and self.slots[-1][0] == slot:
            new = tuple(map(int.__add__, self.slots.pop()[1], new))
        self.slots.append((slot, new))

    def standing(self, slo: Objectives, at_s: float) -> tuple[Kept, ...]:
        """Say how each objective stands."""
        slot = int(at_s // SLOT_S)
        width = 1 + len(budgets(slo))
        long, short = (
            _sum([one for at, one in self.slots if at > slot - span // SLOT_S], width)
            for span in (LONG_S, SHORT_S)
        )
        return tuple(
            Kept(name, budget, Share(long[n], long[0]), Share(short[n], short[0]))
            for n, (name, budget) in enumerate(budgets(slo).items(), 1)
        )

    def to_json(self) -> dict[str, Any]:
        """Give what `burn_from` reads, in JSON's own types: equal to what was kept, if it is."""
        last = self.last
        return {
            "slo": self.slo,
            "last": None if last is None else {name: [*one] for name, one in last.items()},
            "slots": [[slot, [*counts]] for slot, counts in self.slots],
        }


def _sum(counts: Sequence[Counts], width: int) -> Counts:
    return tuple(map(sum, zip(*counts, strict=True))) if counts else (0,) * width


def burn_from(document: Mapping[str, Any] | None, slo: Objectives) -> Burn:
    """Read what was kept, if it was counted for the same promises."""
    asked = slo.to_json()
    if document is None or document.get("slo") != asked:
        return Burn(asked)
    last = document["last"]
    return Burn(
        asked,
        None if last is None else {source: tuple(counts) for source, counts in last.items()},
        [(slot, tuple(counts)) for slot, counts in document["slots"]],
    )


def is_breached(before: bool, standing: Sequence[Kept]) -> bool:
    """Say whether the SLO counts as breached from now on."""
    if before:
        return not all(one.is_kept for one in standing)
    return any(one.is_broken for one in standing)
