"""Naive Bayes and discriminant analysis against scikit-learn: bitwise at the same batch size."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.discriminant_analysis import (
    LinearDiscriminantAnalysis,
    QuadraticDiscriminantAnalysis,
)
from sklearn.naive_bayes import BernoulliNB, CategoricalNB, ComplementNB, GaussianNB, MultinomialNB

from controlplane.builder.lower.base import Unsupported
from runtime.plan.ops import InputRefused
from tests.unit.plan.malformed import assert_refuses, assert_refuses_broken, plan_of, shrunk
from tests.unit.plan.twins import (
    assert_bitwise,
    assert_twins_in_any_layout,
    assert_within,
    compiled,
)

LABELS = {
    "int": np.array([-3, 0, 7, 8]),
    "str": np.array(["no", "yes", "maybe", "Ünknown"]),
    "bool": np.array([False, True]),
    "float": np.array([-1.0, 5.0, 2.0]),
}


def assert_twins(estimator: Any, q: np.ndarray) -> None:
    node = compiled(estimator)
    assert node.n_in == estimator.n_features_in_
    for rows in (q, q[:1]):
        for method in node.methods:
            assert_bitwise(node.run(method, rows), getattr(estimator, method)(rows))


@st.composite
def tables(draw: st.DrawFn) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Training rows with four or more of each class, labels of one kind, questions."""
    random = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    columns = draw(st.integers(1, 20))
    names = LABELS[draw(st.sampled_from(sorted(LABELS)))][: draw(st.integers(2, 4))]
    rows = len(names) * draw(st.integers(columns + 3, 40))
    which = random.permutation(np.arange(rows) % len(names))
    x = random.normal(size=(rows, columns)) + which[:, None] * draw(st.sampled_from([0, 0.5, 20]))
    q = random.normal(size=(draw(st.integers(1, 300)), columns))
    return x, names[which], q * draw(st.sampled_from([1, 30, 1e5]))


@settings(max_examples=40, deadline=None, derandomize=True)
@given(tables(), st.sampled_from([None, "given"]), st.sampled_from([1e-9, 1e-2]))
def test_gaussian_is_a_twin(table, priors, smoothing):
    x, y, q = table
    k = len(np.unique(y))
    estimator = GaussianNB(
        priors=None if priors is None else np.arange(1, k + 1) / (k * (k + 1) / 2),
        var_smoothing=smoothing,
    )
    assert_twins(estimator.fit(x, y), q)


@settings(max_examples=50, deadline=None, derandomize=True)
@given(
    tables(),
    st.sampled_from([MultinomialNB, ComplementNB, BernoulliNB]),
    st.sampled_from([0.1, 1.0]),
    st.booleans(),
)
def test_counting_kinds_are_twins(table, kind, alpha, prior):
    x, y, q = table
    estimator = kind(alpha=alpha, fit_prior=prior).fit(np.round(np.abs(x) * 3), y)
    assert_twins(estimator, np.round(np.abs(q)))


@pytest.mark.parametrize("kind", [GaussianNB, CategoricalNB, QuadraticDiscriminantAnalysis])
@pytest.mark.parametrize(("k", "columns"), [(2, 1), (3, 20), (9, 5), (2, 150)])
def test_every_height_and_layout_is_a_twin(kind, k, columns):
    random = np.random.default_rng(0)
    x = random.integers(0, 9, (170 * k, columns)) + 0.5 * random.random((170 * k, columns))
    model = kind() if kind is not CategoricalNB else kind(min_categories=9)
    assert_twins_in_any_layout(model.fit(x, np.arange(len(x)) % k), x)


def test_one_class_of_many_categories_is_a_twin():
    x = np.random.default_rng(0).integers(0, 5, (40, 30))
    assert_twins_in_any_layout(CategoricalNB(min_categories=5).fit(x, np.zeros(40)), x * 1.0)


def test_cells_whose_squares_overflow_answer_as_in_scikit_learn():
    random = np.random.default_rng(0)
    x = random.normal(size=(60, 3))
    for model in (GaussianNB(), QuadraticDiscriminantAnalysis()):
        with np.errstate(all="ignore"):
            assert_twins(model.fit(x, np.arange(60) % 3), x * np.array([1e200, 1.0, -1e200]))


@pytest.mark.parametrize("threshold", [None, 0.0, 0.7])
def test_bernoulli_thresholds_as_asked(threshold):
    random = np.random.default_rng(0)
    x = (random.random((60, 5)) < 0.5).astype(float)
    estimator = BernoulliNB(binarize=threshold).fit(x, np.arange(60) % 3)
    assert_twins(estimator, random.choice([0.0, 0.7, 0.70001, 1.0], (50, 5)))


@settings(max_examples=40, deadline=None, derandomize=True)
@given(tables(), st.sampled_from([0.1, 1.0]), st.integers(1, 6), st.sampled_from([None, 8]))
def test_categories_are_twins(table, alpha, most, least):
    x, y, q = table
    x, q = np.abs(np.round(x)) % most, np.abs(q) % most
    model = CategoricalNB(alpha=alpha, min_categories=least).fit(x, y)
    counts = model.n_categories_
    assert_twins(model, np.minimum(q, counts - 0.5))


