"""IterativeImputer against scikit-learn: the same models in the same order."""

import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.ensemble import RandomForestRegressor
from sklearn.experimental import enable_iterative_imputer  # noqa: F401
from sklearn.impute import IterativeImputer
from sklearn.linear_model import LinearRegression, Ridge
from sklearn.naive_bayes import GaussianNB
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler
from sklearn.svm import SVR
from sklearn.tree import DecisionTreeRegressor

from controlplane.builder.lower.base import Unsupported
from controlplane.builder.lower.registry import new_draft
from runtime.plan import signature_of
from runtime.plan.graph import build
from runtime.plan.ops import InputRefused
from runtime.plan.signature import Kind
from tests.unit.plan.malformed import assert_refuses, plan_of, refusal
from tests.unit.plan.twins import assert_bitwise, assert_within, compiled

MODELS = {
    "bayesian ridge": None,
    "tree": DecisionTreeRegressor(max_depth=3, random_state=0),
    "forest": RandomForestRegressor(3, random_state=0),
    "pipeline": make_pipeline(StandardScaler(), Ridge()),
    "kernel": SVR(),
}


def fitted(x: np.ndarray, **options) -> IterativeImputer:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # rounds that did not converge
        return IterativeImputer(random_state=0, **options).fit(x)


def holed(random, rows: int, width: int, share: float) -> np.ndarray:
    x = random.normal(size=(rows, width))
    x[:, -1] += x[:, 0]
    x[random.random(x.shape) < share] = np.nan
    return x


@given(
    seed=st.integers(0, 2**32 - 1),
    rows=st.sampled_from([1, 2, 7, 100]),
    width=st.integers(1, 5),
    model=st.sampled_from(sorted(MODELS)),
    rounds=st.integers(0, 3),
    order=st.sampled_from(["ascending", "descending", "roman", "arabic", "random"]),
    near=st.sampled_from([None, 2]),
    first=st.sampled_from(["mean", "median", "constant"]),
    options=st.fixed_dictionaries(
        {
            "add_indicator": st.booleans(),
            "keep_empty_features": st.booleans(),
            "skip_complete": st.booleans(),
            "min_value": st.sampled_from([-np.inf, -0.5]),
            "max_value": st.sampled_from([np.inf, 0.7]),
        }
    ),
    empty=st.booleans(),
)
@settings(max_examples=60, deadline=None, derandomize=True)
def test_cells_are_predicted_as_scikit_learn_predicts_them(
    seed, rows, width, model, rounds, order, near, first, options, empty
):
    random = np.random.default_rng(seed)
    x, q = holed(random, 40, width, 0.2), holed(random, rows, width, 0.4)
    if empty and width > 1:
        x[:, 0] = np.nan
    imputer = fitted(
        x,
        estimator=MODELS[model],
        max_iter=rounds,
        imputation_order=order,
        n_nearest_features=near,
        initial_strategy=first,
        **options,
    )
    node = compiled(imputer)
    before = q.copy()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        theirs, alone = imputer.transform(q.copy()), imputer.transform(q[-1:].copy())
    ours = node.run("transform", q)
    np.testing.assert_array_equal(q, before)
    assert (node.exact == "tolerance") == (model == "kernel" and bool(node.steps))
    if node.exact == "batch":
        assert_bitwise(ours, theirs)
        assert_bitwise(node.run("transform", q[-1:]), alone)
    assert_within(ours, theirs, 1e-8 if model == "kernel" else 1e-12)
    assert node.n_out == theirs.shape[1]
    assert node.columns_in(False) == ((Kind.NUMBER, True),) * width
    signature_of(node, None)


def test_a_number_can_stand_for_missing():
    random = np.random.default_rng(0)
    x = np.nan_to_num(holed(random, 40, 3, 0.3), nan=-1)
    imputer = fitted(x, missing_values=-1, add_indicator=True)
    node = compiled(imputer)
    assert_bitwise(node.run("transform", x), imputer.transform(x))
    assert node.columns_in(True) == ((Kind.NUMBER, False),) * 3


def test_a_batch_without_any_cell_is_filled_only():
    imputer = fitted(holed(np.random.default_rng(0), 40, 3, 0.3))
    nothing = np.full((2, 3), np.nan)
    answer = compiled(imputer).run("transform", nothing)
    assert_bitwise(answer, imputer.transform(nothing))
    assert_bitwise(answer[0], imputer.initial_imputer_.statistics_)


def test_filled_rows_feed_a_linear_model():
    x = holed(np.random.default_rng(0), 60, 4, 0.2)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model = make_pipeline(
            StandardScaler(), IterativeImputer(random_state=0), LinearRegression()
        ).fit(x, np.arange(60.0))
    node = compiled(model)
    assert node.exact == "batch"
    for rows in (1, 7, 60):
        assert_bitwise(node.run("predict", x[:rows]), model.predict(x[:rows]))


