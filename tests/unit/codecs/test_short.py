"""The short form: every shape of rows, and CSV."""

import csv
import io

import numpy as np
import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from runtime.codecs import short
from runtime.plan.signature import Column, Signature
from runtime.problems import InvalidInput, Malformed, TooLarge
from tests.unit.codecs.signatures import ANYTHING, MIXED, PREDICT, TEXT, numeric


def decode(document, signature=None):
    return short.decode(orjson.dumps(document), signature or numeric(), max_rows=99)


@pytest.mark.parametrize(
    "document",
    [
        [[1, 2], [3, 4]],
        [{"x0": 1, "x1": 2}, {"x1": 4, "x0": 3}],
        [[1, 2], {"x1": 4, "x0": 3}],
        {"rows": [[1, 2], [3, 4]]},
        {"instances": [[1, 2], [3, 4]]},
        {"inputs": [[1, 2], [3, 4]]},
        {"data": [{"x0": 1, "x1": 2}, [3, 4]]},
        {"columns": ["x0", "x1"], "data": [[1, 2], [3, 4]]},
        {"columns": ["x1", "x0"], "index": [7, 8], "data": [[2, 1], [4, 3]]},
        {"columns": [0, 1], "index": [0, 1], "data": [[1, 2], [3, 4]]},
    ],
)
def test_rows_are_found_in(document):
    assert np.array_equal(decode(document).inputs, [[1, 2], [3, 4]])


@pytest.mark.parametrize(
    "document", [{"x1": 2, "x0": 1}, {"rows": {"x0": 1, "x1": 2}}, [{"x0": 1, "x1": 2}]]
)
def test_one_object_is_one_row(document):
    assert decode(document).inputs.tolist() == [[1, 2]]


def test_outputs_are_picked_beside_the_rows():
    call = decode({"rows": [[1, 2]], "outputs": "predict_proba"})
    assert (call.outputs, call.picked) == (("predict_proba",), True)


def test_a_column_may_be_called_data():
    signature = Signature((Column("data"), Column("rows")), (PREDICT,), named=True)
    assert decode({"data": 1, "rows": 2}, signature).inputs.tolist() == [[1, 2]]
    assert decode({"data": [[1, 2]]}, signature).inputs.tolist() == [[1, 2]]


@pytest.mark.parametrize(
    ("document", "said"),
    [
        ({"rows": 3}, '"rows" must be a list of rows'),
        ({}, "is not there"),
        ({"columns": 3, "data": []}, '"columns" must be'),
        ({"columns": ["x0", "x0"], "data": [[1, 2]]}, "each there once"),
        ({"columns": ["x1", "x0"], "data": [[1]]}, "row 0: must be a list of 2 values"),
        ({"columns": ["x1", "y"], "data": [[1, 2]]}, 'column "y": this model has no such column'),
    ],
)
def test_other_documents_are_refused(document, said):
    with pytest.raises(InvalidInput) as caught:
        decode(document)
    assert said in caught.value.detail


def csv_call(text, signature=MIXED, max_rows=99):
    body = text if isinstance(text, bytes) else text.encode()
    return short.decode_csv(body, signature, max_rows=max_rows)


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("1,b,2,f\n3,a,4,m\n", id="no header"),
        pytest.param("age,island,mass,sex\n1,b,2,f\n3,a,4,m", id="header"),
        pytest.param("sex,mass,island,age\r\nf,2,b,1\r\nm,4,a,3\r\n", id="other order, CRLF"),
        pytest.param('"age","island","mass","sex"\n"1","b","2","f"\n3,a,4,m\n', id="quoted"),
        pytest.param("\ufeff1,b,2,f\n\n3,a,4,m\n", id="byte order mark, blank line"),
    ],
)
def test_csv_is_read(text):
    columns = csv_call(text).inputs.columns
    assert [c.tolist() for c in columns] == [[1, 3], ["b", "a"], [2, 4], ["f", "m"]]


def test_csv_cells_may_be_missing_where_the_model_takes_them():
    _age, island, mass, sex = csv_call("1,,NA,\n2,NA,nan,None\n").inputs.columns
    assert island.tolist() == ["", "NA"]
    assert np.isnan(mass).all()
    assert sex.tolist() == [None, None]


def test_a_csv_header_may_leave_out_columns_that_may_be_missing():
    columns = csv_call("island,age\nb,1\n").inputs.columns
    assert (columns[0].tolist(), columns[3].tolist()) == ([1], [None])


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("x,b,2,f\n", 'row 0, column "age": "x" is not a number'),
        ("1_000,b,2,f\n", '"1_000" is not a number'),
        ("inf,b,2,f\n", "inf is not a finite number"),
        ("1e999,b,2,f\n", "inf is not a finite number"),
        (",b,2,f\n", 'row 0, column "age": is missing'),
        ("1,b,2\n", "row 0: has 3 values, not 4"),
        ("1,b,2,f\n1,b,2,f,9\n", "row 1: has 5 values, not 4"),
        ("age,island,mass,sex,wing\n1,b,2,f,3\n", 'column "wing": this model has no such column'),
        ("island,mass\nb,2\n", 'column "age": is not there'),
        ("age,age,island\n1,2,b\n", "names a column twice"),
    ],
)
def test_csv_that_does_not_fit_is_refused(text, said):
    with pytest.raises(InvalidInput) as caught:
        csv_call(text)
    assert said in caught.value.detail


@pytest.mark.parametrize("body", [b"\xff\xfe1", b'"never closed', b'"a"b,c', b"x" * 200_000])
def test_what_is_no_csv_is_malformed(body):
    with pytest.raises(Malformed):
        csv_call(body, TEXT)


def test_csv_with_too_many_rows_is_too_large():
    with pytest.raises(TooLarge):
        csv_call("1,2\n" * 4, numeric(), max_rows=3)


def test_an_empty_csv_has_no_rows():
    assert csv_call("").rows == 0
    assert csv_call("x0,x1\n", numeric()).inputs.shape == (0, 2)


@settings(deadline=None, max_examples=50)
@given(
    st.lists(
        st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=9), max_size=4
    ).filter(lambda words: "text" not in [word.strip() for word in words[:1]])
)
def test_text_survives_csv(words):
    written = io.StringIO(newline="")
    csv.writer(written, quoting=csv.QUOTE_ALL).writerows([word] for word in words)
    body = written.getvalue().encode()
    assert csv_call(body, TEXT).inputs.columns[0].tolist() == words


def test_columns_of_anything_keep_words_that_look_infinite():
    columns = csv_call("1,inf\n1_0,2\n", ANYTHING).inputs.columns
    assert [c.tolist() for c in columns] == [[1.0, "1_0"], ["inf", 2.0]]
