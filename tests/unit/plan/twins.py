"""A fitted estimator and its compiled twin, side by side: what every family's tests use."""

from typing import Any

import numpy as np

from controlplane.builder.lower.registry import new_draft
from runtime.plan.graph import build
from runtime.plan.ops import Node


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
