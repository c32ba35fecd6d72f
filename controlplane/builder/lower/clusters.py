"""Lowering of clusters: by their centres, and of columns."""

# BisectingKMeans keeps its tree in private attributes.
# ruff: noqa: SLF001

from typing import Any, Final

import numpy as np
from sklearn.cluster import (
    AffinityPropagation,
    Birch,
    BisectingKMeans,
    FeatureAgglomeration,
    KMeans,
    MeanShift,
    MiniBatchKMeans,
)

from controlplane.builder.lower.base import Draft, Lowering, Spec
from runtime.plan.clusters import MAX_DEPTH


def _checked(draft: Draft, centres: Any) -> Any:
    if np.asarray(centres).dtype != np.float64:
        # scikit-learn then refuses or converts float64 rows, depending on its version.
        raise draft.unsupported(f"its centres are {np.asarray(centres).dtype}, not float64")
    return centres


def _centres(draft: Draft, model: Any) -> Spec:
    single = draft.is_outermost and model.cluster_centers_.dtype == np.float32
    if not single:
        _checked(draft, model.cluster_centers_)
    centres = draft.tensor(model.cluster_centers_, "f8")
    return {"op": "centres", "centres": centres} | ({"single": True} if single else {})


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


def _nearest(draft: Draft, centres: Any, **more: Any) -> Spec:
    centres = np.asarray(centres)
    if not len(centres):
        raise draft.unsupported("it has no cluster, so every row would be -1")
    return {
        "op": "nearest_centre",
        "centres": draft.tensor(_checked(draft, centres), "f8"),
        **more,
    }


def _birch(draft: Draft, model: Any) -> Spec:
    label = draft.tensor(model.subcluster_labels_, "i8")
    return _nearest(draft, model.subcluster_centers_, label=label, transforms=True)


def _shifted(draft: Draft, model: Any) -> Spec:
    return _nearest(draft, model.cluster_centers_, transforms=False)


def _affine(draft: Draft, model: Any) -> Spec:
    if not hasattr(model, "cluster_centers_"):
        raise draft.unsupported("with affinity='precomputed' it cannot predict")
    return _shifted(draft, model)


def _agglomerated(draft: Draft, model: Any) -> Spec:
    own = model.pooling_func
    pooling = next((n for n, known in POOLED.items() if any(own is f for f in known)), None)
    if pooling is None:
        name = getattr(own, "__name__", "a function")
        raise draft.unsupported(f"its pooling {name} is not one of {', '.join(POOLED)}")
    return {"op": "pooled", "pooling": pooling, "group": draft.tensor(model.labels_, "i8")}


# By identity, never by name: a tenant's own `mean` is another function.
POOLED: Final = {
    "mean": (np.mean,),
    "max": (np.max, np.amax),
    "min": (np.min, np.amin),
    "median": (np.median,),
}

LOWERINGS: dict[type, Lowering] = {
    KMeans: _centres,
    MiniBatchKMeans: _centres,
    BisectingKMeans: _bisected,
    Birch: _birch,
    MeanShift: _shifted,
    AffinityPropagation: _affine,
    FeatureAgglomeration: _agglomerated,
}
