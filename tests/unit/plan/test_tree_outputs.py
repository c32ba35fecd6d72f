"""Trees over several outputs, and leaves as columns, against scikit-learn: to the last bit."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import ExtraTreesClassifier, RandomForestClassifier, RandomTreesEmbedding
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.tree import DecisionTreeClassifier, ExtraTreeClassifier

from controlplane.builder.lower.base import Unsupported
from runtime.plan import signature_of
from tests.unit.plan.malformed import assert_refuses, assert_refuses_broken, plan_of
from tests.unit.plan.test_ensembles import ROWS, SEEDS, questions, table
from tests.unit.plan.test_trees import walking
from tests.unit.plan.twins import assert_bitwise, assert_serves, compiled

LABELS = {
    "int": np.array([[-3, 0, 7], [4, 0, 9]]),
    "str": np.array([["no", "yes", "perhaps"], ["a", "b", "a"]]),
    "bool": np.array([[False, True, True], [True, False, True]]),
    "float": np.array([[-4.0, 1.0, 2.0], [1.0, 1.0, 1.0]]),
}
KINDS = [
    DecisionTreeClassifier(max_depth=3),
    ExtraTreeClassifier(max_depth=3),
    RandomForestClassifier(4, max_depth=3),
    ExtraTreesClassifier(3, max_depth=None),
]


@settings(max_examples=30, deadline=None, derandomize=True)
@given(
    SEEDS,
    ROWS,
    st.sampled_from(KINDS),
    st.sampled_from(sorted(LABELS)),
    st.sampled_from([2, 4]),
    st.booleans(),
)
def test_several_outputs_are_classified_as_in_scikit_learn(seed, rows, model, labels, count, walk):
    random = np.random.default_rng(seed)
    x, _ = table(seed, 60, "two")
    columns = [random.choice(LABELS[labels][i % 2], 60) for i in range(count)]
    model.set_params(random_state=seed % 1000).fit(x, np.stack(columns, axis=1))
    with walking(walk):
        node = assert_serves(model, questions(seed, rows), exactly=True)
    assert node.classes is None
    widths = {output.name: output.width for output in signature_of(node, None).outputs}
    assert widths == {"predict": count, "predict_proba": sum(map(len, model.classes_))}


@settings(max_examples=25, deadline=None, derandomize=True)
@given(SEEDS, ROWS, st.sampled_from([1, 7]), st.sampled_from([1, 5, None]), st.booleans())
def test_leaves_become_the_same_columns(seed, rows, trees, depth, walk):
    x, _ = table(seed, 50, "two")
    model = RandomTreesEmbedding(trees, max_depth=depth, random_state=seed % 1000).fit(x)
    with walking(walk):
        node = assert_serves(model, questions(seed, rows), exactly=True)
    assert node.n_out == model._n_features_out


def test_blocks_of_rows_and_trees_fill_the_same_table():
    x, _ = table(0, 100, "two")
    model = RandomTreesEmbedding(9, max_depth=None, random_state=0).fit(x)
    q = questions(0, 5_000)
    assert_bitwise(compiled(model).transform(q), model.transform(q).toarray())


@pytest.mark.parametrize("sparse", [True, False])
def test_a_linear_model_over_leaves(sparse):
    x, y = table(0, 80, "int")
    embedding = RandomTreesEmbedding(5, sparse_output=sparse, random_state=0)
    node = assert_serves(make_pipeline(embedding, LogisticRegression()).fit(x, y), x)
    assert node.exact == ("tolerance" if sparse else "batch")
    both = ColumnTransformer([("a", embedding, [0, 1]), ("b", StandardScaler(), [2])])
    assert_serves(make_pipeline(both, LogisticRegression()).fit(x, y), x)


def test_a_leaf_that_no_row_has_reached_has_no_plan():
    x, _ = table(0, 80, "int")
    model = RandomTreesEmbedding(2, random_state=0).fit(x)
    encoder = model.one_hot_encoder_
    encoder.categories_[1] = encoder.categories_[1][:-1]
    with pytest.raises(Unsupported, match="reached by no row"):
        compiled(model)


@pytest.fixture(scope="module")
def models() -> dict[str, Any]:
    x, y = table(0, 60, "int")
    forest = RandomForestClassifier(2, max_depth=2, random_state=0)
    return {
        "labels": forest.fit(x, np.stack([y, y % 2], axis=1)),
        "leaves": RandomTreesEmbedding(2, max_depth=2, random_state=0).fit(x),
    }


@pytest.mark.parametrize("name", ["labels", "leaves"])
def test_broken_plans_are_refused(models, name):
    layout = {
        f"{part}threshold {how}" for part in ("", "walk_") for how in ("float32", "holds inf")
    }
    if name == "labels":
        layout |= {"values holds nan", "values holds inf"}
    assert_refuses_broken(models[name], layout)


@pytest.mark.parametrize(
    "change",
    [
        {"outputs": 1, "classes1": None},
        {"outputs": 3},
        {"classes1": {"dtype": "i8", "values": [1]}},
        {"classes1": {"dtype": "str", "values": ["a", "b"]}},
    ],
)
def test_outputs_that_do_not_fit_the_leaves_are_refused(models, change):
    spec, tensors = plan_of(models["labels"])
    assert_refuses({**spec, **change}, tensors)


@pytest.mark.parametrize("value", [-1.0, 0.5, 1e9, np.nan])
def test_a_leaf_without_a_column_is_refused(models, value):
    spec, tensors = plan_of(models["leaves"])
    values = tensors[spec["values"]].copy()
    values[-1] = value
    assert_refuses(spec, {**tensors, spec["values"]: values})
    assert_refuses({**spec, "n_out": 1}, tensors)
