"""Linear models against scikit-learn: equal to the last bit at the same batch size."""

import warnings
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import linear_model as lm
from sklearn import svm
from sklearn.base import clone

from controlplane.builder.lower import linear as lowering
from controlplane.builder.lower.base import Unsupported
from controlplane.builder.lower.registry import new_draft
from runtime.plan import signature_of
from tests.unit.plan.twins import assert_bitwise, assert_within, compiled

LABELS = {
    "int": np.array([-3, 0, 7, 8]),
    "str": np.array(["no", "yes", "maybe", "Ünknown"]),
    "object": np.array(["b", "a", "ccc", "d"], object),
    "bool": np.array([False, True]),
    "float": np.array([-1.0, 1.0, 2.0]),
}
ROWS = st.sampled_from([1, 2, 3, 7, 31, 64, 150, 300])


def deprecated(name: str) -> Any:
    """Make a model whose class is on its way out of scikit-learn, and warns of it."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return getattr(lm, name)(random_state=0)


SINGLE = {
    "LinearRegression": lm.LinearRegression(),
    "LinearRegression without intercept": lm.LinearRegression(fit_intercept=False),
    "LinearRegression positive": lm.LinearRegression(positive=True),
    "Ridge": lm.Ridge(),
    "Ridge by lsqr": lm.Ridge(solver="lsqr"),
    "RidgeCV": lm.RidgeCV(),
    "Lasso": lm.Lasso(0.01),
    "LassoCV": lm.LassoCV(cv=3, max_iter=50),
    "ElasticNet": lm.ElasticNet(0.01),
    "ElasticNetCV": lm.ElasticNetCV(cv=3, max_iter=50),
    "Lars": lm.Lars(),
    "LarsCV": lm.LarsCV(cv=3),
    "LassoLars": lm.LassoLars(0.01),
    "LassoLarsCV": lm.LassoLarsCV(cv=3),
    "LassoLarsIC": lm.LassoLarsIC(noise_variance=1.0),
    "OrthogonalMatchingPursuit": lm.OrthogonalMatchingPursuit(),
    "BayesianRidge": lm.BayesianRidge(),
    "ARDRegression": lm.ARDRegression(),
    "HuberRegressor": lm.HuberRegressor(),
    "TheilSenRegressor": lm.TheilSenRegressor(max_subpopulation=20, random_state=0),
    "QuantileRegressor": lm.QuantileRegressor(alpha=0.01),
    "SGDRegressor": lm.SGDRegressor(max_iter=20, random_state=0),
    "LinearSVR": svm.LinearSVR(random_state=0),
    "PassiveAggressiveRegressor": deprecated("PassiveAggressiveRegressor"),
    "PoissonRegressor": lm.PoissonRegressor(),
    "GammaRegressor": lm.GammaRegressor(),
    "TweedieRegressor identity": lm.TweedieRegressor(power=0),
    "TweedieRegressor log": lm.TweedieRegressor(power=1.5),
}
MULTI = {
    "LinearRegression": lm.LinearRegression(),
    "Ridge": lm.Ridge(),
    "RidgeCV": lm.RidgeCV(),
    "Lasso": lm.Lasso(0.01),
    "ElasticNet": lm.ElasticNet(0.01),
    "Lars": lm.Lars(),
    "LassoLars": lm.LassoLars(0.01),
    "OrthogonalMatchingPursuit": lm.OrthogonalMatchingPursuit(),
    "MultiTaskLasso": lm.MultiTaskLasso(0.01),
    "MultiTaskElasticNet": lm.MultiTaskElasticNet(0.01),
}
CLASSIFIERS = {
    "LogisticRegression": lm.LogisticRegression(),
    "LogisticRegression newton-cg": lm.LogisticRegression(solver="newton-cg"),
    "LogisticRegression newton-cholesky": lm.LogisticRegression(solver="newton-cholesky"),
    "LogisticRegression sag": lm.LogisticRegression(solver="sag", max_iter=20),
    "LogisticRegression saga l1": lm.LogisticRegression(solver="saga", l1_ratio=1.0, max_iter=20),
    "LogisticRegression saga net": lm.LogisticRegression(solver="saga", l1_ratio=0.5, max_iter=20),
    "LogisticRegression unpenalised": lm.LogisticRegression(C=np.inf, max_iter=20),
    "LogisticRegression without intercept": lm.LogisticRegression(fit_intercept=False),
    "SGD hinge": lm.SGDClassifier(max_iter=20, random_state=0),
    "SGD log_loss": lm.SGDClassifier(loss="log_loss", max_iter=20, random_state=0),
    "SGD modified_huber": lm.SGDClassifier(loss="modified_huber", max_iter=20, random_state=0),
    "SGD squared_error": lm.SGDClassifier(loss="squared_error", max_iter=20, random_state=0),
    "SGD perceptron, averaged": lm.SGDClassifier(loss="perceptron", average=True, random_state=0),
    "Perceptron": lm.Perceptron(random_state=0),
    "PassiveAggressiveClassifier": deprecated("PassiveAggressiveClassifier"),
    "RidgeClassifier": lm.RidgeClassifier(),
    "RidgeClassifierCV": lm.RidgeClassifierCV(),
    "LinearSVC": svm.LinearSVC(random_state=0),
}


def fitted(model: Any, *data: np.ndarray) -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # convergence and deprecation are not what is tested
        return model.fit(*data)


def assert_twins(model: Any, questions: np.ndarray) -> None:
    node = compiled(model)
    for method in node.methods:
        ours, theirs = node.run(method, questions), getattr(model, method)(questions)
        if node.exact == "tolerance":
            assert_within(ours, theirs)
        else:
            assert_bitwise(ours, theirs)
    expected = {
        name for name in ("predict", "predict_proba", "decision_function") if hasattr(model, name)
    }
    assert set(node.methods) == expected


def draw_table(draw: st.DrawFn, most: int = 12) -> tuple[np.random.Generator, np.ndarray]:
    random = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    return random, random.normal(size=(draw(st.integers(20, 60)), draw(st.integers(1, most))))


@pytest.mark.parametrize("name", SINGLE)
@given(data=st.data())
@settings(max_examples=6, deadline=None, derandomize=True)
def test_regressors_of_one_target_are_bit_equal(name: str, data: st.DataObject) -> None:
    random, x = draw_table(data.draw)  # type: ignore[arg-type]  # the same thing
    y = np.abs(x @ random.normal(size=x.shape[1]) + random.normal(size=len(x))) + 0.1
    if name.startswith(("LassoLarsIC", "Orthogonal", "TheilSen")):
        x = np.c_[x, random.normal(size=(len(x), 2))]
    model = fitted(SINGLE[name], x, y)
    assert_twins(model, random.normal(size=(data.draw(ROWS), x.shape[1])))


@pytest.mark.parametrize("name", MULTI)
@given(data=st.data())
@settings(max_examples=6, deadline=None, derandomize=True)
def test_regressors_of_several_targets_are_bit_equal(name: str, data: st.DataObject) -> None:
    random, x = draw_table(data.draw)  # type: ignore[arg-type]
    x = np.c_[x, random.normal(size=(len(x), 2))]
    targets = data.draw(st.integers(1, 4))
    y = x @ random.normal(size=(x.shape[1], targets)) + random.normal(size=(len(x), targets))
    model = fitted(MULTI[name], x, y)
    assert_twins(model, random.normal(size=(data.draw(ROWS), x.shape[1])))


@pytest.mark.parametrize("name", CLASSIFIERS)
@given(data=st.data())
@settings(max_examples=10, deadline=None, derandomize=True)
def test_classifiers_are_bit_equal(name: str, data: st.DataObject) -> None:
    random, x = draw_table(data.draw)  # type: ignore[arg-type]
    labels = LABELS[data.draw(st.sampled_from(sorted(LABELS)))]
    count = data.draw(st.integers(2, len(labels)))
    y = labels[np.r_[np.arange(count), random.integers(0, count, len(x) - count)]]
    model = fitted(CLASSIFIERS[name], x, y)
    questions = random.normal(size=(data.draw(ROWS), x.shape[1])) * data.draw(
        st.sampled_from([0.0, 1.0, 1e3])
    )
    assert_twins(model, questions)


# scikit-learn no longer fits several classes by liblinear.
@pytest.mark.parametrize(("solver", "classes"), [("liblinear", 2), ("lbfgs", 2), ("lbfgs", 3)])
def test_cross_validated_logistic_regression_is_bit_equal(solver: str, classes: int) -> None:
    random = np.random.default_rng(3)
    x = random.normal(size=(90, 4))
    y = np.arange(90) % classes
    model = fitted(lm.LogisticRegressionCV(Cs=3, cv=3, solver=solver, max_iter=30), x, y)
    for rows in (1, 2, 90):
        assert_twins(model, x[:rows])


def test_scikit_learns_own_one_row_and_many_rows_are_each_met() -> None:
    # BLAS sums a product of a few hundred columns in an order that depends on rows and layout.
    random = np.random.default_rng(5)
    x = random.normal(size=(300, 257))
    three = np.arange(300) % 3
    for model in (lm.LogisticRegression(max_iter=20), lm.Ridge(), lm.RidgeClassifier()):
        fitted(model, x, three)
        for rows in (1, 2, 5, 64, 300):
            assert_twins(model, x[:rows])
    targets = fitted(lm.LinearRegression(), x, random.normal(size=(300, 5)))
    for rows in (1, 2, 5, 64, 300):
        assert_twins(targets, x[:rows])


@pytest.mark.parametrize("rows", [1, 2, 40])
def test_models_trained_on_float32_are_bit_equal_on_float64(rows: int) -> None:
    random = np.random.default_rng(7)
    x = random.normal(size=(40, 5)).astype(np.float32)
    questions = random.normal(size=(rows, 5))
    for model in (lm.Ridge(), lm.LogisticRegression(), lm.SGDClassifier(random_state=0)):
        assert_twins(fitted(model, x, np.arange(40) % 3), questions)
    assert_twins(fitted(lm.LinearRegression(), x, x), questions)


def test_labels_and_widths_are_in_the_signature() -> None:
    x = np.arange(12.0).reshape(6, 2)
    model = fitted(lm.LogisticRegression(), x, LABELS["str"][np.arange(6) % 3])
    signature = signature_of(compiled(model), ["a", "b"])
    assert signature.named
    assert [column.name for column in signature.columns] == ["a", "b"]
    assert not signature.columns[0].missing
    predict, proba, scores = signature.outputs
    assert (predict.name, predict.datatype, predict.width) == ("predict", "BYTES", None)
    assert (proba.datatype, proba.width, proba.columns) == ("FP64", 3, ("maybe", "no", "yes"))
    assert (scores.name, scores.columns) == ("decision_function", ("maybe", "no", "yes"))
    targets = fitted(lm.LinearRegression(), x, x)
    assert signature_of(compiled(targets), None).outputs[0].width == 2


class Subclass(lm.Ridge):
    """A tenant's own: its predict may be anything."""


