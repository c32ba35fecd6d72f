"""Figures as people read them."""

from typing import Final

from loadtests.result import Autoscaling

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


def autoscaling(found: Autoscaling) -> str:
    """Say whether replicas are what the KPA decides from the recorded metrics."""
    count, differing = len(found.decisions), len(found.differing)
    how = (
        "within one tick of 2 s, since its metrics were read from outside" if found.sampled else ""
    )
    equal = (
        f"all {count} are equal{f' {how}' if how else ''}"
        if not differing
        else f"{differing} of {count} differ{f', also {how}' if how else ''}"
    )
    told = "Of the metrics that the autoscaler recorded, its decisions were made again: "
    looks = (
        f"The replicas that were wanted follow from them at all {found.seen} looks."
        if not found.unexplained
        else f"At {len(found.unexplained)} of {found.seen} looks the replicas that were wanted do"
        f" not follow from them, first at {found.unexplained[0]:.1f} s."
    )
    return f"{told}{equal}. {looks}"


def bound(objective: str, limit: float, unit: str) -> str:
    """Write what was asked."""
    sign = "≥" if objective == "throughput" else "≤"
    return f"{name(objective)} {sign} {figure(limit, unit)}"
