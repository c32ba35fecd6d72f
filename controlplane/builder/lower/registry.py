"""Every lowering there is, by exact estimator type."""

from controlplane.builder.lower import (
    approximation,
    bayes,
    binning,
    chained,
    clusters,
    compose,
    decomposition,
    donors,
    encoders,
    ensembles,
    imputers,
    kernels,
    linear,
    mixtures,
    neighbors,
    neural,
    pls,
    powers,
    processes,
    quantiles,
    radius,
    refused,
    scalers,
    sparse_projection,
    splines,
    text,
    trees,
)
from controlplane.builder.lower.base import Draft, Lowering

LOWERINGS: dict[type, Lowering] = {
    **approximation.LOWERINGS,
    **bayes.LOWERINGS,
    **binning.LOWERINGS,
    **chained.LOWERINGS,
    **clusters.LOWERINGS,
    **compose.LOWERINGS,
    **decomposition.LOWERINGS,
    **donors.LOWERINGS,
    **encoders.LOWERINGS,
    **ensembles.LOWERINGS,
    **imputers.LOWERINGS,
    **kernels.LOWERINGS,
    **linear.LOWERINGS,
    **mixtures.LOWERINGS,
    **neighbors.LOWERINGS,
    **neural.LOWERINGS,
    **pls.LOWERINGS,
    **powers.LOWERINGS,
    **processes.LOWERINGS,
    **quantiles.LOWERINGS,
    **radius.LOWERINGS,
    **refused.LOWERINGS,
    **scalers.LOWERINGS,
    **sparse_projection.LOWERINGS,
    **splines.LOWERINGS,
    **text.LOWERINGS,
    **trees.LOWERINGS,
}


def new_draft() -> Draft:
    """Start a plan that knows every family."""
    return Draft(LOWERINGS)
