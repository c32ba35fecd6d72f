"""Rows of load tests: drawn, or read from a file and checked before anything is sent."""

import json
import math

import numpy as np
import pytest

from loadtests.plan import PlanError
from loadtests.rows import Written, chunks, drawn, height, sample
from runtime.codecs import short, v1, v2
from runtime.plan.ops import Frame
from runtime.plan.signature import Column, Kind, Output, Signature

NUMBERS = Signature((Column("a"), Column("b", missing=True)), (Output("predict", "FP64"),))
MIXED = Signature(
    (Column("mass", missing=True), Column("island", Kind.STRING, missing=True)),
    (Output("predict", "BYTES"), Output("predict_proba", "FP64", 2)),
    named=True,
)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("rows.csv", "a,b\n1,2\n3,\n"),
        ("rows.csv", "1,2\n3,nan\n"),
        ("rows.json", "[[1, 2], [3, null]]"),
        ("rows.json", '[{"a": 1, "b": 2}, {"a": 3}]'),
        ("rows.ndjson", "[1, 2]\n\n[3, null]\n"),
        ("rows.jsonl", '{"b": 2, "a": 1}\n{"a": 3}\n'),
    ],
)
def test_a_sample_is_read(tmp_path, name, text):
    (tmp_path / name).write_text(text)
    found = sample(tmp_path / name, NUMBERS)
    assert np.array_equal(found, [[1, 2], [3, math.nan]], equal_nan=True)


def test_parquet_is_read_where_pandas_can(tmp_path, monkeypatch):
    pd = pytest.importorskip("pandas")
    frame = pd.DataFrame({"mass": [1.5, None], "island": ["Dream", None]})
    # Without pyarrow here, what pandas gives is what stands in the file.
    monkeypatch.setattr(pd, "read_parquet", lambda path: frame)
    (tmp_path / "rows.parquet").write_bytes(b"PAR1")
    found = sample(tmp_path / "rows.parquet", MIXED)
    assert isinstance(found, Frame)
    assert found.columns[1].tolist() == ["Dream", None]


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("rows.csv", "a,b\n1,2\nwide,4\n", 'row 1, column a: "wide" is not a number'),
        ("rows.csv", "a,b,c\n1,2,3\n", "column c: this model has no such column"),
        ("rows.json", "[[1, 2], [3], [null, 5]]", "row 1: has 1 values, this model takes 2; row 2"),
        ("rows.json", "[[1, 2]", "could not be read|not JSON|does not fit"),
        ("rows.ndjson", "[1, 2]\n[1,\n", "line 2 is not JSON"),
        ("rows.json", "[]", "has no rows"),
        ("rows.txt", "1 2", "must end in .csv"),
    ],
)
def test_a_sample_that_does_not_fit_is_refused_with_row_and_column(tmp_path, name, text, said):
    (tmp_path / name).write_text(text)
    with pytest.raises(PlanError, match=name) as caught:
        sample(tmp_path / name, NUMBERS)
    assert any(part in str(caught.value) for part in said.split("|"))


def test_a_sample_that_is_not_there_is_refused(tmp_path):
    with pytest.raises(PlanError, match="cannot be read"):
        sample(tmp_path / "rows.csv", NUMBERS)


DECODE = {
    "predict": lambda body, signature, headers: short.decode(body, signature, max_rows=10),
    "v1": lambda body, signature, headers: v1.decode(body, signature, max_rows=10),
    "v2": lambda body, signature, headers: v2.decode(body, signature, max_rows=10),
    "v2-binary": lambda body, signature, headers: v2.decode(
        body, signature, max_rows=10, head_bytes=int(headers["inference-header-content-length"])
    ),
}


@pytest.mark.parametrize("form", DECODE)
@pytest.mark.parametrize("signature", [NUMBERS, MIXED], ids=["numbers", "mixed"])
def test_what_is_written_is_what_the_server_reads(form, signature):
    rows = drawn(signature, 4, seed=3)
    headers, body = Written(form, "iris", signature, None).one(rows)
    call = DECODE[form](body, signature, headers)
    assert call.rows == 4
    if isinstance(rows, Frame):
        for ours, theirs in zip(rows.columns, call.inputs.columns, strict=True):
            assert ours.tolist() == theirs.tolist()
    else:
        assert np.array_equal(rows, call.inputs)


def test_an_output_is_asked_for_by_its_name():
    _, body = Written("predict", "iris", MIXED, "predict_proba").one(drawn(MIXED, 1, 1))
    assert json.loads(body)["outputs"] == ["predict_proba"]
    with pytest.raises(PlanError, match="has no output 'odds'; it has predict, predict_proba"):
        Written("predict", "iris", MIXED, "odds")


def test_raw_tensors_hold_no_missing_text():
    frame = Frame((np.array([1.0]), np.array([None], object)))
    with pytest.raises(PlanError, match="column 'island' has some: use --format v2"):
        Written("v2-binary", "iris", MIXED, None).one(frame)


@pytest.mark.parametrize("rows", [1, 3, 7, 25])
def test_requests_have_as_many_rows_as_asked_and_all_rows_are_sent(rows):
    inputs = drawn(NUMBERS, 10, seed=1)
    cut = list(chunks(inputs, rows, seed=1))
    assert {height(chunk) for chunk in cut} == {rows}
    sent = {tuple(row) for chunk in cut for row in chunk.tolist()}
    assert sent == {tuple(row) for row in inputs.tolist()}


def test_the_same_seed_draws_the_same_rows():
    first, again, other = (drawn(MIXED, 5, seed) for seed in (1, 1, 2))
    assert first.columns[0].tolist() == again.columns[0].tolist() != other.columns[0].tolist()
