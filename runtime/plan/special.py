"""Special functions and sums that several families need, in numpy alone."""

import numpy as np

from runtime.plan.ops import Array, Float64Matrix


def log_sum_exp(x: Float64Matrix) -> Array:
    """Row-wise log of the sum of exponentials, the largest kept out of the sum.

    exact   bitwise at the same batch size: numpy sums one row and many differently
    source  sklearn.utils._array_api._logsumexp, after scipy.special.logsumexp
    """
    largest = np.max(x, axis=1, keepdims=True)
    is_largest = x == largest
    x = np.array(x)
    x[is_largest] = -np.inf
    count = np.sum(is_largest.astype(x.dtype), axis=1, keepdims=True)
    with np.errstate(under="ignore", over="ignore", invalid="ignore", divide="ignore"):
        rest = np.sum(np.exp(x - np.where(np.isfinite(largest), largest, 0)), axis=1, keepdims=True)
        rest = np.where(rest == 0, rest, rest / count)
        out: Array = np.log1p(rest) + np.log(count) + largest
    return np.squeeze(out, axis=1)
