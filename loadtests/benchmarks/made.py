"""What estimators are made with and fitted on here: each as it is put to work, not as it is tested.

Keyed by class name, so that one whose plan is still to come costs nothing. What is not named is
made without arguments and fitted on labels, or on values if it is a regressor.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from sklearn import (
    decomposition,
    feature_selection,
    linear_model,
    naive_bayes,
    preprocessing,
    svm,
    tree,
)
from sklearn.base import is_regressor

from loadtests.benchmarks.samples import SAMPLES, Sample

GRID: Final = {"C": [0.1, 1.0]}
# Lowered inside of others only: they take no table of columns, which is all that a request has.
NOT_ALONE: Final = {
    "DictVectorizer",
    "FeatureHasher",
    "LabelBinarizer",
    "LabelEncoder",
    "MultiLabelBinarizer",
    "_ConstantPredictor",
}
SEED: Final[dict[str, Any]] = {"random_state": 0}


@dataclass(frozen=True, slots=True)
class Made:
    """What an estimator is fitted on and made with; `arguments` are made when they are wanted."""

    sample: str
    parameters: dict[str, Any]
    arguments: Callable[[], tuple[Any, ...]]


def of(sample: str, arguments: Callable[[], tuple[Any, ...]] = tuple, **parameters: Any) -> Made:
    """Write an example."""
    return Made(sample, parameters, arguments)


def logistic() -> Any:
    """Make a classifier to put into others."""
    return linear_model.LogisticRegression()


def shallow() -> Any:
    """Make another."""
    return tree.DecisionTreeClassifier(max_depth=4, random_state=0)


def classifiers() -> list[tuple[str, Any]]:
    """Make several."""
    return [("tree", shallow()), ("bayes", naive_bayes.GaussianNB())]


def regressors() -> list[tuple[str, Any]]:
    """Make several."""
    deep = tree.DecisionTreeRegressor(max_depth=4, random_state=0)
    return [("ridge", linear_model.Ridge()), ("tree", deep)]


def columns() -> list[tuple[str, Any, list[str]]]:
    """Make what a table of numbers and categories goes through."""
    scaled, hot = [f"n{i}" for i in range(10)], [f"c{i}" for i in range(4)]
    encoder = preprocessing.OneHotEncoder(sparse_output=False, handle_unknown="ignore")
    return [("scaled", preprocessing.StandardScaler(), scaled), ("hot", encoder, hot)]


MADE: Final[dict[str, Made]] = {
    "AdaBoostClassifier": of("classes", **SEED),
    "AdaBoostRegressor": of("values", **SEED),
    "AdditiveChi2Sampler": of("shares"),
    "BaggingClassifier": of("classes", **SEED),
    "BaggingRegressor": of("values", **SEED),
    "BayesianGaussianMixture": of("classes", n_components=3, **SEED),
    "BernoulliRBM": of("shares", n_components=16, n_iter=2, **SEED),
    "BisectingKMeans": of("classes", n_clusters=5, **SEED),
    "CCA": of("two values", n_components=2),
    "CalibratedClassifierCV": of("classes", lambda: (svm.LinearSVC(),), cv=3),
    "CategoricalNB": of("counts", min_categories=100),
    "ClassifierChain": of("several labels", lambda: (logistic(),)),
    "ColumnTransformer": of("frame", lambda: (columns(),)),
    "ComplementNB": of("counts"),
    "CountVectorizer": of("texts"),
    "DictionaryLearning": of("classes", n_components=5, max_iter=3, **SEED),
    "FactorAnalysis": of("classes", n_components=5),
    "FastICA": of("classes", n_components=5, whiten="unit-variance", **SEED),
    "FeatureUnion": of(
        "classes",
        lambda: ([("pca", decomposition.PCA(5)), ("scaled", preprocessing.StandardScaler())],),
    ),
    "FixedThresholdClassifier": of("two classes", lambda: (logistic(),), threshold=0.4),
    "FrozenEstimator": of("classes", lambda: (_fitted(logistic()),)),
    "FunctionTransformer": of("shares", lambda: (np.log1p,)),
    "GammaRegressor": of("positive values"),
    "GaussianMixture": of("classes", n_components=3, **SEED),
    "GaussianRandomProjection": of("classes", n_components=5, **SEED),
    "GenericUnivariateSelect": of("classes", mode="k_best", param=5),
    "GridSearchCV": of("classes", lambda: (logistic(), GRID), cv=2),
    "HalvingGridSearchCV": of("classes", lambda: (logistic(), GRID), cv=2, **SEED),
    "HalvingRandomSearchCV": of("classes", lambda: (logistic(), GRID), cv=2, **SEED),
    "HashingVectorizer": of("texts", n_features=64),
    "IncrementalPCA": of("classes", n_components=5),
    "IsolationForest": of("classes", **SEED),
    "IsotonicRegression": of("values of one column", out_of_bounds="clip"),
    "IterativeImputer": of("gaps", **SEED),
    "KBinsDiscretizer": of("classes", quantile_method="averaged_inverted_cdf"),
    "KernelCenterer": of("products"),
    "KMeans": of("classes", n_clusters=5, n_init=1, **SEED),
    "KNNImputer": of("gaps"),
    "KernelPCA": of("classes", n_components=5, kernel="rbf"),
    "LatentDirichletAllocation": of("counts", n_components=3, max_iter=3, **SEED),
    "LocalOutlierFactor": of("classes", novelty=True),
    "LogisticRegressionCV": of(
        "classes", Cs=2, cv=2, use_legacy_attributes=False, l1_ratios=(0,), scoring="accuracy"
    ),
    "MLPClassifier": of("classes", hidden_layer_sizes=(100, 50), max_iter=20, **SEED),
    "MLPRegressor": of("values", hidden_layer_sizes=(100, 50), max_iter=20, **SEED),
    "MiniBatchDictionaryLearning": of("classes", n_components=5, max_iter=3, **SEED),
    "MiniBatchKMeans": of("classes", n_clusters=5, n_init=1, **SEED),
    "MiniBatchNMF": of("counts", n_components=3, max_iter=10, **SEED),
    "MissingIndicator": of("gaps"),
    "MultiOutputClassifier": of("several labels", lambda: (logistic(),)),
    "MultiOutputRegressor": of("two values", lambda: (linear_model.Ridge(),)),
    "MultiTaskElasticNet": of("two values"),
    "MultiTaskElasticNetCV": of("two values", cv=2, alphas=3),
    "MultiTaskLasso": of("two values"),
    "MultiTaskLassoCV": of("two values", cv=2, alphas=3),
    "MultinomialNB": of("counts"),
    "NMF": of("counts", n_components=3, max_iter=50, **SEED),
    "NeighborhoodComponentsAnalysis": of("classes", n_components=3, max_iter=5, **SEED),
    "NuSVC": of("classes", nu=0.3, probability=False),
    "Nystroem": of("classes", n_components=50, **SEED),
    "OneHotEncoder": of("categories", sparse_output=False, handle_unknown="ignore"),
    "OneVsOneClassifier": of("classes", lambda: (svm.LinearSVC(),)),
    "OneVsRestClassifier": of("classes", lambda: (logistic(),)),
    "OrdinalEncoder": of("categories"),
    "OutputCodeClassifier": of("classes", lambda: (logistic(),), **SEED),
    "PCA": of("classes", n_components=5),
    "PLSCanonical": of("two values", n_components=2),
    "PLSRegression": of("two values", n_components=2),
    "PLSSVD": of("two values", n_components=2),
    "Pipeline": of(
        "classes",
        lambda: ([("scaled", preprocessing.StandardScaler()), ("linear", logistic())],),
    ),
    "PoissonRegressor": of("positive values"),
    "PolynomialCountSketch": of("classes", n_components=16, **SEED),
    "QuantileTransformer": of("classes", n_quantiles=100, **SEED),
    "RANSACRegressor": of("values", **SEED),
    "RFE": of("classes", lambda: (logistic(),), n_features_to_select=5, step=5),
    "RFECV": of("classes", lambda: (logistic(),), cv=2, step=5),
    "RadiusNeighborsClassifier": of("classes", radius=4.0, outlier_label=0),
    "RadiusNeighborsRegressor": of("values", radius=8.0),
    "RandomTreesEmbedding": of("classes", sparse_output=False, **SEED),
    "RandomizedSearchCV": of("classes", lambda: (logistic(), GRID), n_iter=2, cv=2, **SEED),
    "RegressorChain": of("two values", lambda: (linear_model.Ridge(),)),
    "SGDClassifier": of("classes", loss="log_loss", **SEED),
    "SelectFromModel": of("classes", lambda: (logistic(),)),
    "SelectFdr": of("classes", lambda: (feature_selection.f_classif,), alpha=0.5),
    "SelectFpr": of("classes", lambda: (feature_selection.f_classif,), alpha=0.5),
    "SelectFwe": of("classes", lambda: (feature_selection.f_classif,), alpha=0.5),
    "SelectKBest": of("classes", k=5),
    "SelfTrainingClassifier": of("some classes", lambda: (logistic(),)),
    "SequentialFeatureSelector": of(
        "values", lambda: (linear_model.Ridge(),), n_features_to_select=2, cv=2
    ),
    "SimpleImputer": of("gaps"),
    "SkewedChi2Sampler": of("shares", n_components=16, **SEED),
    "SparseCoder": of("classes", lambda: (np.eye(20)[:5],)),
    "SparseRandomProjection": of("classes", n_components=5, **SEED),
    "StackingClassifier": of("classes", lambda: (classifiers(),), cv=2),
    "StackingRegressor": of("values", lambda: (regressors(),), cv=2),
    "TargetEncoder": of("categories", cv=2, **SEED),
    "TfidfTransformer": of("counts"),
    "TfidfVectorizer": of("texts"),
    "TheilSenRegressor": of("values", max_subpopulation=50, **SEED),
    "TransformedTargetRegressor": of("positive values", lambda: (linear_model.Ridge(),)),
    "TruncatedSVD": of("classes", n_components=5, **SEED),
    "TunedThresholdClassifierCV": of("two classes", lambda: (logistic(),), cv=2, **SEED),
    "TweedieRegressor": of("positive values", power=1.5),
    "VarianceThreshold": of("classes", threshold=1.0),
    "VotingClassifier": of("classes", lambda: (classifiers(),), voting="soft"),
    "VotingRegressor": of("values", lambda: (regressors(),)),
}


def fitted(kind: type) -> tuple[Any, Sample]:
    """Make one and fit it; raises what it raises when it cannot be made or fitted so."""
    made = MADE.get(kind.__name__) or of("values" if is_regressor(kind()) else "classes")
    sample = SAMPLES[made.sample]()
    return kind(*made.arguments(), **made.parameters).fit(sample.x, sample.y), sample


def _fitted(estimator: Any) -> Any:
    sample = SAMPLES["classes"]()
    return estimator.fit(sample.x, sample.y)
