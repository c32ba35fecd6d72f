"""Numbers that preprocessing turns at, or takes at all: bin edges, knots, quantiles, domains.

Told by the fitted attributes alone, as landmarks are.
"""

from typing import Any, Final

import numpy as np

_MOST: Final = 64
# Beside these the next step of a pipeline is given NaN, and refuses the row.
_DOMAINS: Final[tuple[tuple[Any, tuple[float, ...]], ...]] = (
    (np.log, (0.5, 1.0, 2.0)),
    (np.log2, (0.5, 1.0, 2.0)),
    (np.log10, (0.5, 1.0, 2.0)),
    (np.log1p, (0.0, 1.0, 2.0)),
    (np.sqrt, (1.0, 2.0, 3.0)),
    (np.reciprocal, (0.5, 1.0, 2.0)),
    (np.arccosh, (1.5, 2.0, 3.0)),
    (np.arcsin, (-0.5, 0.1, 0.5)),
    (np.arccos, (-0.5, 0.1, 0.5)),
    (np.arctanh, (-0.5, 0.1, 0.5)),
)


def ranges(estimator: Any, count: int) -> list[list[float]]:
    """Give numbers worth asking for each of so many columns; nothing for most estimators."""
    for found in (_edges(estimator), _knots(estimator), _quantiles(estimator)):
        if len(found) == count:
            return [_finite(column) for column in found]
    return [list(_domain(estimator))] * count


def _edges(estimator: Any) -> list[Any]:
    edges = getattr(estimator, "bin_edges_", None)
    return list(edges) if isinstance(edges, (list, np.ndarray)) else []


def _knots(estimator: Any) -> list[Any]:
    splines = getattr(estimator, "bsplines_", None)
    if not isinstance(splines, list):
        return []
    # The knots beyond either end are outside of what it was fitted on.
    return [spline.t[spline.k : len(spline.t) - spline.k] for spline in splines]


def _quantiles(estimator: Any) -> list[Any]:
    quantiles = getattr(estimator, "quantiles_", None)
    return list(quantiles.T) if isinstance(quantiles, np.ndarray) and quantiles.ndim == 2 else []


def _finite(column: Any) -> list[float]:
    values = np.ravel(np.asarray(column, np.float64))
    values = values[np.isfinite(values)]
    if len(values) > _MOST:
        # Both ends, and as much of what is between them.
        values = values[np.linspace(0, len(values) - 1, _MOST).astype(int)]
    listed: list[float] = values.tolist()
    return listed


def _domain(estimator: Any) -> tuple[float, ...]:
    if (
        getattr(estimator, "method", None) == "box-cox"
        or getattr(estimator, "kernel", None) in ("chi2", "additive_chi2")
        or hasattr(estimator, "skewedness")  # SkewedChi2Sampler
        or hasattr(estimator, "sample_steps")  # AdditiveChi2Sampler
    ):
        return (0.5, 1.0, 2.0)
    function = getattr(estimator, "func", None)
    return next((taken for known, taken in _DOMAINS if known is function), ())
