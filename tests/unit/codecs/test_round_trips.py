"""decode(encode(x)) == x, both directions, all formats; any bytes give a Problem at worst."""

import json

import numpy as np
import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from runtime.codecs import short, v1, v2
from runtime.codecs.request import Call
from runtime.plan.ops import Frame
from runtime.problems import Problem
from tests.unit.codecs.signatures import ANYTHING, INFO, MIXED, TEXT, numeric

FINITE = st.floats(allow_nan=False, allow_infinity=False)
WORDS = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
QUICK = settings(deadline=None, max_examples=60)


def matrices(elements=FINITE):
    shapes = st.tuples(st.integers(0, 6), st.integers(1, 5))
    return shapes.flatmap(lambda shape: arrays.arrays(np.float64, shape, elements=elements))


def text_column(rows, words):
    column = np.empty(rows, object)
    column[:] = words
    return column


@st.composite
def mixed_frames(draw):
    rows = draw(st.integers(0, 5))
    some = lambda strategy: draw(st.lists(strategy, min_size=rows, max_size=rows))  # noqa: E731
    return Frame(
        (
            np.array(some(FINITE), np.float64),
            text_column(rows, some(WORDS)),
            np.array(some(FINITE | st.just(np.nan)), np.float64),
            text_column(rows, some(WORDS | st.none())),
        )
    )


def same(a, b):
    if a.dtype == object:
        return a.tolist() == b.tolist()
    return a.dtype == b.dtype and np.array_equal(a, b, equal_nan=True)


@QUICK
@given(matrices())
def test_numbers_arrive_to_the_last_bit(x):
    signature = numeric(x.shape[1])
    for call in (
        v1.decode(v1.encode_call(x), signature, max_rows=99),
        short.decode(short.encode_call(x), signature, max_rows=99),
        short.decode(orjson.dumps(x.tolist()), signature, max_rows=99),
        v2.decode(v2.encode_call(x, signature), signature, max_rows=99),
        v2.decode(
            orjson.dumps(
                {
                    "inputs": [
                        {
                            "name": "nested",
                            "datatype": "FP64",
                            "shape": x.shape,
                            "data": x.tolist() if x.size else [],
                        }
                    ]
                }
            ),
            signature,
            max_rows=99,
        ),
    ):
        assert call.rows == len(x)
        assert same(call.inputs, x)


@QUICK
@given(
    st.lists(
        st.lists(FINITE | st.integers(-(2**63), 2**64 - 1), min_size=3, max_size=3),
        min_size=1,
        max_size=4,
    )
)
def test_tall_rows_are_read_as_low_ones_are(few):
    rows = few * 40
    signature = numeric(3)
    expected = np.array([[float(cell) for cell in row] for row in rows])
    records = [{"x2": c, "x0": a, "x1": b} for a, b, c in rows]
    flat = {
        "name": "i",
        "shape": [len(rows), 3],
        "datatype": "FP64",
        "data": [c for r in rows for c in r],
    }
    for decode, document in (
        (short.decode, rows),
        (short.decode, {"rows": rows, "outputs": "predict"}),
        (short.decode, records),
        (v1.decode, {"instances": rows}),
        (v1.decode, {"instances": records}),
        (v2.decode, {"inputs": [flat]}),
    ):
        call = decode(orjson.dumps(document), signature, max_rows=999)
        assert same(call.inputs, expected)
        assert call.inputs.flags.c_contiguous


@QUICK
@given(matrices(FINITE | st.just(np.nan)))
def test_missing_numbers_arrive_as_nan(x):
    signature = numeric(x.shape[1], missing=True)
    for call in (
        v1.decode(v1.encode_call(x), signature, max_rows=99),
        v2.decode(v2.encode_call(x, signature), signature, max_rows=99),
        short.decode(short.encode_call(x), signature, max_rows=99),
    ):
        assert same(call.inputs, x)


@QUICK
@given(mixed_frames())
def test_mixed_columns_arrive_as_they_were(frame):
    names = [column.name for column in MIXED.columns]
    rows = [list(row) for row in zip(*(c.tolist() for c in frame.columns), strict=True)]
    records = [dict(zip(names, row, strict=True)) for row in rows]
    split = {"columns": names[::-1], "data": [row[::-1] for row in rows], "index": [0]}
    for call in (
        v1.decode(v1.encode_call(rows), MIXED, max_rows=99),
        v1.decode(v1.encode_call(records), MIXED, max_rows=99),
        short.decode(short.encode_call(records), MIXED, max_rows=99),
        short.decode(orjson.dumps(split), MIXED, max_rows=99),
        v2.decode(v2.encode_call(frame, MIXED), MIXED, max_rows=99),
    ):
        assert call.rows == frame.rows
        assert all(map(same, call.inputs.columns, frame.columns))


OUTPUTS = st.sampled_from(["f8", "f4", "i8", "i4", "?"]).flatmap(
    lambda dtype: arrays.arrays(
        np.dtype(dtype), st.tuples(st.integers(1, 20)) | st.tuples(st.integers(1, 9), st.just(3))
    )
)


def without_infinities(array):
    if array.dtype.kind == "f":
        array[np.isinf(array)] = np.nan  # JSON can say neither; both are null
    return array


