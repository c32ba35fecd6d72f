"""From counters that were read twice to what belongs to each hour. Pure."""

import math
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Final

from controlplane.engines.sizes import Size

Amounts = dict[str, int | float | None]
HOUR: Final = timedelta(hours=1)
MIB_OF_GIB: Final = 1024
OF_REPLICAS: Final = ("requests", "rows", "busy_s")


def grown(before: Mapping[str, int | float | None] | None, now: Amounts) -> Amounts:
    """Give what counters grew by; those that fell, after a loss, grew by nothing.

    before  of the same source; None: this is the first reading of it
    """
    if before is None:
        return now
    return {name: _more(before.get(name), value) for name, value in now.items()}


def _more(before: int | float | None, now: int | float | None) -> int | float | None:
    return now if now is None or before is None else max(type(now)(0), now - before)


def highest(before: Mapping[str, int | float | None] | None, now: Amounts) -> Amounts:
    """Give what was counted up to now: never less than before, or it would be counted twice."""
    if before is None:
        return now
    return {name: _higher(before.get(name), value) for name, value in now.items()}


def _higher(before: int | float | None, now: int | float | None) -> int | float | None:
    return now if now is None or before is None else max(before, now)


def grown_of_all(before: Mapping[str, Amounts], now: Mapping[str, Amounts]) -> Amounts:
    """Give what the counters of several replicas grew by together.

    before, now  by process of a replica, each of which counts from nothing
    """
    more = [grown(before.get(process), counted) for process, counted in now.items()]
    return {name: sum(one[name] or 0 for one in more) for name in OF_REPLICAS}


def highest_of_all(before: Mapping[str, Amounts], now: Mapping[str, Amounts]) -> dict[str, Amounts]:
    """Give what was counted up to now by the processes that are told of now."""
    return {process: highest(before.get(process), counted) for process, counted in now.items()}


def priced(amounts: Amounts, lasted_s: float, size: Size) -> Amounts:
    """Add the time that passed, and the CPU and memory that were kept, or spared at zero."""
    replica_s = _number(amounts["starting_s"]) + _number(amounts["ready_s"])
    spared_s = max(0.0, lasted_s - _number(amounts["active_s"]))
    cpus, gib = size.cpu_millis / 1000, size.memory_mib / MIB_OF_GIB
    return {
        **amounts,
        "lasted_s": lasted_s,
        "cpu_s": replica_s * cpus,
        "memory_gib_s": replica_s * gib,
        "spared_cpu_s": spared_s * cpus,
        "spared_memory_gib_s": spared_s * gib,
    }


def _number(value: int | float | None) -> float:
    return value or 0.0


def hour_of(moment: datetime) -> datetime:
    """Give the beginning of the hour in UTC."""
    return moment.astimezone(UTC).replace(minute=0, second=0, microsecond=0)


def day_of(moment: datetime) -> datetime:
    """Give the beginning of the day in UTC."""
    return hour_of(moment).replace(hour=0)


def spread(amounts: Amounts, since: datetime, until: datetime) -> dict[datetime, Amounts]:
    """Spread amounts evenly over the hours between two moments; the parts sum to the whole."""
    if until <= since:
        return {hour_of(until): amounts}
    parts, done, hour = {}, 0.0, hour_of(since)
    while hour < until:
        reached = min(1.0, (hour + HOUR - since) / (until - since))
        parts[hour] = {name: _part(value, done, reached) for name, value in amounts.items()}
        done, hour = reached, hour + HOUR
    return parts


def _part(value: int | float | None, done: float, reached: float) -> int | float | None:
    if value is None:
        return None
    if isinstance(value, int):
        return math.floor(value * reached) - math.floor(value * done)
    return value * (reached - done)
