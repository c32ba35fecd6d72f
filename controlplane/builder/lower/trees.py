"""Lowering of decision trees, forests, gradient boosting and isolation forests."""

# A fitted tree model keeps what predict needs in private attributes.
# ruff: noqa: SLF001

import copy
import itertools
import warnings
from types import SimpleNamespace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.dummy import DummyClassifier, DummyRegressor
from sklearn.ensemble import (
    ExtraTreesClassifier,
    ExtraTreesRegressor,
    GradientBoostingClassifier,
    GradientBoostingRegressor,
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
    IsolationForest,
    RandomForestClassifier,
    RandomForestRegressor,
    RandomTreesEmbedding,
)
from sklearn.ensemble._iforest import _average_path_length
from sklearn.preprocessing import OrdinalEncoder
from sklearn.tree import (
    DecisionTreeClassifier,
    DecisionTreeRegressor,
    ExtraTreeClassifier,
    ExtraTreeRegressor,
)

from controlplane.builder.lower.base import Draft, Lowering, Spec
from controlplane.builder.lower.tree_layouts import Grown, lay_out
from runtime.plan.tree_walk import CATEGORIES

# By name: the classes have moved between versions of scikit-learn, their meaning has not.
LINKS = {
    "IdentityLink": "identity",
    "LogLink": "log",
    "LogitLink": "logit",
    "HalfLogitLink": "half_logit",
    "MultinomialLogit": "softmax",
    # Before 1.4 the losses of GradientBoosting had no links; what each did with a raw prediction.
    "LeastSquaresError": "identity",
    "LeastAbsoluteError": "identity",
    "HuberLossFunction": "identity",
    "QuantileLossFunction": "identity",
    "BinomialDeviance": "logit",
    "ExponentialLoss": "half_logit",
    "MultinomialDeviance": "softmax",
}


def grown_tree(tree: Any, values: NDArray[np.float64], columns: Any = None) -> Grown:
    """A `sklearn.tree._tree.Tree`; `columns` are the model's columns that the tree was given."""
    leaf = tree.children_left < 0
    feature = np.where(leaf, 0, tree.feature)
    # Before 1.3 a tree takes no missing values and has no such attribute.
    nan_left = getattr(tree, "missing_go_to_left", np.zeros(len(leaf)))
    return Grown(
        left=np.asarray(tree.children_left, np.int64),
        right=np.asarray(tree.children_right, np.int64),
        feature=feature if columns is None else np.asarray(columns)[feature],
        threshold=np.asarray(tree.threshold, np.float64),
        nan_left=np.asarray(nan_left, np.bool_),
        values=np.asarray(values, np.float64),
    )


def missing(tree: Any) -> str:
    """Whether a fitted tree takes NaN, by the rule that its own predict applies."""
    supports = getattr(tree, "_support_missing_values", lambda _: False)
    return "passes" if supports(np.zeros((1, 1))) else "refuses"


def probabilities(tree: Any) -> NDArray[np.float64]:
    """Class probabilities of every node, as this version's predict_proba makes them of node values.

    Versions hold counts or fractions in the nodes and divide or not; so the method itself is asked,
    with a stand-in that has every row reach the node of its number. Those of several outputs stand
    side by side.
    """
    values = tree.tree_.value[:, 0, :] if tree.n_outputs_ == 1 else tree.tree_.value
    stand_in = copy.copy(tree)
    stand_in.tree_ = SimpleNamespace(predict=lambda _: values.copy())
    rows = np.broadcast_to(np.zeros((1, 1), np.float32), (len(values), tree.n_features_in_))
    found = stand_in.predict_proba(rows, check_input=False)
    proba: NDArray[np.float64] = np.hstack(found) if isinstance(found, list) else found
    return proba


def _classes(draft: Draft, estimator: Any) -> Spec:
    if estimator.n_outputs_ == 1:
        return {"op": "forest_classifier", "classes": draft.labels(estimator.classes_)}
    several = {f"classes{i}": draft.labels(known) for i, known in enumerate(estimator.classes_)}
    return {"op": "labels_forest", "outputs": len(several), **several}


def _forest(draft: Draft, estimator: Any, trees: list[Any]) -> Spec:
    if hasattr(estimator, "classes_"):
        grown = [grown_tree(t.tree_, probabilities(t)) for t in trees]
        own = _classes(draft, estimator)
    else:
        grown = [grown_tree(t.tree_, t.tree_.value[:, :, 0]) for t in trees]
        own = {"op": "forest_regressor"}
    return {
        **own,
        "n_in": int(estimator.n_features_in_),
        "missing": missing(trees[0]),
        "in_order": getattr(estimator, "n_jobs", None) in (None, 1),
        **lay_out(draft, grown, narrow=True),
    }


def tree(draft: Draft, estimator: Any) -> Spec:
    """A tree alone is a forest of one: adding to zero and dividing by one changes no bit."""
    return _forest(draft, estimator, [estimator])


def forest(draft: Draft, estimator: Any) -> Spec:
    """RandomForest and ExtraTrees."""
    return _forest(draft, estimator, list(estimator.estimators_))


