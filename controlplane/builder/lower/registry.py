"""Every lowering there is, by exact estimator type."""

from controlplane.builder.lower import (
    bayes,
    centroids,
    clusters,
    coding,
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
    outliers,
    pls,
    processes,
    propagation,
    radius,
    refused,
    scalers,
    topics,
    trees,
)
from controlplane.builder.lower.base import Draft, Lowering

LOWERINGS: dict[type, Lowering] = {
    **bayes.LOWERINGS,
    **centroids.LOWERINGS,
    **clusters.LOWERINGS,
    **coding.LOWERINGS,
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
    **outliers.LOWERINGS,
    **pls.LOWERINGS,
    **processes.LOWERINGS,
    **propagation.LOWERINGS,
    **radius.LOWERINGS,
    **refused.LOWERINGS,
    **scalers.LOWERINGS,
    **topics.LOWERINGS,
    **trees.LOWERINGS,
}


def new_draft() -> Draft:
    """Start a plan that knows every family."""
    return Draft(LOWERINGS)
