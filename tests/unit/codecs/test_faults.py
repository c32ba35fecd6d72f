"""What is wrong with a request is said with its row and its column; nothing wrong gets through."""

import orjson
import pytest

from runtime.codecs import short, v1, v2
from runtime.problems import InvalidInput, Malformed, Problem, TooLarge
from tests.unit.codecs.signatures import ANYTHING, MIXED, TEXT, numeric

ROW = {"age": 1, "island": "b", "mass": None, "sex": "f"}


def fault(body, signature, decode=short.decode):
    with pytest.raises(InvalidInput) as caught:
        decode(body if isinstance(body, bytes) else orjson.dumps(body), signature, max_rows=100)
    return caught.value.members["errors"]


@pytest.mark.parametrize(
    ("cell", "said"),
    [
        pytest.param("3", '"3" is not a number', id="digits in a string"),
        pytest.param(True, "true is not a number", id="true"),
        pytest.param(False, "false is not a number", id="false"),
        pytest.param([1], "a list is not a number", id="list"),
        pytest.param({}, "an object is not a number", id="object"),
        pytest.param("x" * 99, f'"{"x" * 56}... is not a number', id="long text cut short"),
        pytest.param(None, "is missing, and this model does not take missing values", id="missing"),
    ],
)
@pytest.mark.parametrize("rows_before", [0, 3, 99])  # large bodies are read another way
def test_a_cell_that_is_no_number_is_named(cell, said, rows_before):
    rows = [[1, 2.5]] * rows_before + [[4, cell]]
    expected = [{"row": rows_before, "column": "x1", "detail": said}]
    assert fault(rows, numeric()) == expected
    assert fault([{"x1": b, "x0": a} for a, b in rows], numeric()) == expected
    assert fault({"instances": rows}, numeric(), v1.decode) == expected
    flat = [c for row in rows for c in row]
    tensor = {"name": "t", "shape": [len(rows), 2], "datatype": "FP64", "data": flat}
    assert fault({"inputs": [tensor]}, numeric(), v2.decode) == expected


def test_cells_are_found_wherever_a_tensor_hides_them():
    truths = orjson.dumps([1.5] * 198 + [True, 1]).decode()
    for key in ('"data"', '"d\\u0061ta"'):
        tensor = f'{{"name": "data", "shape": [100, 2], "datatype": "FP64", {key}: {truths}}}'
        for body in (
            f'{{"inputs": [{tensor}], "id": "data"}}',
            f'{{"id": "data", "inputs": [{tensor}]}}',
            f'{{"inputs": [{tensor}], "inputs": [{tensor}]}}',
        ):
            assert fault(body.encode(), numeric(), v2.decode) == [
                {"row": 99, "column": "x0", "detail": "true is not a number"}
            ]


def test_every_fault_is_listed():
    found = fault([[1, "a"], [2, 3], [None, True], [1]], numeric())
    assert found == [
        {"row": 3, "detail": "has 1 values, this model takes 2"},
        {"row": 2, "column": "x0", "detail": found[1]["detail"]},
        {"row": 0, "column": "x1", "detail": '"a" is not a number'},
        {"row": 2, "column": "x1", "detail": "true is not a number"},
    ]


def test_a_hundred_faults_are_enough():
    assert len(fault([["a", "b"]] * 100, numeric())) == 100


@pytest.mark.parametrize(
    ("row", "column", "said"),
    [
        ({**ROW, "extra": 1}, "extra", "this model has no such column"),
        ({"age": 1, "mass": 2}, "island", "is not there, and this model needs it"),
        ({**ROW, "island": 7}, "island", "7 is not a string"),
        ({**ROW, "island": None}, "island", "is missing, and this model"),
        ({**ROW, "island": True}, "island", "true is not a string"),
        ({**ROW, "sex": 1.5}, "sex", "1.5 is not a string"),
        ({**ROW, "mass": "4"}, "mass", '"4" is not a number'),
    ],
)
def test_named_columns_are_held_to_their_kind(row, column, said):
    found = fault([ROW, row], MIXED)
    assert [(f["row"], f["column"]) for f in found] == [(1, column)]
    assert found[0]["detail"].startswith(said)


