"""What to do with a rollout now: wait, go on, go back, or be done. Pure, the clock is passed in."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from controlplane.rollouts.checks import Check, failed, unsure
from controlplane.rollouts.rules import Rules


class Do(StrEnum):
    WAIT = "wait"
    GO_ON = "go on"
    FINISH = "finish"
    GO_BACK = "go back"


@dataclass(frozen=True, slots=True)
class Standing:
    """A step as it stands.

    number, of  of the step, from 1
    percent     its share of the traffic
    step_at     when its traffic was wanted
    taken_at    when it was served first; None: not yet
    broken      why the engine cannot serve it; None: it can, or is about to
    answers     of the candidate in this step
    rows        compared with the running revision's in all steps so far
    told_s      ago everything that we ourselves asked for was answered; None: we asked for nothing
    """

    number: int
    of: int
    percent: int
    step_at: datetime
    taken_at: datetime | None
    broken: str | None
    answers: int
    rows: int
    checks: tuple[Check, ...]
    told_s: float | None = None


@dataclass(frozen=True, slots=True)
class Decision:
    """What to do, and why: a sentence."""

    do: Do
    reason: str


def decide(at: Standing, rules: Rules, now: datetime, lag_s: float = 0.0) -> Decision:
    """Say what is to be done. What cannot be told for too long is as bad as a fault.

    lag_s  by which answers are counted later than they are given
    """
    if at.broken is not None:
        return Decision(Do.GO_BACK, f"{_step(at)}: the candidate cannot be served: {at.broken}")
    fault = failed(at.checks)
    if fault is not None:
        return Decision(Do.GO_BACK, f"{_step(at)}: {fault.message}")
    waits = waits_for(at, rules, now, lag_s)
    if waits is None:
        last = at.number == at.of
        return Decision(Do.FINISH if last else Do.GO_ON, f"{_step(at)} passed")
    if (now - at.step_at).total_seconds() >= rules.give_up_s:
        text = f"{_step(at)}: nothing was proved within {rules.give_up_s:g} s: it {waits}"
        return Decision(Do.GO_BACK, text)
    return Decision(Do.WAIT, f"{_step(at)}: it {waits}")


def waits_for(at: Standing, rules: Rules, now: datetime, lag_s: float = 0.0) -> str | None:
    """Say what a step without a fault waits for; None: for nothing, it has passed."""
    if at.taken_at is None:
        return "waits for the engine to serve it"
    if at.percent and at.answers < rules.needed:
        return f"has {at.answers} of the {rules.needed} requests that it takes to tell"
    if rules.shadow is not None and at.rows < rules.shadow.needed:
        return f"has compared {at.rows} of the {rules.shadow.needed} rows that it takes to tell"
    lasted_s = (now - at.taken_at).total_seconds()
    if lasted_s < rules.step_s:
        return f"has lasted {lasted_s:.0f} of at least {rules.step_s:g} s"
    open_question = unsure(at.checks)
    if open_question is not None:
        return f"is not sure yet: {open_question.message}"
    if at.told_s is not None and at.told_s < lag_s:
        # Answers to us, counted in the next step, would be taken for answers to callers.
        return "waits until all answers so far are counted"
    return None


def _step(at: Standing) -> str:
    return f"step {at.number} of {at.of} ({at.percent} %)"


def verdicts(checks: Sequence[Check]) -> list[dict[str, str]]:
    """Give checks as documents."""
    return [{"name": c.name, "verdict": str(c.verdict), "message": c.message} for c in checks]