@QUICK
@given(OUTPUTS.map(without_infinities), st.none() | WORDS)
def test_answers_come_back_as_they_went(array, request_id):
    call = Call(np.zeros((len(array), 1)), len(array), ("predict",), request_id=request_id)
    body = v2.encode_answer(call, {"predict": array}, INFO)
    assert same(v2.decode_answer(body)["predict"], array)
    assert json.loads(body).get("id") == request_id
    for codec in (v1, short):
        back = codec.decode_answer(codec.encode_answer(call, {"predict": array}, INFO))
        assert np.array_equal(back.astype(array.dtype), array, equal_nan=array.dtype.kind == "f")


@pytest.mark.parametrize("rows", [1, 5, 40])
def test_several_outputs_and_labels_come_back(rows):
    results = {
        "predict": np.array(["a", "b", "ü"] * rows)[:rows],
        "predict_proba": np.linspace(0, 1, 2 * rows).reshape(rows, 2),
    }
    names = tuple(results)
    call = Call(np.zeros((rows, 1)), rows, names, picked=True)
    for back in (
        v1.decode_answer(v1.encode_answer(call, results, INFO), names),
        v2.decode_answer(v2.encode_answer(call, results, INFO)),
        short.decode_answer(short.encode_answer(call, results, INFO), names),
    ):
        assert list(back) == list(names)
        assert back["predict"].tolist() == results["predict"].tolist()
        assert np.array_equal(back["predict_proba"], results["predict_proba"])


def test_answers_look_as_documented():
    call = Call(np.zeros((1, 1)), 1, ("predict",), request_id="r-1")
    results = {"predict": np.array([2]), "predict_proba": np.array([[0.25, np.nan]])}
    both = Call(np.zeros((1, 1)), 1, ("predict", "predict_proba"), picked=True)
    assert orjson.loads(v1.encode_answer(call, results, INFO)) == {"predictions": [2]}
    assert orjson.loads(v1.encode_answer(both, results, INFO)) == {
        "predictions": [{"predict": 2, "predict_proba": [0.25, None]}]
    }
    who = {"model": "iris", "version": 3, "revision": "iris-00003"}
    assert orjson.loads(short.encode_answer(call, results, INFO)) == {"predictions": [2], **who}
    assert orjson.loads(short.encode_answer(both, results, INFO)) == {
        "outputs": {"predict": [2], "predict_proba": [[0.25, None]]},
        **who,
    }
    assert orjson.loads(v2.encode_answer(call, results, INFO)) == {
        "model_name": "iris",
        "model_version": "3",
        "id": "r-1",
        "outputs": [{"name": "predict", "datatype": "INT64", "shape": [1], "data": [2]}],
    }


def attempt(call):
    """Give what a call gives, or its problem; any other exception fails the test."""
    try:
        return call(), None
    except Problem as problem:
        return None, problem


CELLS = st.none() | st.booleans() | st.integers() | st.floats() | WORDS
KEYS = st.sampled_from(
    """rows instances data inputs outputs columns index name shape datatype parameters id
    age island mass sex x0 x1 text""".split()  # noqa: SIM905  (a word to a line would be a page)
)
JSON = st.recursive(
    CELLS,
    lambda inner: st.lists(inner, max_size=4)
    | st.dictionaries(
        KEYS | WORDS,
        inner,
        max_size=5,
    ),
    max_leaves=20,
)
TENSOR = st.fixed_dictionaries(
    {"name": st.sampled_from(["x0", "x1", "age", "text", "i"]) | CELLS},
    optional={
        "shape": st.lists(st.integers(-1, 3), max_size=3) | CELLS,
        "datatype": st.sampled_from(["FP64", "INT8", "UINT64", "BYTES", "BOOL"]) | JSON,
        "data": st.lists(CELLS | st.lists(CELLS, max_size=3), max_size=6) | JSON,
        "parameters": JSON,
    },
)
REQUESTS = st.fixed_dictionaries({"inputs": st.lists(TENSOR, max_size=4)}) | JSON


@settings(deadline=None, max_examples=400)
@given(
    st.binary(max_size=60) | REQUESTS.map(lambda document: json.dumps(document).encode()),
    st.sampled_from([v1.decode, v2.decode, short.decode, short.decode_csv]),
    st.sampled_from([numeric(1), numeric(2), numeric(2, missing=True), MIXED, TEXT, ANYTHING]),
)
def test_any_bytes_give_a_call_or_a_problem(body, decode, signature):
    call, problem = attempt(lambda: decode(body, signature, max_rows=3))
    if problem is not None:
        assert problem.status in (400, 413, 422)
        assert orjson.dumps(problem.body())
        return
    assert call.rows <= 3
    assert set(call.outputs) <= {output.name for output in signature.outputs}
    if signature.numeric:
        assert call.inputs.dtype == np.float64
        assert call.inputs.shape == (call.rows, len(signature.columns))
        assert not np.isinf(call.inputs).any()
    else:
        assert [len(column) for column in call.inputs.columns] == [call.rows] * len(
            signature.columns
        )


@QUICK
@given(
    st.binary(max_size=40) | JSON.map(lambda document: json.dumps(document).encode()),
    st.sampled_from([v1.decode_answer, v2.decode_answer, short.decode_answer]),
)
def test_any_answer_is_read_or_malformed(body, decode):
    _, problem = attempt(lambda: decode(body))
    assert problem is None or problem.status == 400
