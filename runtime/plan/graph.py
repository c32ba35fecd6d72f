"""From a spec and tensors to nodes: the registry of every kind of node there is."""

from collections.abc import Mapping
from typing import Any

from runtime.plan import (
    adaboost,
    bayes,
    calibration,
    clusters,
    compose,
    constants,
    decomposition,
    encoders,
    ensembles,
    imputers,
    isotonic,
    kernels,
    linear,
    meta,
    multiclass,
    multioutput,
    neighbors,
    neural,
    scalers,
    tree_outputs,
    trees,
)
from runtime.plan.ops import MAX_DEPTH, Array, Fields, Node, NodeReader, PlanError

NODES: dict[str, NodeReader] = {
    **adaboost.NODES,
    **bayes.NODES,
    **calibration.NODES,
    **clusters.NODES,
    **compose.NODES,
    **constants.NODES,
    **decomposition.NODES,
    **encoders.NODES,
    **ensembles.NODES,
    **imputers.NODES,
    **isotonic.NODES,
    **kernels.NODES,
    **linear.NODES,
    **meta.NODES,
    **multiclass.NODES,
    **multioutput.NODES,
    **neighbors.NODES,
    **neural.NODES,
    **scalers.NODES,
    **tree_outputs.NODES,
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
