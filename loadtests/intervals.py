"""What samples allow to say: confidence intervals of quantiles and of shares.

Both take requests as independent. Those of one test are not quite (a pause of the server makes many
late at once), so an interval is the least uncertainty there is.
"""

import math
from statistics import NormalDist
from typing import Final, NamedTuple

import numpy as np

CONFIDENCE: Final = 0.95
Z: Final = NormalDist().inv_cdf((1 + CONFIDENCE) / 2)
# Beyond so many deviations a binomial distribution has less than 1e-20 left.
DEVIATIONS: Final = 10


class Ranks(NamedTuple):
    """Ranks between which a quantile lies; None: even the last one may be below (or above) it."""

    low: int | None
    high: int | None


def quantile_ranks(samples: int, share: float) -> Ranks:
    """Give the order statistics that hold a quantile with 95 % confidence, each side 2.5 %.

    samples  how many durations there are
    share    of the quantile, such as 0.95
    source   David and Nagaraja, Order Statistics, 7.1: the number of samples below a quantile is
             binomial, whatever the distribution
    """
    if samples == 0:
        return Ranks(None, None)
    tail = (1 - CONFIDENCE) / 2
    first, below = _binomial(samples, share)
    # The r-th lies above the quantile if fewer than r are below it.
    low = first + int(np.searchsorted(below, tail, side="right"))
    high = first + int(np.searchsorted(below, 1 - tail, side="left")) + 1
    return Ranks(low if low >= 1 else None, high if high <= samples else None)


def _binomial(
    samples: int, share: float
) -> tuple[int, np.ndarray[tuple[int], np.dtype[np.float64]]]:
    """Give the distribution function of a binomial from its first count that matters on."""
    middle = int(samples * share)
    width = math.ceil(DEVIATIONS * math.sqrt(samples * share * (1 - share))) + 20
    first, last = max(0, middle - width), min(samples, middle + width)
    counts = np.arange(first, last, dtype=np.float64)
    # From one count to the next the probability changes by this factor.
    factors = (samples - counts) / (counts + 1) * (share / (1 - share))
    logs = np.concatenate(([0.0], np.cumsum(np.log(factors))))
    weights = np.exp(logs - logs.max())
    return first, np.cumsum(weights) / weights.sum()


def samples_needed(share: float) -> int:
    """Give how many samples bound a quantile from above at all: the largest one then does."""
    return math.ceil(math.log((1 - CONFIDENCE) / 2) / math.log(share))


def share_interval(hits: int, of: int) -> tuple[float, float]:
    """Give Wilson's interval of a share, 95 % confidence; (0, 1) of none."""
    if of == 0:
        return 0.0, 1.0
    share, extra = hits / of, Z * Z / of
    middle = (share + extra / 2) / (1 + extra)
    reach = Z * math.sqrt(share * (1 - share) / of + extra / (4 * of)) / (1 + extra)
    # Rounding must not make an interval exclude what was measured.
    return min(max(0.0, middle - reach), share), max(min(1.0, middle + reach), share)
