"""Lines of JSON: cut as they come, read up to the first that is wrong, written one a row."""

import numpy as np
import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from runtime.codecs import ndjson
from runtime.problems import InvalidInput, Malformed
from tests.unit.codecs.signatures import ANYTHING, MIXED, TEXT, numeric
from tests.unit.codecs.test_round_trips import FINITE, OUTPUTS, WORDS, mixed_frames, same

QUICK = settings(deadline=None, max_examples=60, derandomize=True)
ONE = ("predict",)


def decode(body, signature, first=0):
    return ndjson.decode(body.split(b"\n"), signature, ONE, first)


@QUICK
@given(st.lists(st.lists(FINITE, min_size=3, max_size=3), min_size=1, max_size=9), st.integers(0))
def test_rows_arrive_as_they_were(rows, first):
    body = ndjson.encode_rows(rows)
    assert body.count(b"\n") == len(rows)
    found = decode(body, numeric(3), first)
    assert found.problem is None
    assert (found.call.rows, found.call.outputs) == (len(rows), ONE)
    assert same(found.call.inputs, np.array(rows, np.float64))
    assert ndjson.encode_rows(np.array(rows)) == ndjson.encode_rows(
        [list(map(float, r)) for r in rows]
    )


@QUICK
@given(mixed_frames())
def test_mixed_columns_arrive_by_name_and_by_place(frame):
    names = [column.name for column in MIXED.columns]
    rows = [list(row) for row in zip(*(c.tolist() for c in frame.columns), strict=True)]
    for sent in (rows, [dict(zip(names, row, strict=True)) for row in rows]):
        found = decode(ndjson.encode_rows(sent), MIXED)
        assert found.problem is None
        if rows:
            assert all(map(same, found.call.inputs.columns, frame.columns))
        else:
            assert found.call is None


def test_one_column_needs_no_list():
    found = decode(b'"a"\n\n  \r\n"b"\r\n', TEXT)
    assert found.call.inputs.columns[0].tolist() == ["a", "b"]


@QUICK
@given(OUTPUTS)
def test_predictions_come_back_one_a_line(array):
    body = ndjson.encode_answer(ONE, {"predict": array})
    assert body.count(b"\n") == len(array)
    found, error = ndjson.decode_answer(body)
    assert error is None
    back = np.array(found, np.float64).reshape(array.shape)
    expected = array.astype(np.float64)
    expected[np.isinf(expected)] = np.nan
    assert np.array_equal(back, expected, equal_nan=True)


@QUICK
@given(st.lists(WORDS, min_size=1, max_size=9))
def test_labels_come_back_too_and_several_outputs_as_objects(words):
    labels = np.array(words, object)
    proba = np.linspace(0, 1, 2 * len(words)).reshape(-1, 2)
    body = ndjson.encode_answer(ONE, {"predict": labels})
    assert ndjson.decode_answer(body) == (words, None)
    pairs = np.array([words, words], object).T
    body = ndjson.encode_answer(ONE, {"predict": pairs})
    assert ndjson.decode_answer(body) == (pairs.tolist(), None)
    body = ndjson.encode_answer(
        ("predict", "predict_proba"), {"predict": labels, "predict_proba": proba}
    )
    assert body.count(b"\n") == len(words)
    assert ndjson.decode_answer(body)[0] == [
        {"predict": word, "predict_proba": row}
        for word, row in zip(words, proba.tolist(), strict=True)
    ]


@pytest.mark.parametrize(
    ("line", "column", "said"),
    [
        (b'["abc", 1]', "x0", '"abc" is not a number'),
        (b"[1, true]", "x1", "true is not a number"),
        (b"[1, null]", "x1", "is missing"),
        (b"[1]", None, "has 1 values, this model takes 2"),
        (b'{"x0": 1}', "x1", "is not there"),
        (b'{"x0": 1, "x1": 2, "x2": 3}', "x2", "no such column"),
        (b"3", None, "must be a list of 2 values or an object"),
    ],
)
@pytest.mark.parametrize("before", [0, 2, 90])
def test_rows_before_a_wrong_one_are_read_and_the_wrong_one_is_named(line, column, said, before):
    good = b"[1, 2.5]\n" * before
    found = decode(good + line + b"\n" + b'[false, "x"]\n' * 200, numeric(), first=1000)
    if before:
        assert found.call.inputs.tolist() == [[1, 2.5]] * before
    else:
        assert found.call is None
    assert isinstance(found.problem, InvalidInput)
    for fault in found.problem.members["errors"]:
        assert (fault["row"], fault.get("column")) == (1000 + before, column)
    assert f"row {1000 + before}" in found.problem.detail
    assert said in found.problem.detail


