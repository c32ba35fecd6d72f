"""How scikit-learn's estimators are called: which methods, with which table, giving which arrays.

Shared by the build and the fallback worker, so that both call a model in the same way. Imports
numpy only; pandas is used where a model was fitted with a DataFrame and pandas is installed.
"""

import contextlib
from collections.abc import Iterable, Sequence
from importlib import import_module
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

METHODS: Final = (
    "predict",
    "predict_proba",
    "decision_function",
    "predict_log_proba",
    "transform",
    "score_samples",
)

_MOST_MEMBERS: Final = 50
_NAMES: Final = {"f8": "FP64", "f4": "FP32", "i8": "INT64", "i4": "INT32", "b1": "BOOL"}


def look_at_libraries() -> None:
    """Have scikit-learn find its linear algebra now: it asks /proc, which a sandbox closes.

    k-means limits the threads of BLAS at each call and else looks for it at the first.
    """
    for place in ("sklearn.utils.parallel", "sklearn.utils.fixes"):  # the second before 1.5
        with contextlib.suppress(ImportError):
            controller = getattr(import_module(place), "_get_threadpool_controller", None)
            if controller is not None:
                controller()
                return


def as_array(given: Any) -> NDArray[Any]:
    """Give an estimator's answer as one array of numbers, booleans or objects, of rank 1 or 2."""
    if hasattr(given, "toarray"):  # sparse
        given = given.toarray()
    if isinstance(given, list):  # multi-output predict_proba: classes of each output side by side
        given = np.hstack([np.asarray(part) for part in given])
    array = np.asarray(given)
    if array.dtype.kind in "iu":
        array = array.astype(np.int64)
    if array.dtype.kind == "f" and array.dtype.itemsize not in (4, 8):
        array = array.astype(np.float64)
    if array.dtype.kind not in "fibOU":
        raise ValueError(f"an answer of {array.dtype} cannot be served")
    if array.ndim not in (1, 2):
        raise ValueError(f"an answer of rank {array.ndim} cannot be served")
    return array


def datatype(array: NDArray[Any]) -> str:
    """Open Inference Protocol name of an array's type."""
    return _NAMES.get(array.dtype.str[1:], "BYTES")


def one_column_of_text(estimator: Any, depth: int = 8) -> bool:
    """True for a vectorizer of texts, alone or where rows go first: it takes a list, no table."""
    if hasattr(estimator, "build_analyzer"):
        return getattr(estimator, "input", None) == "content"
    first = [step for _, step in _listed(estimator, "steps") if step not in (None, "passthrough")]
    first = first[:1] or [part for _, part in _listed(estimator, "transformer_list")]
    first += [getattr(estimator, "best_estimator_", None), getattr(estimator, "estimator_", None)]
    first += [getattr(estimator, "regressor_", None), *_listed(estimator, "estimators_")[:1]]
    first += [classifier_of(pair) for pair in _listed(estimator, "calibrated_classifiers_")[:1]]
    inner = [each for each in first if each is not None and not isinstance(each, str)]
    return depth > 0 and bool(inner) and one_column_of_text(inner[0], depth - 1)


def keeps_none(estimator: Any) -> bool:
    """True when a missing text was None in training; else it was NaN, which encoders tell apart."""
    return any(
        None in np.asarray(categories, object).tolist()
        for inner in within(estimator)
        for categories in _listed(inner, "categories_")
    )


def classifier_of(pair: Any) -> Any:
    """Give the classifier of a calibrated pair, which scikit-learn 1.1 calls a base estimator."""
    return getattr(pair, "estimator", None) or getattr(pair, "base_estimator", None)


def within(estimator: Any, depth: int = 8) -> Iterable[Any]:
    """Give an estimator and the fitted ones inside it, outermost first."""
    if depth == 0 or estimator is None or isinstance(estimator, str):
        return
    yield estimator
    inner = [step for _, step in _listed(estimator, "steps")]
    inner += [fitted for _, fitted, *_ in _listed(estimator, "transformers_")]
    inner += [fitted for _, fitted in _listed(estimator, "transformer_list")]
    # The members of an ensemble are much alike; a few of very many tell what there is to know.
    inner += _listed(estimator, "estimators_")[:_MOST_MEMBERS]
    pairs = _listed(estimator, "calibrated_classifiers_")[:_MOST_MEMBERS]
    inner += [classifier_of(pair) for pair in pairs]
    inner += [
        getattr(estimator, name, None)
        for name in ("best_estimator_", "estimator_", "regressor_", "final_estimator_")
    ]
    for each in inner:
        yield from within(each, depth - 1)


def _listed(estimator: Any, attribute: str) -> list[Any]:
    value = getattr(estimator, attribute, None)
    return list(value) if isinstance(value, (list, tuple)) else []


def table(
    estimator: Any, columns: Sequence[NDArray[Any]], names: Sequence[str] | None, *, none: bool
) -> Any:
    """Put columns into the form the model was fitted with.

    names  of the columns when it was fitted with a DataFrame, else None
    none   give missing texts as None (see `keeps_none`)
    """
    if one_column_of_text(estimator):
        return columns[0].tolist()
    floats = np.float32 if _takes_single(estimator) else np.float64
    filled = [_cells(column, none=none) for column in columns]
    filled = [cells if cells.dtype == object else cells.astype(floats) for cells in filled]
    if names is not None:
        try:
            import pandas
        except ImportError:
            pass
        else:
            # As objects: pandas 3 would make its own strings of them, and NaN of None.
            series = [pandas.Series(column, dtype=column.dtype) for column in filled]
            return pandas.DataFrame(dict(zip(names, series, strict=True)))
    if all(column.dtype != object for column in filled):
        return np.column_stack(filled)
    return np.column_stack([column.astype(object) for column in filled])


def _takes_single(estimator: Any) -> bool:
    """True where a k-means was fitted on float32: it refuses float64 rows, wherever it stands."""
    return any(
        hasattr(inner, "inertia_")
        and getattr(inner, "cluster_centers_", np.empty(0)).dtype == np.float32
        for inner in within(estimator)
    )


def _cells(column: NDArray[Any], *, none: bool) -> NDArray[Any]:
    if column.dtype != object:
        return column
    cells = column.tolist()
    texts = any(isinstance(cell, str) for cell in cells)
    if not texts and any(cell is not None for cell in cells):
        return np.array([np.nan if cell is None else cell for cell in cells], np.float64)
    if none:
        return column
    filled = np.empty(len(cells), object)
    filled[:] = [np.nan if cell is None else cell for cell in cells]
    return filled
