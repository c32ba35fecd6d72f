"""Whether what an endpoint is asked drifts from a reference, column by column. Pure.

Shares are compared by the population stability index, the sum over bins of
(current - reference) * ln(current / reference). Each bin gets half a row more on both sides
(Jeffreys' prior), so that an empty one does not make it infinite. Missing cells are no bin: their
rate is compared by itself.

source  of the index and its levels: E. Lewis, An Introduction to Credit Scoring (1994);
        N. Siddiqi, Credit Risk Scorecards (2006): below 0.1 stable, from 0.25 a major shift.
        Of its noise: B. Yurdakul, Statistical Properties of Population Stability Index (2018):
        where nothing drifts, it is about (1/n + 1/m) times a chi-squared of bins - 1 degrees
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

from runtime.sketches import NUMBER, Sketch

MODERATE, MAJOR = 0.1, 0.25
PRIOR: Final = 0.5
Z95: Final = 1.6448536269514722  # of a normal, one-sided
LEAST_ROWS: Final = 30
# A missing-value rate has changed when it did by so much, and by more than chance would have it.
MISSING_LEAST: Final = 0.02
MISSING_MAJOR: Final = 0.1
MISSING_Z: Final = 3.0
SHOWN: Final = 5  # bins that are named as evidence


class Level(StrEnum):
    """How far a column is from its reference, the worst last."""

    INCONCLUSIVE = "inconclusive"
    STABLE = "stable"
    MODERATE = "moderate"
    MAJOR = "major"


ORDER: Final = tuple(Level)


@dataclass(frozen=True, slots=True)
class Shift:
    """What became of a column.

    noise    what the index stays below in 95 of 100 cases where nothing drifts
    missing  rates, reference first; unseen: share of values that the reference has not
    """

    level: Level
    psi: float | None
    noise: float | None
    rows: tuple[int, int]
    missing: tuple[float, float]
    missing_level: Level
    unseen: float | None
    bins: tuple[dict[str, Any], ...]
    evidence: str


def index(reference: Sequence[int], current: Sequence[int]) -> float:
    """Give the population stability index of counts in the same bins."""
    return sum(parts(reference, current))


def parts(reference: Sequence[int], current: Sequence[int]) -> list[float]:
    """Give what each bin adds to the index."""
    p, q = shares(reference), shares(current)
    return [(now - before) * math.log(now / before) for before, now in zip(p, q, strict=True)]


def shares(counts: Sequence[int]) -> list[float]:
    """Give the share of each bin, with half a row more in each."""
    whole = sum(counts) + PRIOR * len(counts)
    return [(count + PRIOR) / whole for count in counts]


def noise(bins: int, reference: int, current: int) -> float:
    """Give what the index of so many rows stays below in 95 % where nothing drifts."""
    return (1 / reference + 1 / current) * chi_squared_95(bins - 1) if bins > 1 else 0.0


def chi_squared_95(degrees: int) -> float:
    """Give the 95th percentile of a chi-squared (Wilson and Hilferty 1931; within 2.5 %)."""
    part = 2 / (9 * degrees)
    return degrees * (1 - part + Z95 * math.sqrt(part)) ** 3


def shift(reference: Sketch, current: Sketch) -> Shift:
    """Compare a column with its reference; both are counted in the reference's bins."""
    before, now = sum(reference.counts), sum(current.counts)
    missing = _missing(reference, current)
    rates = (_rate(reference), _rate(current))
    if before < LEAST_ROWS or now < LEAST_ROWS:
        few = "reference" if before < LEAST_ROWS else "window"
        values = min(before, now)
        text = f"the {few} has {values} values, {LEAST_ROWS} are needed"
        level = _joined(Level.INCONCLUSIVE, missing)
        text = _said(text, rates, missing)
        return Shift(level, None, None, (before, now), rates, missing, None, (), text)
    psi = index(reference.counts, current.counts)
    bound = noise(len(reference.counts), before, now)
    shape = level_of(psi, bound)
    bins = _bins(reference, current)
    text = f"PSI {psi:.3f}" + (f": {bins[0]['said']}" if psi >= MODERATE else "")
    if shape is Level.INCONCLUSIVE:
        text = f"PSI {psi:.3f} of {now} values may be chance, which reaches {bound:.3f}"
    return Shift(
        _joined(shape, missing),
        psi,
        bound,
        (before, now),
        rates,
        missing,
        _unseen(reference, current),
        bins,
        _said(text, rates, missing),
    )


