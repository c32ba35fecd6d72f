"""Models that answer every row alike: dummies, and classes that were all there was."""

from typing import Final

from runtime.plan.ops import (
    Array,
    Cell,
    Fields,
    Float64Matrix,
    Frame,
    Inputs,
    Node,
    NodeReader,
    override,
)
from runtime.plan.signature import Kind

MAX_COLUMNS: Final = 10_000_000
Want = tuple[Kind, bool]


class Constant(Node):
    """The same answer for every row, whatever its cells are.

    values  what it predicts: one, or one an output
    vector  predictions have shape (rows,)
    proba   probabilities of the classes, side by side for several outputs
    scores  `decision_function` gives the prediction itself
    exact   bit-equal, in any batch
    source  sklearn.dummy, sklearn.multiclass._ConstantPredictor
    """

    kind = "constant"
    exact = "bitwise"

    def __init__(self, fields: Fields) -> None:
        self.n_in = fields.integer("n_in", 1, MAX_COLUMNS)
        self.values: Array = fields.labels("values")
        self.vector = fields.flag("vector")
        if self.vector and len(self.values) != 1:
            raise fields.fail("a vector holds one prediction a row")
        self.methods = ("predict",)
        if fields.has("proba"):
            self.proba: Array = fields.finite("proba", None)
            self.methods = (*self.methods, "predict_proba")
        if fields.flag("scores"):
            self.methods = (*self.methods, "decision_function")
        if fields.has("classes"):
            self.classes = fields.labels()
            if "predict_proba" in self.methods and len(self.proba) != len(self.classes):
                raise fields.fail("'proba' does not fit the classes")
        # As with columns that a ColumnTransformer drops: of a frame they may be anything.
        self.any_unused = fields.flag("any_unused")

    @override
    def wants(self, after: tuple[Want, ...]) -> tuple[Want, ...]:  # noqa: ARG002
        """Want nothing of any column."""
        return ((Kind.ANY, True),) * self.n_in

    @override
    def columns_in(self, nan_ok_after: bool) -> tuple[Want, ...]:  # noqa: ARG002
        """Give kind and `missing allowed` of every input column."""
        return ((Kind.ANY if self.any_unused else Kind.NUMBER, True),) * self.n_in

    @override
    def example(self) -> tuple[Cell, ...]:
        """Give cells; none of them matters."""
        return (None if self.any_unused else 0.0,) * self.n_in

    def predict(self, x: Inputs) -> Array:
        """Give the prediction: (rows,), or (rows, outputs)."""
        rows = _rows(x)
        return self.values.repeat(rows) if self.vector else self.values[None].repeat(rows, 0)

    def predict_proba(self, x: Inputs) -> Float64Matrix:
        """Give the probabilities, (rows, classes)."""
        return self.proba[None].repeat(_rows(x), 0)

    def decision_function(self, x: Inputs) -> Array:
        """Give the prediction as a score, (rows,)."""
        return self.values.repeat(_rows(x))


def _rows(x: Inputs) -> int:
    return x.rows if isinstance(x, Frame) else x.shape[0]


NODES: dict[str, NodeReader] = {Constant.kind: Constant}
