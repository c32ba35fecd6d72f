"""A fitted example of every estimator that has a plan.

`examples()` goes through the builder's own registry. What cannot be fitted on our samples, or has
no plan as it is made here, is given with the reason, so that a family without figures is seen.
"""

import math
import tempfile
import time
import warnings
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from controlplane.builder.lower.base import Unsupported
from controlplane.builder.lower.registry import LOWERINGS, new_draft
from loadtests.benchmarks.made import NOT_ALONE, fitted
from loadtests.benchmarks.samples import Sample
from runtime.plan import Plan, PlanError, load, signature_of
from runtime.plan import format as plan_format
from runtime.plan.graph import build
from runtime.plan.plan import SERVED


@dataclass(frozen=True, slots=True)
class Example:
    """An estimator and its plan."""

    name: str
    estimator: Any
    plan: Plan
    sample: Sample

    @property
    def methods(self) -> list[str]:
        """Give what both have, the default one first."""
        return [m for m in self.plan.node.methods if m in SERVED and hasattr(self.estimator, m)]


@dataclass(frozen=True, slots=True)
class Without:
    """An estimator of which there is no example, and why.

    refused  the builder has words for why there is no plan; scikit-learn itself serves it
    """

    name: str
    reason: str
    refused: bool = False


def examples(only: tuple[str, ...] = (), within_s: float = math.inf) -> Iterator[Example | Without]:
    """Fit and compile one of every kind, in the registry's order, as long as there is time."""
    until = time.monotonic() + within_s
    for kind in LOWERINGS:
        if kind.__name__ in NOT_ALONE or (only and kind.__name__ not in only):
            continue
        if time.monotonic() > until:
            yield Without(kind.__name__, "not reached in time")
        else:
            yield example(kind)


def example(kind: type) -> Example | Without:
    """Fit and compile one."""
    name = kind.__name__
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            estimator, sample = fitted(kind)
    except (AttributeError, TypeError, ValueError) as error:
        return Without(name, f"cannot be fitted: {error}")
    try:
        return Example(name, estimator, compiled(estimator), sample)
    except Unsupported as error:
        return Without(name, error.reason, refused=True)
    except PlanError as error:
        return Without(name, str(error))


def compiled(estimator: Any) -> Plan:
    """Lower an estimator, write its plan and map it, as the builder and the runtime do."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "plan")
        written(estimator, path)
        return load(path)


COST: Final = {"c0_us": 10.0, "c1_us": 0.1}


def written(estimator: Any, path: Path, cost: Mapping[str, float] = COST) -> None:
    """Write an estimator's plan."""
    draft = new_draft()
    spec = draft.node(estimator)
    names = getattr(estimator, "feature_names_in_", None)
    signature = signature_of(
        build(spec, draft.tensors), None if names is None else [str(name) for name in names]
    )
    with path.open("wb") as file:
        plan_format.write(
            file,
            graph=spec,
            tensors=draft.tensors,
            signature=signature.to_json(),
            cost=cost,
            provenance={},
        )
