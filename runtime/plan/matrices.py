"""Matrices to multiply by, in the memory order that scikit-learn holds them in.

BLAS rounds a product with a matrix and one with the same matrix laid out the other way differently,
so equality to the last bit needs the layout too.
"""

from runtime.plan.ops import Array, Fields


def right_factor(fields: Fields, key: str, rows: int | None, columns: int | None) -> Array:
    """Read the right factor of `x @ factor`, as `lower.matrices.right_factor` writes it."""
    if not fields.flag(f"{key}_turned"):
        return fields.finite(key, rows, columns)
    turned: Array = fields.finite(key, columns, rows).T
    return turned
