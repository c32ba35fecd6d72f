"""The buckets that a worker counts latencies in, and what Prometheus is shown of them.

Standard library only: the control plane reads what workers counted.
"""

from itertools import accumulate
from typing import Final

# A fifth apart, so that two quantiles that differ by a quarter are in different buckets.
_DECADE: Final = (1.0, 1.2, 1.5, 1.8, 2.1, 2.5, 3.0, 3.6, 4.2, 5.0, 6.0, 7.0, 8.4)
_LEAST, _MOST = -5, 0  # powers of ten: from 10 us to 10 s

# Upper bounds in seconds, inclusive; what is above the last one has a bucket more.
BOUNDS_S: Final = (
    *(float(f"{step}e{power}") for power in range(_LEAST, _MOST + 1) for step in _DECADE),
    10.0,
)
BUCKETS: Final = len(BOUNDS_S) + 1

# Prometheus' are fewer: each is a time series of its own.
SHOWN_S: Final = (
    *(float(f"{step}e{power}") for power in range(-4, _MOST + 1) for step in (1.0, 2.5, 5.0)),
    10.0,
)


def shown(counts: list[int]) -> list[tuple[float, int]]:
    """Give how many were within each bound that is shown, from the counts of all buckets."""
    so_far = [*accumulate(counts)]
    return [(bound, so_far[BOUNDS_S.index(bound)]) for bound in SHOWN_S]
