"""Lowering of neighbours within a radius."""

# ruff: noqa: SLF001  (no public way to the stored points and their labels)

from typing import Any

import numpy as np
from sklearn.neighbors import (
    RadiusNeighborsClassifier,
    RadiusNeighborsRegressor,
    RadiusNeighborsTransformer,
)

from controlplane.builder.lower.base import Draft, Lowering, Spec
from controlplane.builder.lower.stored import points, targets, weights
from runtime.plan.stored import MAX_GRAPH


def _within(draft: Draft, model: Any) -> Spec:
    return {**points(draft, model), "radius": float(model.radius)}


def _classifier(draft: Draft, model: Any) -> Spec:
    if model.outputs_2d_:
        raise draft.unsupported("it predicts several outputs")
    return {
        "op": "radius_classifier",
        **_within(draft, model),
        **weights(draft, model),
        "classes": draft.labels(model.classes_),
        "targets": draft.tensor(model._y, "i8"),
        **_outlier(draft, model),
    }


def _outlier(draft: Draft, model: Any) -> Spec:
    """What a row without neighbours is."""
    if model.outlier_label_ is None:
        return {}
    label = model.outlier_label_[0]
    places = np.flatnonzero(model.classes_ == label)
    place = int(places[0]) if len(places) else -1
    # Brute force looks the label up among the classes' numbers (scikit-learn 1.5 to 1.9), so it
    # may find another class, or none.
    if model._fit_method == "brute" and model.weights == "uniform":
        numbers = np.arange(len(model.classes_))
        asked = model.outlier_label
        found = [n for n in numbers.tolist() if not isinstance(asked, str) and n == asked]
        if found != [place]:
            raise draft.unsupported(
                "its outlier_label is not a class's own number, which brute force mistakes"
            )
    same = np.empty(1, model.classes_.dtype)
    same[0] = label
    return {"outlier": place, "label": draft.labels(same)}


def _regressor(draft: Draft, model: Any) -> Spec:
    spec = {
        "op": "radius_regressor",
        **_within(draft, model),
        **weights(draft, model),
        **targets(draft, model),
    }
    if np.asarray(model._y).dtype.kind != "f":
        # scikit-learn puts NaN into an array of the targets' type.
        with np.errstate(invalid="ignore"):
            spec["empty"] = float(np.full(1, np.nan).astype(np.asarray(model._y).dtype)[0])
    return spec


def _graph(draft: Draft, model: Any) -> Spec:
    spec = _within(draft, model)
    if len(model._fit_X) > MAX_GRAPH:
        raise draft.unsupported(f"a row of its graph is wider than {MAX_GRAPH} columns")
    return {"op": "radius_graph", **spec, "connectivity": model.mode == "connectivity"}


LOWERINGS: dict[type, Lowering] = {
    RadiusNeighborsClassifier: _classifier,
    RadiusNeighborsRegressor: _regressor,
    RadiusNeighborsTransformer: _graph,
}
