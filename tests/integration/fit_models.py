"""Run by the Python of some scikit-learn, `fit.py FOLDER`: fits a model of each kind and saves it.

For every model: NAME.joblib, and NAME.json with rows and what that version answers to them. It
must run in scikit-learn 1.1.3 as well as in today's, so it imports nothing of ours.
"""

import json
import math
import sys
import warnings
from pathlib import Path

import joblib
import numpy as np
import pandas as pd
from sklearn import __version__ as version
from sklearn import (
    calibration,
    cluster,
    compose,
    cross_decomposition,
    decomposition,
    discriminant_analysis,
    dummy,
    ensemble,
    feature_selection,
    impute,
    isotonic,
    kernel_approximation,
    kernel_ridge,
    linear_model,
    mixture,
    model_selection,
    multiclass,
    naive_bayes,
    neighbors,
    neural_network,
    pipeline,
    preprocessing,
    random_projection,
    svm,
    tree,
)
from sklearn.datasets import load_iris
from sklearn.feature_extraction import text

X, Y = load_iris(return_X_y=True)
# Iris has rows twice, and which of two equal neighbours counts is nobody's promise.
X = X + np.random.RandomState(1).uniform(0.0, 0.01, X.shape)
NAMES = np.array(["setosa", "versicolor", "virginica"])[Y]
WEIGHTS = np.linspace(0.5, 2.0, len(X))
DRAW = np.random.RandomState(0)
GAPS = np.where(DRAW.uniform(size=X.shape) < 0.1, np.nan, X)
COUNTS = np.floor(X * 3)
TARGET = X @ [1.0, -2.0, 0.5, 3.0] + 0.1 * DRAW.normal(size=len(X))
TABLE = pd.DataFrame(
    {
        "size": GAPS[:, 0],
        "colour": np.where(X[:, 1] > 3.3, "red", np.where(X[:, 1] > 2.9, "blue", "green")),
        "kind": np.where(X[:, 0] > 7.2, "rare", np.where(X[:, 2] > 3, "large", "small")),
        "weight": X[:, 3],
    }
)
TABLE["colour"] = TABLE["colour"].astype(object)
TABLE["kind"] = TABLE["kind"].astype(object)
CODES = np.column_stack((np.floor(X[:, 0]), np.floor(X[:, 2] * 2), X[:, 1], X[:, 3]))
METHODS = ("predict", "predict_proba", "decision_function", "transform", "score_samples")


