"""Lowering of SplineTransformer: its knots, and tables for what is beyond them."""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.preprocessing import SplineTransformer

from controlplane.builder.lower.base import Draft, Lowering, Spec
from runtime.plan.splines import MAX_DEGREE


def _splines(draft: Draft, estimator: Any) -> Spec:
    degree, beyond = int(estimator.degree), estimator.extrapolation
    if degree > MAX_DEGREE:
        raise draft.unsupported(f"its degree is above {MAX_DEGREE}")
    if not estimator.n_features_out_:
        raise draft.unsupported("it makes no columns")
    if degree == 0 and (beyond == "constant" or (beyond == "periodic" and _is_sparse(estimator))):
        raise draft.unsupported("scikit-learn raises for steps (degree=0) that end like this")
    zeros = getattr(estimator, "handle_missing", "error") == "zeros"
    within = beyond in ("error", "continue", "periodic")
    if zeros and within and _is_sparse(estimator) and len(estimator.bsplines_) > 1:
        # It zeroes the wrong columns; what a missing cell gets is then the smallest cell's splines.
        raise draft.unsupported(
            "with sparse_output=True scikit-learn's answer to a missing cell depends on other rows"
        )
    knots = np.column_stack([spline.t for spline in estimator.bsplines_])
    if not np.isfinite(knots).all():
        raise draft.unsupported("a column was empty in training, so it has no knots")
    return {
        "op": "splines",
        "degree": degree,
        "knots": draft.tensor(knots, "f8"),
        "beyond": "ends" if beyond in ("constant", "linear") else beyond,
        "zeros": zeros,
        "by_column": estimator.order == "F" and not _is_sparse(estimator),
        "include_bias": bool(estimator.include_bias),
        **(_ends(draft, estimator) if beyond in ("constant", "linear") else {}),
    }


def _is_sparse(estimator: Any) -> bool:
    return bool(getattr(estimator, "sparse_output", False))


def _ends(draft: Draft, estimator: Any) -> Spec:
    """Tabulate the splines at both ends.

    scikit-learn widens a degree of 0 or 1 once more for each column that it extends linearly, and
    then takes the ends of the next columns from further inside; so do these tables.
    """
    linear, degree = estimator.extrapolation == "linear", int(estimator.degree)
    splines = estimator.bsplines_[0].c.shape[1]
    ends = np.zeros((2, len(estimator.bsplines_)))
    tables = np.zeros((2, 2, len(estimator.bsplines_), splines))
    for place, spline in enumerate(estimator.bsplines_):
        ends[:, place] = spline.t[degree], spline.t[-degree - 1]
        if linear and degree <= 1:
            degree += 1
        below, above = slice(0, degree), slice(splines - degree, splines)
        for side, (end, kept) in enumerate(zip(ends[:, place], (below, above), strict=True)):
            tables[side, 0, place, kept] = spline(end)[kept]
            if linear:
                tables[side, 1, place, kept] = spline(end, nu=1)[kept]
    return {
        "first": draft.tensor(ends[0], "f8"),
        "last": draft.tensor(ends[1], "f8"),
        "below": draft.tensor(_finite(draft, tables[0]), "f8"),
        "above": draft.tensor(_finite(draft, tables[1]), "f8"),
    }


def _finite(draft: Draft, table: NDArray[Any]) -> NDArray[Any]:
    if not np.isfinite(table).all():
        raise draft.unsupported("its splines have no values at their ends")
    return table


LOWERINGS: dict[type, Lowering] = {SplineTransformer: _splines}
