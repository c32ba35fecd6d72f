"""Isotonic regression: a line through points, none of which it passes over."""

from typing import Final

import numpy as np

from runtime.plan.ops import (
    Array,
    Cell,
    Fields,
    Float64Vector,
    InputRefused,
    Inputs,
    Missing,
    Node,
    NodeReader,
    as_matrix,
    override,
)

OUTSIDE: Final = ("clip", "nan", "raise")


class Curve:
    """Straight lines between points.

    x       (points,) increasing
    y       (points,)
    source  scipy.interpolate.interp1d(kind="linear"), which hands float64 to numpy.interp
    """

    def __init__(self, fields: Fields, x: Array, y: Array) -> None:
        if not x.shape[0] or x.shape != y.shape or (np.diff(x) <= 0).any():
            raise fields.fail("a curve needs points at increasing places")
        self.x, self.y = x, y

    def clipped(self, at: Array) -> Float64Vector:
        """Give the curve's heights, beyond its ends those of the ends."""
        heights: Float64Vector = np.interp(np.clip(at, self.x[0], self.x[-1]), self.x, self.y)
        return heights

    def outside(self, at: Array) -> Array:
        """Tell which places are beyond the ends; one point alone has none."""
        if self.x.shape[0] == 1:
            return np.zeros(at.shape, np.bool_)
        beyond: Array = (at < self.x[0]) | (at > self.x[-1])
        return beyond


class Isotonic(Node):
    """One column in, one number out.

    exact   bit-equal, in any batch
    source  sklearn.isotonic.IsotonicRegression, `_transform`
    """

    kind = "isotonic"
    methods = ("predict", "transform")
    missing = Missing.REFUSES
    exact = "bitwise"
    n_in = n_out = 1

    def __init__(self, fields: Fields) -> None:
        self.curve = Curve(fields, fields.finite("x", None), fields.finite("y", None))
        self.beyond = fields.choice("out_of_bounds", *OUTSIDE)
        self.gives_gaps = self.beyond == "nan"

    @override
    def example(self) -> tuple[Cell, ...]:
        """Give a number within the bounds."""
        return (float(self.curve.x[0]),)

    def transform(self, x: Inputs) -> Float64Vector:
        """Heights of the curve, (rows,); beyond its ends as the model was told to."""
        column = as_matrix(x)[:, 0]
        heights = self.curve.clipped(column)
        if self.beyond == "clip":
            return heights
        beyond = self.curve.outside(column)
        if self.beyond == "nan":
            heights[beyond] = np.nan
        elif beyond.any():
            low, high = self.curve.x[0], self.curve.x[-1]
            detail = f"is not between {low} and {high}, where the model was fitted"
            raise InputRefused(int(beyond.argmax()), 0, detail)
        return heights

    def predict(self, x: Inputs) -> Float64Vector:
        """Predict the same numbers."""
        return self.transform(x)


NODES: dict[str, NodeReader] = {Isotonic.kind: Isotonic}
