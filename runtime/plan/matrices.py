"""Matrices to multiply by, in the memory order that scikit-learn holds them in.

BLAS rounds a product with a matrix and one with the same matrix laid out the other way differently,
so equality to the last bit needs the layout too.
"""

from collections.abc import Sequence
from typing import Final

import numpy as np

from runtime.plan.ops import Array, Fields, Float64Matrix

STACKED_CELLS: Final = 1 << 16  # of matrices that a copy is made of
SHORT_CELLS: Final = 1 << 14  # of the products of some rows with all of them


def right_factor(fields: Fields, key: str, rows: int | None, columns: int | None) -> Array:
    """Read the right factor of `x @ factor`, as `lower.matrices.right_factor` writes it."""
    if not fields.flag(f"{key}_turned"):
        return fields.finite(key, rows, columns)
    turned: Array = fields.finite(key, columns, rows).T
    return turned


def stacked(factors: Sequence[Array]) -> Array | None:
    """Give right factors as one array (factors, rows, columns); None if they are large or unlike.

    numpy multiplies by each as if alone, bit for bit, in one call that takes less time than two.
    """
    like = factors[0]
    turned = not like.flags.c_contiguous
    if like.size * len(factors) > STACKED_CELLS or any(
        factor.shape != like.shape or factor.flags.c_contiguous is turned for factor in factors
    ):
        return None
    return (
        np.stack([factor.T for factor in factors]).transpose(0, 2, 1)
        if turned
        else np.stack(factors)
    )


def is_short(x: Float64Matrix, stack: Array) -> bool:
    """Tell whether rows are so few that the whole stack is quicker than one factor after another.

    Rows that do not lie one after another are not: numpy might add up in another order.
    """
    count, rows, columns = stack.shape
    cells = x.shape[0] * count * max(rows, columns)
    return cells <= SHORT_CELLS and x.flags.c_contiguous
