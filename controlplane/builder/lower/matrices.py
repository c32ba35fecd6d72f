"""Matrices with their memory order: the writing side of `runtime.plan.matrices`."""

from typing import Any

import numpy as np

from controlplane.builder.lower.base import Draft, Spec


def right_factor(draft: Draft, key: str, matrix: Any) -> Spec:
    """Write the right factor of a product, `x @ matrix`, turned if it lies column by column.

    Of sparse rows, a cell takes one row of the matrix, so these lie together.
    """
    matrix = np.asarray(matrix, np.float64)
    turned = matrix.strides[0] == matrix.itemsize and matrix.shape[1] > 1 and not draft.sparse
    stored = matrix.T if turned else matrix
    return {key: draft.tensor(stored, "f8"), f"{key}_turned": bool(turned)}
