"""The decision itself: how many pods are wanted, every two seconds or when poked."""

import math
from dataclasses import dataclass

from controlplane.autoscaler.policy import ScalePolicy
from controlplane.autoscaler.windows import Averages, DelayWindow


@dataclass(frozen=True, slots=True)
class Decision:
    """What one call of `decide` came to. Minimum and maximum scale are not applied yet.

    valid                  False: no decision, leave the scale as it is
    excess_burst_capacity  negative: the activator belongs in the path
    """

    valid: bool
    desired_pods: int = 0
    excess_burst_capacity: int = 0
    panicking: bool = False


@dataclass(frozen=True, slots=True)
class Panic:
    """The panic of a decider: since when, None: there is none; the most pods it wanted since."""

    since_ns: int | None
    most: int


class Decider:
    """One revision's autoscaler. Remembers the panic and the delay window, nothing else.

    source  pkg/autoscaler/scaling/autoscaler.go, autoscaler.Scale
    """

    def __init__(
        self,
        policy: ScalePolicy,
        ready_at_creation: int,
        now_ns: int,
        *,
        panic_since_ns: int | None = None,
        max_panic_pods: int | None = None,
    ) -> None:
        self.policy = policy
        # More than one pod and no history: start in panic, so that a restart never scales down.
        started = now_ns if ready_at_creation > 1 else None
        self._panic_since_ns = started if panic_since_ns is None else panic_since_ns
        self._max_panic_pods = ready_at_creation if max_panic_pods is None else max_panic_pods
        # Fixed at creation, as in Knative: a later change of the delay does not resize it.
        self._delay = (
            DelayWindow(policy.scale_down_delay_ns) if policy.scale_down_delay_ns > 0 else None
        )

    @property
    def panicking(self) -> bool:
        """Tell whether scale-down is held back by a panic."""
        return self._panic_since_ns is not None

    @property
    def panic(self) -> Panic:
        """Give all that a decider remembers but for its delay window."""
        return Panic(self._panic_since_ns, self._max_panic_pods)

    def decide(self, now_ns: int, ready: int | None, metric: Averages | None) -> Decision:
        """Decide from pods that are ready and the averages of the metric.

        ready   pods ready now; None: could not be counted
        metric  None: no data
        """
        if ready is None or metric is None:
            return Decision(valid=False, panicking=self.panicking)
        policy, counted = self.policy, max(1, ready)
        raw_stable = math.ceil(metric.stable / policy.target_value)
        raw_panic = math.ceil(metric.panic / policy.target_value)
        stable = self._within_rates(raw_stable, counted)
        panic = self._within_rates(raw_panic, counted)

        self._update_panic(now_ns, over=raw_panic / counted >= policy.panic_threshold)
        desired = stable
        if self.panicking:
            self._max_panic_pods = max(self._max_panic_pods, stable, panic)
            desired = self._max_panic_pods
        if policy.reachable and self._delay is not None:
            self._delay.record(now_ns, desired)
            desired = self._delay.current()
        return Decision(
            valid=True,
            desired_pods=desired,
            excess_burst_capacity=self._excess_burst_capacity(ready, metric.panic),
            panicking=self.panicking,
        )

    def _within_rates(self, raw: int, counted: int) -> int:
        policy = self.policy
        # Rounded up: at rate 1.1 with 2 pods, rounding down would stay at 2 for ever.
        most = math.ceil(policy.max_scale_up_rate * counted)
        least = math.floor(counted / policy.max_scale_down_rate) if policy.reachable else 0
        wanted = min(max(raw, least), most)
        if policy.activation_scale > 1 and raw > 0:
            return max(wanted, policy.activation_scale)
        return wanted

    def _update_panic(self, now_ns: int, *, over: bool) -> None:
        if over:
            self._panic_since_ns = now_ns
            return
        since = self._panic_since_ns
        if since is not None and since + self.policy.stable_window_ns < now_ns:
            self._panic_since_ns = None
            self._max_panic_pods = 0

    def _excess_burst_capacity(self, ready: int, panic: float) -> int:
        capacity = self.policy.target_burst_capacity
        if capacity == 0:
            return 0
        if capacity < 0:
            return -1
        return math.floor(ready * self.policy.total_value - capacity - panic)
