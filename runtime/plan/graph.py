"""From a spec and tensors to nodes: the registry of every kind of node there is."""

from collections.abc import Mapping
from typing import Any

from runtime.plan import (
    adaboost,
    approximation,
    backwards,
    bayes,
    binning,
    calibration,
    centroids,
    chained,
    clusters,
    coding,
    compose,
    constants,
    decomposition,
    donors,
    embeddings,
    encoders,
    ensembles,
    imputers,
    isotonic,
    kernels,
    linear,
    meta,
    mixtures,
    multiclass,
    multioutput,
    neighbors,
    neural,
    outliers,
    pls,
    powers,
    processes,
    propagation,
    quantiles,
    radius,
    scalers,
    sparse_projection,
    splines,
    text,
    topics,
    tree_outputs,
    trees,
)
from runtime.plan.ops import MAX_DEPTH, Array, Fields, Node, NodeReader, PlanError

NODES: dict[str, NodeReader] = {
    **adaboost.NODES,
    **approximation.NODES,
    **backwards.NODES,
    **bayes.NODES,
    **binning.NODES,
    **calibration.NODES,
    **centroids.NODES,
    **chained.NODES,
    **clusters.NODES,
    **coding.NODES,
    **compose.NODES,
    **constants.NODES,
    **decomposition.NODES,
    **donors.NODES,
    **embeddings.NODES,
    **encoders.NODES,
    **ensembles.NODES,
    **imputers.NODES,
    **isotonic.NODES,
    **kernels.NODES,
    **linear.NODES,
    **meta.NODES,
    **mixtures.NODES,
    **multiclass.NODES,
    **multioutput.NODES,
    **neighbors.NODES,
    **neural.NODES,
    **outliers.NODES,
    **pls.NODES,
    **powers.NODES,
    **processes.NODES,
    **propagation.NODES,
    **quantiles.NODES,
    **radius.NODES,
    **scalers.NODES,
    **sparse_projection.NODES,
    **splines.NODES,
    **text.NODES,
    **topics.NODES,
    **tree_outputs.NODES,
    **trees.NODES,
}


def build(
    spec: Any,
    tensors: Mapping[str, Array],
    where: str = "graph",
    depth: int = 0,
    *,
    thorough: bool = True,
) -> Node:
    """Build one node and all below it; raises PlanError with the place (`thorough`: `Fields`)."""
    if depth > MAX_DEPTH:
        raise PlanError(f"{where}: nested deeper than {MAX_DEPTH}")
    if not isinstance(spec, dict) or not isinstance(spec.get("op"), str):
        raise PlanError(f"{where}: not a node")
    reader = NODES.get(spec["op"])
    if reader is None:
        raise PlanError(f"{where}: unknown op {spec['op']!r}")

    def below(inner: Any, place: str, at: int) -> Node:
        return build(inner, tensors, place, at, thorough=thorough)

    fields = Fields(spec, tensors, below, where, depth, thorough=thorough)
    node = reader(fields)
    fields.done()
    return node
