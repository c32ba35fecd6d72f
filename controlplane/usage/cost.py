"""What an endpoint cost, and what it would have with one replica kept warm. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

HOUR_S: Final = 3600
DIGITS: Final = 6


@dataclass(frozen=True, slots=True)
class Prices:
    """Of one CPU and of one GiB of memory for an hour, in the operator's currency."""

    cpu_hour: float
    gib_hour: float


def estimate(sums: Mapping[str, Any], prices: Prices | None) -> dict[str, Any]:
    """Compare what was used with one replica that never ends; money only where there are prices.

    sums  of `usage_hours`
    """
    replica_s = sums["starting_s"] + sums["ready_s"]
    at_zero_s = max(0.0, sums["lasted_s"] - sums["active_s"])
    used = _amount(replica_s, sums["cpu_s"], sums["memory_gib_s"], prices)
    warm = _amount(
        replica_s + at_zero_s,
        sums["cpu_s"] + sums["spared_cpu_s"],
        sums["memory_gib_s"] + sums["spared_memory_gib_s"],
        prices,
    )
    return {"used": used, "kept_warm": warm}


def _amount(
    replica_s: float, cpu_s: float, memory_gib_s: float, prices: Prices | None
) -> dict[str, float]:
    amount = {"replica_s": replica_s, "cpu_s": cpu_s, "memory_gib_s": memory_gib_s}
    if prices is not None:
        money = (cpu_s * prices.cpu_hour + memory_gib_s * prices.gib_hour) / HOUR_S
        amount["money"] = money
    return {name: round(value, DIGITS) for name, value in amount.items()}
