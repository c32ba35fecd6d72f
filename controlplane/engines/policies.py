"""From an endpoint's scaling to its autoscaler's policy. Pure."""

from controlplane.autoscaler.policy import ScalePolicy, nanoseconds, targets
from controlplane.engines.engine import Scaling


def policy_of(scaling: Scaling, container_concurrency: int) -> ScalePolicy:
    """Give the decider's settings for an endpoint's."""
    target, total = targets(
        scaling.metric,
        container_concurrency,
        scaling.target,
        scaling.target_utilization_percentage,
    )
    return ScalePolicy(
        target_value=target,
        total_value=total,
        target_burst_capacity=scaling.target_burst_capacity,
        panic_threshold=scaling.panic_threshold_percentage / 100,
        max_scale_up_rate=scaling.max_scale_up_rate,
        max_scale_down_rate=scaling.max_scale_down_rate,
        stable_window_ns=nanoseconds(scaling.window_s),
        scale_down_delay_ns=nanoseconds(scaling.scale_down_delay_s),
        activation_scale=scaling.activation_scale,
        scaling_metric=scaling.metric,
    )
