"""Projections: shift, multiply by one or two matrices, shift again, scale."""

import numpy as np

from runtime.plan.matrices import right_factor
from runtime.plan.ops import (
    Fields,
    Float64Matrix,
    Missing,
    Node,
    NodeReader,
    Rows,
    as_matrix,
    product,
)


class Projection(Node):
    """PCA, IncrementalPCA, TruncatedSVD, FactorAnalysis, FastICA, random projections.

    before  subtracted from the columns (FactorAnalysis, FastICA)
    after   subtracted from the product (PCA: the projected mean)
    second  another matrix to multiply by (FactorAnalysis)
    scale   what the product is divided by (PCA with whiten)
    exact   bitwise at the same batch size: BLAS rounds one row and many differently; of sparse rows
            bitwise in any batch where there is no second matrix
    source  sklearn.decomposition._base._BasePCA._transform, and each class's transform
    """

    kind = "projection"
    methods = ("transform",)
    exact = "tolerance"
    tolerance = 1e-10  # the mean is taken off after the product, and digits with it
    missing = Missing.REFUSES

    def __init__(self, fields: Fields) -> None:
        self.first = right_factor(fields, "matrix", None, None)
        self.n_in, self.n_out = int(self.first.shape[0]), int(self.first.shape[1])
        self.second = None
        if fields.has("second"):
            self.second = right_factor(fields, "second", self.n_out, None)
            self.n_out = int(self.second.shape[1])
        if not self.n_in or not self.n_out:
            raise fields.fail("'matrix' is empty")
        self.before = fields.finite("before", self.n_in) if fields.has("before") else None
        self.after = fields.finite("after", self.n_out) if fields.has("after") else None
        self.scale = fields.finite("scale", self.n_out) if fields.has("scale") else None
        if self.scale is not None and not (self.scale > 0).all():
            raise fields.fail("'scale' must be above zero")
        self.takes_sparse = self.before is None

    def transform(self, x: Rows) -> Float64Matrix:
        """Give (rows, components)."""
        if self.before is not None:
            x = as_matrix(x) - self.before
        out = product(x, self.first)
        if self.second is not None:
            out = np.dot(out, self.second)
        if self.after is not None:
            out -= self.after
        if self.scale is not None:
            out /= self.scale
        return out


def _projection(fields: Fields) -> Node:
    node = Projection(fields)
    fields.done()
    return node


NODES: dict[str, NodeReader] = {Projection.kind: _projection}
