"""What was measured of a rollout's two revisions: readings of growing counters, added up. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from controlplane.engines.engine import Answers, Measured
from runtime.latencies import BUCKETS

NONE = Answers(0, 0, (0,) * BUCKETS)
Document = dict[str, Any]


@dataclass(slots=True)
class Tally:
    """Sums by revision.

    last    what each source told last; None: nothing was read yet, so it told of a time before
    step    since the step began
    whole   since the candidate has had traffic
    looked  how often the step was looked at for faults
    compared  how often the predictions were, in all steps
    """

    last: dict[str, dict[str, Answers]] | None = None
    step: dict[str, Answers] = field(default_factory=dict)
    whole: dict[str, Answers] = field(default_factory=dict)
    looked: int = 0
    compared: int = 0

    def read(self, measured: Sequence[Measured], revisions: Sequence[str]) -> None:
        """Add what is new since the last reading, of these revisions.

        Counters that are below the last ones come from a reading that was overtaken by another.
        """
        known = self.last
        self.last = {
            one.source: {name: one.revisions.get(name, NONE) for name in revisions}
            for one in measured
        }
        if known is None:
            return
        for source, now in self.last.items():
            before = known.get(source, {})
            for name, answers in now.items():
                new = _more(before.get(name, NONE), answers)
                self.step[name] = _sum(self.step.get(name, NONE), new)
                self.whole[name] = _sum(self.whole.get(name, NONE), new)
                now[name] = _highest(before.get(name, NONE), answers)

    def next_step(self, *, first: bool) -> None:
        """Begin a step: count anew, go on reading where we are.

        first  with traffic: what was answered before says nothing of how callers are served
        """
        self.step, self.looked = {}, 0
        if first:
            self.whole = {}

    def of_step(self, revision: str) -> Answers:
        """Give what a revision answered since the step began."""
        return self.step.get(revision, NONE)

    def of_all(self, revision: str) -> Answers:
        """Give what a revision answered since the candidate has had traffic."""
        return self.whole.get(revision, NONE)

    def to_json(self) -> Document:
        """Give what `tally_from` reads."""
        last = self.last
        return {
            "last": None if last is None else {key: _write(one) for key, one in last.items()},
            "step": _write(self.step),
            "whole": _write(self.whole),
            "looked": self.looked,
            "compared": self.compared,
        }


def tally_from(document: Mapping[str, Any]) -> Tally:
    """Read a tally."""
    last = document["last"]
    return Tally(
        None if last is None else {key: _read(one) for key, one in last.items()},
        _read(document["step"]),
        _read(document["whole"]),
        document["looked"],
        document["compared"],
    )


def _write(revisions: Mapping[str, Answers]) -> Document:
    return {name: [one.errors, one.refusals, [*one.latency]] for name, one in revisions.items()}


def _read(document: Mapping[str, Any]) -> dict[str, Answers]:
    return {name: Answers(one[0], one[1], tuple(one[2])) for name, one in document.items()}


def _sum(one: Answers, more: Answers) -> Answers:
    latency = tuple(map(int.__add__, one.latency, more.latency))
    return Answers(one.errors + more.errors, one.refusals + more.refusals, latency)


def _more(before: Answers, now: Answers) -> Answers:
    latency = tuple(max(0, new - old) for new, old in zip(now.latency, before.latency, strict=True))
    return Answers(
        max(0, now.errors - before.errors), max(0, now.refusals - before.refusals), latency
    )


def _highest(before: Answers, now: Answers) -> Answers:
    return Answers(
        max(before.errors, now.errors),
        max(before.refusals, now.refusals),
        tuple(map(max, before.latency, now.latency)),
    )