def models():
    """Give name → fitted model, the rows it is asked."""
    lm, pp = linear_model, preprocessing

    def on(model, rows=X, target=Y, **more):
        return model.fit(rows, target, **more), rows

    yield "least squares", on(lm.LinearRegression(), X, TARGET)
    yield "ridge", on(lm.Ridge(), X, np.column_stack((TARGET, -TARGET)))
    yield "lasso", on(lm.Lasso(alpha=0.01), X, TARGET)
    yield "bayesian ridge", on(lm.BayesianRidge(), X, TARGET)
    yield "huber", on(lm.HuberRegressor(), X, TARGET)
    yield "ransac", on(lm.RANSACRegressor(random_state=0), X, TARGET)
    yield "poisson", on(lm.PoissonRegressor(), X, COUNTS[:, 0])
    yield "tweedie", on(lm.TweedieRegressor(power=1.5), X, COUNTS[:, 0] + 1.0)
    yield "logistic", on(lm.LogisticRegression(max_iter=500), X, NAMES)
    yield "logistic of two", on(lm.LogisticRegression(max_iter=500), X, Y == 1)
    yield "logistic liblinear", on(lm.LogisticRegression(solver="liblinear"), X, Y == 2)
    # Its probabilities are those of one class at a time before 1.6; 1.1 does not have it.
    newton = "newton-cg" if version.startswith("1.1.") else "newton-cholesky"
    yield "logistic newton", on(lm.LogisticRegression(solver=newton), X, NAMES)
    yield "logistic cv", on(lm.LogisticRegressionCV(cv=3, max_iter=500, Cs=3))
    yield "ridge classifier", on(lm.RidgeClassifier())
    yield "sgd", on(lm.SGDClassifier(loss="modified_huber", random_state=0))
    yield "sgd log", on(lm.SGDClassifier(loss="log_loss", random_state=0), X, NAMES)
    yield "perceptron", on(lm.Perceptron(random_state=0))
    yield "passive aggressive", on(lm.PassiveAggressiveClassifier(random_state=0))
    yield "linear svc", on(svm.LinearSVC(random_state=0, dual=True, max_iter=10000))
    yield "linear svr", on(svm.LinearSVR(random_state=0, dual=True, max_iter=20000), X, TARGET)

    yield "svc", on(svm.SVC(random_state=0), X, NAMES)
    yield "svc probability", on(svm.SVC(probability=True, random_state=0), X, Y == 2)
    yield "nu svc", on(svm.NuSVC(kernel="poly", nu=0.3))
    yield "svr", on(svm.SVR(), X, TARGET)
    yield "one class svm", on(svm.OneClassSVM(nu=0.1), X, None)
    yield "kernel ridge", on(kernel_ridge.KernelRidge(kernel="rbf", gamma=0.3), X, TARGET)

    yield "neighbours", on(neighbors.KNeighborsClassifier(5, weights="distance"), X, NAMES)
    yield "neighbours regressor", on(neighbors.KNeighborsRegressor(3, p=1), X, TARGET)
    yield "mlp", on(
        neural_network.MLPClassifier(hidden_layer_sizes=(8,), max_iter=60, random_state=0), X, NAMES
    )
    yield "mlp regressor", on(
        neural_network.MLPRegressor(hidden_layer_sizes=(5, 4), max_iter=60, random_state=0),
        X,
        TARGET,
    )
    yield "gaussian nb", on(naive_bayes.GaussianNB(), X, NAMES)
    yield "multinomial nb", on(naive_bayes.MultinomialNB(), COUNTS)
    yield "complement nb", on(naive_bayes.ComplementNB(), COUNTS)
    yield "bernoulli nb", on(naive_bayes.BernoulliNB(binarize=3.0), X, NAMES)
    yield "lda", on(discriminant_analysis.LinearDiscriminantAnalysis(), X, NAMES)
    yield "qda", on(discriminant_analysis.QuadraticDiscriminantAnalysis(), X, NAMES)

    yield "k-means", on(cluster.KMeans(4, n_init=2, random_state=0), X, None)
    yield "mini batch", on(cluster.MiniBatchKMeans(4, n_init=2, random_state=0), X, None)
    yield "bisecting", on(cluster.BisectingKMeans(5, random_state=0), X, None)
    yield "pca", on(decomposition.PCA(3), X, None)
    yield "whitened pca", on(decomposition.PCA(2, whiten=True), X, None)
    yield "incremental pca", on(decomposition.IncrementalPCA(2), X, None)
    yield "svd", on(decomposition.TruncatedSVD(2, random_state=0), X, None)
    yield "factors", on(decomposition.FactorAnalysis(2), X, None)
    yield "ica", on(decomposition.FastICA(2, random_state=0, whiten="unit-variance"), X, None)
    yield "projection", on(random_projection.GaussianRandomProjection(2, random_state=0), X, None)

    yield "standard", on(pp.StandardScaler(), X, None)
    yield "robust", on(pp.RobustScaler(), X, None)
    yield "min max", on(pp.MinMaxScaler(clip=True), X, None)
    yield "max abs", on(pp.MaxAbsScaler(), X, None)
    yield "normalizer", on(pp.Normalizer(), X, None)
    yield "binarizer", on(pp.Binarizer(threshold=3.0), X, None)
    yield "polynomial", on(pp.PolynomialFeatures(3), X, None)
    yield "quantiles", on(pp.QuantileTransformer(n_quantiles=10), X, None)
    yield "power", on(pp.PowerTransformer(), X, None)
    yield "bins", on(pp.KBinsDiscretizer(4, encode="ordinal"), X, None)
    yield "splines", on(pp.SplineTransformer(), X, None)

    yield "imputer", on(impute.SimpleImputer(add_indicator=True), GAPS, None)
    yield "median imputer", on(impute.SimpleImputer(strategy="median"), GAPS, None)
    yield "indicator", on(impute.MissingIndicator(features="all"), GAPS, None)
    yield "imputed texts", on(
        pipeline.make_pipeline(
            impute.SimpleImputer(strategy="most_frequent"),
            pp.OneHotEncoder(handle_unknown="ignore"),
            lm.LogisticRegression(max_iter=500),
        ),
        TABLE[["colour", "kind"]],
        NAMES,
    )
    # None is not NaN, which is what the imputer fills.
    holes = TABLE[["colour", "kind"]].copy()
    holes.loc[::7, "colour"] = None
    yield "imputed holes", on(
        pipeline.make_pipeline(
            impute.SimpleImputer(strategy="most_frequent"),
            pp.OneHotEncoder(handle_unknown="ignore"),
            lm.LogisticRegression(max_iter=500),
        ),
        holes,
        NAMES,
    )
    yield "one hot", on(pp.OneHotEncoder(drop="first"), TABLE[["colour", "kind"]], None)
    yield "infrequent", on(
        pp.OneHotEncoder(min_frequency=20, handle_unknown="infrequent_if_exist"),
        TABLE[["colour", "kind"]],
        None,
    )
    yield "ordinal", on(
        pp.OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-1),
        TABLE[["colour", "kind"]],
        None,
    )

    numbers = pipeline.make_pipeline(impute.SimpleImputer(), pp.StandardScaler())
    mixed = compose.make_column_transformer(
        (numbers, ["size", "weight"]),
        (pp.OneHotEncoder(handle_unknown="ignore"), ["colour", "kind"]),
    )
    yield "mixed table", on(
        pipeline.make_pipeline(mixed, lm.LogisticRegression(max_iter=500)), TABLE, NAMES
    )
    yield "mixed forest", on(
        pipeline.make_pipeline(
            compose.make_column_transformer(
                (impute.SimpleImputer(), ["size"]),
                (pp.OrdinalEncoder(), ["colour", "kind"]),
                remainder="passthrough",
            ),
            ensemble.RandomForestClassifier(15, min_samples_leaf=3, random_state=0),
        ),
        TABLE,
        NAMES,
    )
    yield "columns by place", on(
        compose.ColumnTransformer(
            [("a", pp.StandardScaler(), [0, 2]), ("b", "passthrough", slice(1, 2))]
        ),
        X,
        None,
    )
    yield "union", on(
        pipeline.make_union(decomposition.PCA(2), pp.MinMaxScaler(), "passthrough"), X, None
    )
    yield "function", on(pp.FunctionTransformer(np.log1p), X, None)
    yield "selection", on(
        pipeline.make_pipeline(
            feature_selection.SelectKBest(k=2), lm.LogisticRegression(max_iter=500)
        )
    )
    yield "elimination", on(
        feature_selection.RFE(lm.LogisticRegression(max_iter=500), n_features_to_select=2)
    )
    yield "variance", on(feature_selection.VarianceThreshold(0.2), X, None)
    yield "search", on(model_selection.GridSearchCV(svm.SVC(), {"C": [0.5, 1.0]}, cv=3), X, NAMES)

    yield "tree", on(tree.DecisionTreeClassifier(min_samples_leaf=5, random_state=0), X, NAMES)
    yield "tree regressor", on(tree.DecisionTreeRegressor(max_depth=4), X, TARGET)
    yield "extra tree", on(tree.ExtraTreeClassifier(max_depth=3, random_state=0))
    yield "forest", on(
        ensemble.RandomForestClassifier(30, min_samples_leaf=5, random_state=0), X, NAMES
    )
    yield "weighted forest", on(
        ensemble.RandomForestClassifier(10, class_weight="balanced", random_state=0),
        sample_weight=WEIGHTS,
    )
    yield "forest regressor", on(
        ensemble.RandomForestRegressor(12, min_samples_leaf=2, random_state=0), X, TARGET
    )
    yield "extra trees", on(ensemble.ExtraTreesClassifier(12, max_depth=4, random_state=0))
    yield "extra trees regressor", on(
        ensemble.ExtraTreesRegressor(8, max_depth=4, random_state=0), X, TARGET
    )
    yield "isolation forest", on(ensemble.IsolationForest(n_estimators=20, random_state=0), X, None)
    boosting = ensemble.GradientBoostingClassifier
    yield "boosting", on(boosting(n_estimators=12, random_state=0), X, NAMES)
    yield "boosting of two", on(boosting(n_estimators=12, random_state=0), X, Y == 1)
    yield "exponential boosting", on(
        boosting(loss="exponential", n_estimators=12, random_state=0), X, Y == 1
    )
    yield "boosting from zero", on(boosting(n_estimators=5, init="zero", random_state=0))
    yield "boosting regressor", on(
        ensemble.GradientBoostingRegressor(n_estimators=12, random_state=0), X, TARGET
    )
    yield "boosting huber", on(
        ensemble.GradientBoostingRegressor(loss="huber", n_estimators=9, random_state=0), X, TARGET
    )
    hist = ensemble.HistGradientBoostingClassifier
    yield "histogram boosting", on(hist(max_iter=12, min_samples_leaf=5), GAPS, NAMES)
    yield "histogram boosting of two", on(hist(max_iter=12, min_samples_leaf=5), GAPS, Y == 1)
    yield "histogram boosting regressor", on(
        ensemble.HistGradientBoostingRegressor(max_iter=12, min_samples_leaf=5), GAPS, TARGET
    )
    yield "histogram boosting poisson", on(
        ensemble.HistGradientBoostingRegressor(loss="poisson", max_iter=12, min_samples_leaf=5),
        GAPS,
        COUNTS[:, 0],
    )
    yield "histogram boosting categories", on(
        hist(max_iter=12, min_samples_leaf=5, categorical_features=[0, 1]), CODES, NAMES
    )

    yield "ada boost", on(
        ensemble.AdaBoostClassifier(
            tree.DecisionTreeClassifier(max_depth=2), n_estimators=6, random_state=0
        )
    )
    yield "bagging", on(ensemble.BaggingClassifier(n_estimators=5, random_state=0), X, NAMES)
    yield "voting", on(
        ensemble.VotingClassifier(
            [("a", naive_bayes.GaussianNB()), ("b", tree.DecisionTreeClassifier(max_depth=3))],
            voting="soft",
        ),
        X,
        NAMES,
    )
    calibrated = calibration.CalibratedClassifierCV
    machine = svm.LinearSVC(random_state=0, dual=True, max_iter=10000)
    yield "calibrated", on(calibrated(machine, cv=2), X, NAMES)
    yield "calibrated by steps", on(calibrated(naive_bayes.GaussianNB(), cv=2, method="isotonic"))
    yield "calibrated table", on(
        calibrated(pipeline.make_pipeline(mixed, lm.LogisticRegression(max_iter=500)), cv=2),
        TABLE,
        NAMES,
    )
    small = tree.DecisionTreeClassifier(max_depth=2, random_state=0)
    # Some rows are of no class, as the trees see it.
    yield "one versus rest", on(multiclass.OneVsRestClassifier(small), X[:, :2], NAMES)
    yield "centroids", on(neighbors.NearestCentroid(), X, NAMES)
    yield "centroids manhattan", on(neighbors.NearestCentroid(metric="manhattan"), X, NAMES)
    targets = np.column_stack((TARGET, -(TARGET**2)))
    yield "pls", on(cross_decomposition.PLSRegression(2), X, targets)
    yield "pls of one", on(cross_decomposition.PLSRegression(2), X, TARGET)
    yield "cca", on(cross_decomposition.CCA(2), X, targets)
    yield "sketch", on(
        kernel_approximation.PolynomialCountSketch(n_components=8, random_state=0), X, None
    )
    # What learns nothing is never unfitted.
    words = ["a red house", "no car", "the old red car"] * 10
    yield "hashing", (text.HashingVectorizer(n_features=32).fit(words), words)
    yield "coder", (decomposition.SparseCoder(np.eye(4)[:3]).fit(X), X)
    yield "dummy", on(dummy.DummyRegressor(), X, TARGET)
    yield "isotonic", on(isotonic.IsotonicRegression(out_of_bounds="clip"), X[:, :1], TARGET)
    yield "mixture", on(mixture.GaussianMixture(n_components=2, random_state=0), X, None)
    yield "density", on(neighbors.KernelDensity(), X, None)


