"""From a spec and tensors to nodes: where every kind of node there is stands.

A family is imported when a plan first needs one of its nodes: a plan needs a few of the forty, and
all of them would be a tenth of a start from nothing. Who forks imports them before.
"""

from collections.abc import Callable, Mapping
from functools import cache
from importlib import import_module
from typing import Any, Final

from runtime.plan.ops import Array, Fields, Node, NodeReader, PlanError
from runtime.plan.whole import Place, Whole

# By module of this package: the ops of its table `NODES`.
FAMILIES: Final[dict[str, tuple[str, ...]]] = {
    "adaboost": (
        "adaboost_classifier",
        "adaboost_regressor",
        "adaboost_tree_classifier",
        "adaboost_tree_regressor",
    ),
    "approximation": ("nystroem", "random_fourier", "chi_squared", "count_sketch", "kernel_center"),
    "backwards": ("rescale", "unpower", "unquantiles"),
    "bayes": ("gaussian_nb", "linear_nb", "categorical_nb", "lda", "qda"),
    "binning": ("bins",),
    "calibration": ("calibrated",),
    "centroids": ("nearest_centroid",),
    "chained": ("chained",),
    "clusters": ("centres", "bisected", "nearest_centre", "pooled"),
    "coding": ("sparse_code",),
    "compose": ("pipeline", "columns"),
    "constants": ("constant",),
    "decomposition": ("projection", "hidden_units"),
    "donors": ("donors",),
    "embeddings": ("kernel_pca", "isomap", "radius_isomap", "locally_linear"),
    "encoders": ("one_hot", "ordinal", "target"),
    "ensembles": (
        "averaged_classifier",
        "averaged_regressor",
        "voting_classifier",
        "voting_regressor",
        "stacking",
    ),
    "imputers": ("impute", "impute_text", "indicate"),
    "isotonic": ("isotonic",),
    "kernels": ("svr", "one_class_svm", "svc", "kernel_ridge"),
    "linear": ("linear_labels", "linear_regressor", "linear_classifier"),
    "meta": ("restricted", "threshold_classifier", "transformed_target"),
    "mixtures": ("mixture",),
    "multiclass": ("one_vs_rest", "one_vs_one", "output_code"),
    "multioutput": ("multi_output", "chain"),
    "neighbors": (
        "neighbors_classifier",
        "neighbors_labels",
        "neighbors_regressor",
        "neighbors_graph",
        "outlier_factor",
    ),
    "neural": ("mlp_labels", "mlp_regressor", "mlp_classifier"),
    "outliers": ("plane", "envelope"),
    "passing": ("identity", "dense", "function", "select"),
    "pls": ("pls",),
    "powers": ("power",),
    "processes": ("process_regressor", "binary_process", "process_classifier"),
    "propagation": ("kernel_votes", "neighbor_votes"),
    "quantiles": ("quantiles",),
    "radius": ("radius_classifier", "radius_regressor", "radius_graph"),
    "scalers": ("standardize", "min_max", "normalize", "binarize", "polynomial"),
    "sparse_projection": ("sparse_projection",),
    "splines": ("splines",),
    "text": ("count", "hashing", "tfidf"),
    "topics": ("topics",),
    "tree_outputs": ("labels_forest", "tree_embedding"),
    "trees": (
        "forest_classifier",
        "forest_regressor",
        "isolation_forest",
        "boosted_classifier",
        "boosted_regressor",
    ),
}
FAMILY_OF: Final = {op: family for family, ops in FAMILIES.items() for op in ops}


@cache
def nodes_of(family: str) -> dict[str, NodeReader]:
    """Import a family; gives its table."""
    nodes: dict[str, NodeReader] = import_module(f"runtime.plan.{family}").NODES
    return nodes


def import_families() -> None:
    """Import every family there is."""
    for family in FAMILIES:
        nodes_of(family)


def build(
    spec: Any,
    tensors: Mapping[str, Array],
    *,
    thorough: bool = True,
    fields: Callable[..., Fields] = Fields,
) -> Node:
    """Build one node and all below it; raises PlanError with the place.

    thorough  as in `Fields`
    fields    what reads the nodes, which may note what it is asked for
    """
    whole = Whole(tensors, thorough=thorough)

    def below(inner: Any, place: Place) -> Node:
        if not isinstance(inner, dict) or not isinstance(inner.get("op"), str):
            raise PlanError(f"{place.where}: not a node")
        family = FAMILY_OF.get(inner["op"])
        if family is None:
            raise PlanError(f"{place.where}: unknown op {inner['op']!r}")
        read = fields(inner, whole, below, place)
        node = nodes_of(family)[inner["op"]](read)
        read.done()
        read.spend_own(node)
        return node

    return below(spec, Place())
