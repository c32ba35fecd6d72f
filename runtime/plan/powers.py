"""PowerTransformer: powers that make a column look normal, then perhaps standardized."""

from typing import Final

import numpy as np

from runtime.plan.ops import (
    EPSILON,
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
    first_cell,
    override,
)

MAX_COLUMNS: Final = 10_000_000
# From here on, expm1 of the exponent would overflow though the power itself may not.
MOST_EXPONENT: Final = 709.78
NEARLY_A_LOGARITHM: Final = 1e-19


class Power(Node):
    """PowerTransformer.

    method  yeo-johnson, by expm1 and log1p; yeo-johnson-plain, by powers, as before scikit-learn
            took scipy's; box-cox, for numbers above zero
    scale   what the standardization divides by, after taking off the centre; both or neither
    exact   bitwise at the same batch size: numpy may round expm1 otherwise in wide vectors, and
            the C library, which scipy's Box-Cox asks, otherwise than numpy's own vectors do
    cost    one logarithm and one exponential a cell
    source  sklearn.preprocessing.PowerTransformer.transform, scipy.stats.yeojohnson,
            scipy.special.boxcox
    """

    kind = "power"
    methods = ("transform",)
    missing = Missing.PASSES
    exact = "batch"
    gives_gaps = True

    def __init__(self, fields: Fields) -> None:
        self.method = fields.choice("method", "yeo-johnson", "yeo-johnson-plain", "box-cox")
        lambdas = fields.finite("lambdas", None)
        self.n_in = self.n_out = int(lambdas.shape[0])
        if not 0 < self.n_in <= MAX_COLUMNS:
            raise fields.fail("'lambdas' is empty, or too long")
        self.center = fields.finite("center", self.n_in) if fields.has("center") else None
        self.scale = fields.finite("scale", self.n_in) if fields.has("scale") else None
        if (self.center is None) != (self.scale is None):
            raise fields.fail("'center' and 'scale' come together")
        if self.method == "box-cox":
            self.exact = "tolerance"
        self.lambdas = lambdas
        # Exponents for cells from zero up and below zero; where they vanish, a logarithm.
        self.up = _exponents(lambdas, np.abs(lambdas) < EPSILON)
        self.down = _exponents(2 - lambdas, ~(np.abs(lambdas - 2) > EPSILON))

    @override
    def origin(self, column: int) -> int | None:
        """Give the input column that an output column is made of."""
        return column

    @override
    def example(self) -> tuple[Cell, ...]:
        """Give a number that every power takes."""
        return (1.0,) * self.n_in

    @override
    def example_for(self, after: tuple[Cell, ...]) -> tuple[Cell, ...]:
        """Give what becomes what whoever comes next takes, as far as there is such a number."""
        values = np.array([cell if isinstance(cell, float) else 0.0 for cell in after])
        if self.center is not None and self.scale is not None:
            values = values * self.scale + self.center
        with np.errstate(all="ignore"):
            roots = np.where(
                np.abs(self.lambdas) < EPSILON, values, np.log1p(values * self.lambdas) / self.up[0]
            )
            cells = np.exp(roots) if self.method == "box-cox" else np.expm1(roots)
        good = np.isfinite(cells) & (cells > 0 if self.method == "box-cox" else cells >= 0)
        return tuple(np.where(good, cells, 1.0).tolist())

    def transform(self, x: Inputs) -> Float64Matrix:
        """Give (rows, columns). Box-Cox refuses zero and less."""
        matrix = as_matrix(x)
        with np.errstate(all="ignore"):
            out = self._box_cox(matrix) if self.method == "box-cox" else self._yeo_johnson(matrix)
            if self.center is not None and self.scale is not None:
                out -= self.center
                out /= self.scale
        return out

    def _box_cox(self, matrix: Float64Matrix) -> Float64Matrix:
        low = matrix <= 0
        if low.any():
            row, column = first_cell(low)
            raise InputRefused(row, column, "Box-Cox takes numbers above zero only")
        logs = np.log(matrix)
        exponents = self.lambdas * logs
        nearly = np.abs(self.lambdas) < NEARLY_A_LOGARITHM
        lambdas = np.where(nearly, 1.0, self.lambdas)
        out = np.expm1(exponents) / lambdas
        far = exponents >= MOST_EXPONENT
        if far.any():
            size = np.exp(exponents - np.log(np.abs(lambdas)))
            out = np.where(far, np.copysign(1.0, lambdas) * size - 1 / lambdas, out)
        return np.where(nearly, logs, out)

    def _yeo_johnson(self, matrix: Float64Matrix) -> Float64Matrix:
        below = ~(matrix >= 0)  # NaN too, as in scipy
        exponents = np.where(below, self.down[0], self.up[0])
        logarithm = np.where(below, self.down[1], self.up[1])
        size = np.where(below, -matrix, matrix)
        if self.method == "yeo-johnson":
            logs = np.log1p(size)
            out = np.where(logarithm, logs, np.expm1(exponents * logs) / exponents)
        else:
            powers = (np.power(size + 1, exponents) - 1) / exponents
            out = np.where(logarithm, np.log1p(size), powers)
        return np.where(below, -out, out)


def _exponents(values: Array, logarithm: Array) -> tuple[Array, Array]:
    return np.where(logarithm, 1.0, values), logarithm


NODES: dict[str, NodeReader] = {Power.kind: Power}
