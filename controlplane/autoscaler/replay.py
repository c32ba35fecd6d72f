"""Replay recorded metrics through the autoscaler: `kubeserve autoscaler replay FILE`.

The format is in the README ("Replay"): `steps` replays decisions, `ops` replays windowed averages.
"""

import json
import math
from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from typing import Any

from controlplane.autoscaler.decider import Decider, Decision
from controlplane.autoscaler.policy import CONCURRENCY, LINEAR, RPS, ScalePolicy, nanoseconds
from controlplane.autoscaler.windows import Averages, BucketedWindow

NOT_FOUND = {"not_found", "not-found", "notfound", "not found"}
ALGORITHMS = {"weightedExponential": "weighted-exponential"}


class ReplayError(ValueError):
    """The recording cannot be replayed; the message names the place and what it must be."""


def replay(text: str) -> list[Any]:
    """Replay a recording and give what the command prints, as JSON values."""
    try:
        # Decimals, so that 60.1 seconds are 60,100,000,000 nanoseconds and not one less.
        document = json.loads(text, parse_float=Decimal)
    except (ValueError, RecursionError) as error:
        raise ReplayError(f"not JSON: {error}") from error
    if not isinstance(document, dict):
        raise ReplayError("the recording must be a JSON object")
    if ("steps" in document) == ("ops" in document):
        raise ReplayError('the recording must hold either "steps" or "ops"')
    config = _object(document, "config", "the recording")
    if "ops" in document:
        return _replay_ops(config, _array(document, "ops"))
    return _replay_steps(config, document.get("initial") or {}, _array(document, "steps"))


def _replay_steps(
    config: dict[str, Any], initial: dict[str, Any], steps: list[Any]
) -> list[dict[str, Any]]:
    policy = _policy(ScalePolicy(target_value=1.0, total_value=1.0), config, "config", whole=True)
    if not steps:
        return []
    panic_since = initial.get("panic_started_at_t_s")
    decider = Decider(
        policy,
        _integer(initial, "ready_pods_at_creation", "initial", default=0),
        _time(steps[0], "t_s", "steps[0]"),
        panic_since_ns=(
            None if panic_since is None else _time(initial, "panic_started_at_t_s", "initial")
        ),
        max_panic_pods=(
            None
            if initial.get("max_panic_pods") is None
            else _integer(initial, "max_panic_pods", "initial")
        ),
    )
    return [_step(decider, step, f"steps[{i}]") for i, step in enumerate(steps)]


def _step(decider: Decider, step: Any, where: str) -> dict[str, Any]:
    now_ns = _time(step, "t_s", where)
    if step.get("update_config"):
        update = _object(step, "update_config", where)
        decider.policy = _policy(decider.policy, update, f"{where}.update_config")
    decision = decider.decide(now_ns, _ready(step, where), _metric(step, where))
    return _row(decision)


def _ready(step: dict[str, Any], where: str) -> int | None:
    error = step.get("pod_count_error")
    if not error:
        return _integer(step, "ready_pods", where)
    # A revision that has no pods object yet counts as none; any other error is no decision.
    return 0 if str(error).strip().lower() in NOT_FOUND else None


def _metric(step: dict[str, Any], where: str) -> Averages | None:
    if step.get("metric_error"):
        return None
    return Averages(_number(step, "stable", where), _number(step, "panic", where))


def _row(decision: Decision) -> dict[str, Any]:
    return {
        "valid": decision.valid,
        "desired_pods": decision.desired_pods,
        "excess_burst_capacity": decision.excess_burst_capacity,
        "panicking": decision.panicking,
    }


def _replay_ops(config: dict[str, Any], ops: list[Any]) -> list[float]:
    algorithm = config.get("algorithm", LINEAR)
    try:
        window = BucketedWindow(
            _time(config, "window_s", "config"),
            _time(config, "granularity_s", "config", default=1),
            ALGORITHMS.get(algorithm, algorithm),
        )
    except ValueError as error:
        raise ReplayError(f"config: {error}") from error
    averages: list[float] = []
    for i, op in enumerate(ops):
        where = f"ops[{i}]"
        now_ns = _time(op, "t_s", where)
        match op.get("op"):
            case "record":
                window.record(now_ns, _number(op, "value", where))
            case "average":
                averages.append(window.average(now_ns))
            case "resize":
                window.resize(now_ns, _positive_time(op, "window_s", where))
            case other:
                raise ReplayError(f"{where}: op must be record, average or resize, not {other!r}")
    return averages


