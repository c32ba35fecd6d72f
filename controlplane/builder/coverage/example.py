"""One estimator to be fitted, and the odd things that users give scikit-learn with it."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import scipy.sparse
from sklearn.linear_model import LogisticRegression
from sklearn.tree import DecisionTreeClassifier

from controlplane.builder.coverage.samples import SAMPLES

Fit = Callable[[Any, Any, Any], Any]


def on_rows(model: Any, rows: Any, target: Any) -> Any:
    """Fit as most do."""
    return model.fit(rows, target)


def on_target(model: Any, target: Any, _: Any) -> Any:
    """Fit a transformer of targets, which takes no second argument."""
    return model.fit(target)


def on_sparse(model: Any, rows: Any, target: Any) -> Any:
    """Fit on the rows as a sparse matrix."""
    return model.fit(scipy.sparse.csr_matrix(rows), target)


def on_float32(model: Any, rows: Any, target: Any) -> Any:
    """Fit on the rows as float32."""
    return model.fit(np.asarray(rows, np.float32), target)


def then_sparsify(model: Any, rows: Any, target: Any) -> Any:
    """Fit a linear model and make its weights sparse."""
    return model.fit(rows, target).sparsify()


@dataclass(frozen=True, slots=True)
class Example:
    """What an estimator is made with, the sample it is fitted on, and how."""

    arguments: tuple[Any, ...]
    parameters: dict[str, Any]
    sample: str
    fit: Fit

    def fitted(self, kind: type) -> Any:
        """Make one of this kind and fit it."""
        # What neither it nor its parts fix: the same table every time.
        np.random.seed(0)  # noqa: NPY002  (it is what scikit-learn draws from)
        return self.fit(kind(*self.arguments, **self.parameters), *SAMPLES[self.sample])


def of(*arguments: Any, sample: str = "labels", fit: Fit = on_rows, **parameters: Any) -> Example:
    """Write an example as the estimator's own arguments, and what it is fitted on."""
    return Example(arguments, parameters, sample, fit)


def each(
    name: str, values: tuple[str, ...], *arguments: Any, **parameters: Any
) -> dict[str, Example]:
    """Write one example for each value of a parameter."""
    every: dict[str, dict[str, Any]] = {f"{name}={v!r}": {**parameters, name: v} for v in values}
    return {title: of(*arguments, **given) for title, given in every.items()}


def own(x: Any) -> Any:
    """A function of the user's own."""
    return x


def own_metric(a: Any, b: Any) -> float:
    """A metric of the user's own, of two rows."""
    return float(np.abs(np.asarray(a) - np.asarray(b)).sum())


def own_kernel(a: Any, b: Any) -> Any:
    """A kernel of the user's own, of all pairs of rows."""
    return a @ b.T


def logistic() -> Any:
    """A classifier to put into others."""
    return LogisticRegression()


def small_tree() -> Any:
    """Another."""
    return DecisionTreeClassifier(max_depth=3, random_state=0)


FEW: Final[dict[str, Any]] = {"n_estimators": 5, "random_state": 0}
GRID: Final = {"C": [0.1, 1.0]}
DICTIONARY: Final = np.eye(4)[:3]
