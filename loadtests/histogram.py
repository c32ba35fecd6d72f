"""How many requests took how long, in steps of 1 %: small to keep, quick to add to, exact to merge.

230 steps a decade from 1 µs to 100 s; a quantile is right to half a step, 0.5 %.
"""

from collections.abc import Iterable
from typing import Final

import numpy as np
from numpy.typing import NDArray

STEPS: Final = 230  # a decade
DECADES: Final = 8
BINS: Final = STEPS * DECADES
SMALLEST_S: Final = 1e-6

Counts = NDArray[np.int64]
Seconds = NDArray[np.float64]


def empty() -> Counts:
    """Give a histogram of nothing; (BINS,)."""
    return np.zeros(BINS, np.int64)


def bins_of(seconds: Seconds) -> NDArray[np.int64]:
    """Give the step of each duration; what lies outside is in the first or the last."""
    steps = STEPS * np.log10(np.maximum(seconds, SMALLEST_S) / SMALLEST_S)
    return np.minimum(steps.astype(np.int64), BINS - 1)


def counted(seconds: Seconds) -> Counts:
    """Count durations; (n,) seconds to (BINS,)."""
    return np.bincount(bins_of(seconds), minlength=BINS)


def edge_s(step: int) -> float:
    """Give where a step begins, in seconds."""
    return float(SMALLEST_S * 10 ** (step / STEPS))


def middle_s(step: int) -> float:
    """Give the middle of a step, in seconds; what a duration in it is reported as."""
    return float(SMALLEST_S * 10 ** ((step + 0.5) / STEPS))


def ranked_s(counts: Counts, rank: int) -> float:
    """Give the duration of a rank (1: the shortest), in seconds; raises ValueError beyond all."""
    if not 1 <= rank <= int(counts.sum()):
        raise ValueError(f"there is no rank {rank} among {int(counts.sum())} durations")
    return middle_s(int(np.searchsorted(np.cumsum(counts), rank, side="left")))


def quantile_s(counts: Counts, share: float) -> float | None:
    """Give what this share of all did not exceed, in seconds; None: there are none."""
    total = int(counts.sum())
    if not total:
        return None
    return ranked_s(counts, min(total, max(1, int(np.ceil(share * total)))))


def mean_s(counts: Counts) -> float | None:
    """Give the mean, in seconds; None: there are none."""
    total = int(counts.sum())
    if not total:
        return None
    middles = SMALLEST_S * 10 ** ((np.arange(BINS) + 0.5) / STEPS)
    return float((counts * middles).sum() / total)


def to_pairs(counts: Counts) -> list[list[int]]:
    """Give [step, count] of the steps that hold something."""
    filled = np.flatnonzero(counts)
    return [[int(step), int(counts[step])] for step in filled]


def from_pairs(pairs: Iterable[Iterable[int]]) -> Counts:
    """Read what `to_pairs` gave; raises ValueError for steps that there are not."""
    counts = empty()
    for step, count in pairs:
        if not 0 <= step < BINS or count < 0:
            raise ValueError(f"[{step}, {count}] is no step of a histogram")
        counts[step] += count
    return counts
