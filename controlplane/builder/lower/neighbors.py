"""Lowering of nearest neighbours: the stored points and what they stand for."""

# The stored points, and what was learnt of them, have no public way to them.
# ruff: noqa: SLF001

from typing import Any, Final

from sklearn.neighbors import (
    KNeighborsClassifier,
    KNeighborsRegressor,
    KNeighborsTransformer,
    LocalOutlierFactor,
)

from controlplane.builder.lower.base import Draft, Lowering, Spec
from controlplane.builder.lower.stored import points, targets, weights
from runtime.plan.stored import MAX_GRAPH


def _nearest(draft: Draft, model: Any, k: int) -> Spec:
    spec = points(draft, model)
    stored = len(model._fit_X)
    if not 1 <= k <= stored:
        raise draft.unsupported(f"it wants {k} of {stored} points")
    return {**spec, "k": int(k)}


def _classifier(draft: Draft, model: Any) -> Spec:
    shared = {
        **_nearest(draft, model, model.n_neighbors),
        **weights(draft, model),
        "targets": draft.tensor(model._y, "i8"),  # places in classes_
    }
    if model.outputs_2d_:
        several = {f"classes{i}": draft.labels(known) for i, known in enumerate(model.classes_)}
        return {"op": "neighbors_labels", "outputs": len(several), **several, **shared}
    return {"op": "neighbors_classifier", "classes": draft.labels(model.classes_), **shared}


def _regressor(draft: Draft, model: Any) -> Spec:
    return {
        "op": "neighbors_regressor",
        **_nearest(draft, model, model.n_neighbors),
        **weights(draft, model),
        **targets(draft, model),
    }


def _graph(draft: Draft, model: Any) -> Spec:
    connects = model.mode == "connectivity"
    spec = _nearest(draft, model, model.n_neighbors + (not connects))
    if len(model._fit_X) > MAX_GRAPH:
        raise draft.unsupported(f"a row of its graph is wider than {MAX_GRAPH} columns")
    return {"op": "neighbors_graph", **spec, "connectivity": connects}


def _outliers(draft: Draft, model: Any) -> Spec:
    if not model.novelty:
        raise draft.unsupported("without novelty=True it only judges the rows it was fitted on")
    reach = model._distances_fit_X_[:, model.n_neighbors_ - 1]
    return {
        "op": "outlier_factor",
        **_nearest(draft, model, model.n_neighbors_),
        "density": draft.tensor(model._lrd, "f8"),
        "reach": draft.tensor(reach, "f8"),
        "offset": float(model.offset_),
    }


LOWERINGS: Final[dict[type, Lowering]] = {
    KNeighborsClassifier: _classifier,
    KNeighborsRegressor: _regressor,
    KNeighborsTransformer: _graph,
    LocalOutlierFactor: _outliers,
}
