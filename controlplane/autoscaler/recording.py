"""What an autoscaler saw and decided lately, as a recording that `replay` takes.

A recording is a stretch with one policy: `config`, `initial` and `steps` are the format of replay;
each step also holds what was `decided` from it, and the bounds that were applied to that.
"""

from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from controlplane.autoscaler.decider import Decision, Panic
from controlplane.autoscaler.policy import NANOSECONDS, ScalePolicy
from controlplane.autoscaler.windows import Averages

KEPT: Final = 150  # steps: five minutes


@dataclass(frozen=True, slots=True)
class Step:
    """One decision.

    panic   the state of the panic before it
    least, most  replicas that the decision is held to; most 0: no bound
    wanted  replicas that came of it: at zero also grace and retention have a say
    """

    now_ns: int
    ready: int
    averages: Averages
    panic: Panic
    decision: Decision
    least: int
    most: int
    wanted: int


class Recorder:
    """Keeps the last decisions of an endpoint, through all of its deciders."""

    def __init__(self, kept: int = KEPT) -> None:
        self._steps: deque[tuple[str, ScalePolicy, Step]] = deque(maxlen=kept)
        self.total = 0

    def add(self, key: str, policy: ScalePolicy, step: Step) -> None:
        """Add a decision. `key`: of the decider that made it."""
        self._steps.append((key, policy, step))
        self.total += 1

    @property
    def newest(self) -> Step | None:
        """Give the last decision."""
        return self._steps[-1][2] if self._steps else None

    def to_json(self, zero_at: float, *, sampled: bool = False) -> list[dict[str, Any]]:
        """Give the recordings, the oldest first.

        zero_at  seconds since 1970 when the clock of the decisions was 0
        sampled  they were read from outside, now and then: times are late, some may be missing
        """
        stretches: list[tuple[str, ScalePolicy, list[Step]]] = []
        for key, policy, step in self._steps:
            if not stretches or stretches[-1][:2] != (key, policy):
                stretches.append((key, policy, []))
            stretches[-1][2].append(step)
        return [
            {
                "key": key,
                "zero_at": zero_at,
                "sampled": sampled,
                "config": config_of(policy),
                "initial": _initial(steps[0].panic),
                "steps": [_step(step) for step in steps],
            }
            for key, policy, steps in stretches
        ]


def config_of(policy: ScalePolicy) -> dict[str, Any]:
    """Write a policy as the configuration of a recording."""
    return {
        "scaling_metric": policy.scaling_metric,
        "target_value": policy.target_value,
        "total_value": policy.total_value,
        "target_burst_capacity": policy.target_burst_capacity,
        "panic_threshold": policy.panic_threshold,
        "max_scale_up_rate": policy.max_scale_up_rate,
        "max_scale_down_rate": policy.max_scale_down_rate,
        "stable_window_s": policy.stable_window_ns / NANOSECONDS,
        "scale_down_delay_s": policy.scale_down_delay_ns / NANOSECONDS,
        "reachable": policy.reachable,
        "activation_scale": policy.activation_scale,
    }


def _initial(panic: Panic) -> dict[str, Any]:
    initial: dict[str, Any] = {"ready_pods_at_creation": 0, "max_panic_pods": panic.most}
    if panic.since_ns is not None:
        initial["panic_started_at_t_s"] = panic.since_ns / NANOSECONDS
    return initial


def _step(step: Step) -> dict[str, Any]:
    return {
        "t_s": step.now_ns / NANOSECONDS,
        "ready_pods": step.ready,
        "stable": step.averages.stable,
        "panic": step.averages.panic,
        "decided": {
            "desired_pods": step.decision.desired_pods,
            "panicking": step.decision.panicking,
        },
        "least": step.least,
        "most": step.most,
        "wanted": step.wanted,
    }


def merged(
    known: Sequence[Mapping[str, Any]], more: Sequence[Mapping[str, Any]]
) -> list[dict[str, Any]]:
    """Put together what overlapping looks gave: each step once, in the order of time."""
    found = {_key(one): {**one, "steps": {s["t_s"]: s for s in one["steps"]}} for one in known}
    for one in more:
        kept = found.get(_key(one))
        if kept is None:
            found[_key(one)] = {**one, "steps": {s["t_s"]: s for s in one["steps"]}}
            continue
        first = min(kept["steps"])
        if one["steps"] and one["steps"][0]["t_s"] < first:
            kept["initial"] = one["initial"]
        kept["steps"] |= {s["t_s"]: s for s in one["steps"]}
    return [
        {**one, "steps": [one["steps"][at] for at in sorted(one["steps"])]}
        for one in found.values()
    ]


def _key(recording: Mapping[str, Any]) -> tuple[str, str]:
    return str(recording["key"]), repr(sorted(recording["config"].items()))
