"""Whether an object is a model at all, and what a fallback model takes and gives."""

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator
from sklearn.exceptions import NotFittedError
from sklearn.utils.validation import check_is_fitted

from runtime.fallback.outputs import METHODS, as_array, datatype, one_column_of_text
from runtime.plan.signature import Column, Kind, Output, Signature

_FIT: Final = "Push the fitted estimator itself: joblib.dump(model.fit(X, y), 'model.joblib')."


class Unusable(Exception):
    """No runtime can serve this object."""

    def __init__(self, reason: str, advice: str = _FIT) -> None:
        super().__init__(reason)
        self.reason, self.advice = reason, advice


def is_model(value: Any) -> None:
    """Raise Unusable unless `value` is a fitted estimator with something to serve."""
    kind = type(value)
    name = f"{kind.__module__}.{kind.__qualname__}".removeprefix("builtins.")
    if isinstance(value, type):
        raise Unusable(f"The file holds the class {value.__name__}, not a fitted estimator.")
    if not isinstance(value, BaseEstimator):
        raise Unusable(f"The file holds not a scikit-learn estimator but a {name}.")
    if not any(hasattr(value, method) for method in METHODS):
        raise Unusable(f"{name} has none of {', '.join(METHODS)}, so it can answer nothing.")
    try:
        check_is_fitted(value)
    except NotFittedError as error:
        raise Unusable(f"The {kind.__name__} is not fitted: fit it before you save it.") from error
    except TypeError as error:
        raise Unusable(f"{name} cannot be served: {error}.") from error


def describe(estimator: Any) -> Signature:
    """Find out a fallback model's signature by asking it: rows of each kind until one is answered."""
    names = getattr(estimator, "feature_names_in_", None)
    faults: list[str] = []
    for kind, rows in _candidates(estimator, names):
        outputs = _outputs(estimator, rows, faults)
        if outputs:
            count = 1 if one_column_of_text(estimator) else _width(rows)
            labels = (
                [str(n) for n in names] if names is not None else [f"x{i}" for i in range(count)]
            )
            columns = tuple(Column(label, kind, missing=True) for label in labels)
            return Signature(columns, outputs, named=names is not None)
    raise Unusable(f"It answered no probe row: {faults[0] if faults else 'no rows fit it'}.")


def _width(rows: Any) -> int:
    return int(rows.shape[1])


def _candidates(estimator: Any, names: Any) -> list[tuple[Kind, Any]]:
    if one_column_of_text(estimator):
        return [(Kind.STRING, ["some words", "some other words"])]
    count = getattr(estimator, "n_features_in_", None)
    if count is None:
        count = 1
    tables: list[tuple[Kind, NDArray[Any]]] = [
        (Kind.NUMBER, np.linspace(0.1, 1.0, 2 * count).reshape(2, count)),
        (Kind.NUMBER, np.zeros((2, count))),
        (Kind.ANY, np.full((2, count), "a", object)),
        (Kind.ANY, np.zeros((2, count), object)),
    ]
    if names is None:
        return list(tables)
    return [(kind, _frame(rows, names)) for kind, rows in tables]


def _frame(rows: NDArray[Any], names: Any) -> Any:
    try:
        import pandas
    except ImportError:
        return rows
    return pandas.DataFrame(rows, columns=list(names))


def _outputs(estimator: Any, rows: Any, faults: list[str]) -> tuple[Output, ...]:
    outputs = []
    for method in METHODS:
        if not hasattr(estimator, method):
            continue
        try:
            given = as_array(getattr(estimator, method)(rows))
        except Exception as error:  # noqa: BLE001  the tenant's model raises what it likes
            faults.append(f"{method} raised {type(error).__name__}: {str(error)[:200]}")
            if method == "predict":
                return ()
            continue
        width = None if given.ndim == 1 else int(given.shape[1])
        outputs.append(Output(method, datatype(given), width, _labels(estimator, method, width)))
    return tuple(outputs)


def _labels(estimator: Any, method: str, width: int | None) -> tuple[str, ...]:
    classes = getattr(estimator, "classes_", None)
    if method != "predict_proba" or not isinstance(classes, np.ndarray) or len(classes) != width:
        return ()
    return tuple(str(label) for label in classes.tolist())
