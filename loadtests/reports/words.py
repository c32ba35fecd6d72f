"""Figures as people read them."""

from typing import Final

NONE: Final = "\N{EN DASH}"
NAMES: Final = {
    "error_rate": "errors",
    "throughput": "throughput",
    "cold_start": "cold start",
    "scale_up": "scale-up",
}


def figure(value: float | None, unit: str) -> str:
    """Write a figure of a unit (`s`, `share`, `1/s`) with three digits."""
    if value is None:
        return NONE
    match unit:
        case "s":
            return time(value)
        case "share":
            return f"{100 * value:.3g} %"
        case "1/s":
            return f"{value:,.0f}/s" if value >= 100 else f"{value:.3g}/s"
        case _:
            raise ValueError(f"there is no unit {unit!r}")


def time(seconds: float) -> str:
    """Write a duration."""
    if seconds == float("inf"):
        return "not in time"
    if seconds >= 60:
        minutes, rest = divmod(round(seconds), 60)
        return f"{minutes} min {rest} s" if rest else f"{minutes} min"
    if seconds >= 1:
        return f"{seconds:.3g} s"
    if seconds >= 1e-3:
        return f"{1e3 * seconds:.3g} ms"
    return f"{1e6 * seconds:.3g} µs" if seconds else "0 s"


def name(objective: str) -> str:
    """Write an objective's name."""
    return NAMES.get(objective, objective)


def bound(objective: str, limit: float, unit: str) -> str:
    """Write what was asked."""
    sign = "≥" if objective == "throughput" else "≤"
    return f"{name(objective)} {sign} {figure(limit, unit)}"
