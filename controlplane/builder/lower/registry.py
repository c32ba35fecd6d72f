"""Every lowering there is, by exact estimator type."""

from controlplane.builder.lower import (
    bayes,
    clusters,
    compose,
    decomposition,
    embeddings,
    encoders,
    imputers,
    kernels,
    linear,
    mixtures,
    neighbors,
    neural,
    pls,
    processes,
    radius,
    refused,
    scalers,
    trees,
)
from controlplane.builder.lower.base import Draft, Lowering

LOWERINGS: dict[type, Lowering] = {
    **bayes.LOWERINGS,
    **clusters.LOWERINGS,
    **compose.LOWERINGS,
    **decomposition.LOWERINGS,
    **embeddings.LOWERINGS,
    **encoders.LOWERINGS,
    **imputers.LOWERINGS,
    **kernels.LOWERINGS,
    **linear.LOWERINGS,
    **mixtures.LOWERINGS,
    **neighbors.LOWERINGS,
    **neural.LOWERINGS,
    **pls.LOWERINGS,
    **processes.LOWERINGS,
    **radius.LOWERINGS,
    **refused.LOWERINGS,
    **scalers.LOWERINGS,
    **trees.LOWERINGS,
}


def new_draft() -> Draft:
    """Start a plan that knows every family."""
    return Draft(LOWERINGS)
