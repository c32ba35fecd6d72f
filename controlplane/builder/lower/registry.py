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
    imputers,
    kernels,
    linear,
    neighbors,
    neural,
    no_table,
    powers,
    quantiles,
    scalers,
    sparse_projection,
    splines,
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
    **imputers.LOWERINGS,
    **kernels.LOWERINGS,
    **linear.LOWERINGS,
    **neighbors.LOWERINGS,
    **neural.LOWERINGS,
    **no_table.LOWERINGS,
    **powers.LOWERINGS,
    **quantiles.LOWERINGS,
    **scalers.LOWERINGS,
    **sparse_projection.LOWERINGS,
    **splines.LOWERINGS,
    **trees.LOWERINGS,
}


def new_draft() -> Draft:
    """Start a plan that knows every family."""
    return Draft(LOWERINGS)
