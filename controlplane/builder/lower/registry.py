"""Every lowering there is, by exact estimator type."""

from controlplane.builder.lower import (
    bayes,
    calibration,
    clusters,
    compose,
    constants,
    decomposition,
    encoders,
    ensembles,
    imputers,
    kernels,
    linear,
    meta,
    multiclass,
    multioutput,
    neighbors,
    neural,
    scalers,
    trees,
)
from controlplane.builder.lower.base import Draft, Lowering

LOWERINGS: dict[type, Lowering] = {
    **bayes.LOWERINGS,
    **calibration.LOWERINGS,
    **clusters.LOWERINGS,
    **compose.LOWERINGS,
    **constants.LOWERINGS,
    **decomposition.LOWERINGS,
    **encoders.LOWERINGS,
    **ensembles.LOWERINGS,
    **imputers.LOWERINGS,
    **kernels.LOWERINGS,
    **linear.LOWERINGS,
    **meta.LOWERINGS,
    **multiclass.LOWERINGS,
    **multioutput.LOWERINGS,
    **neighbors.LOWERINGS,
    **neural.LOWERINGS,
    **scalers.LOWERINGS,
    **trees.LOWERINGS,
}


def new_draft() -> Draft:
    """Start a plan that knows every family."""
    return Draft(LOWERINGS)
