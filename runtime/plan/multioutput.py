"""Several outputs, each with a model of its own: side by side, or each fed what came before."""

from typing import Final

import numpy as np

from runtime.plan.compose import asked, example_of, merge, numbers, settled, weakest, widest
from runtime.plan.members import (
    Group,
    all_joined,
    leaves_columns,
    read_members,
    require,
    rows_of,
)
from runtime.plan.ops import (
    Array,
    Cell,
    Fields,
    Float64Matrix,
    InputRefused,
    Node,
    NodeReader,
    Rows,
    as_matrix,
    override,
)
from runtime.plan.passing import Want
from runtime.plan.sparse import Sparse, beside

METHODS: Final = ("predict", "predict_proba", "decision_function")
MAX_CHAINED: Final = 100_000_000


class MultiOutput(Group):
    """One model an output; source: sklearn.multioutput.MultiOutputClassifier, -Regressor."""

    kind = "multi_output"

    def __init__(self, fields: Fields) -> None:
        super().__init__(fields)
        self.methods = ("predict",)
        if fields.flag("has_proba"):
            self.methods = ("predict", "predict_proba")
        for i, member in enumerate(self.members):
            for method in self.methods:
                require(fields, member, method, f"members[{i}]")

    def predict(self, x: Rows) -> Array:
        """Label or value of every output, (rows, outputs)."""
        return np.asarray([self.ask(i, "predict", x) for i in range(len(self.members))]).T

    def predict_proba(self, x: Rows) -> Float64Matrix:
        """Probabilities of every output's classes side by side, (rows, classes)."""
        return np.hstack([self.ask(i, "predict_proba", x) for i in range(len(self.members))])


class Chain(Node):
    """One model an output; each also takes what those before it have answered.

    feeds   method whose answers go on as columns
    order   output that each member is about
    source  sklearn.multioutput._BaseChain._get_predictions
    """

    kind = "chain"

    def __init__(self, fields: Fields) -> None:
        self.members = read_members(fields, "members")
        count = len(self.members)
        self.n_in = self.members[0].n_in
        for i, member in enumerate(self.members):
            if member.n_in != self.n_in + i:
                raise fields.fail(f"members[{i}] does not take {self.n_in + i} columns")
        if count * (self.n_in + count) > MAX_CHAINED:
            raise fields.fail("the members take too many columns together")
        self.order = fields.indices("order", count, count)
        if len(set(self.order.tolist())) != count:
            raise fields.fail("'order' must name every output once")
        self.feeds = fields.choice("feeds", *METHODS)
        self.methods = tuple(m for m in METHODS if m == "predict" or fields.flag(f"has_{m}"))
        for i, member in enumerate(self.members):
            for method in {self.feeds, *self.methods}:
                require(fields, member, method, f"members[{i}]")
                if method == "predict_proba" and len(_labels(member)) != 2:
                    raise fields.fail(f"members[{i}] does not know two classes")
            if _labels(member).dtype.kind not in "iufb":
                raise fields.fail(f"members[{i}] predicts strings")
        self.exact, self.tolerance = weakest(self.members), widest(self.members)
        self.takes_sparse = any(member.takes_sparse for member in self.members)
        self.any_unused = any(map(leaves_columns, self.members))

    @override
    def wants(self, after: tuple[Want, ...]) -> tuple[Want, ...]:  # noqa: ARG002
        """Want numbers that are there: scikit-learn looks at the whole table first."""
        found = numbers(self.n_in, missing=False)
        for member in self.members:
            found = all_joined(found, member.wants(())[: self.n_in])
        return found

    @override
    def columns_in(self, nan_ok_after: bool) -> tuple[Want, ...]:  # noqa: ARG002
        """Give kind and `missing allowed` of every input column."""
        return settled(self.wants(()), any_unused=self.any_unused)

    @override
    def example(self) -> tuple[Cell, ...]:
        """Give cells that every member takes."""
        return example_of(self)

    @override
    def example_for(self, after: tuple[Cell, ...]) -> tuple[Cell, ...]:  # noqa: ARG002
        """Join what the members take."""
        cells: list[Cell] = [None] * self.n_in
        for member in self.members:
            merge(cells, range(self.n_in), member.example_for(())[: self.n_in])
        return tuple(cells)

    @override
    def run(self, method: str, x: Rows) -> Float64Matrix:
        """Give every member's answer, (rows, outputs), in the order of the outputs."""
        given = x if isinstance(x, Sparse) else as_matrix(x)
        fed, found = np.zeros((2, rows_of(x), len(self.members)))
        for i, member in enumerate(self.members):
            table = _beside(given, fed[:, :i])
            try:
                fed[:, i] = _lone(asked(member, self.feeds, table))
                found[:, self.order[i]] = (
                    fed[:, i] if method == self.feeds else _lone(asked(member, method, table))
                )
            except InputRefused as error:
                own = error.column is None or error.column < self.n_in
                column = error.column if own else None
                raise InputRefused(error.row, column, error.detail) from error
        return found


def _labels(node: Node) -> Array:
    return np.zeros(0) if node.classes is None else node.classes


def _beside(given: Float64Matrix | Sparse, fed: Float64Matrix) -> Float64Matrix | Sparse:
    if isinstance(given, Sparse):
        return beside([given, Sparse.of(fed)])
    return np.hstack((given, fed))


def _lone(answer: Array) -> Array:
    """Give the second class's probability, or the one number a row that there is."""
    return answer[:, 1] if answer.ndim == 2 else answer


NODES: dict[str, NodeReader] = {kind.kind: kind for kind in (MultiOutput, Chain)}
