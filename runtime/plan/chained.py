"""IterativeImputer: missing cells filled at first, then predicted column by column, in rounds."""

from typing import Final

import numpy as np

from runtime.plan.ops import (
    Array,
    Cell,
    Fields,
    Float64Matrix,
    InputRefused,
    Inputs,
    Missing,
    Node,
    NodeReader,
    as_matrix,
    example_kept,
    override,
)
from runtime.plan.signature import Kind

MAX_STEPS: Final = 5_000


class Chained(Node):
    """IterativeImputer that predicts, and does not draw from a posterior.

    initial    how cells are filled first: a node that transforms
    kept       columns that had a value in training; absent if every column is kept
    blank      columns kept although they had none: they are filled once and not predicted
    models     one node for each step, in order, that predicts the column of `targets` from the next
               `counts` columns of `others`; places among the kept columns
    low, high  bounds of what is predicted for each kept column, perhaps infinite
    exact      as the models, at the same batch size: a batch without any cell that is there is
               filled only, as in scikit-learn
    cost       each model once, over the rows that miss its column
    source     sklearn.impute.IterativeImputer.transform
    """

    kind = "chained"
    methods = ("transform",)
    exact = "batch"

    def __init__(self, fields: Fields) -> None:
        self.initial = fields.child("initial")
        self.n_in, width = self.initial.n_in, self.initial.n_out
        if "transform" not in self.initial.methods or self.initial.kinds_out is not None:
            raise fields.fail("'initial' gives no numbers")
        self.kept = fields.indices("kept", self.n_in, width) if fields.has("kept") else None
        if self.kept is None and width != self.n_in:
            raise fields.fail("'initial' drops columns")
        self.blank = fields.indices("blank", width, None) if fields.has("blank") else None
        self.indicated = (
            fields.indices("indicated", self.n_in, None) if fields.has("indicated") else None
        )
        self._read_steps(fields, width)
        self.low, self.high = (self._bound(fields, key, width) for key in ("low", "high"))
        has_value = fields.has("missing_value")
        self.missing_value = fields.number("missing_value") if has_value else None
        self.missing = Missing.REFUSES if has_value else Missing.FILLS
        self.n_out = width + (0 if self.indicated is None else len(self.indicated))
        within = [model.tolerance for _, _, model in self.steps if model.exact == "tolerance"]
        if within or self.initial.exact == "tolerance":
            self.exact, self.tolerance = "tolerance", max([1e-12, *within])

    def _read_steps(self, fields: Fields, width: int) -> None:
        specs = fields.items("models", MAX_STEPS)
        targets = fields.indices("targets", max(1, width), len(specs)).tolist()
        others = fields.indices("others", max(1, width), None)
        counts = fields.indices("counts", others.shape[0] + 1, len(specs))
        if counts.sum() != others.shape[0]:
            raise fields.fail("'counts' does not add up to 'others'")
        shares = np.split(others, np.cumsum(counts)[:-1]) if specs else []
        self.steps: list[tuple[int, Array, Node]] = []
        for i, (spec, target, share) in enumerate(zip(specs, targets, shares, strict=True)):
            model = fields.node(spec, f"models[{i}]")
            self._check(fields, i, model, share.shape[0])
            self.steps.append((target, share, model))

    def _check(self, fields: Fields, i: int, model: Node, count: int) -> None:
        """Refuse a model that takes anything but so many numbers or gives anything but one."""
        if "predict" not in model.methods or model.n_in != count:
            raise fields.fail(f"models[{i}] does not predict from {count} columns")
        if any(kind is not Kind.NUMBER for kind, _ in model.columns_in(nan_ok_after=True)):
            raise fields.fail(f"models[{i}] takes more than numbers")
        try:
            answer = np.asarray(model.run("predict", np.array([model.example()], np.float64)))
        except Exception as error:  # a graph from outside may fit together and still not run
            raise fields.fail(f"models[{i}] fails: {error!r}") from error
        if answer.shape != (1,) or answer.dtype.kind not in "iufb":
            raise fields.fail(f"models[{i}] does not predict one number a row")

    def _bound(self, fields: Fields, key: str, width: int) -> Array:
        bound = fields.tensor(key, "f8", width)
        if np.isnan(bound).any():
            raise fields.fail(f"{key!r} must be numbers")
        return bound

    @override
    def origin(self, column: int) -> int | None:
        """Give the input column that an output column is made of; indicators have none."""
        if column >= self.initial.n_out:
            return None
        return column if self.kept is None else int(self.kept[column])

    @override
    def example_for(self, after: tuple[Cell, ...]) -> tuple[Cell, ...]:
        """Give what whoever comes next takes of the columns that are kept."""
        return example_kept(self, after)

    def transform(self, x: Inputs) -> Float64Matrix:
        """Give (rows, kept + indicated)."""
        # Columns lie one after the other, as in scikit-learn: products are rounded by that.
        matrix = np.asfortranarray(as_matrix(x))
        absent = np.isnan(matrix) if self.missing_value is None else matrix == self.missing_value
        filled = np.asfortranarray(self.initial.transform(matrix))  # type: ignore[attr-defined]
        mask = absent if self.kept is None else absent[:, self.kept]
        if self.blank is not None:
            mask = mask.copy()
            mask[:, self.blank] = False
        if self.steps and not mask.all():
            filled = filled.copy(order="F")
            for target, others, model in self.steps:
                self._predict(filled, mask[:, target], target, others, model)
        if self.indicated is None:
            return filled
        return np.hstack((filled, absent[:, self.indicated]))

    def _predict(
        self, filled: Float64Matrix, missing: Array, target: int, others: Array, model: Node
    ) -> None:
        rows = np.flatnonzero(missing)
        if not rows.shape[0]:
            return
        try:
            values = model.run("predict", filled[:, others][missing])
        except InputRefused as error:
            row = None if error.row is None else int(rows[error.row])
            column = None if error.column is None else self.origin(int(others[error.column]))
            raise InputRefused(row, column, error.detail) from error
        filled[rows, target] = np.clip(values, self.low[target], self.high[target])


NODES: dict[str, NodeReader] = {Chained.kind: Chained}
