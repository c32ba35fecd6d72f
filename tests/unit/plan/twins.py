"""A fitted estimator and its compiled twin, side by side: what every family's tests use."""

import warnings
from typing import Any

import numpy as np
from scipy.special import expit

from controlplane.builder.lower.registry import new_draft
from runtime.estimators import as_array
from runtime.plan.graph import build
from runtime.plan.ops import Node, sigmoid


def compiled(estimator: Any) -> Node:
    """Lower a fitted estimator and read the result back as the runtime would."""
    draft = new_draft()
    spec = draft.node(estimator)
    return build(spec, draft.tensors)


def assert_bitwise(ours: Any, theirs: Any) -> None:
    """Equal to the last bit, shape and kind of dtype included; NaN equals NaN."""
    ours, theirs = np.asarray(ours), np.asarray(theirs)
    assert ours.shape == theirs.shape
    if theirs.dtype.kind in "OU":
        assert ours.tolist() == theirs.tolist()
        return
    assert ours.dtype == theirs.dtype
    np.testing.assert_array_equal(ours, theirs)


def assert_within(ours: Any, theirs: Any, tolerance: float = 1e-12) -> None:
    """Equal within the exactness contract's tolerance, absolute and relative."""
    ours, theirs = np.asarray(ours), np.asarray(theirs)
    assert ours.shape == theirs.shape
    np.testing.assert_allclose(ours, theirs, rtol=tolerance, atol=tolerance)


_LINE = np.linspace(-3.0, 3.0, 10_001)
# On processors with AVX-512 numpy has an exponential of its own, whose last bit sometimes differs
# from that of scipy's logistic function.
EXPONENTIALS_AGREE = bool((sigmoid(_LINE) == expit(_LINE)).all())


def assert_serves(model: Any, asked: Any, given: Any = None, *, exactly: bool = False) -> Node:
    """Every method of the twin answers as the estimator's, and a row alone as in the batch.

    given    the rows as the runtime holds them, where that is not how scikit-learn takes them
    exactly  equal to the last bit on every processor: no logistic function is involved
    """
    node = compiled(model)
    rows = asked if given is None else given
    bitwise = exactly or (EXPONENTIALS_AGREE and node.exact != "tolerance")
    assert not exactly or node.exact != "tolerance"
    for method in node.methods:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            theirs = as_array(getattr(model, method)(asked))
        ours = node.run(method, rows)
        if bitwise or theirs.dtype.kind != "f":
            assert_bitwise(ours, theirs)
        else:
            assert_within(ours, theirs)
        if isinstance(rows, np.ndarray):
            _assert_alone(node, method, rows, ours)
    return node


def _assert_alone(node: Node, method: str, rows: Any, batch: Any) -> None:
    for row in {0, len(rows) // 2, len(rows) - 1}:
        alone = node.run(method, rows[row : row + 1])
        if node.exact == "bitwise" or batch.dtype.kind != "f":
            assert_bitwise(alone, batch[row : row + 1])
        else:
            assert_within(alone, batch[row : row + 1])


def heights_and_layouts(q: Any) -> list[Any]:
    """Rows that take every way through a kernel: alone, few, many, and not one after another."""
    turned = np.asfortranarray(q)
    return [q[:1], q[1:2], q[:3], q[:16], q[:17], q, q[::2], turned, turned[:1], turned[:5]]


def assert_twins_in_any_layout(estimator: Any, q: Any) -> Node:
    """Bitwise for every method, height and layout; no rows have an answer without rows."""
    node = compiled(estimator)
    for method in node.methods:
        for rows in heights_and_layouts(q):
            assert_bitwise(node.run(method, rows), getattr(estimator, method)(rows))
        assert node.run(method, q[:0]).shape == (0, *node.run(method, q).shape[1:])
    return node


def assert_twins(estimator: Any, q: Any, tolerance: float | None = None) -> Node:
    """Every method the plan has, for the batch and for its first row alone; gives the node.

    tolerance  of numbers that are not bitwise equal, relative to the largest of them; None: bitwise
    """
    node = compiled(estimator)
    assert node.n_in == getattr(estimator, "n_features_in_", node.n_in)
    for rows in (q, q[:1]):
        for method in node.methods:
            ours = node.run(method, rows)
            theirs = getattr(estimator, method)(rows)
            if tolerance is None or np.asarray(theirs).dtype.kind != "f":
                assert_bitwise(ours, theirs)
            else:
                scale = max(1.0, float(np.abs(theirs).max(initial=0.0)))
                assert_within(ours / scale, theirs / scale, tolerance)
    return node
