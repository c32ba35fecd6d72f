"""Special functions and sums that several families need, in numpy alone."""

import math
from typing import Final

import numpy as np

from runtime.plan.ops import Array, Float64Matrix, Float64Vector, silent


@silent
def log_sum_exp(x: Float64Matrix) -> Array:
    """Row-wise log of the sum of exponentials, (rows,), the largest kept out of the sum.

    exact   bitwise at the same batch size: numpy sums one row and many differently
    source  sklearn.utils._array_api._logsumexp, after scipy.special.logsumexp
    """
    return _log_sum_exp(x)[:, 0]


@silent
def shares(x: Float64Matrix) -> Float64Matrix:
    """Row-wise exponentials over their sum, of the logs of what is shared; as `log_sum_exp`."""
    return np.exp(x - _log_sum_exp(x))


def _log_sum_exp(x: Float64Matrix) -> Float64Matrix:
    # Where the largest is not finite the rest is nothing or NaN, and so is the sum.
    if x.shape[0] == 1:
        return _of_row(x[0])
    largest = x.max(1, keepdims=True)
    is_largest = x == largest
    rest = np.exp(x - largest)
    rest[is_largest] = 0.0
    count = is_largest.sum(1, np.float64, keepdims=True)
    out: Float64Matrix = np.log1p(rest.sum(1, keepdims=True) / count) + np.log(count) + largest
    return out


def _of_row(x: Float64Vector) -> Float64Matrix:
    """Give (1, 1), by the same steps in a third of the time: of one largest the log is zero."""
    largest = x[x.argmax()]
    is_largest = x == largest
    count = np.count_nonzero(is_largest)
    rest = np.exp(x - largest)
    rest[is_largest] = 0.0
    out = np.add.reduce(rest)
    out = np.log1p(out) if count == 1 else np.log1p(out / count) + np.log(count)
    return np.array([[out + largest]])


_EULER: Final = 0.577215664901532860606512090082402431

# Coefficients of Cephes' ndtr.c, which scipy's erf is.
_ERF_T: Final = (
    9.60497373987051638749e0,
    9.00260197203842689217e1,
    2.23200534594684319226e3,
    7.00332514112805075473e3,
    5.55923013010394962768e4,
)
_ERF_U: Final = (
    1.0,
    3.35617141647503099647e1,
    5.21357949780152679795e2,
    4.59432382970980127987e3,
    2.26290000613890934246e4,
    4.92673942608635921086e4,
)
_ERFC_P: Final = (
    2.46196981473530512524e-10,
    5.64189564831068821977e-1,
    7.46321056442269912687e0,
    4.86371970985681366614e1,
    1.96520832956077098242e2,
    5.26445194995477358631e2,
    9.34528527171957607540e2,
    1.02755188689515710272e3,
    5.57535335369399327526e2,
)
_ERFC_Q: Final = (
    1.0,
    1.32281951154744992508e1,
    8.67072140885989742329e1,
    3.54937778887819891062e2,
    9.75708501743205489753e2,
    1.82390916687909736289e3,
    2.24633760818710981792e3,
    1.65666309194161350182e3,
    5.57535340817727675546e2,
)


def erf(x: Array) -> Array:
    """Error function.

    exact   within 2e-16 of scipy.special.erf: the same rational functions, another exp
    source  Cephes, ndtr.c
    """
    size = np.abs(x)
    inner = np.minimum(size, 1.0)
    square = inner * inner
    near = inner * _polynomial(square, _ERF_T) / _polynomial(square, _ERF_U)
    # Above 6 nothing is left of erfc beside 1, and Cephes' third pair of polynomials is above 8.
    outer = np.clip(size, 1.0, 7.0)
    tail = np.exp(-outer * outer) * _polynomial(outer, _ERFC_P) / _polynomial(outer, _ERFC_Q)
    out: Array = np.copysign(np.where(size > 1.0, 1.0 - tail, near), x)
    return out


def _polynomial(x: Array, coefficients: tuple[float, ...]) -> Array:
    """Horner's rule, the highest power first."""
    out: Array = np.full_like(x, coefficients[0])
    for coefficient in coefficients[1:]:
        out *= x
        out += coefficient
    return out


# Terms of `exp_digamma`: the steps of one up to six, and the short series by powers of 1 / x.
_STEPS: Final = np.arange(6.0)[:, None]
_SERIES: Final = np.array([-1.0] * 6 + [-1.0 / 2.0, -1.0 / 12.0, 1.0 / 120.0, -1.0 / 252.0])


def exp_digamma(x: Float64Matrix) -> Float64Matrix:
    """Exponential of the digamma function above zero, by the series topics are learnt with.

    exact   within 2e-14, relative: no logarithm is taken, the number itself is a factor
    cost    15 calls of numpy and 80 bytes a number
    source  as `fast_digamma_of`
    """
    flat = x.reshape(-1)
    terms = np.empty((_SERIES.shape[0], flat.shape[0]))
    steps = np.add(_STEPS, flat, out=terms[:6])
    np.divide(steps < 6.0, steps, out=steps)
    reached = flat - np.floor(flat)
    reached += 6.0
    np.maximum(flat, reached, out=reached)
    r = np.divide(1.0, reached, out=terms[6])
    square = np.multiply(r, r, out=terms[7])
    fourth = np.multiply(square, square, out=terms[8])
    np.multiply(square, fourth, out=terms[9])
    out: Array = _SERIES.dot(terms)
    np.exp(out, out=out)
    out *= reached
    return out.reshape(x.shape)


def fast_digamma_of(x: float) -> float:
    """Digamma function of one number above zero, infinity or NaN.

    exact   bitwise
    cost    0.3 to 0.8 us
    source  sklearn/decomposition/_online_lda_fast.pyx, psi (Bernardo 1976, AS 103)
    """
    if x <= 1e-6:
        return -_EULER - 1.0 / x
    out = 0.0
    while x < 6.0:
        out -= 1.0 / x
        x += 1.0
    r = 1.0 / x
    out += math.log(x) - 0.5 * r
    r *= r
    return out - r * ((1.0 / 12.0) - r * ((1.0 / 120.0) - r * (1.0 / 252.0)))
