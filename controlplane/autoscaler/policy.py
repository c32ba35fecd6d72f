"""What an autoscaler is told: targets, windows, rates. Knative's names, defaults and ranges."""

from dataclasses import dataclass
from decimal import Decimal

NANOSECONDS = 1_000_000_000

CONCURRENCY = "concurrency"
RPS = "rps"
LINEAR = "linear"
WEIGHTED_EXPONENTIAL = "weighted-exponential"

TARGET_DEFAULT = {CONCURRENCY: 100.0, RPS: 200.0}
TARGET_MIN = 0.01


def nanoseconds(seconds: float | Decimal) -> int:
    """Give seconds as whole nanoseconds, rounded; exact for a Decimal read from text."""
    return round(Decimal(seconds) * NANOSECONDS)


@dataclass(frozen=True, slots=True)
class ScalePolicy:
    """The settings one decision depends on.

    target_value           metric per pod the autoscaler aims at (utilisation is already applied)
    total_value            metric one pod can take; for excess burst capacity only
    target_burst_capacity  requests to absorb without queueing; 0 none, -1 unlimited
    panic_threshold        ratio of wanted to ready pods that starts a panic, e.g. 2.0
    max_scale_up_rate, max_scale_down_rate  most and least pods after one decision, as a ratio
    reachable              a route points at the revision; if not, the way down has no brake
    activation_scale       pods to start with when leaving zero, if more than one
    source                 pkg/autoscaler/scaling/multiscaler.go, DeciderSpec
    """

    target_value: float
    total_value: float
    target_burst_capacity: float = -1.0
    panic_threshold: float = 2.0
    max_scale_up_rate: float = 1000.0
    max_scale_down_rate: float = 2.0
    stable_window_ns: int = 60 * NANOSECONDS
    scale_down_delay_ns: int = 0
    reachable: bool = True
    activation_scale: int = 1
    scaling_metric: str = CONCURRENCY


def targets(
    metric: str,
    container_concurrency: int,
    target: float | None,
    utilization_percentage: float,
) -> tuple[float, float]:
    """Give (target per pod, total per pod) from an endpoint's settings.

    container_concurrency   hard limit per pod, 0 for none; caps the target when the metric is
                            concurrency
    target                  what the user asked for per pod, None for Knative's default
    source                  pkg/reconciler/autoscaling/resources/target.go, ResolveMetricTarget
    """
    total = TARGET_DEFAULT[metric]
    if metric == CONCURRENCY and container_concurrency > 0:
        total = float(container_concurrency)
    if target is not None:
        capped = metric == CONCURRENCY and container_concurrency > 0
        total = min(target, container_concurrency) if capped else target
    return max(TARGET_MIN, total * utilization_percentage / 100), total


def panic_window_ns(stable_window_ns: int, percentage: float) -> int:
    """Give the panic window: a share of the stable one in whole seconds, at least one.

    source  pkg/reconciler/autoscaling/resources/metric.go, MakeMetric
    """
    exact = stable_window_ns * percentage / 100
    return max(1, int(exact / NANOSECONDS + 0.5)) * NANOSECONDS
