"""Lowering of multilayer perceptrons."""

from typing import Any

from sklearn.neural_network import MLPClassifier, MLPRegressor

from controlplane.builder.lower.base import Draft, Lowering, Spec
from controlplane.builder.lower.matrices import right_factor
from runtime.plan.neural import MAX_LAYERS


def _layers(draft: Draft, model: Any) -> Spec:
    depth = len(model.coefs_)
    if depth > MAX_LAYERS:
        raise draft.unsupported(f"more than {MAX_LAYERS} layers")
    spec: Spec = {"depth": depth, "hidden": model.activation, "output": model.out_activation_}
    for i, (weights, bias) in enumerate(zip(model.coefs_, model.intercepts_, strict=True)):
        # float32 weights (fitted on float32) meet float64 rows by being widened: the same numbers.
        spec |= right_factor(draft, f"weights_{i}", weights)
        spec[f"bias_{i}"] = draft.tensor(bias, "f8")
    return spec


def _regressor(draft: Draft, model: Any) -> Spec:
    return {"op": "mlp_regressor", **_layers(draft, model)}


def _classifier(draft: Draft, model: Any) -> Spec:
    binarizer = model._label_binarizer  # noqa: SLF001  (no public way to the kind of target)
    if binarizer.y_type_.startswith("multilabel"):
        return {"op": "mlp_labels", **_layers(draft, model)}
    if len(model.classes_) < 2:
        raise draft.unsupported("it was fitted on one class alone")
    return {
        "op": "mlp_classifier",
        **_layers(draft, model),
        "classes": draft.labels(model.classes_),
    }


LOWERINGS: dict[type, Lowering] = {
    MLPRegressor: _regressor,
    MLPClassifier: _classifier,
}
