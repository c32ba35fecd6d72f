"""From a fitted estimator to a spec and tensors: what every family shares.

Runs in the locked child only.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

Spec = dict[str, Any]
Lowering = Callable[["Draft", Any], Spec]


class Unsupported(Exception):
    """This estimator, or this option of it, has no plan; the fallback runtime serves it."""

    def __init__(self, where: str, reason: str) -> None:
        super().__init__(f"{where}: {reason}")
        self.where, self.reason = where, reason


class Draft:
    """A plan in the making: collects tensors, dispatches estimators by exact type."""

    def __init__(self, lowerings: dict[type, Lowering]) -> None:
        self._lowerings = lowerings
        self._path: list[str] = []
        self.tensors: dict[str, NDArray[Any]] = {}
        # The estimator being lowered gets sparse rows, in scikit-learn and in the plan.
        self.sparse = False
        # A missing text reaches scikit-learn as None instead of NaN (`estimators.keeps_none`).
        self.none = False

    @property
    def where(self) -> str:
        """Path of the estimator being lowered, e.g. `Pipeline > OneHotEncoder`."""
        return " > ".join(self._path)

    @property
    def is_outermost(self) -> bool:
        """True while the estimator being lowered is the one that gets a request's rows."""
        return len(self._path) == 1

    def unsupported(self, reason: str) -> Unsupported:
        """Make the error for the present estimator; `raise draft.unsupported("...")`."""
        return Unsupported(self.where, reason)

    def tensor(self, array: ArrayLike, dtype: str | None = None) -> str:
        """Store an array (C order, little endian; `dtype` e.g. "f8") and give its name."""
        name = f"t{len(self.tensors)}"
        self.tensors[name] = np.ascontiguousarray(array, dtype=dtype)
        return name

    def node(self, estimator: Any) -> Spec:
        """Lower one estimator. Subclasses are refused: their code may differ."""
        kind = type(estimator)
        self._path.append(kind.__name__)
        try:
            lowering = self._lowerings.get(kind)
            if lowering is None:
                raise self.unsupported(f"{kind.__module__}.{kind.__qualname__} has no plan yet")
            return lowering(self, estimator)
        finally:
            self._path.pop()

    def labels(self, classes: NDArray[Any]) -> Spec:
        """Write class labels as `Fields.labels` reads them."""
        classes = np.asarray(classes)
        if classes.dtype.kind in "iufb":
            return {"dtype": classes.dtype.str[1:], "values": classes.tolist()}
        if all(isinstance(label, str) for label in classes.tolist()):
            return {"dtype": "str", "values": classes.tolist()}
        raise self.unsupported("class labels are neither numbers nor strings nor booleans")
