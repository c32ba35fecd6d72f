"""Is the candidate as good as the running revision, and as its endpoint promises? Pure."""

from bisect import bisect_left
from typing import Final

from controlplane.engines.engine import Answers
from controlplane.rollouts.checks import Check, Share, Verdict, bounded, compared
from loadtests.slo import QUANTILES, Objectives
from runtime.latencies import BOUNDS_S

# The running revision's p95 is exceeded if a candidate takes a quarter more, and 5 ms more: what
# is less is seen by nobody who calls over a network.
COMPARED: Final = 0.95
TOLERATED: Final = 1.25
TOLERATED_S: Final = 0.005
AGAINST_RUNNING: Final = 3
UNCOMPARED: Final = 0.01  # errors that are allowed where the running revision answered nothing


def questions(slo: Objectives | None) -> int:
    """Give how many questions `judge` asks."""
    promised = 0 if slo is None else len(slo.latencies) + (slo.error_rate is not None)
    return AGAINST_RUNNING + promised


def judge(
    candidate: Answers, running: Answers, slo: Objectives | None, alpha: float
) -> tuple[Check, ...]:
    """Compare what two revisions answered, and hold the candidate to an SLO.

    alpha  at which something is a fault, for each question; 0: no look for faults is due
    """
    found = [
        _error_rate(candidate, running, alpha),
        compared(
            "refusals", "requests refused (4xx)", _refusals(candidate), _refusals(running), alpha
        ),
        _latency(candidate, running, alpha),
    ]
    if slo is not None:
        found += _promised(candidate, slo, alpha)
    return tuple(found)


def _error_rate(candidate: Answers, running: Answers, alpha: float) -> Check:
    if running.count:
        return compared("errors", "errors", _errors(candidate), _errors(running), alpha)
    what = "errors, with no answers of the running revision to compare with"
    return bounded("errors", what, _errors(candidate), UNCOMPARED, alpha)


def _errors(answers: Answers) -> Share:
    return Share(answers.errors, answers.count)


def _refusals(answers: Answers) -> Share:
    return Share(answers.refusals, answers.count)


def _latency(candidate: Answers, running: Answers, alpha: float) -> Check:
    if not running.count:
        said = "the running revision has no answers here to compare with"
        return Check("latency", Verdict.PASSED, said)
    usual_s = quantile(running, COMPARED)
    most_s = max(usual_s * TOLERATED, usual_s + TOLERATED_S)
    what = f"answers after more than {_ms(most_s)} (the running revision's p95 is {_ms(usual_s)})"
    return compared("latency", what, above(candidate, most_s), above(running, most_s), alpha)


def _promised(candidate: Answers, slo: Objectives, alpha: float) -> list[Check]:
    found = [
        bounded(
            name,
            f"answers after more than {_ms(seconds)}",
            above(candidate, seconds),
            1.0 - QUANTILES[name],
            alpha,
        )
        for name, seconds in slo.latencies.items()
    ]
    if slo.error_rate is not None:
        found.append(bounded("error rate", "errors", _errors(candidate), slo.error_rate, alpha))
    return found


def quantile(answers: Answers, share: float) -> float:
    """Give the upper bound in seconds of the bucket that a quantile is in; 0 without answers."""
    wanted, so_far = share * answers.count, 0
    for bound, count in zip((*BOUNDS_S, BOUNDS_S[-1]), answers.latency, strict=True):
        so_far += count
        if so_far >= wanted:
            return bound if answers.count else 0.0
    return BOUNDS_S[-1]


def above(answers: Answers, seconds: float) -> Share:
    """Count the answers that surely took longer: those in the bucket of the bound did not."""
    bucket = bisect_left(BOUNDS_S, seconds)
    return Share(sum(answers.latency[bucket + 1 :]), answers.count)


def _ms(seconds: float) -> str:
    return f"{seconds * 1000:.3g} ms"
