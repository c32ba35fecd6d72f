"""The plan of every example that has one: the stuff of OPS.md and of the fuzzing."""

import warnings
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from sklearn.base import is_regressor
from sklearn.experimental import enable_halving_search_cv, enable_iterative_imputer  # noqa: F401
from sklearn.utils import all_estimators

from controlplane.builder.coverage.example import Example, of
from controlplane.builder.coverage.examples import EXAMPLES
from controlplane.builder.coverage.options import OPTIONS
from controlplane.builder.lower.base import Spec, Unsupported
from controlplane.builder.lower.registry import new_draft
from runtime.estimators import METHODS
from runtime.plan.ops import Array

USUAL: Final = "as most people use it"


@dataclass(frozen=True, slots=True)
class Drafted:
    """One example's graph and tensors; `title` names estimator and option."""

    title: str
    graph: Spec
    tensors: Mapping[str, Array]


def examples_of(name: str, kind: type) -> dict[str, Example]:
    """Give an estimator's examples by title, `USUAL` first; none where nothing can be served."""
    if name not in EXAMPLES and not any(hasattr(kind, method) for method in METHODS):
        return {}
    return {USUAL: EXAMPLES.get(name) or _default(kind), **OPTIONS.get(name, {})}


def _default(kind: type) -> Example:
    return of(sample="values" if is_regressor(kind()) else "labels")


def every_plan() -> Iterator[Drafted]:
    """Fit and lower every example of the installed scikit-learn; takes some 15 s."""
    for name, kind in all_estimators():
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            found = list(_plans_of(name, kind))
        yield from found


def _plans_of(name: str, kind: type) -> Iterator[Drafted]:
    for title, example in examples_of(name, kind).items():
        draft = new_draft()
        try:
            graph = draft.node(example.fitted(kind))
        except Unsupported:
            continue
        yield Drafted(f"{name}, {title}", graph, draft.tensors)
