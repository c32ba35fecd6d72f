"""Choices of an estimator that change how it answers, so that some may have no plan."""

from typing import Any, Final

import numpy as np
from sklearn import (
    discriminant_analysis,
    impute,
    linear_model,
    naive_bayes,
    preprocessing,
    svm,
)
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.gaussian_process import kernels

from controlplane.builder.coverage.example import (
    DICTIONARY,
    FEW,
    GRID,
    Example,
    each,
    logistic,
    of,
    on_float32,
    on_sparse,
    own,
    own_kernel,
    own_metric,
    small_tree,
    then_sparsify,
)


def _process(kernel: Any, alpha: float = 0.01) -> Example:
    # One column, of which a periodic kernel is a covariance.
    return of(kernel, alpha=alpha, optimizer=None, sample="values of one column")


_CODES = ("threshold", "lasso_cd", "lasso_lars", "lars")

OPTIONS: Final[dict[str, dict[str, Example]]] = {
    "AdaBoostRegressor": {
        "a boosted linear model": of(linear_model.Ridge(), sample="values", **FEW)
    },
    "AdaBoostClassifier": {"a boosted linear model": of(logistic(), **FEW)},
    "BaggingClassifier": {
        "some columns": of(logistic(), max_features=2, **FEW),
        "without probabilities": of(svm.LinearSVC(random_state=0), **FEW),
    },
    "BaggingRegressor": {"of a linear model": of(linear_model.Ridge(), sample="values", **FEW)},
    "BayesianGaussianMixture": each(
        "covariance_type", ("tied", "diag", "spherical"), n_components=2, random_state=0
    ),
    "Birch": {"n_clusters=None": of(n_clusters=None, threshold=1.0)},
    "CalibratedClassifierCV": {
        "method='isotonic'": of(naive_bayes.GaussianNB(), method="isotonic", cv=3),
        "method='temperature'": of(logistic(), method="temperature", cv=3),
        "ensemble=False": of(naive_bayes.GaussianNB(), ensemble=False, cv=3),
    },
    "ColumnTransformer": {
        "a custom function": of([("own", preprocessing.FunctionTransformer(own), [0])]),
        "full of texts' words": of(
            [("words", CountVectorizer(), "text"), ("length", "passthrough", ["length"])],
            sample="a table of texts",
        ),
    },
    "CountVectorizer": {
        "n-grams of characters": of(analyzer="char_wb", ngram_range=(2, 3), sample="texts"),
        "a custom analyzer": of(analyzer=str.split, sample="texts"),
        "a custom tokenizer": of(tokenizer=str.split, token_pattern=None, sample="texts"),
    },
    "DictionaryLearning": each(
        "transform_algorithm", _CODES, 3, max_iter=3, transform_alpha=0.1, random_state=0
    ),
    "FeatureAgglomeration": {
        "pooling by the median": of(2, pooling_func=np.median),
        "pooling by the largest": of(2, pooling_func=np.max),
        "a custom pooling": of(2, pooling_func=lambda x, axis: x.sum(axis=axis)),
    },
    "FunctionTransformer": {
        "a custom function": of(own),
        "arguments of the function": of(np.clip, kw_args={"a_min": 0, "a_max": 1}),
    },
    "GaussianMixture": each(
        "covariance_type", ("tied", "diag", "spherical"), n_components=2, random_state=0
    ),
    "GaussianProcessClassifier": {
        "three classes": of(random_state=0),
        "multi_class='one_vs_one'": of(multi_class="one_vs_one", random_state=0),
    },
    "GaussianProcessRegressor": {
        "no kernel": of(sample="values"),
        "normalize_y": of(normalize_y=True, sample="values"),
        "several targets": of(sample="two values"),
        "Matern(nu=1.5)": _process(kernels.Matern(nu=1.5)),
        "Matern(nu=2)": _process(kernels.Matern(nu=2)),
        "RationalQuadratic": _process(kernels.RationalQuadratic()),
        "RationalQuadratic without noise": _process(kernels.RationalQuadratic(), alpha=1e-10),
        "ExpSineSquared": _process(kernels.ExpSineSquared() + kernels.WhiteKernel()),
        "DotProduct ** 2": _process(kernels.DotProduct() ** 2 + kernels.WhiteKernel()),
        "PairwiseKernel": _process(kernels.PairwiseKernel()),
    },
    "GradientBoostingClassifier": {"init of one's own": of(init=logistic(), **FEW)},
    "GridSearchCV": {"refit=False": of(logistic(), GRID, cv=2, refit=False)},
    "DecisionTreeRegressor": {"many leaves": of(random_state=0, sample="many values")},
    "HistGradientBoostingRegressor": {
        "categories": of(max_iter=3, categorical_features=[0], sample="many values"),
        "categories and many leaves": of(
            max_iter=2,
            max_leaf_nodes=None,
            min_samples_leaf=1,
            categorical_features=[0],
            sample="many values",
        ),
    },
    "HashingVectorizer": {
        "a custom analyzer": of(n_features=32, analyzer=str.split, sample="texts")
    },
    "IsotonicRegression": {"out_of_bounds='nan'": of(sample="values of one column")},
    "IterativeImputer": {
        "sample_posterior": of(sample_posterior=True, random_state=0, sample="gaps")
    },
    "Isomap": {"radius": of(n_neighbors=None, radius=4.0)},
    "KBinsDiscretizer": {"encode='ordinal'": of(3, encode="ordinal", strategy="uniform")},
    "KMeans": {"fitted on float32": of(3, n_init=1, fit=on_float32)},
    "KNeighborsClassifier": {
        "metric='cosine'": of(metric="cosine"),
        "minkowski with another p": of(p=3),
        "metric='canberra'": of(metric="canberra"),
        "metric='mahalanobis'": of(metric="mahalanobis", metric_params={"VI": np.eye(4)}),
        "metric='correlation'": of(metric="correlation"),
        "metric='precomputed'": of(metric="precomputed", sample="distances"),
        "a custom metric": of(metric=own_metric),
        "custom weights": of(weights=own),
        "several answers": of(sample="two answers"),
        "fitted on sparse rows": of(fit=on_sparse),
    },
    "KNeighborsRegressor": {
        "metric='cosine'": of(metric="cosine", sample="values"),
        "custom weights": of(weights=own, sample="values"),
    },
    "KNeighborsTransformer": {"mode='connectivity'": of(mode="connectivity")},
    "KernelPCA": each(
        "kernel",
        ("linear", "poly", "sigmoid", "cosine"),
        2,
    )
    | {
        "kernel='precomputed'": of(2, kernel="precomputed", sample="products"),
        "a custom kernel": of(2, kernel=own_kernel),
    },
    "KernelRidge": {
        "kernel='rbf'": of(kernel="rbf", sample="values"),
        "kernel='laplacian'": of(kernel="laplacian", sample="values"),
        "kernel='precomputed'": of(kernel="precomputed", sample="products"),
        "a custom kernel": of(kernel=own_metric, sample="values"),
    },
    "LabelPropagation": {
        "kernel='knn'": of(kernel="knn", n_neighbors=9, max_iter=5000, sample="some labels")
    },
    "LabelSpreading": {
        "kernel='knn'": of(kernel="knn", sample="some labels"),
        "a custom kernel": of(kernel=own_kernel, sample="some labels"),
    },
    "LinearDiscriminantAnalysis": {"solver='eigen'": of(solver="eigen")},
    "LinearSVC": {"sparsify()": of(random_state=0, fit=then_sparsify)},
    "LogisticRegression": {
        "sparsify()": of(fit=then_sparsify),
        "texts as labels": of(sample="texts as labels"),
    },
    "MeanShift": {"cluster_all=False": of(cluster_all=False)},
    "MLPClassifier": {
        "several labels": of(
            hidden_layer_sizes=(5,), max_iter=5, random_state=0, sample="several labels"
        )
    },
    "NearestCentroid": {
        "metric='manhattan'": of(metric="manhattan"),
        "shrink_threshold": of(shrink_threshold=0.1),
    },
    "Nystroem": {"a custom kernel": of(kernel=own_metric, n_components=10, random_state=0)},
    "OneClassSVM": {"a custom kernel": of(kernel=own_kernel)},
    "OneHotEncoder": {
        "sparse answers": of(sample="categories"),
        "handle_unknown='infrequent_if_exist'": of(
            handle_unknown="infrequent_if_exist",
            min_frequency=25,
            sparse_output=False,
            sample="categories",
        ),
    },
    "OneVsRestClassifier": {"several labels": of(logistic(), sample="several labels")},
    "PLSRegression": {"one target": of(n_components=2, sample="values")},
    "Pipeline": {
        "of texts": of(
            [
                ("filled", impute.SimpleImputer(strategy="most_frequent")),
                ("codes", preprocessing.OneHotEncoder(sparse_output=False)),
            ],
            sample="categories",
        )
    },
    "PowerTransformer": {"method='box-cox'": of(method="box-cox", sample="positive")},
    "QuantileTransformer": {
        "normal distribution": of(n_quantiles=20, output_distribution="normal", random_state=0)
    },
    "RadiusNeighborsClassifier": {
        "no outlier_label": of(radius=20.0),
        "weights by distance": of(radius=3.0, weights="distance", outlier_label=0),
        "custom weights": of(radius=20.0, weights=own),
    },
    "RadiusNeighborsRegressor": {
        "weights by distance": of(radius=4.0, weights="distance", sample="values")
    },
    "RandomForestClassifier": {"several answers": of(**FEW, sample="two answers")},
    "RidgeClassifier": {"several labels": of(sample="several labels")},
    "SGDClassifier": {
        "loss='modified_huber'": of(loss="modified_huber", random_state=0),
        "sparsify()": of(random_state=0, fit=then_sparsify),
    },
    "SVC": {
        "probability=True": of(probability=True, random_state=0),
        "kernel='precomputed'": of(kernel="precomputed", sample="products"),
        "a custom kernel": of(kernel=own_kernel),
    },
    "SVR": {
        "kernel='poly'": of(kernel="poly", sample="values"),
        "a custom kernel": of(kernel=own_kernel, sample="values"),
    },
    "SelfTrainingClassifier": {
        "of what also transforms": of(
            discriminant_analysis.LinearDiscriminantAnalysis(), sample="some labels"
        )
    },
    "SparseCoder": each(
        "transform_algorithm",
        _CODES,
        DICTIONARY,
        transform_alpha=0.1,
    ),
    "SplineTransformer": {"extrapolation='periodic'": of(extrapolation="periodic")},
    "StackingClassifier": {
        "passthrough": of(
            [("tree", small_tree()), ("bayes", naive_bayes.GaussianNB())], cv=2, passthrough=True
        )
    },
    "TfidfVectorizer": {
        "n-grams of words": of(ngram_range=(1, 2), sample="texts"),
        "a custom tokenizer": of(tokenizer=str.split, token_pattern=None, sample="texts"),
    },
    "TransformedTargetRegressor": {
        "a transformer": of(
            linear_model.Ridge(), transformer=preprocessing.StandardScaler(), sample="values"
        ),
        "a custom function": of(linear_model.Ridge(), func=own, inverse_func=own, sample="values"),
        "powers": of(
            linear_model.Ridge(), transformer=preprocessing.PowerTransformer(), sample="values"
        ),
        "quantiles": of(
            linear_model.Ridge(),
            transformer=preprocessing.QuantileTransformer(n_quantiles=20),
            sample="values",
        ),
    },
    "VotingClassifier": {"voting='hard'": of([("tree", small_tree()), ("linear", logistic())])},
}
