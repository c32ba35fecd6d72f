"""Whether an object is a model at all, and what a fallback model takes and gives."""

import warnings
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator
from sklearn.decomposition import SparseCoder
from sklearn.exceptions import NotFittedError
from sklearn.feature_extraction.text import HashingVectorizer
from sklearn.utils.validation import check_is_fitted

from controlplane.builder.landmarks import Values, landmarks
from runtime.estimators import (
    METHODS,
    as_array,
    datatype,
    keeps_none,
    one_column_of_text,
    table,
)
from runtime.plan.signature import Column, Kind, Output, Signature

_FIT: Final = "Push the fitted estimator itself: joblib.dump(model.fit(X, y), 'model.joblib')."
# They learn nothing, which scikit-learn's check knows of the one since 1.6, of the other since 1.7.
_LEARN_NOTHING: Final = (HashingVectorizer, SparseCoder)


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
        raise Unusable(f"The file holds no scikit-learn estimator but an object of type {name}.")
    if not any(hasattr(value, method) for method in METHODS):
        raise Unusable(f"{name} has none of {', '.join(METHODS)}, so it can answer nothing.")
    if isinstance(value, _LEARN_NOTHING):
        return
    try:
        check_is_fitted(value)
    except NotFittedError as error:
        raise Unusable(f"The {kind.__name__} is not fitted: fit it before you save it.") from error
    except TypeError as error:
        raise Unusable(f"{name} cannot be served: {error}.") from error


def describe(estimator: Any) -> Signature:
    """Find out a fallback model's signature by asking it rows of several kinds."""
    given = getattr(estimator, "feature_names_in_", None)
    names = None if given is None else [str(name) for name in given]
    none = keeps_none(estimator)
    faults: list[str] = []
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for kinds, cells in _candidates(estimator, names):
            outputs = _outputs(estimator, table(estimator, cells, names, none=none), faults)
            if outputs:
                titles = names or [f"x{i}" for i in range(len(kinds))]
                columns = tuple(
                    Column(title, kind, missing=True)
                    for title, kind in zip(titles, kinds, strict=True)
                )
                return Signature(columns, outputs, named=names is not None)
    raise Unusable(
        f"It answered no probe row: {faults[0] if faults else 'no rows fit it'}.",
        "Check that model.predict works on a row in a fresh process, then push again.",
    )


def _candidates(
    estimator: Any, names: list[str] | None
) -> list[tuple[list[Kind], list[NDArray[Any]]]]:
    """Two rows each: by what the categories tell, all numbers, known ones, all zeros, all texts."""
    if one_column_of_text(estimator):
        return [([Kind.STRING], [_objects("some words", "some other words")])]
    # A dummy of scikit-learn 1.1 says None.
    count = len(names) if names else int(getattr(estimator, "n_features_in_", None) or 1)
    numbers = [np.array([0.25 + i, 0.75 + i]) for i in range(count)]
    known = _known(estimator, names or [f"x{i}" for i in range(count)])
    texts = {
        position: next(value for value in values if isinstance(value, str))
        for position, values in known.items()
        if any(isinstance(value, str) for value in values)
    }
    # The first of each column: where a model keeps rows, one of them.
    firsts = [known[i][0] if known.get(i) else 0.0 for i in range(count)]
    seen = [np.full(2, first if isinstance(first, float) else 0.0) for first in firsts]
    mixed = [_objects(texts[i], texts[i]) if i in texts else numbers[i] for i in range(count)]
    kinds = [Kind.STRING if i in texts else Kind.NUMBER for i in range(count)]
    return [
        (kinds, mixed),
        ([Kind.NUMBER] * count, seen),
        ([Kind.NUMBER] * count, [np.zeros(2)] * count),
        ([Kind.ANY] * count, [_objects("a", "a")] * count),
    ]


def _known(estimator: Any, names: list[str]) -> Values:
    """Give the landmarks, if it can be looked into; a class of its own names things as it likes."""
    try:
        return landmarks(estimator, names)
    except MemoryError:
        raise
    except Exception:  # noqa: BLE001  what is known makes better rows; others are tried anyway
        return {}


def _objects(*cells: str) -> NDArray[Any]:
    return np.array(cells, object)


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