def written(model, rows):
    """Give the document of a model: its rows by column, and what it answers by method."""
    table = isinstance(rows, pd.DataFrame)
    columns = [rows[name] for name in rows] if table else list(np.atleast_2d(np.asarray(rows).T))
    answers = {}
    for method in METHODS:
        if hasattr(model, method):
            try:
                given = getattr(model, method)(rows)
            except (AttributeError, NotImplementedError):
                continue
            given = np.hstack(given) if isinstance(given, list) else given
            given = given.toarray() if hasattr(given, "toarray") else np.asarray(given)
            answers[method] = {
                "kind": given.dtype.kind,
                "shape": list(given.shape),
                "values": [
                    value.hex() if isinstance(value, float) else value
                    for value in given.ravel().tolist()
                ],
            }
    return {
        "columns": [
            [None if isinstance(v, float) and math.isnan(v) else v for v in column.tolist()]
            for column in columns
        ],
        "answers": answers,
    }


def main() -> None:
    folder = Path(sys.argv[1])
    wanted = set(sys.argv[2:])
    warnings.simplefilter("ignore")
    for name, (model, rows) in models():
        if wanted and name not in wanted:
            continue
        joblib.dump(model, folder / f"{name}.joblib")
        (folder / f"{name}.json").write_text(json.dumps(written(model, rows)))


if __name__ == "__main__":
    main()