def embedding(draft: Draft, estimator: Any) -> Spec:
    """RandomTreesEmbedding: a leaf's value is the number of its column."""
    grown, first = [], 0
    for each, leaves in zip(
        estimator.estimators_, estimator.one_hot_encoder_.categories_, strict=True
    ):
        if set(leaves.tolist()) != set(np.flatnonzero(each.tree_.children_left < 0).tolist()):
            raise draft.unsupported("a leaf was reached by no row in training")
        columns = np.zeros((each.tree_.node_count, 1))
        columns[leaves.astype(np.int64), 0] = np.arange(first, first + len(leaves))
        first += len(leaves)
        grown.append(grown_tree(each.tree_, columns))
    return {
        "op": "tree_embedding",
        "n_in": int(estimator.n_features_in_),
        "n_out": first,
        "missing": missing(estimator.estimators_[0]),
        **lay_out(draft, grown, narrow=True),
    }


def isolation_forest(draft: Draft, estimator: Any) -> Spec:
    """Leaf values are the path lengths that scikit-learn adds up, made in its order."""
    grown = [
        grown_tree(each.tree_, _path_lengths(each.tree_)[:, None], columns)
        for each, columns in zip(estimator.estimators_, estimator.estimators_features_, strict=True)
    ]
    # Before 1.3 the number was kept under its public name alone.
    samples = getattr(estimator, "_max_samples", estimator.max_samples_)
    average = float(_average_path_length([samples])[0])
    return {
        "op": "isolation_forest",
        "n_in": int(estimator.n_features_in_),
        "missing": _missing_rows(estimator),
        "denominator": len(grown) * average,
        "offset": float(estimator.offset_),
        **lay_out(draft, grown, narrow=True),
    }


def _path_lengths(tree: Any) -> NDArray[np.float64]:
    """Nodes on the way to each node, itself too, and the way that is expected below it, less one.

    scikit-learn keeps both since 1.3, and before counted the first at each call.
    """
    depth = np.ones(len(tree.children_left))
    level = np.zeros(1, np.int64)
    while len(level):
        inner = level[tree.children_left[level] >= 0]
        level = np.concatenate((tree.children_left[inner], tree.children_right[inner]))
        depth[level] = np.tile(depth[inner] + 1.0, 2)
    lengths: NDArray[np.float64] = depth + _average_path_length(tree.n_node_samples) - 1.0
    return lengths


def _missing_rows(estimator: Any) -> str:
    """Whether a fitted model takes a row without a value, by asking it: versions differ."""
    row = np.full((1, estimator.n_features_in_), np.nan)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it may want names of columns
        try:
            estimator.predict(row)
        except ValueError:
            return "refuses"
    return "passes"


def _link(draft: Draft, estimator: Any) -> str:
    loss = estimator._loss
    link = LINKS.get(type(getattr(loss, "link", loss)).__name__)
    if link is None:
        raise draft.unsupported(f"loss {estimator.loss!r} has no plan yet")
    return link


def _classifier(draft: Draft, estimator: Any, *, tie_is_second: bool) -> Spec:
    if len(estimator.classes_) < 2:
        raise draft.unsupported("it has learnt a single class")
    return {
        "op": "boosted_classifier",
        "classes": draft.labels(estimator.classes_),
        "tie_is_second": tie_is_second,
    }


def gradient_boosting(draft: Draft, estimator: Any) -> Spec:
    """GradientBoosting; the learning rate is multiplied in here instead of per call."""
    classifies = hasattr(estimator, "classes_")
    spec: Spec = (
        _classifier(draft, estimator, tie_is_second=_tie_is_second(estimator))
        if classifies
        else {"op": "boosted_regressor"}
    )
    trees = [
        grown_tree(t.tree_, estimator.learning_rate * t.tree_.value[:, 0, :])
        for t in estimator.estimators_.ravel()
    ]
    start, init = _start(draft, estimator, classifies)
    return {
        **spec,
        "n_in": int(estimator.n_features_in_),
        "missing": "refuses",
        "link": _link(draft, estimator),
        "start": draft.tensor(start, "f8"),
        **({} if init is None else {"init": init}),
        **lay_out(draft, trees, narrow=True),
    }


def _tie_is_second(estimator: Any) -> bool:
    """Before 1.4 the two probabilities were compared, and the first of equal ones won."""
    return type(estimator._loss).__name__ != "BinomialDeviance"


def _start(draft: Draft, estimator: Any, classifies: bool) -> tuple[NDArray[Any], Spec | None]:
    """Raw predictions that the trees start from: constants, or the node of an init estimator."""
    init = estimator.init_
    if type(init) is DummyClassifier and init.strategy in ("stratified", "uniform"):
        raise draft.unsupported(f"init draws at random (strategy {init.strategy!r})")
    if isinstance(init, str) or type(init) in (DummyClassifier, DummyRegressor):
        zeros = np.zeros((1, estimator.n_features_in_), np.float32)
        return estimator._raw_predict_init(zeros)[0], None
    if classifies or type(init) not in INITS:
        # A linear model, say, would run in float32 there; a classifier's probabilities go through
        # scipy's logit. Neither can be promised to the last bit.
        raise draft.unsupported(f"init={type(init).__name__} cannot be reproduced exactly")
    return np.zeros(1), draft.node(init)


