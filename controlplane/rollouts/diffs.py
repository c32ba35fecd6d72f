"""Do the candidate's predictions differ from the running revision's by more than is allowed? Pure.

Both answer copies of requests in a shadow. What it counted since each of its sources began is
written down as it was told last, so it may be read twice, late, or by two leaders.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields, replace
from math import sqrt
from statistics import NormalDist
from typing import Any

from controlplane.engines.engine import Compared, summed
from controlplane.rollouts.checks import Check, Share, Verdict, bounded, judged
from controlplane.rollouts.rules import Shadow

Document = dict[str, Any]


def read(known: Mapping[str, Any], told: Sequence[Compared]) -> Document:
    """Give what is known by source, with what was told now; an older telling changes nothing."""
    found = dict(known)
    for one in told:
        before = found.get(one.source)
        if before is None or one.rows >= before["rows"]:
            found[one.source] = {**asdict(one), "worst": [*one.worst]}
    return found


def total(known: Mapping[str, Any]) -> Compared:
    """Sum what all sources told; what troubles the last one is the trouble."""
    each = [compared_from(one) for one in known.values()]
    if not each:
        return Compared("")
    return replace(summed(*each), trouble=each[-1].trouble)


def compared_from(document: Mapping[str, Any]) -> Compared:
    """Read what was told, as `asdict` wrote it."""
    known = {one.name for one in fields(Compared)}
    values = {name: value for name, value in document.items() if name in known}
    return Compared(**{**values, "worst": tuple(values["worst"])})


@dataclass(frozen=True, slots=True)
class Difference:
    """What people are told of it. `mean_shift`, `max_shift`: see `runtime.comparing`."""

    rows: int
    flips: int
    refused: int
    failed: int
    mean_shift: float
    max_shift: float
    not_copied: int
    worst: tuple[Mapping[str, object], ...]


def difference(found: Compared) -> Difference:
    """Say what was compared."""
    return Difference(
        found.rows,
        found.flips,
        found.refused,
        found.failed,
        found.shift_sum / found.rows if found.rows else 0.0,
        found.shift_most,
        found.not_copied,
        found.worst,
    )


def questions(shadow: Shadow | None) -> int:
    """Give how many questions `judge` asks."""
    return 0 if shadow is None else sum(x is not None for x in (shadow.max_flips, shadow.max_shift))


def judge(found: Compared, shadow: Shadow, alpha: float) -> tuple[Check, ...]:
    """Hold differences to what is allowed.

    alpha  at which something is a fault, for each question; 0: no look for faults is due
    """
    if found.trouble is not None:
        said = f"nothing can be compared: {found.trouble}"
        return (Check("shadow", Verdict.FAILED, said),)
    checks = []
    if shadow.max_flips is not None:
        what = f"rows with another label{_unanswered(found)}"
        share = Share(found.flips, found.rows)
        checks.append(bounded("flips", what, share, shadow.max_flips, alpha))
    if shadow.max_shift is not None:
        checks.append(_shift(found, shadow.max_shift, alpha))
    return tuple(checks)


def _unanswered(found: Compared) -> str:
    if not found.refused and not found.failed:
        return ""
    return f" ({found.refused} refused, {found.failed} failed)"


def _shift(found: Compared, most: float, alpha: float) -> Check:
    """Ask whether the mean shift of all rows is above its bound; normal approximation."""
    told = difference(found)
    text = (
        f"mean shift {told.mean_shift:.4g}, largest {told.max_shift:.4g}, of {found.rows} rows"
        f"{_unanswered(found)}; a mean of {most:g} allowed"
    )
    return judged("shift", text, mean_tail(found, most), alpha, more="rows")


def mean_tail(found: Compared, most: float) -> float:
    """Give how likely such a mean is where the true one is `most`; 1 where it is not above.

    A variance of nothing is no proof of a mean: one row more, at the bound, is taken for seen.
    """
    rows = found.rows + 1
    mean = (found.shift_sum + most) / rows
    if not found.rows or found.shift_sum <= most * found.rows:
        return 1.0
    variance = max(0.0, (found.shift_squares + most * most) / rows - mean * mean)
    if variance == 0.0:
        return 0.0
    return 1.0 - NormalDist().cdf((mean - most) / sqrt(variance / rows))