def _policy(
    policy: ScalePolicy, config: dict[str, Any], where: str, *, whole: bool = False
) -> ScalePolicy:
    """Change what `config` names; `whole` demands the two targets."""
    unknown = sorted(set(config) - set(_SETTINGS))
    if unknown:
        raise ReplayError(f"{where}: unknown settings {unknown}; known are {sorted(_SETTINGS)}")
    if whole and "target_value" not in config:
        raise ReplayError(f"{where}: target_value is missing")
    changes: dict[str, Any] = {}
    for key in config:
        field, read = _SETTINGS[key]
        changes[field] = read(config, key, where)
    return replace(policy, **changes)


def _object(holder: dict[str, Any], key: str, where: str) -> dict[str, Any]:
    value = holder.get(key)
    if not isinstance(value, dict):
        raise ReplayError(f"{where}: {key} must be an object")
    return value


def _array(holder: dict[str, Any], key: str) -> list[Any]:
    value = holder[key]
    if not isinstance(value, list):
        raise ReplayError(f"{key} must be an array")
    return value


def _exact(holder: Any, key: str, where: str, default: int | None = None) -> int | Decimal:
    if not isinstance(holder, dict):
        raise ReplayError(f"{where} must be an object")
    value = holder.get(key, default)
    if type(value) is not int and not isinstance(value, Decimal):
        raise ReplayError(f"{where}: {key} must be a number, is {value!r}")
    if not math.isfinite(value):
        raise ReplayError(f"{where}: {key} must be finite")
    return value


def _number(holder: Any, key: str, where: str) -> float:
    return float(_exact(holder, key, where))


def _positive(holder: Any, key: str, where: str) -> float:
    value = _number(holder, key, where)
    if value <= 0:
        raise ReplayError(f"{where}: {key} must be above zero, is {value}")
    return value


def _integer(holder: Any, key: str, where: str, default: int | None = None) -> int:
    value = _exact(holder, key, where, default)
    if value != int(value) or value < 0:
        raise ReplayError(f"{where}: {key} must be a whole number from 0, is {value}")
    return int(value)


def _time(holder: Any, key: str, where: str, default: int | None = None) -> int:
    return nanoseconds(Decimal(_exact(holder, key, where, default)))


def _positive_time(holder: Any, key: str, where: str) -> int:
    value = _time(holder, key, where)
    if value <= 0:
        raise ReplayError(f"{where}: {key} must be above zero")
    return value


def _flag(holder: dict[str, Any], key: str, where: str) -> bool:
    if type(holder[key]) is not bool:
        raise ReplayError(f"{where}: {key} must be true or false")
    return bool(holder[key])


def _metric_name(holder: dict[str, Any], key: str, where: str) -> str:
    if holder[key] not in (CONCURRENCY, RPS, ""):
        raise ReplayError(f"{where}: {key} must be {CONCURRENCY} or {RPS}")
    return str(holder[key]) or CONCURRENCY


_SETTINGS: dict[str, tuple[str, Callable[[dict[str, Any], str, str], Any]]] = {
    "scaling_metric": ("scaling_metric", _metric_name),
    "target_value": ("target_value", _positive),
    "total_value": ("total_value", _number),
    "target_burst_capacity": ("target_burst_capacity", _number),
    "panic_threshold": ("panic_threshold", _number),
    "max_scale_up_rate": ("max_scale_up_rate", _positive),
    "max_scale_down_rate": ("max_scale_down_rate", _positive),
    "stable_window_s": ("stable_window_ns", _time),
    "scale_down_delay_s": ("scale_down_delay_ns", _time),
    "reachable": ("reachable", _flag),
    "activation_scale": ("activation_scale", _integer),
}
