"""What is proved before a candidate has traffic: a load test, and rows that were replayed. Pure."""

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields
from typing import Any

from controlplane.engines.engine import Compared, summed
from controlplane.loadtests.outcomes import Outcome
from controlplane.loadtests.states import ENDED, LoadTestState
from controlplane.rollouts.checks import Check, Share, Verdict
from controlplane.rollouts.diffs import compared_from, difference
from controlplane.rollouts.rules import Replay

OF_OUTCOMES = {"passed": Verdict.PASSED, "failed": Verdict.FAILED}


def of_loadtest(found: Outcome | None, hindrance: str | None) -> tuple[Check, ...]:
    """Say what a load test proves. What it cannot tell is no proof, and ends the rollout too.

    found      None: it has not been asked for yet
    hindrance  why not
    """
    if found is None or found.was_cut_off:
        return (_waits(hindrance or "it is about to be asked for"),)
    if found.state not in ENDED:
        return (_waits(f"number {found.number} is {found.state}"),)
    if found.state is not LoadTestState.FINISHED or not found.verdicts:
        said = found.reason or f"it is {found.state} and judged nothing"
        return (_load(Verdict.FAILED, "load test", said, found),)
    return tuple(_objective(one, found) for one in found.verdicts)


def _waits(text: str) -> Check:
    return Check("load test", Verdict.UNSURE, f"load test: {text}")


def _load(verdict: Verdict, name: str, said: str, found: Outcome) -> Check:
    where = f"`kubeserve loadtests report {found.id}`"
    return Check(name, verdict, f"load test {found.number}: {said} ({where})")


def _objective(one: Mapping[str, Any], found: Outcome) -> Check:
    verdict = OF_OUTCOMES.get(one["outcome"], Verdict.FAILED)
    word = "" if one["outcome"] in OF_OUTCOMES else f" {one['outcome']}:"
    said = (
        f"{one['objective']}{word} {_figure(one['measured'], one['unit'])} of {one['samples']} "
        f"answers, {_figure(one['limit'], one['unit'])} asked; {one['because']}"
    )
    return _load(verdict, f"load test {one['objective']}", said, found)


def _figure(value: float | None, unit: str) -> str:
    if value is None:
        return "unknown"
    match unit:
        case "s":
            return f"{value:.3g} s" if value >= 1 else f"{value * 1000:.3g} ms"
        case "share":
            return f"{value:.3%}"
        case _:
            return f"{value:.6g}/s"


@dataclass(frozen=True, slots=True)
class Replayed:
    """How far the rows of a replay have been asked for.

    at          rows so far, from the first
    unanswered  by the running revision, which tells nothing of the candidate
    ended_at    when the last one was; None: it goes on
    """

    at: int = 0
    unanswered: int = 0
    ended_at: str | None = None
    compared: Compared = field(default_factory=lambda: Compared("replay"))

    def and_then(self, more: "Replayed") -> "Replayed":
        """Add what was found out of the rows behind it."""
        return Replayed(
            self.at + more.at,
            self.unanswered + more.unanswered,
            more.ended_at,
            summed(self.compared, more.compared),
        )

    def to_json(self) -> dict[str, Any]:
        """Give what `replayed_from` reads."""
        return {
            **asdict(self),
            "compared": {**asdict(self.compared), "worst": [*self.compared.worst]},
        }


@dataclass(frozen=True, slots=True)
class Questions:
    """Rows that both revisions are to be asked for.

    by                  subject and client of whoever wants to know
    running, candidate  their signatures, as documents
    url, tag_url        where the running revision and the candidate answer; `tag` chooses it
    rows                as V1 has them
    """

    by: tuple[str, str]
    tenant: str
    endpoint_id: uuid.UUID
    endpoint: str
    running: Mapping[str, Any]
    candidate: Mapping[str, Any]
    url: str
    tag_url: str
    tag: str
    rows: Sequence[Any]


def replayed_from(document: Mapping[str, Any] | None) -> Replayed:
    """Read how far a replay is; nothing: it has not begun."""
    if not document:
        return Replayed()
    known = {one.name: document[one.name] for one in fields(Replayed)}
    return Replayed(**{**known, "compared": compared_from(document["compared"])})


def of_replay(found: Replayed, asked: Replay, hindrance: str | None) -> tuple[Check, ...]:
    """Hold the rows of a replay to what is allowed of just these rows: nothing is left to chance.

    hindrance  why it does not go on; None: it does
    """
    rows, checks = asked.rows - found.unanswered, []
    unanswered = f" ({found.unanswered} not answered by the running revision)"
    but = unanswered if found.unanswered else ""
    if asked.max_flips is not None:
        share = Share(found.compared.flips, rows)
        text = f"replayed rows with another label: {share}{but}, {asked.max_flips:.2%} allowed"
        verdict = Verdict.FAILED if share.value > asked.max_flips else Verdict.PASSED
        checks.append(Check("replay flips", verdict, text))
    if asked.max_shift is not None:
        mean = found.compared.shift_sum / rows if rows else 0.0
        text = f"mean shift of {rows} replayed rows{but}: {mean:.4g}, {asked.max_shift:g} allowed"
        verdict = Verdict.FAILED if mean > asked.max_shift else Verdict.PASSED
        checks.append(Check("replay shift", verdict, text))
    if rows == 0:
        text = f"the running revision answered none of the {asked.rows} replayed rows"
        checks.append(Check("replay", Verdict.FAILED, text))
    elif found.ended_at is None:
        because = "" if hindrance is None else f": {hindrance}"
        text = f"{found.at} of {asked.rows} rows are replayed{because}"
        checks.append(Check("replay", Verdict.UNSURE, text))
    elif not checks:
        told = difference(found.compared)
        flips = f"{told.flips} of {told.rows} replayed rows have another label"
        text = f"{flips}{but}, mean shift {told.mean_shift:.4g}"
        checks.append(Check("replay", Verdict.PASSED, text))
    return tuple(checks)
