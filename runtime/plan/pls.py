"""Partial least squares: standardised columns times rotations, centred ones times coefficients."""

from runtime.plan.matrices import right_factor
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


class PartialLeastSquares(Node):
    """PLSRegression, PLSCanonical, CCA and PLSSVD; the last only transforms.

    exact   bitwise at the same batch size: BLAS rounds one row and many differently
    source  sklearn.cross_decomposition._pls._PLS.predict and transform; PLSSVD.transform
    """

    kind = "pls"
    exact = "batch"
    missing = Missing.REFUSES

    def __init__(self, fields: Fields) -> None:
        self.mean = fields.finite("mean", None)
        self.n_in = int(self.mean.shape[0])
        self.scale = fields.finite("scale", self.n_in)
        if (self.scale == 0).any():
            raise fields.fail("'scale' must not hold zero")
        self.rotations = right_factor(fields, "rotations", self.n_in, None)
        self.n_out = int(self.rotations.shape[1])
        if not self.n_in or not self.n_out:
            raise fields.fail("'rotations' is empty")
        self.methods = ("transform",)
        if fields.has("coefficients"):
            self.methods = ("predict", "transform")
            self.coefficients = right_factor(fields, "coefficients", self.n_in, None)
            targets = int(self.coefficients.shape[1])
            self.intercept = fields.finite("intercept", targets)
            self.vector = fields.flag("vector")
            # Before scikit-learn 1.5 the scales were not in the coefficients.
            self.standardizes = fields.has("standardizes") and fields.flag("standardizes")
            if not targets or (self.vector and targets != 1):
                raise fields.fail("'coefficients' has no or too many columns")

    def predict(self, x: Inputs) -> Array:
        """Predicted values: (rows,), or (rows, targets)."""
        matrix = as_matrix(x) - self.mean
        if self.standardizes:
            matrix /= self.scale
        out: Float64Matrix = matrix @ self.coefficients + self.intercept
        return out.ravel() if self.vector else out

    def transform(self, x: Inputs) -> Float64Matrix:
        """Scores of the rows, (rows, components)."""
        matrix = as_matrix(x) - self.mean
        matrix /= self.scale
        out: Float64Matrix = matrix @ self.rotations
        return out


NODES: dict[str, NodeReader] = {PartialLeastSquares.kind: PartialLeastSquares}
