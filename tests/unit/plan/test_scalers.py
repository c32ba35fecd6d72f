"""Scalers and numeric preprocessing against scikit-learn: equal to the last bit."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import preprocessing as pp

from controlplane.builder.lower.base import Unsupported
from controlplane.builder.lower.registry import new_draft
from controlplane.builder.lower.scalers import LOWERINGS
from runtime.plan import signature_of
from tests.unit.plan.twins import assert_bitwise, compiled

SCALERS = {
    "standard": pp.StandardScaler(),
    "standard, mean only": pp.StandardScaler(with_std=False),
    "standard, deviation only": pp.StandardScaler(with_mean=False),
    "standard, neither": pp.StandardScaler(with_mean=False, with_std=False),
    "min-max": pp.MinMaxScaler(),
    "min-max to a range": pp.MinMaxScaler((-3, 7)),
    "min-max clipping": pp.MinMaxScaler((-1, 1), clip=True),
    "max-abs": pp.MaxAbsScaler(),
    "robust": pp.RobustScaler(),
    "robust, centre only": pp.RobustScaler(with_scaling=False),
    "robust, scale only": pp.RobustScaler(with_centering=False, quantile_range=(10, 80)),
    "robust, unit variance": pp.RobustScaler(unit_variance=True),
    "robust, neither": pp.RobustScaler(with_centering=False, with_scaling=False),
}
OTHERS = {
    "normalizer l1": pp.Normalizer("l1"),
    "normalizer l2": pp.Normalizer("l2"),
    "normalizer max": pp.Normalizer("max"),
    "binarizer": pp.Binarizer(),
    "binarizer at a threshold": pp.Binarizer(threshold=0.5),
}


@st.composite
def tables(draw: st.DrawFn) -> tuple[np.random.Generator, np.ndarray]:
    """Training rows of every size of number, with constant columns and ties."""
    random = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    x = random.normal(size=(draw(st.integers(2, 50)), draw(st.integers(1, 9))))
    x *= 10.0 ** random.integers(-8, 9, x.shape[1])
    if draw(st.booleans()):
        x[:, 0] = draw(st.sampled_from([0.0, 1.0, -2.5, 1e-300]))
    return random, np.round(x) if draw(st.booleans()) else x


def asked(draw: Any, random: np.random.Generator, x: np.ndarray, missing: bool) -> np.ndarray:
    """1 to 300 rows around the training rows, far outside them too; zeros, some missing."""
    rows = draw(st.sampled_from([1, 2, 3, 8, 64, 300]))
    questions = x[random.integers(0, len(x), rows)] * random.choice(
        [1.0, 0.3, -7.0, 0.0], (rows, 1)
    )
    if missing:
        questions[random.random(questions.shape) < 0.2] = np.nan
    return questions


@pytest.mark.parametrize("name", SCALERS)
@given(data=st.data(), table=tables(), missing=st.booleans())
@settings(max_examples=20, deadline=None, derandomize=True)
def test_scalers_are_bit_equal_and_let_missing_values_pass(
    name: str, data: st.DataObject, table: tuple[np.random.Generator, np.ndarray], missing: bool
) -> None:
    random, x = table
    model = SCALERS[name].fit(x)
    node = compiled(model)
    assert node.exact == "bitwise"
    questions = asked(data.draw, random, x, missing)
    before = questions.copy()
    assert_bitwise(node.run("transform", questions), model.transform(questions))
    np.testing.assert_array_equal(questions, before)
    assert signature_of(node, None).columns[0].missing


@pytest.mark.parametrize("name", OTHERS)
@given(data=st.data(), table=tables())
@settings(max_examples=20, deadline=None, derandomize=True)
def test_normalizers_and_binarizers_are_bit_equal(
    name: str, data: st.DataObject, table: tuple[np.random.Generator, np.ndarray]
) -> None:
    random, x = table
    model = OTHERS[name].fit(x)
    node = compiled(model)
    questions = asked(data.draw, random, x, missing=False)
    assert_bitwise(node.run("transform", questions), model.transform(questions))
    assert not signature_of(node, None).columns[0].missing


@given(
    data=st.data(),
    table=tables(),
    degree=st.one_of(st.integers(0, 4), st.tuples(st.integers(0, 2), st.integers(2, 4))),
    alone=st.booleans(),
    bias=st.booleans(),
)
@settings(max_examples=80, deadline=None, derandomize=True)
def test_products_of_columns_are_bit_equal_and_in_order(
    data: st.DataObject,
    table: tuple[np.random.Generator, np.ndarray],
    degree: int | tuple[int, int],
    alone: bool,
    bias: bool,
) -> None:
    random, x = table
    x = x[:, :5]
    if degree in (0, (0, 0)) and not bias:
        bias = True
    model = pp.PolynomialFeatures(degree, interaction_only=alone, include_bias=bias)
    try:
        model.fit(x)
    except ValueError:
        return  # scikit-learn refuses to make no column at all
    if not model.n_output_features_:
        with pytest.raises(Unsupported):
            new_draft().node(model)
        return
    questions = asked(data.draw, random, x, missing=False)
    with np.errstate(all="ignore"):
        theirs = model.transform(questions)
    assert_bitwise(compiled(model).run("transform", questions), theirs)


def test_order_of_products_in_fortran_arrays_does_not_matter() -> None:
    x = np.arange(12.0).reshape(4, 3)
    model = pp.PolynomialFeatures(3, order="F").fit(x)
    assert_bitwise(compiled(model).run("transform", x), model.transform(x))


def test_a_polynomial_too_wide_to_serve_has_no_plan() -> None:
    model = pp.PolynomialFeatures(6).fit(np.zeros((1, 60)))
    with pytest.raises(Unsupported, match="million"):
        new_draft().node(model)


@pytest.mark.parametrize("name", SCALERS)
def test_statistics_of_float32_training_rows_are_bit_equal_on_float64(name: str) -> None:
    random = np.random.default_rng(0)
    model = SCALERS[name].fit(random.normal(size=(30, 4)).astype(np.float32))
    questions = random.normal(size=(7, 4))
    assert_bitwise(compiled(model).run("transform", questions), model.transform(questions))


def test_every_lowering_of_scalers_is_tested() -> None:
    tested = {type(model) for model in (*SCALERS.values(), *OTHERS.values())}
    assert tested | {pp.PolynomialFeatures} == set(LOWERINGS)
