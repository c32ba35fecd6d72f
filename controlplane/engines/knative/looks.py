"""A history of an endpoint on Knative, made of looks at counters that grow. Pure.

What grew between two looks is of the step of the later one. Looks too far apart say nothing of when
it was, so such steps are not known.
"""

from collections import OrderedDict
from collections.abc import Mapping, Sequence
from typing import Any, Final

from controlplane.engines.engine import Answers, EndpointId, Measured, ObservedEndpoint
from controlplane.engines.history import COARSE_S, MOST_MINUTES, Ring, Series
from runtime.latencies import BUCKETS

NONE: Final = Answers(0, 0, (0,) * BUCKETS)
EVERY_S: Final = 5.0  # between two looks, however many ask
APART_S: Final = 60.0
TOGETHER_S: Final = 1.0  # steps of one look
WATCHED: Final = 500  # endpoints; those that were asked for last

Told = dict[tuple[str, str], Answers]  # by source and revision


class Looked:
    """The looks at one endpoint."""

    def __init__(self) -> None:
        self._ring = Ring(COARSE_S, MOST_MINUTES, None)
        self._begun: float | None = None
        self._last: tuple[float, Told] | None = None

    def is_due(self, now: float) -> bool:
        """Tell whether it is time to look."""
        return self._begun is None or not 0 <= now - self._begun < EVERY_S

    def begin(self, now: float) -> None:
        """Note that somebody looks, so that nobody else does."""
        self._begun = now

    def add(
        self,
        now: float,
        seen: ObservedEndpoint,
        measured: Sequence[Measured],
        concurrency: float | None,
    ) -> None:
        """Take what was seen; `concurrency` as the autoscaler averages it."""
        step = self._ring.step(now)
        if step.lasted_s is None:  # it is new: of rows and wakes nothing is told here
            step.lasted_s, step.rows, step.wakes, step.in_flight_s = 0.0, None, None, None
        step.desired = max(step.desired or 0, seen.desired_replicas)
        step.ready = max(step.ready or 0, seen.replicas)
        if concurrency is not None:
            step.in_flight_s = concurrency * COARSE_S
        told = {(one.source, name): a for one in measured for name, a in one.revisions.items()}
        before, self._last = self._last, (now, told)
        if before is None or not 0 < now - before[0] <= APART_S:
            return
        step.lasted_s += now - before[0]
        for key, answers in told.items():
            known = before[1].get(key, NONE)
            step.errors += max(0, answers.errors - known.errors)
            step.refusals += max(0, answers.refusals - known.refusals)
            pairs = zip(answers.latency, known.latency, strict=True)
            for bucket, (new, old) in enumerate(pairs):
                if new > old:
                    step.latency[bucket] = step.latency.get(bucket, 0) + new - old

    def series(self, now: float, minutes: int) -> Series:
        """Give the last minutes."""
        return self._ring.series(now, minutes)


class Looks:
    """The looks at the endpoints that were asked for lately."""

    def __init__(self) -> None:
        self._of: OrderedDict[EndpointId, Looked] = OrderedDict()

    def of(self, endpoint: EndpointId) -> Looked:
        """Give those at an endpoint."""
        found = self._of.setdefault(endpoint, Looked())
        self._of.move_to_end(endpoint)
        if len(self._of) > WATCHED:
            self._of.popitem(last=False)
        return found

    def forget(self, endpoint: EndpointId) -> None:
        """Forget an endpoint that is gone."""
        self._of.pop(endpoint, None)


def concurrency_of(recordings: Sequence[Mapping[str, Any]]) -> float | None:
    """Find in the autoscaler's recordings what is in flight now; None: it does not say."""
    last = {one["key"]: one for one in recordings}  # by revision: each is scaled by itself
    newest = max((one["steps"][-1]["t_s"] for one in last.values()), default=0.0)
    now = [one for one in last.values() if newest - one["steps"][-1]["t_s"] < TOGETHER_S]
    if not now or any(one["config"]["scaling_metric"] != "concurrency" for one in now):
        return None
    return float(sum(one["steps"][-1]["stable"] for one in now))
