"""Transformers run backwards: what a model was taught of its target is undone in its answers."""

from typing import Final

import numpy as np

from runtime.plan.ops import (
    Array,
    Fields,
    Float64Matrix,
    Inputs,
    Missing,
    Node,
    NodeReader,
    as_matrix,
)
from runtime.plan.passing import MAX_COLUMNS
from runtime.plan.special import erf

EPSILON: Final = float(np.spacing(1.0))
BOUND: Final = 1e-7  # BOUNDS_THRESHOLD of sklearn.preprocessing._data


class Rescale(Node):
    """Times a scale, then plus a centre: StandardScaler, RobustScaler and MaxAbsScaler backwards.

    exact   bit-equal, in any batch
    source  their `inverse_transform`
    """

    kind = "rescale"
    methods = ("transform",)
    missing = Missing.PASSES
    exact = "bitwise"

    def __init__(self, fields: Fields) -> None:
        self.n_in = self.n_out = fields.integer("n_in", 1, MAX_COLUMNS)
        self.scale = fields.finite("scale", self.n_in) if fields.has("scale") else None
        self.center = fields.finite("center", self.n_in) if fields.has("center") else None

    def transform(self, x: Inputs) -> Float64Matrix:
        """Scale back (rows, columns)."""
        out = as_matrix(x)
        if self.scale is not None:
            out = out * self.scale
        return out if self.center is None else out + self.center


class Unpower(Node):
    """PowerTransformer backwards, without its scaler.

    exact   bitwise at the same batch size; Box-Cox within 1e-12, as scipy's own code is compiled
    source  sklearn.preprocessing.PowerTransformer, `_yeo_johnson_inverse_transform`; scipy.special,
            `inv_boxcox`
    """

    kind = "unpower"
    methods = ("transform",)
    missing = Missing.PASSES
    gives_gaps = True

    def __init__(self, fields: Fields) -> None:
        self.n_in = self.n_out = fields.integer("n_in", 1, MAX_COLUMNS)
        self.lambdas = fields.finite("lambdas", self.n_in).tolist()
        self.box_cox = fields.choice("method", "yeo-johnson", "box-cox") == "box-cox"
        self.exact = "tolerance" if self.box_cox else "batch"

    def transform(self, x: Inputs) -> Float64Matrix:
        """Transform back (rows, columns), column by column."""
        out = as_matrix(x).copy()
        back = _box_cox_back if self.box_cox else _yeo_johnson_back
        with np.errstate(all="ignore"):
            for place, power in enumerate(self.lambdas):
                out[:, place] = back(out[:, place], power)
        return out


def _yeo_johnson_back(x: Array, power: float) -> Array:
    out = np.zeros_like(x)
    positive = x >= 0
    up, down = x[positive], x[~positive]
    if abs(power) < EPSILON:
        out[positive] = np.exp(up) - 1
    else:
        out[positive] = np.power(up * power + 1, 1 / power) - 1
    if abs(power - 2) > EPSILON:
        out[~positive] = 1 - np.power(-(2 - power) * down + 1, 1 / (2 - power))
    else:
        out[~positive] = 1 - np.exp(-down)
    return out


def _box_cox_back(x: Array, power: float) -> Array:
    if power == 0:
        return np.exp(x)
    found: Array = np.exp(np.log1p(power * x) / power)
    return found


class Unquantiles(Node):
    """QuantileTransformer backwards.

    quantiles   (landmarks, columns), ascending in each column
    references  (landmarks,), the shares that they stand for
    normal      what comes is normal, and made shares first
    exact       of shares bitwise, interpolation by the same function; of what is normal within
                1e-12, since its exponential is numpy's here
    source      sklearn.preprocessing.QuantileTransformer._transform_col, inverse
    """

    kind = "unquantiles"
    methods = ("transform",)
    missing = Missing.PASSES

    def __init__(self, fields: Fields) -> None:
        self.quantiles = fields.finite("quantiles", None, None)
        count, self.n_in = (int(size) for size in self.quantiles.shape)
        self.n_out = self.n_in
        if not count or not 0 < self.n_in <= MAX_COLUMNS:
            raise fields.fail("'quantiles' is empty, or too wide")
        self.references = fields.finite("references", count)
        if (np.diff(self.references) < 0).any():
            raise fields.fail("'references' must ascend")
        self.normal = fields.flag("normal")
        self.exact = "tolerance" if self.normal else "bitwise"

    def transform(self, x: Inputs) -> Float64Matrix:
        """Transform back (rows, columns), column by column."""
        matrix = as_matrix(x)
        out = np.empty(matrix.shape)
        for place in range(self.n_in):
            shares = np.ascontiguousarray(matrix[:, place])
            quantiles = np.ascontiguousarray(self.quantiles[:, place])
            if self.normal:
                shares = 0.5 + 0.5 * erf(shares * np.sqrt(0.5))
                low, high = shares - BOUND < 0, shares + BOUND > 1
            else:
                low, high = shares == 0, shares == 1
            cells = np.interp(shares, self.references, quantiles)
            cells[np.isnan(shares)] = np.nan
            cells[high], cells[low] = quantiles[-1], quantiles[0]
            out[:, place] = cells
        return out


NODES: dict[str, NodeReader] = {kind.kind: kind for kind in (Rescale, Unpower, Unquantiles)}
