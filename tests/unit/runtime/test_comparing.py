"""How much two answers differ: flips, shifts, worst rows."""

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from runtime.comparing import Comparison, aligned, differ, relative
from runtime.plan.ops import Frame
from runtime.plan.signature import Column, Kind, Output, Signature

X = np.arange(12.0).reshape(4, 3)
COLUMNS = tuple(Column(f"x{i}") for i in range(3))


def classifier(*classes):
    return Signature(
        COLUMNS,
        (Output("predict", "INT64"), Output("predict_proba", "FP64", len(classes), classes)),
    )


REGRESSOR = Signature(COLUMNS, (Output("predict", "FP64"),))


def said(labels, probabilities):
    return {"predict": np.array(labels), "predict_proba": np.array(probabilities, dtype=float)}


def test_of_a_classifier_labels_flip_and_probabilities_shift():
    found = Comparison(classifier("0", "1"), classifier("0", "1"))
    one = said([0, 0, 1, 1], [[0.9, 0.1], [0.6, 0.4], [0.2, 0.8], [0.1, 0.9]])
    two = said([0, 1, 1, 1], [[0.9, 0.1], [0.4, 0.6], [0.1, 0.9], [0.1, 0.9]])
    assert found.outputs == ("predict", "predict_proba")
    found.add(X, one, two)
    assert (found.rows, found.flips) == (4, 1)
    assert (found.most, found.sum) == (pytest.approx(0.2), pytest.approx(0.3))
    first, second = found.worst
    assert first["flipped"]
    assert first["row"] == [3.0, 4.0, 5.0]
    assert first["running"] == {"predict": 0, "predict_proba": [0.6, 0.4]}
    assert first["candidate"]["predict"] == 1
    assert (second["flipped"], second["shift"]) == (False, pytest.approx(0.1))
    json.dumps(found.to_json(), allow_nan=False)


def test_the_same_answers_differ_in_nothing():
    found = Comparison(classifier("0", "1"), classifier("0", "1"))
    one = said([0, 1], [[0.9, 0.1], [np.nan, np.nan]])
    found.add(X[:2], one, one)
    assert (found.rows, found.flips, found.sum, found.most, found.worst) == (2, 0, 0.0, 0.0, [])


def test_probabilities_are_compared_class_by_class():
    a, b = np.array([[0.7, 0.3]]), np.array([[0.3, 0.5, 0.2]])
    one, two = aligned(a, ("x", "y"), b, ("y", "x", "z"))
    assert one.tolist() == [[0.7, 0.3, 0.0]]
    assert two.tolist() == [[0.5, 0.3, 0.2]]


def test_of_a_regressor_values_shift_relative_to_the_larger():
    found = Comparison(REGRESSOR, REGRESSOR)
    one = {"predict": np.array([100.0, 0.0, -4.0, np.nan])}
    two = {"predict": np.array([110.0, 0.0, 4.0, 1.0])}
    found.add(X, one, two)
    assert (found.flips, found.labels) == (0, False)
    assert found.sum == pytest.approx(10 / 110 + 0 + 2 + 1)
    json.dumps(found.to_json(), allow_nan=False)


@pytest.mark.parametrize(
    ("a", "b", "flips"),
    [
        ([1, 2], [1.0, 3.0], [False, True]),
        (["a", "b"], ["a", "c"], [False, True]),
        ([1, 2], ["1", "2"], [True, True]),
        ([[1, 2], [3, 4]], [[1, 2], [3, 5]], [False, True]),
        ([[1, 2], [3, 4]], [1, 3], [True, True]),
    ],
)
def test_labels_differ(a, b, flips):
    kinds = [object if isinstance(one[0], str) else None for one in (a, b)]
    one, two = (np.array(x, dtype=kind) for x, kind in zip((a, b), kinds, strict=True))
    assert differ(one, two).tolist() == flips


@given(
    arrays(np.float64, (5, 2), elements=st.floats()),
    arrays(np.float64, (5, 2), elements=st.floats()),
)
def test_a_relative_shift_is_between_0_and_2_and_0_for_the_same(a, b):
    found = relative(a, b)
    assert found.shape == (5,)
    assert ((found >= 0.0) & (found <= 2.0)).all()
    assert (relative(a, a) == 0.0).all()


def test_what_the_candidate_did_not_answer_is_a_flip():
    found = Comparison(classifier("0", "1"), classifier("0", "1"))
    found.unanswered(3, refused=True)
    found.unanswered(1, refused=False)
    told = found.to_json()
    assert (told["rows"], told["flips"], told["refused"], told["failed"]) == (4, 4, 3, 1)
    assert (told["shift_sum"], told["shift_most"]) == (4.0, 1.0)


def test_rows_of_a_frame_are_shown_with_their_texts():
    columns = (Column("a", Kind.STRING, missing=True), Column("b"))
    both = Signature(columns, (Output("predict", "BYTES"),))
    frame = Frame((np.array(["x" * 500, None], dtype=object), np.array([1.0, np.inf])))
    found = Comparison(both, both)
    found.add(
        frame,
        {"predict": np.array(["p", "q"], dtype=object)},
        {"predict": np.array(["r", "s"], dtype=object)},
    )
    rows = [worst["row"] for worst in found.worst]
    assert rows == [["x" * 100, 1.0], [None, None]]
    wide = Comparison(REGRESSOR, REGRESSOR)
    wide.add(np.zeros((1, 1000)), {"predict": np.array([1.0])}, {"predict": np.array([2.0])})
    assert wide.worst[0]["row"] is None