@pytest.mark.parametrize(
    "line", [b"[1, 2", b"1], [2", b"[1, 2], [3, 4]", b"[NaN, 1]", b"\xff", b"[[" * 3000, b"[1, 2]]"]
)
def test_a_line_that_is_no_json_is_named(line):
    found = decode(b"[1, 2]\n\n" + line + b"\n[3, 4]\n", numeric(), first=7)
    assert found.call.rows == 1
    assert isinstance(found.problem, Malformed)
    assert found.problem.detail.startswith("row 8 is not JSON")


def test_a_fault_beyond_the_hundred_that_are_told_is_not_overlooked():
    # By columns: a hundred faults of the first hide that of the second, two rows before.
    body = b'[1, 2]\n[1, "early"]\n[1, 2]\n' + b'["late", 2]\n' * 150
    found = decode(body, ANYTHING_NUMERIC)
    assert found.call.rows == 1
    assert found.problem.members["errors"] == [
        {"row": 1, "column": "x1", "detail": '"early" is not a number'}
    ]


ANYTHING_NUMERIC = numeric(2, missing=True)


@settings(deadline=None, max_examples=300, derandomize=True)
@given(
    st.lists(
        st.sampled_from(
            [b"[1, 2]", b'{"x0": 1}', b"", b"null", b'["a", "b"]', b"}", b"true", b"[[]]"]
        )
        | st.binary(max_size=12),
        max_size=6,
    ),
    st.sampled_from([numeric(1), numeric(2), numeric(2, missing=True), MIXED, TEXT, ANYTHING]),
)
def test_any_lines_give_rows_and_at_most_one_problem(lines, signature):
    found = ndjson.decode(lines, signature, ONE, 5)
    rows = 0 if found.call is None else found.call.rows
    if found.problem is None:
        assert rows <= len(lines)
    else:
        assert found.problem.members["errors"][0]["row"] == 5 + rows
        back, error = ndjson.decode_answer(ndjson.encode_error(found.problem))
        assert (back, error["status"]) == ([], found.problem.status)


@QUICK
@given(
    st.lists(st.binary(max_size=6).filter(lambda b: b"\n" not in b), max_size=9),
    st.lists(st.integers(0, 60), max_size=6),
    st.integers(1, 20),
    st.integers(1, 5),
    st.booleans(),
)
def test_lines_are_the_same_however_they_arrive(lines, cuts, most_bytes, most_lines, closed):
    body = b"\n".join(lines) + (b"\n" if closed else b"")
    cutter = ndjson.Lines(6)
    found = []

    def take():
        while taken := cutter.take(most_bytes, most_lines):
            assert len(taken) <= most_lines
            found.extend(taken)

    last = 0
    for cut in sorted({min(cut, len(body)) for cut in cuts}):
        cutter.feed(body[last:cut])
        take()
        last = cut
    cutter.feed(body[last:])
    cutter.ended = True
    take()
    assert len(cutter) == 0
    assert [line for line in found if line] == [line for line in lines if line]


def test_a_line_too_long_is_refused_before_it_ends():
    cutter = ndjson.Lines(10)
    cutter.feed(b"[1, 2]\n")
    assert cutter.take(64, 9) == [b"[1, 2]"]
    for _ in range(2):
        cutter.feed(b"12345")
        assert cutter.take(64, 9) == []
    cutter.feed(b"6")
    with pytest.raises(Malformed, match="longer than 10 bytes"):
        cutter.take(64, 9)


def test_an_answer_that_is_no_json_is_malformed():
    with pytest.raises(Malformed):
        ndjson.decode_answer(b"[1\n")
    assert ndjson.decode_answer(orjson.dumps({"error": "text"})) == ([{"error": "text"}], None)
