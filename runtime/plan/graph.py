"""From a spec and tensors to nodes: the registry of every kind of node there is."""

from collections.abc import Mapping
from typing import Any

from runtime.plan import (
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
    scalers,
    topics,
    trees,
)
from runtime.plan.ops import MAX_DEPTH, Array, Fields, Node, NodeReader, PlanError

NODES: dict[str, NodeReader] = {
    **bayes.NODES,
    **centroids.NODES,
    **clusters.NODES,
    **coding.NODES,
    **compose.NODES,
    **decomposition.NODES,
    **embeddings.NODES,
    **encoders.NODES,
    **imputers.NODES,
    **kernels.NODES,
    **linear.NODES,
    **mixtures.NODES,
    **neighbors.NODES,
    **neural.NODES,
    **outliers.NODES,
    **pls.NODES,
    **processes.NODES,
    **propagation.NODES,
    **radius.NODES,
    **scalers.NODES,
    **topics.NODES,
    **trees.NODES,
}


def build(spec: Any, tensors: Mapping[str, Array], where: str = "graph", depth: int = 0) -> Node:
    """Build one node and all below it; raises PlanError with the place."""
    if depth > MAX_DEPTH:
        raise PlanError(f"{where}: nested deeper than {MAX_DEPTH}")
    if not isinstance(spec, dict) or not isinstance(spec.get("op"), str):
        raise PlanError(f"{where}: not a node")
    reader = NODES.get(spec["op"])
    if reader is None:
        raise PlanError(f"{where}: unknown op {spec['op']!r}")

    def below(inner: Any, place: str, at: int) -> Node:
        return build(inner, tensors, place, at)

    return reader(Fields(spec, tensors, below, where, depth))
