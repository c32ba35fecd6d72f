"""From what an autoscaler saw to what Knative's decides of it, beside what was decided. Pure."""

import json
from collections.abc import Mapping, Sequence
from typing import Any, Final

from controlplane.autoscaler.replay import replay
from loadtests.result import Autoscaling, Decided, Scale

# What is read from outside is read late: the tick before or after may be the one that was seen.
TICK_S: Final = 2.0
SEEN_WITHIN_S: Final = 3 * TICK_S
# A look without a decision in the time before it says nothing: there was none, or it was not read.
LATE_S: Final = 1.25


def autoscaling(
    recordings: Sequence[Mapping[str, Any]], scale: Sequence[Scale], start: float, end: float
) -> Autoscaling | None:
    """Decide again from what was recorded; None: nothing was.

    scale       what was seen of the endpoint while it was tested
    start, end  of the test, seconds since 1970
    """
    decided: list[Decided] = []
    sampled = any(one["sampled"] for one in recordings)
    for one in recordings:
        decided += _decided(one, start)
    shown = sorted((one for one in decided if 0 <= one.at <= end - start), key=lambda d: d.at)
    if not shown:
        return None
    around = sorted(decided, key=lambda one: one.at)
    several = len({one["key"] for one in recordings}) > 1 and sampled
    # Of several Revisions each has an autoscaler, and what is looked at is the sum.
    judged = [] if several else [one for one in scale if _near(one.at - LATE_S, around, LATE_S)]
    return Autoscaling(
        sampled=sampled,
        decisions=shown,
        differing=[one.at for one in shown if not _equal(one, around, sampled=sampled)],
        seen=len(judged),
        unexplained=[one.at for one in judged if not _explained(one, around)],
    )


def _decided(recording: Mapping[str, Any], start: float) -> list[Decided]:
    steps, config = recording["steps"], recording["config"]
    again = replay(json.dumps({"config": config, "initial": recording["initial"], "steps": steps}))
    # The delay window's content before the first step is not known.
    blind_until = steps[0]["t_s"] + config["scale_down_delay_s"] if steps else 0.0
    return [
        Decided(
            at=recording["zero_at"] + step["t_s"] - start,
            ready=step["ready_pods"],
            stable=step["stable"],
            panic=step["panic"],
            panicking=step["decided"]["panicking"],
            desired=step["decided"]["desired_pods"],
            recomputed=row["desired_pods"],
            bounded=_bounded(row["desired_pods"], step["least"], step["most"]),
            wanted=step["wanted"],
        )
        for step, row in zip(steps, again, strict=True)
        if step["t_s"] >= blind_until
    ]


def _bounded(pods: int, least: int, most: int) -> int:
    bounded = max(pods, least)
    return min(bounded, most) if most > 0 else bounded


def _equal(one: Decided, around: Sequence[Decided], *, sampled: bool) -> bool:
    near = TICK_S * 1.5 if sampled else 0.0
    return any(one.desired == other.recomputed for other in _near(one.at, around, near))


def _near(at: float, around: Sequence[Decided], within: float) -> list[Decided]:
    return [other for other in around if abs(other.at - at) <= within]


def _explained(seen: Scale, around: Sequence[Decided]) -> bool:
    """Tell whether the replicas that were wanted are those of a decision shortly before.

    On the way to zero the last replica stays for a while: grace and retention decide, no metric.
    """
    near = [one for one in around if -1.0 <= seen.at - one.at <= SEEN_WITHIN_S]
    wanted = {one.bounded for one in near}
    return seen.desired in wanted or (0 in wanted and seen.desired <= 1)