def test_a_subclass_has_no_plan() -> None:
    x = np.arange(40.0).reshape(20, 2)
    with pytest.raises(Unsupported):
        new_draft().node(fitted(Subclass(), x, x[:, 0]))


@pytest.mark.parametrize("k", [2, 3])
@pytest.mark.parametrize(
    "model",
    [
        lm.SGDClassifier(loss="log_loss", random_state=0),
        lm.LogisticRegression(C=0.1, l1_ratio=1.0, solver="saga", max_iter=50),
        lm.SGDRegressor(random_state=0),
    ],
    ids=lambda model: type(model).__name__,
)
def test_sparse_coefficients_are_made_dense(model: Any, k: int) -> None:
    x = np.random.default_rng(0).normal(size=(60, 5))
    model = fitted(clone(model), x, np.arange(60) % k).sparsify()
    node = compiled(model)
    assert node.exact == "tolerance"
    for method in node.methods:
        assert_within(node.run(method, x), getattr(model, method)(x), 1e-12)


def test_too_many_sparse_coefficients_have_no_plan(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lowering, "MAX_DENSE", 3)
    x = np.arange(40.0).reshape(20, 2)
    model = fitted(lm.SGDClassifier(random_state=0), x, np.arange(20) % 3).sparsify()
    with pytest.raises(Unsupported, match="too many"):
        new_draft().node(model)


def test_ransac_is_served_as_what_it_wraps() -> None:
    random = np.random.default_rng(1)
    x = random.normal(size=(60, 3))
    model = fitted(lm.RANSACRegressor(random_state=0), x, x @ [1.0, 2.0, 3.0])
    assert_twins(model, x)


def test_every_linear_lowering_is_tested() -> None:
    tested = {type(model) for models in (SINGLE, MULTI, CLASSIFIERS) for model in models.values()}
    tested |= {lm.LogisticRegressionCV, lm.RANSACRegressor}
    # These differ from a tested one in how they are fitted only.
    tested |= {lm.OrthogonalMatchingPursuitCV, lm.MultiTaskLassoCV, lm.MultiTaskElasticNetCV}
    listed = {kind for kind in lowering.LOWERINGS if kind.__module__.startswith(lm.__name__)}
    assert listed <= tested, listed - tested
