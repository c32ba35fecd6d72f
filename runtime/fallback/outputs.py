"""What the fallback serves of an estimator, and in which form. numpy only."""

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

_NAMES: Final = {"f8": "FP64", "f4": "FP32", "i8": "INT64", "i4": "INT32", "b1": "BOOL"}


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


def one_column_of_text(estimator: Any) -> bool:
    """True for a vectorizer of texts, alone or first in a pipeline: it takes a list, not a table."""
    steps = getattr(estimator, "steps", None)
    first = steps[0][1] if isinstance(steps, list) and steps else estimator
    return hasattr(first, "build_analyzer") and getattr(first, "input", None) == "content"