def test_missing_cells_may_be_left_out_where_the_model_takes_them():
    call = short.decode(b'[{"age": 1, "island": "b"}]', MIXED, max_rows=1)
    age, island, mass, sex = call.inputs.columns
    assert (age[0], island[0], sex[0]) == (1.0, "b", None)
    assert mass[0] != mass[0]


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(b"", id="empty"),
        pytest.param(b"{", id="cut off"),
        pytest.param(b"[NaN]", id="NaN literal"),
        pytest.param(b"[[Infinity, 1]]", id="Infinity literal"),
        pytest.param(b"[[1e400, 1]]", id="beyond float64"),
        pytest.param(b"[[" + b"9" * 400 + b", 1]]", id="integer beyond float64"),
        pytest.param(b"\xff\xfe[]", id="not UTF-8"),
        pytest.param(b'["\\ud800"]', id="lone surrogate"),
        pytest.param(b"[" * 5000, id="depth bomb"),
        pytest.param(b"[" * 5000 + b"]" * 5000, id="closed depth bomb"),
        pytest.param(b"3", id="a number"),
        pytest.param(b"null", id="null"),
    ],
)
@pytest.mark.parametrize("codec", [v1, v2, short], ids=["v1", "v2", "short"])
def test_what_is_no_request_is_malformed(codec, body):
    with pytest.raises(Malformed):
        codec.decode(body, numeric(), max_rows=10)


def test_nesting_that_json_allows_is_a_fault_like_any_other():
    assert fault(b"[[1, " + b"[" * 900 + b"]" * 900 + b"]]", numeric()) == [
        {"row": 0, "column": "x1", "detail": "a list is not a number"}
    ]
    with pytest.raises(InvalidInput):
        short.decode(
            b'{"rows": [], "outputs": [' + b"[" * 900 + b"]" * 900 + b"]}", numeric(), max_rows=1
        )


@pytest.mark.parametrize(
    ("codec", "body"),
    [
        (v1, {"instances": [[1, 2]] * 11}),
        (short, [[1, 2]] * 11),
        (short, {"columns": ["x1", "x0"], "data": [[1, 2]] * 11}),
        (v2, {"inputs": [{"name": "i", "shape": [11, 2], "datatype": "FP64", "data": [0] * 22}]}),
    ],
)
def test_too_many_rows_are_too_large(codec, body):
    with pytest.raises(TooLarge) as caught:
        codec.decode(orjson.dumps(body), numeric(), max_rows=10)
    assert caught.value.members == {"rows": 11, "limit": 10}


@pytest.mark.parametrize("codec", [v1, short])
def test_no_rows_are_fine(codec):
    body = b'{"instances": []}'
    assert codec.decode(body, numeric(3), max_rows=10).inputs.shape == (0, 3)
    assert codec.decode(body, MIXED, max_rows=10).inputs.rows == 0


@pytest.mark.parametrize("names", [[], ["nope"], [1], [None], [{}], {"a": 1}, 3, ["predict", "x"]])
def test_outputs_that_the_model_has_not_are_refused(names):
    with pytest.raises(InvalidInput, match="predict"):
        v1.decode(orjson.dumps({"instances": [[1, 2]], "outputs": names}), numeric(), max_rows=1)


def test_a_column_of_anything_takes_scalars_only():
    call = short.decode(b'[[null, "a"], [1, 2.5], [true, "b"]]', ANYTHING, max_rows=9)
    assert call.inputs.columns[0].tolist() == [None, 1, True]
    assert [f["detail"] for f in fault([[1, None], [[], "a"]], ANYTHING)] == [
        "a list is not a string or a number",
        "is missing, and this model does not take missing values",
    ]


def test_one_column_needs_no_inner_lists():
    call = v1.decode(b'{"instances": ["good", "bad"]}', TEXT, max_rows=9)
    assert call.inputs.columns[0].tolist() == ["good", "bad"]
    assert call.rows == 2


def test_the_sentence_of_the_problem_names_the_first_place():
    with pytest.raises(Problem, match=r'^row 1, column "x0": "a" is not a number \(and 1 more\)$'):
        short.decode(b'[[1, 2], ["a", "b"]]', numeric(), max_rows=9)
