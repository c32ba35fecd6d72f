"""Lowering of QuantileTransformer: its quantiles, and where a normal output is cut off."""

from typing import Any

import numpy as np
from scipy.special import ndtri
from sklearn.preprocessing import QuantileTransformer

from controlplane.builder.lower.base import Draft, Lowering, Spec
from runtime.plan.quantiles import BOUND, slopes


def _quantiles(draft: Draft, estimator: Any) -> Spec:
    quantiles = np.asarray(estimator.quantiles_, np.float64)
    if not np.isfinite(quantiles).all():
        raise draft.unsupported("a column was empty in training, so it has no quantiles")
    if not np.isfinite(slopes(quantiles.T, estimator.references_)).all():
        raise draft.unsupported("its quantiles are too far apart or too near for a float64")
    bounds = None
    if estimator.output_distribution == "normal":
        edge = BOUND - np.spacing(1)
        bounds = draft.tensor([ndtri(edge), ndtri(1 - edge)], "f8")
    return {
        "op": "quantiles",
        "quantiles": draft.tensor(quantiles, "f8"),
        "references": draft.tensor(estimator.references_, "f8"),
        "bounds": bounds,
    }


LOWERINGS: dict[type, Lowering] = {QuantileTransformer: _quantiles}
