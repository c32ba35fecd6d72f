"""libsvm's probabilities: a logistic curve for each pair of classes, then one distribution."""

import numpy as np

from runtime.plan.ops import Array, Float64Matrix

LEAST = 1e-7


def platt(decisions: Float64Matrix, a: Array, b: Array) -> Float64Matrix:
    """Probability of the first class of each pair, kept from 0 and 1.

    source  sklearn/svm/src/libsvm/svm.cpp, sigmoid_predict and svm_predict_probability
    """
    slope = decisions * a + b
    # exp of minus the absolute value cannot overflow, whichever branch libsvm takes.
    small = np.exp(-np.abs(slope))
    out = np.where(slope >= 0, small / (1.0 + small), 1.0 / (1.0 + small))
    return np.clip(out, LEAST, 1 - LEAST)


def coupled(pairwise: Array) -> Float64Matrix:
    """One distribution for each row from (rows, k, k) pairwise probabilities, zero diagonals.

    Steps as libsvm's and stops where it stops, because its stopping rule is coarse (0.005 / k):
    a row that goes on would be nearer to the solution and farther from libsvm.

    source  svm.cpp, multiclass_probability (Wu, Lin and Weng 2004, second method)
    cost    at most max(100, k) rounds of k steps over the rows that have not stopped
    """
    rows, k, _ = pairwise.shape
    q = -pairwise.transpose(0, 2, 1) * pairwise
    diagonal = np.arange(k)
    # Added up class by class as libsvm does; einsum would be free to reorder.
    q[:, diagonal, diagonal] = np.add.accumulate(pairwise**2, axis=1)[:, -1, :]
    p = np.full((rows, k), 1.0 / k)
    going = np.arange(rows)
    for _ in range(max(100, k)):
        qp = np.einsum("rij,rj->ri", q[going], p[going])
        pqp = (p[going] * qp).sum(axis=1)
        on = np.abs(qp - pqp[:, None]).max(axis=1) >= 0.005 / k
        going = going[on]
        if not going.size:
            break
        p[going] = _round(q[going], p[going], qp[on], pqp[on])
    return p


def _round(q: Array, p: Float64Matrix, qp: Float64Matrix, pqp: Array) -> Float64Matrix:
    """Improve the classes one after the other; p is changed in place."""
    for t in range(p.shape[1]):
        own = q[:, t, t]
        step = (pqp - qp[:, t]) / own
        p[:, t] += step
        pqp = (pqp + step * (step * own + 2 * qp[:, t])) / (1 + step) / (1 + step)
        qp = (qp + step[:, None] * q[:, t]) / (1 + step)[:, None]
        p /= (1 + step)[:, None]
    return p
