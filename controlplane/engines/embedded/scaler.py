"""From the workers' reports to a number of workers: the KPA of one endpoint, and scale to zero.

One scaler for all routed revisions of an endpoint: they share its workers. It exists only while the
endpoint is not at zero; `tick` is called each second and decides every second call (KNATIVE.md 1.7,
1.8). Concurrency is summed over workers and averaged over seconds, as the activator reports it.
"""

from controlplane.autoscaler.decider import Decider
from controlplane.autoscaler.policy import NANOSECONDS, nanoseconds, panic_window_ns
from controlplane.autoscaler.recording import Recorder, Step
from controlplane.autoscaler.windows import MetricWindows
from controlplane.engines.engine import Scaling
from controlplane.engines.policies import policy_of

DECIDE_EVERY_NS = 2 * NANOSECONDS


class Scaler:
    """`active` is Knative's condition: None while activating, then True, False before zero.

    floor     workers to keep at least until a new release has proven itself (initial scale)
    recorder  keeps what was decided, also when this scaler is gone
    """

    def __init__(
        self,
        scaling: Scaling,
        container_concurrency: int,
        now_ns: int,
        ready: int = 0,
        recorder: Recorder | None = None,
    ) -> None:
        self._key, self._recorder = str(now_ns), recorder or Recorder()
        self.active: bool | None = None
        self.floor = 0
        self.panicking = False
        self._scaling = scaling
        self._decider = Decider(policy_of(scaling, container_concurrency), ready, now_ns)
        window = nanoseconds(scaling.window_s)
        self._windows = MetricWindows(
            window, panic_window_ns(window, scaling.panic_window_percentage)
        )
        self._since_ns = now_ns
        # With a burst capacity of -1 requests queue in the backlog at all times ("proxy mode").
        self._proxied_ns: int | None = now_ns if scaling.target_burst_capacity < 0 else None
        self._decided_ns = now_ns
        self.wanted = self._bound(max(1, scaling.activation_scale))

    def reconfigure(self, scaling: Scaling, container_concurrency: int, now_ns: int) -> None:
        """Take new settings and keep what was measured."""
        windows_change = (scaling.window_s, scaling.panic_window_percentage, scaling.metric) != (
            self._scaling.window_s,
            self._scaling.panic_window_percentage,
            self._scaling.metric,
        )
        if windows_change:
            window = nanoseconds(scaling.window_s)
            self._windows = MetricWindows(
                window, panic_window_ns(window, scaling.panic_window_percentage)
            )
            self._restart_clock(now_ns)
        self._scaling = scaling
        self._decider.policy = policy_of(scaling, container_concurrency)

    def _restart_clock(self, now_ns: int) -> None:
        # An empty window says "no requests"; as long as it is young, that proves nothing.
        if self.active is not None:
            self._turn(active=True, now_ns=now_ns)
        self._since_ns = now_ns

    def record(self, now_ns: int, concurrency: float, requests: float) -> None:
        """Add one worker's report of its last second."""
        by_rps = self._scaling.metric == "rps"
        self._windows.record(now_ns, requests if by_rps else concurrency)

    def tick(self, now_ns: int, ready: int, *, waiting: bool) -> int:
        """Give the number of workers wanted now.

        waiting  a request waits for a worker to start; it counts as one in flight
        """
        if waiting:
            # Only then: a zero would count this second before its workers have reported it.
            self._windows.record(now_ns, 1.0)
        if now_ns - self._decided_ns < DECIDE_EVERY_NS:
            return self.wanted
        self._decided_ns = now_ns
        averages = self._windows.averages(now_ns, empty_is_zero=True)
        panic = self._decider.panic
        decision = self._decider.decide(now_ns, ready, averages)
        self.panicking = decision.panicking
        if decision.excess_burst_capacity >= 0:
            self._proxied_ns = None
        elif self._proxied_ns is None:
            self._proxied_ns = now_ns
        if decision.valid:
            self.wanted = self._apply(decision.desired_pods, now_ns, ready)
        if averages is not None:
            least, most = max(self._scaling.min_scale, self.floor), self._scaling.max_scale
            step = Step(now_ns, ready, averages, panic, decision, least, most, self.wanted)
            self._recorder.add(self._key, self._decider.policy, step)
        return self.wanted

    def became_ready(self, now_ns: int, ready: int) -> None:
        """Leave the state of activating once enough workers are ready."""
        if self.active is None and ready >= max(1, self._scaling.min_scale):
            self._turn(active=True, now_ns=now_ns)

    def touched(self, now_ns: int) -> None:
        """A request came while on the way to zero: it is active again."""
        if self.active is False:
            self._turn(active=True, now_ns=now_ns)

    def _turn(self, *, active: bool, now_ns: int) -> None:
        if self.active is not active:
            self.active, self._since_ns = active, now_ns

    def _bound(self, pods: int) -> int:
        bounded = max(pods, self._scaling.min_scale, self.floor)
        return min(bounded, self._scaling.max_scale) if self._scaling.max_scale > 0 else bounded

    def _apply(self, desired: int, now_ns: int, ready: int) -> int:
        desired = self._bound(desired)
        if desired > 0:
            if self.active is False:
                self._turn(active=True, now_ns=now_ns)
            self.became_ready(now_ns, ready)
            return desired
        last = max(1, self._scaling.min_scale)
        if self.active is None:
            return last
        lasted = now_ns - self._since_ns
        if self.active:
            if lasted >= nanoseconds(self._scaling.window_s):
                self._turn(active=False, now_ns=now_ns)
                return last if not self._may_go(now_ns) else 0
            return last
        return 0 if self._may_go(now_ns) else last

    def _may_go(self, now_ns: int) -> bool:
        lasted = now_ns - self._since_ns
        grace = nanoseconds(self._scaling.scale_to_zero_grace_period_s)
        retention = nanoseconds(self._scaling.scale_to_zero_pod_retention_period_s)
        if lasted >= max(grace, retention):
            return True
        if lasted < retention:
            return False
        return self._proxied_ns is not None and now_ns - self._proxied_ns >= grace