def test_a_category_that_never_was_is_refused_with_its_place():
    x = np.array([[0, 1], [1, 0], [1, 2], [0, 2]])
    node = compiled(CategoricalNB().fit(x, [0, 1, 0, 1]))
    for cell in (3.0, -1.0, 1e300, -1e300, 2.0**63, 2.0**64, -(2.0**63)):
        with pytest.raises(InputRefused) as refused:
            node.predict(np.array([[0.0, 0.0], [1.9, cell]]))
        assert (refused.value.row, refused.value.column) == (1, 1)


def test_norm_and_prior_of_complement_and_a_lone_class():
    x = np.arange(12.0).reshape(4, 3)
    assert_twins(ComplementNB(norm=True).fit(x, [0, 1, 0, 1]), x)
    assert_twins(ComplementNB().fit(x, [1, 1, 1, 1]), x)
    assert_twins(GaussianNB().fit(x, [1, 1, 1, 1]), x)


@settings(max_examples=40, deadline=None, derandomize=True)
@given(tables(), st.sampled_from(["svd", "lsqr", "eigen"]))
def test_linear_discriminants_are_twins(table, solver):
    x, y, q = table
    estimator = LinearDiscriminantAnalysis(solver=solver).fit(x, y)
    node = compiled(estimator)
    assert ("transform" in node.methods) == (solver != "lsqr")
    for rows in (q, q[:1]):
        for method in node.methods:
            ours, theirs = node.run(method, rows), getattr(estimator, method)(rows)
            if method == "predict_proba":  # where numpy has AVX-512 its exp is not scipy's
                assert_within(ours, theirs, 1e-15)
            else:
                assert_bitwise(ours, theirs)


@settings(max_examples=40, deadline=None, derandomize=True)
@given(tables(), st.sampled_from([0.0, 0.3]))
def test_quadratic_discriminants_are_twins(table, regularised):
    x, y, q = table
    assert_twins(QuadraticDiscriminantAnalysis(reg_param=regularised).fit(x, y), q)


def test_a_projection_to_fewer_axes():
    random = np.random.default_rng(0)
    x, y = random.normal(size=(80, 5)), np.arange(80) % 4
    estimator = LinearDiscriminantAnalysis(n_components=2).fit(x, y)
    assert compiled(estimator).n_out == 2
    assert_twins(estimator, x)


@pytest.mark.parametrize(
    ("estimator", "reason"),
    [
        (GaussianNB(priors=[1.0, 0.0]), "prior of zero"),
        (GaussianNB(var_smoothing=0.0), "no variance"),
        (MultinomialNB(alpha=0.0, force_alpha=True), "finite"),
    ],
    ids=str,
)
@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_what_has_no_plan_says_why(estimator, reason):
    x = np.array([[1.0, 0.0], [2.0, 0.0], [3.0, 0.0], [5.0, 0.0]])
    with pytest.raises(Unsupported, match=reason):
        plan_of(estimator.fit(x, [0, 0, 1, 1]))


@pytest.fixture(scope="module")
def models() -> dict[str, Any]:
    random = np.random.default_rng(6)
    x, y = random.normal(size=(60, 3)), np.arange(60) % 3
    return {
        "gaussian": GaussianNB().fit(x, y),
        "bernoulli": BernoulliNB().fit(x, y),
        "categorical": CategoricalNB().fit(np.abs(np.round(x)), y),
        "lda": LinearDiscriminantAnalysis().fit(x, y),
        "qda": QuadraticDiscriminantAnalysis().fit(x, y),
    }


@pytest.mark.parametrize("name", ["gaussian", "bernoulli", "categorical", "lda", "qda"])
def test_broken_plans_are_refused(models, name):
    optional = {"threshold", "offset", "centre"}
    assert_refuses_broken(models[name], optional)


@pytest.mark.parametrize(
    ("name", "key"),
    [
        ("gaussian", "mean"),
        ("gaussian", "variance"),
        ("gaussian", "prior"),
        ("gaussian", "norm"),
        ("bernoulli", "offset"),
        ("categorical", "tables"),
        ("categorical", "counts"),
        ("categorical", "prior"),
        ("lda", "intercept"),
        ("lda", "centre"),
        ("qda", "mean"),
        ("qda", "prior"),
        ("qda", "log_scale"),
    ],
)
def test_parts_that_do_not_fit_are_refused(models, name, key):
    spec, tensors = plan_of(models[name])
    assert_refuses(spec, shrunk(spec, tensors, key))


@pytest.mark.parametrize("name", ["gaussian", "bernoulli", "lda", "qda"])
def test_a_class_too_few_is_refused(models, name):
    spec, tensors = plan_of(models[name])
    assert_refuses({**spec, "classes": {"dtype": "i8", "values": [0, 1]}}, tensors)


def test_a_variance_of_zero_is_refused(models):
    spec, tensors = plan_of(models["gaussian"])
    assert_refuses(spec, {**tensors, spec["variance"]: np.zeros((3, 3))})


def test_more_components_than_axes_are_refused(models):
    spec, tensors = plan_of(models["lda"])
    assert_refuses({**spec, "components": 3}, tensors)
