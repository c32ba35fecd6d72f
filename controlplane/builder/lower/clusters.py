"""Lowering of k-means and its kin."""

# BisectingKMeans keeps its tree in private attributes.
# ruff: noqa: SLF001

from typing import Any

import numpy as np
from sklearn.cluster import BisectingKMeans, KMeans, MiniBatchKMeans

from controlplane.builder.lower.base import Draft, Lowering, Spec
from runtime.plan.clusters import MAX_DEPTH


def _checked(draft: Draft, centres: Any) -> Any:
    if np.asarray(centres).dtype != np.float64:
        # scikit-learn then refuses or converts float64 rows, depending on its version.
        raise draft.unsupported(f"its centres are {np.asarray(centres).dtype}, not float64")
    return centres


def _centres(draft: Draft, model: Any) -> Spec:
    return {
        "op": "centres",
        "centres": draft.tensor(_checked(draft, model.cluster_centers_), "f8"),
    }


def _bisected(draft: Draft, model: Any) -> Spec:
    _checked(draft, model.cluster_centers_)
    level, nodes, left, depth = [model._bisecting_tree], [model._bisecting_tree], [], 0
    while level:
        below: list[Any] = []
        for node in level:
            left.append(-1 if node.left is None else len(nodes) + len(below))
            if node.left is not None:
                below += [node.left, node.right]
        nodes += below
        level = below
        depth += bool(below)
    if depth > MAX_DEPTH:
        raise draft.unsupported(f"its tree is deeper than {MAX_DEPTH}")
    # Fitted rows were centred; predict adds their mean to two centres at a time.
    centres = np.stack([node.center for node in nodes])
    if hasattr(model, "_X_mean"):
        centres = centres + model._X_mean
    return {
        "op": "bisected",
        "tree": draft.tensor(centres, "f8"),
        "left": draft.tensor(left, "i8"),
        "label": draft.tensor(
            [getattr(n, "label", 0) if n.left is None else 0 for n in nodes], "i8"
        ),
        "depth": depth,
        "centres": draft.tensor(model.cluster_centers_, "f8"),
    }


LOWERINGS: dict[type, Lowering] = {
    KMeans: _centres,
    MiniBatchKMeans: _centres,
    BisectingKMeans: _bisected,
}
