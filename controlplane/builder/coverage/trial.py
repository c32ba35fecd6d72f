"""What serves an estimator, found out by building it as an upload is built."""

import tempfile
import warnings
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any, Final

from sklearn.utils import all_estimators

from controlplane.builder.coverage.example import Example
from controlplane.builder.coverage.plans import USUAL, examples_of
from controlplane.builder.draft import drafted
from controlplane.builder.lower.base import Unsupported
from controlplane.builder.verify import verify
from runtime.plan import load
from runtime.plan.plan import SERVED

# Nothing that a table of rows could be given to, or that a request for predictions would ask.
_OUTSIDE: Final = {
    "DictVectorizer": "takes dictionaries, not columns",
    "FeatureHasher": "takes dictionaries, not columns",
    "LabelBinarizer": "transforms targets, not columns",
    "LabelEncoder": "transforms targets, not columns",
    "MultiLabelBinarizer": "transforms targets, not columns",
    "PatchExtractor": "takes pictures, not columns",
}


class Served(StrEnum):
    """What answers a request."""

    PLAN = "plan"
    PARTLY = "partly"  # a plan, but for the options that the row names
    FALLBACK = "fallback"
    NOTHING = "nothing to serve"


@dataclass(frozen=True, slots=True)
class Row:
    """One estimator's line.

    methods  those of the plan
    exact    what the plan promises, as `runtime.plan.ops.Node.exact`
    notes    what goes to the fallback and why, or why there is nothing to serve
    """

    name: str
    served: Served
    methods: tuple[str, ...] = ()
    exact: str = ""
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _Built:
    """A plan that was held against scikit-learn's answers, or the reason why there is none."""

    methods: tuple[str, ...] = ()
    exact: str = ""
    missing: tuple[str, ...] = ()
    reason: str = ""


def rows() -> list[Row]:
    """Try every estimator of the installed scikit-learn."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return [_row(name, kind) for name, kind in all_estimators()]


def _row(name: str, kind: type) -> Row:
    tried = examples_of(name, kind)
    if not tried:
        return Row(name, Served.NOTHING, notes=(_why_nothing(kind),))
    built = _build(tried.pop(USUAL), kind)
    if built.reason:
        if name in _OUTSIDE:
            return Row(name, Served.NOTHING, notes=(_OUTSIDE[name],))
        return Row(name, Served.FALLBACK, notes=(built.reason,))
    notes = tuple(
        f"`{choice}`: {other.reason}"
        for choice, example in tried.items()
        if (other := _build(example, kind)).reason
    )
    notes += tuple(f"`{method}` is not in the plan" for method in built.missing)
    return Row(name, Served.PARTLY if notes else Served.PLAN, built.methods, built.exact, notes)


def _why_nothing(kind: type) -> str:
    if hasattr(kind, "fit_predict"):
        return "labels the rows it was fitted on; it has `fit_predict` only"
    if hasattr(kind, "fit_transform"):
        return "places the rows it was fitted on; it has `fit_transform` only"
    return "has neither `predict` nor `transform`"


def _build(example: Example, kind: type) -> _Built:
    """Fit, lower, read back and compare on the probe rows, with the build's own code."""
    estimator: Any = example.fitted(kind)
    try:
        draft = drafted(estimator)
    except Unsupported as error:
        return _Built(reason=error.reason)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "draft").write_bytes(draft)
        with (folder / "draft").open("rb") as file:
            found = verify(file.fileno(), folder, {})
        if "refused" in found:
            return _Built(reason=f"refused by the check of its plan: {found['refused']}")
        node = load(folder / "plan").node
    if node.exact == "bitwise" and found["exactness"] != "bitwise":
        raise AssertionError(f"{kind.__name__} says bitwise and is {found['exactness']}")
    missing = (m for m in SERVED if hasattr(estimator, m) and m not in node.methods)
    return _Built(node.methods, node.exact, tuple(missing))