def test_a_cell_that_a_model_refuses_is_named():
    x = np.exp(holed(np.random.default_rng(0), 40, 3, 0.2))
    logs = make_pipeline(FunctionTransformer(np.log), LinearRegression())
    node = compiled(fitted(x, estimator=logs, min_value=0.1))
    q = np.array([[1.0, 2.0, 3.0], [np.nan, 1.0, -2.0]])
    with pytest.raises(InputRefused, match="NaN") as refused:
        node.run("transform", q)
    assert (refused.value.row, refused.value.column) == (1, 2)


def test_kept_columns_know_where_they_come_from():
    x = holed(np.random.default_rng(0), 30, 3, 0.3)
    x[:, 1] = np.nan
    node = compiled(fitted(x, add_indicator=True))
    assert [node.origin(column) for column in range(node.n_out)] == [0, 2, None, None, None]
    assert node.example_for((5.0, 7.0, 0.0, 0.0, 0.0)) == (5.0, 0.0, 7.0)


def test_columns_empty_in_training_are_told_by_their_fill_where_nothing_else_tells():
    x = holed(np.random.default_rng(0), 30, 3, 0.3)
    x[:, 1] = np.nan
    imputer = fitted(x)
    with pytest.warns(UserWarning, match="without any observed"):
        theirs = imputer.transform(x)
    del imputer._is_empty_feature  # scikit-learn has it since 1.6
    assert_bitwise(compiled(imputer).run("transform", x), theirs)
    kept = fitted(x, keep_empty_features=True)
    del kept._is_empty_feature
    with pytest.raises(Unsupported, match=r"before 1\.6"):
        new_draft().node(kept)


def test_what_draws_at_random_or_takes_too_long_has_no_plan():
    x = holed(np.random.default_rng(0), 30, 3, 0.3)
    with pytest.raises(Unsupported, match="at random"):
        new_draft().node(fitted(x, sample_posterior=True, max_iter=2))
    imputer = fitted(x, max_iter=2)
    imputer.imputation_sequence_ = imputer.imputation_sequence_ * 2_000
    with pytest.raises(Unsupported, match="steps"):
        new_draft().node(imputer)


def test_malformed_chains_are_refused():
    x = holed(np.random.default_rng(0), 30, 3, 0.3)
    spec, tensors = plan_of(fitted(x, max_iter=2, add_indicator=True))
    assert not refusal(spec, tensors)
    names = [key for key, value in spec.items() if isinstance(value, str) and value in tensors]
    assert set(names) == {"targets", "counts", "others", "low", "high", "indicated"}
    for key in names:
        assert_refuses({**spec, key: "silly"}, tensors)
        array = tensors[spec[key]]
        for wrong in (array[None], array.astype(np.float32), np.full_like(array, -1, np.int64)):
            assert_refuses(spec, {**tensors, spec[key]: wrong})
        if key != "indicated":
            assert_refuses({k: v for k, v in spec.items() if k != key}, tensors)
            assert_refuses(spec, {**tensors, spec[key]: array[:-1]})
    nan, far = np.full(3, np.nan), np.array([3])
    for change, more in (
        ({"surprise": 1}, {}),
        ({}, {spec["low"]: nan}),
        ({"initial": spec["models"][0]}, {}),
        ({"models": [spec["initial"], *spec["models"][1:]]}, {}),
        ({"models": spec["models"][1:]}, {}),
        ({"kept": spec["targets"]}, {}),
        ({"blank": "far"}, {"far": far}),
        ({"missing_value": "x"}, {}),
    ):
        assert_refuses({**spec, **change}, {**tensors, **more})


@pytest.mark.parametrize(
    ("model", "words"),
    [
        (GaussianNB().fit(np.eye(2), ["a", "b"]), "one number a row"),
        (LinearRegression().fit(np.eye(2), np.eye(2)), "one number a row"),
        (LinearRegression().fit(np.eye(3), np.ones(3)), "from 2 columns"),
        (StandardScaler().fit(np.eye(2)), "from 2 columns"),
    ],
    ids=["words", "two numbers", "three columns", "no prediction"],
)
def test_models_that_do_not_predict_one_number_are_refused(model, words):
    draft = new_draft()
    x = holed(np.random.default_rng(0), 30, 3, 0.3)
    spec, other = draft.node(fitted(x, max_iter=1)), draft.node(model)
    build(spec, draft.tensors)
    assert words in refusal({**spec, "models": [other, *spec["models"][1:]]}, draft.tensors)
