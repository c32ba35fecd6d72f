"""What a version takes and gives: its input columns and its named outputs. JSON both ways."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Any, NamedTuple


class Kind(StrEnum):
    """What a cell of an input column may hold."""

    NUMBER = "number"  # float64 inside
    STRING = "string"  # a Python string inside
    ANY = "any"  # number or string, checked by the model itself (fallback only)


class Column(NamedTuple):
    """One input column.

    missing  null, NaN or an absent cell is allowed; the model sees NaN (numbers) or None (strings)
    """

    name: str
    kind: Kind = Kind.NUMBER
    missing: bool = False


class Output(NamedTuple):
    """One named output, which is also the estimator's method.

    datatype  Open Inference Protocol name: FP64, FP32, INT64, INT32, BOOL, BYTES (strings)
    width     values per row; None: a scalar per row (shape (rows,)), else shape (rows, width)
    columns   names of those values where there are some (class labels as text, feature names)
    """

    name: str
    datatype: str
    width: int | None = None
    columns: tuple[str, ...] = ()


class Signature(NamedTuple):
    """Input columns in the model's order, outputs with the default one first.

    named  the column names come from the training data (`feature_names_in_`); if not, they are
           `x0`, `x1`, ... and only positions matter
    """

    columns: tuple[Column, ...]
    outputs: tuple[Output, ...]
    named: bool = False

    @property
    def numeric(self) -> bool:
        """True when the input is one float64 matrix; else it is a `Frame`."""
        return all(column.kind is Kind.NUMBER for column in self.columns)

    def output(self, name: str) -> Output | None:
        """Find an output by name."""
        return next((output for output in self.outputs if output.name == name), None)

    def to_json(self) -> dict[str, Any]:
        """Give the document that `from_json` reads back to an equal signature."""
        return {
            "columns": [
                {"name": c.name, "kind": str(c.kind), "missing": c.missing} for c in self.columns
            ],
            "outputs": [
                {
                    "name": o.name,
                    "datatype": o.datatype,
                    "width": o.width,
                    "columns": list(o.columns),
                }
                for o in self.outputs
            ],
            "named": self.named,
        }


LABELS, PROBABILITIES = "predict", "predict_proba"
DECISIONS = {PROBABILITIES, "predict_log_proba", "decision_function"}


def has_labels(signature: Signature) -> bool:
    """Tell whether a model predicts classes, not quantities."""
    label = signature.output(LABELS)
    if label is None:
        return False
    return label.datatype[:2] != "FP" or any(o.name in DECISIONS for o in signature.outputs)


DATATYPES = frozenset({"FP64", "FP32", "INT64", "INT32", "BOOL", "BYTES"})


def from_json(document: Mapping[str, Any]) -> Signature:
    """Read a signature; raises ValueError when the document is not one."""
    try:
        columns = tuple(
            Column(_name(c["name"]), Kind(c["kind"]), bool(c["missing"]))
            for c in document["columns"]
        )
        outputs = tuple(
            Output(_name(o["name"]), str(o["datatype"]), o["width"], tuple(map(str, o["columns"])))
            for o in document["outputs"]
        )
        named = bool(document["named"])
    except (KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"not a signature: {error!r}") from error
    for output in outputs:
        if output.datatype not in DATATYPES:
            raise ValueError(f"unknown datatype {output.datatype!r}")
        if output.width is not None and (type(output.width) is not int or output.width < 0):
            raise ValueError(f"bad width of output {output.name!r}")
    if not columns or not outputs:
        raise ValueError("a signature needs at least one column and one output")
    if len({c.name for c in columns}) != len(columns):
        raise ValueError("two columns have the same name")
    return Signature(columns, outputs, named)


def _name(value: object) -> str:
    if not isinstance(value, str) or not 0 < len(value) <= 1024:
        raise ValueError(f"not a name: {value!r}")
    return value
