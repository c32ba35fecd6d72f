"""Lowering of linear models, regressors and classifiers."""

# A generalized linear model keeps its link, and a version its solvers, in private attributes.
# ruff: noqa: SLF001

import math
from typing import Any

import numpy as np
from sklearn import linear_model, svm
from sklearn.linear_model import _logistic

from controlplane.builder.lower.base import Draft, Lowering, Spec

MAX_DENSE = 50_000_000  # weights
LINKS = {"IdentityLink": "identity", "LogLink": "log"}


def _weights(draft: Draft, estimator: Any) -> Spec:
    """Weights in the memory order of scikit-learn's product, since BLAS rounds each differently."""
    if not isinstance(estimator.coef_, np.ndarray):
        return _sparsified(draft, estimator)
    coef = np.atleast_2d(np.asarray(estimator.coef_, np.float64))
    intercept = np.ravel(np.asarray(estimator.intercept_, np.float64))
    outputs = coef.shape[0]
    if coef.ndim != 2 or intercept.size not in (1, outputs):
        raise draft.unsupported("its weights have an unusual shape")
    if not (np.isfinite(coef).all() and np.isfinite(intercept).all()):
        raise draft.unsupported("its weights are not finite")
    # Float32 weights meet float64 rows in a copy that numpy makes in C order of the transpose.
    copied = np.asarray(estimator.coef_).dtype != np.float64
    by_column = coef.flags.f_contiguous and not coef.flags.c_contiguous
    if draft.sparse and copied:
        raise draft.unsupported(
            f"it was fitted on text in {np.asarray(estimator.coef_).dtype} and computes in it;"
            " leave the vectorizer's dtype at float64"
        )
    # Of sparse rows, a cell takes one row of the weights.
    transposed = draft.sparse or (outputs > 1 and (copied or by_column))
    return {
        "transposed": bool(transposed),
        "weights": draft.tensor(coef.T if transposed else coef, "f8"),
        "intercept": draft.tensor(np.broadcast_to(intercept, (outputs,)), "f8"),
    }


def _is_vector(coef: Any) -> bool:
    """True where scikit-learn answers with a vector; made sparse, its weights are one row."""
    return coef.ndim == 1 or (not isinstance(coef, np.ndarray) and coef.shape[0] == 1)


def _sparsified(draft: Draft, estimator: Any) -> Spec:
    """Weights after sparsify(), made dense: scipy adds up another way, so not to the last bit."""
    if math.prod(estimator.coef_.shape) > MAX_DENSE:
        raise draft.unsupported("its sparse weights are too many to be made dense")
    coef = np.atleast_2d(np.asarray(estimator.coef_.toarray(), np.float64))
    intercept = np.ravel(np.asarray(estimator.intercept_, np.float64))
    if not (np.isfinite(coef).all() and np.isfinite(intercept).all()):
        raise draft.unsupported("its weights are not finite")
    return {
        "sparsified": True,
        "transposed": True,
        "weights": draft.tensor(coef.T, "f8"),
        "intercept": draft.tensor(np.broadcast_to(intercept, coef.shape[:1]), "f8"),
    }


def regressor(draft: Draft, estimator: Any) -> Spec:
    """Whatever predicts `X @ coef_.T + intercept_`."""
    return {
        "op": "linear_regressor",
        "link": "identity",
        "vector": _is_vector(estimator.coef_),
        **_weights(draft, estimator),
    }


def generalized(draft: Draft, estimator: Any) -> Spec:
    """Poisson, Gamma and Tweedie regressors."""
    name = type(estimator._base_loss.link).__name__
    if name not in LINKS:
        raise draft.unsupported(f"link {name} has no plan yet")
    return {**regressor(draft, estimator), "link": LINKS[name]}


def robust(draft: Draft, estimator: Any) -> Spec:
    """RANSAC predicts with the estimator it has fitted on the inliers."""
    return draft.node(estimator.estimator_)


def classifier(draft: Draft, estimator: Any, proba: str = "none") -> Spec:
    """Whatever takes the label of the highest `X @ coef_.T + intercept_`."""
    if np.ndim(estimator.classes_) != 1 or len(estimator.classes_) < 2:
        raise draft.unsupported("it has learnt a single class")
    return {
        "op": "linear_classifier",
        "classes": draft.labels(estimator.classes_),
        "proba": proba,
        **_weights(draft, estimator),
    }


def ridge_classifier(draft: Draft, estimator: Any) -> Spec:
    """RidgeClassifier also learns several labels at once."""
    if estimator._label_binarizer.y_type_.startswith("multilabel"):
        return {"op": "linear_labels", **_weights(draft, estimator)}
    return classifier(draft, estimator)


def logistic(draft: Draft, estimator: Any) -> Spec:
    """LogisticRegression; scikit-learn before 1.8 chose between two ways by `multi_class`."""
    binary = len(estimator.classes_) <= 2
    one_vs_rest = binary
    if "multi_class" in type(estimator)._get_param_names():
        way = "auto" if estimator.multi_class == "deprecated" else estimator.multi_class
        # Which solvers learn one class at a time is this version's to say: newton-cholesky did
        # before 1.6.
        chosen = _logistic._check_multi_class(way, estimator.solver, len(estimator.classes_))
        one_vs_rest = chosen == "ovr"
    if not one_vs_rest:
        return classifier(draft, estimator, "softmax")
    return classifier(draft, estimator, "sigmoid" if binary else "ovr")


def descended(draft: Draft, estimator: Any) -> Spec:
    """SGDClassifier has probabilities for two of its losses."""
    if estimator.loss == "modified_huber":
        return classifier(draft, estimator, "huber")
    if estimator.loss in ("log_loss", "log"):
        binary = len(estimator.classes_) == 2
        return classifier(draft, estimator, "sigmoid" if binary else "ovr")
    return classifier(draft, estimator)


_REGRESSORS = (
    "LinearRegression Ridge RidgeCV Lasso LassoCV ElasticNet ElasticNetCV Lars LarsCV LassoLars"
    " LassoLarsCV LassoLarsIC OrthogonalMatchingPursuit OrthogonalMatchingPursuitCV BayesianRidge"
    " ARDRegression HuberRegressor TheilSenRegressor QuantileRegressor SGDRegressor"
    " PassiveAggressiveRegressor MultiTaskLasso MultiTaskLassoCV MultiTaskElasticNet"
    " MultiTaskElasticNetCV"
)


def _named(names: str) -> list[type]:
    """Some come and go with the versions of scikit-learn."""
    found = (getattr(linear_model, name, None) for name in names.split())
    return [kind for kind in found if kind is not None]


LOWERINGS: dict[type, Lowering] = {
    **dict.fromkeys(_named(_REGRESSORS), regressor),
    svm.LinearSVR: regressor,
    **dict.fromkeys(_named("PoissonRegressor GammaRegressor TweedieRegressor"), generalized),
    **dict.fromkeys(_named("RANSACRegressor"), robust),
    **dict.fromkeys(_named("LogisticRegression LogisticRegressionCV"), logistic),
    **dict.fromkeys(_named("RidgeClassifier RidgeClassifierCV"), ridge_classifier),
    **dict.fromkeys(_named("SGDClassifier"), descended),
    **dict.fromkeys(_named("Perceptron PassiveAggressiveClassifier"), classifier),
    svm.LinearSVC: classifier,
}