def _joined(shape: Level, missing: Level) -> Level:
    """Give a column's level: what is known to have changed counts, whatever else is not known."""
    if missing in (Level.MODERATE, Level.MAJOR):
        return max(shape, missing, key=ORDER.index)
    return shape


def level_of(psi: float, bound: float) -> Level:
    """Give the level of an index; inconclusive where chance alone may have made it."""
    if psi < MODERATE:
        return Level.STABLE if bound < MAJOR else Level.INCONCLUSIVE
    if psi <= bound:
        return Level.INCONCLUSIVE
    return Level.MAJOR if psi >= MAJOR else Level.MODERATE


def worst(levels: Sequence[Level]) -> Level:
    """Give the level of all columns together; of none: inconclusive."""
    return max(levels, key=ORDER.index, default=Level.INCONCLUSIVE)


def _rate(one: Sketch) -> float:
    return one.missing / one.rows if one.rows else 0.0


def _missing(reference: Sketch, current: Sketch) -> Level:
    """Compare rates of missing cells by a two-proportion z-test."""
    n, m = reference.rows, current.rows
    if n < LEAST_ROWS or m < LEAST_ROWS:
        return Level.INCONCLUSIVE
    change = abs(_rate(current) - _rate(reference))
    both = (reference.missing + current.missing) / (n + m)
    spread = math.sqrt(both * (1 - both) * (1 / n + 1 / m))
    if change < MISSING_LEAST or change < MISSING_Z * spread:
        return Level.STABLE
    return Level.MAJOR if change >= MISSING_MAJOR else Level.MODERATE


def _said(text: str, rates: tuple[float, float], level: Level) -> str:
    if level not in (Level.MODERATE, Level.MAJOR):
        return text
    return f"{text}; missing {rates[0]:.1%} before, {rates[1]:.1%} now"


def _unseen(reference: Sketch, current: Sketch) -> float | None:
    bins = reference.bins
    if bins.kind == NUMBER or not bins.whole:
        return None
    return current.counts[-1] / sum(current.counts)


def _bins(reference: Sketch, current: Sketch) -> tuple[dict[str, Any], ...]:
    """Give the bins that add most to the index, in words and numbers."""
    before, now = sum(reference.counts), sum(current.counts)
    adds = parts(reference.counts, current.counts)
    found = []
    for at in sorted(range(len(adds)), key=lambda at: -adds[at])[:SHOWN]:
        share, other = reference.counts[at] / before, current.counts[at] / now
        label = label_of(reference, at)
        found.append(
            {
                "label": label,
                "reference": round(share, 6),
                "current": round(other, 6),
                "psi": round(adds[at], 6),
                "said": f"{label} {share:.1%} before, {other:.1%} now",
            }
        )
    return tuple(found)


def label_of(one: Sketch, at: int) -> str:
    """Name a bin."""
    bins = one.bins
    if bins.kind != NUMBER:
        others = "new values" if bins.whole else "other values"
        return bins.values[at] if at < len(bins.values) else others
    if not bins.edges:
        return "all"
    if at == 0:
        return f"≤ {bins.edges[0]:g}"
    if at == len(bins.edges):
        return f"> {bins.edges[-1]:g}"
    return f"{bins.edges[at - 1]:g} to {bins.edges[at]:g}"