def hist_gradient_boosting(draft: Draft, estimator: Any) -> Spec:
    """HistGradientBoosting; it predicts from raw values, never from bins."""
    classifies = hasattr(estimator, "classes_")
    spec: Spec = (
        _classifier(draft, estimator, tie_is_second=False)
        if classifies
        else {"op": "boosted_regressor"}
    )
    categories = _categories(draft, estimator)
    trees = [
        _histogram_tree(draft, each, categories is not None)
        for stage in estimator._predictors
        for each in stage
    ]
    return {
        **spec,
        "n_in": int(estimator.n_features_in_),
        "missing": "passes",
        "link": _link(draft, estimator),
        "start": draft.tensor(np.ravel(estimator._baseline_prediction), "f8"),
        **({} if categories is None else {"categories": categories}),
        **lay_out(draft, trees, narrow=False),
    }


def _histogram_tree(draft: Draft, predictor: Any, encoded: bool) -> Grown:
    nodes = predictor.nodes
    leaf = nodes["is_leaf"].astype(np.bool_)
    split = routes = None
    by_category = nodes["is_categorical"].astype(np.bool_) & ~leaf
    if by_category.any():
        if not encoded:
            # Before 1.4 categories came unencoded, with rules of their own for what is not one.
            raise draft.unsupported("its categories are of a scikit-learn before 1.4")
        split = np.zeros(len(nodes), np.int64)
        split[by_category] = np.arange(1, by_category.sum() + 1)
        words = predictor.raw_left_cat_bitsets[nodes["bitset_idx"][by_category]]
        goes_left = words[:, :, None] >> np.arange(32, dtype=np.uint32) & np.uint32(1)
        routes = np.zeros((split.max() + 1, CATEGORIES), np.bool_)
        routes[1:] = goes_left.reshape(-1, CATEGORIES) == 0
    return Grown(
        left=np.where(leaf, -1, nodes["left"].astype(np.int64)),
        right=np.where(leaf, -1, nodes["right"].astype(np.int64)),
        feature=np.where(leaf, 0, nodes["feature_idx"].astype(np.int64)),
        threshold=nodes["num_threshold"].astype(np.float64),
        nan_left=nodes["missing_go_to_left"].astype(np.bool_),
        values=nodes["value"].astype(np.float64)[:, None],
        split=split,
        routes=routes,
    )


def _categories(draft: Draft, estimator: Any) -> list[Spec] | None:
    """The encoder in front: for each categorical column, in order, its categories by code."""
    preprocessor = getattr(estimator, "_preprocessor", None)
    if preprocessor is None:
        return None
    encoder = preprocessor.named_transformers_["encoder"]
    if type(encoder) is not OrdinalEncoder:
        raise draft.unsupported("an unknown encoder stands before its categories")
    columns = np.flatnonzero(estimator.is_categorical_)
    return [
        {"column": int(column), **_column(draft, int(column), known)}
        for column, known in zip(columns, encoder.categories_, strict=True)
    ]


def _column(draft: Draft, column: int, known: NDArray[Any]) -> Spec:
    """NaN, always last, is left out: missing values have no code."""
    values = [v for v in known.tolist() if not (isinstance(v, float) and np.isnan(v))]
    if all(isinstance(v, (int, float)) for v in values):
        floats = [float(v) for v in values]
        if any(a >= b for a, b in itertools.pairwise(floats)) or floats != values:
            raise draft.unsupported(f"categories of column {column} do not fit into float64")
        return {"kind": "number", "values": floats}
    if not all(v is None or isinstance(v, str) for v in values):
        raise draft.unsupported(f"categories of column {column} mix strings and other things")
    if None in values and len(values) < len(known):
        raise draft.unsupported(
            f"column {column} has both None and NaN, which a request cannot tell"
        )
    return {"kind": "string", "values": values}


_FORESTS = (
    RandomForestClassifier,
    RandomForestRegressor,
    ExtraTreesClassifier,
    ExtraTreesRegressor,
)
TREES = (DecisionTreeClassifier, DecisionTreeRegressor, ExtraTreeClassifier, ExtraTreeRegressor)

LOWERINGS: dict[type, Lowering] = {
    **dict.fromkeys(TREES, tree),
    **dict.fromkeys(_FORESTS, forest),
    IsolationForest: isolation_forest,
    RandomTreesEmbedding: embedding,
    GradientBoostingClassifier: gradient_boosting,
    GradientBoostingRegressor: gradient_boosting,
    HistGradientBoostingClassifier: hist_gradient_boosting,
    HistGradientBoostingRegressor: hist_gradient_boosting,
}

# Init estimators that give the same for float32 input and for its float64 copy.
INITS = (
    DecisionTreeRegressor,
    ExtraTreeRegressor,
    RandomForestRegressor,
    ExtraTreesRegressor,
    GradientBoostingRegressor,
)
