"""Tensors of the Open Inference Protocol: what is read, and what is refused with its name."""

import numpy as np
import orjson
import pytest

from runtime.codecs import v2
from runtime.problems import InvalidInput
from tests.unit.codecs.signatures import MIXED, TEXT, numeric


def tensor(name="input-0", shape=(1, 2), datatype="FP64", data=(1, 2), **more):
    return {"name": name, "shape": list(shape), "datatype": datatype, "data": list(data), **more}


def decode(*inputs, signature=None, **more):
    body = orjson.dumps({"inputs": list(inputs), **more})
    return v2.decode(body, signature or numeric(), max_rows=99)


def refusal(*inputs, signature=None, **more):
    with pytest.raises(InvalidInput) as caught:
        decode(*inputs, signature=signature, **more)
    return caught.value.detail


@pytest.mark.parametrize(
    "inputs",
    [
        pytest.param([tensor(shape=(2, 2), data=(1, 2, 3, 4))], id="flat matrix"),
        pytest.param([tensor(shape=(2, 2), data=([1, 2], [3, 4]))], id="nested matrix"),
        pytest.param([tensor(shape=(2, 2), data=(1, 2, 3, 4), datatype="UINT8")], id="integers"),
        pytest.param([tensor(shape=(2, 2), data=(1.0, 2, 3, 4), datatype="INT32")], id="1.0 is 1"),
        pytest.param(
            [tensor("x1", (2,), data=(2, 4)), tensor("x0", (2,), data=(1, 3))], id="columns"
        ),
        pytest.param(
            [tensor("x1", (2, 1), data=(2, 4)), tensor("x0", (2, 1), data=([1], [3]))],
            id="columns of width 1",
        ),
        pytest.param(
            [
                tensor("x0", (2,), "INT64", (1, 3), parameters={"content_type": "np"}),
                tensor("x1", (2,), "FP32", (2, 4)),
            ],
            id="datatypes mixed",
        ),
    ],
)
def test_numbers_are_read_from(inputs):
    call = decode(*inputs, parameters={"content_type": "pd"})
    assert np.array_equal(call.inputs, [[1.0, 2.0], [3.0, 4.0]])
    assert (call.rows, call.outputs, call.picked) == (2, ("predict",), False)


def test_a_tensor_of_truths_is_read_as_ones_and_zeros():
    call = decode(tensor(datatype="BOOL", data=(True, False)))
    assert call.inputs.tolist() == [[1.0, 0.0]]


@pytest.mark.parametrize("asked", ["classification", "shared_memory_region"])
def test_an_output_in_a_form_that_is_not_served_is_refused(asked):
    with pytest.raises(InvalidInput, match=asked):
        decode(tensor(), outputs=[{"name": "predict", "parameters": {asked: 3}}])


def test_names_of_outputs_and_the_id_are_taken_over():
    call = decode(tensor(), outputs=[{"name": "predict_proba"}, {"name": "predict"}], id="7")
    assert (call.outputs, call.picked, call.request_id) == (("predict_proba", "predict"), True, "7")


def test_a_single_text_column_goes_by_any_name():
    for sent in (tensor("t", (2,), "BYTES", "ab"), tensor("t", (2, 1), "BYTES", "ab")):
        assert decode(sent, signature=TEXT).inputs.columns[0].tolist() == ["a", "b"]


@pytest.mark.parametrize(
    ("sent", "said"),
    [
        (
            tensor(shape=(1, 3), data=(1, 2, 3)),
            'tensor "input-0" has 3 columns, this model takes 2',
        ),
        (tensor(shape=(2, 2)), "shape [2, 2] needs 4 values, data has 2"),
        (tensor(shape=(2, 2), data=([1, 2, 3], [4])), "row 0: must have 2 values"),
        (tensor(shape=(1, -2)), "shape must be a list of whole numbers"),
        (tensor(shape=(1, 1, 2)), "shape must be [rows] or [rows, columns]"),
        (tensor(shape=(True, 2)), "shape must be a list of whole numbers"),
        (tensor(shape=(2,)), "shape [rows, 2]"),
        (tensor(datatype="FP63"), "datatype must be one of"),
        (tensor(datatype=["FP64"]), "datatype must be one of"),
        (tensor(datatype="BOOL", data=(True, "no")), "true is not a number"),
        (tensor(data=(True, 1)), "true is not a number"),
        (tensor(datatype="BYTES", data=("1", "2")), '"1" is not a number'),
        (tensor(datatype="INT8", data=(1, 128)), "128 is no INT8"),
        (tensor(datatype="UINT64", data=(1, -1)), "-1 is no UINT64"),
        (tensor(datatype="INT64", data=(1, 1.5)), "1.5 is no INT64"),
        (tensor(datatype="INT64", data=(1, "x")), '"x" is not a number'),
        ({**tensor(), "data": 3}, "data must be a list"),
        ({**tensor(), "data": None, "parameters": {"binary_data_size": 16}}, "needs the header"),
        (
            {**tensor(), "data": None, "parameters": {"shared_memory_region": "r"}},
            "shared memory is not read",
        ),
        ({**tensor(), "name": 3}, "A tensor has no name"),
        (3, "must be a tensor object"),
    ],
)
def test_a_tensor_that_does_not_fit_is_refused(sent, said):
    assert said in refusal(sent)


AGE = tensor("age", (2,), data=(1, 2))
ISLAND = tensor("island", (2,), "BYTES", "ab")


@pytest.mark.parametrize(
    ("sent", "said"),
    [
        ([AGE], 'column "island": is not there'),
        ([AGE, ISLAND, tensor("wing", (2,))], 'column "wing": this model has no such column'),
        ([AGE, ISLAND, AGE], 'column "age": is there twice'),
        ([AGE, tensor("island", (3,), "BYTES", "abc")], "has 3 rows, the first tensor has 2"),
        ([AGE, tensor("island", (2, 2), "BYTES", "abcd")], "must have shape [rows] or [rows, 1]"),
        (
            [AGE, tensor("island", (2,), "FP64", (1, 2))],
            'row 0, column "island": 1 is not a string',
        ),
    ],
)
def test_columns_that_do_not_fit_are_refused(sent, said):
    assert said in refusal(*sent, signature=MIXED)


def test_columns_that_may_be_missing_may_be_left_out():
    age, island, mass, sex = decode(AGE, ISLAND, signature=MIXED).inputs.columns
    assert (age.tolist(), island.tolist(), sex.tolist()) == ([1, 2], ["a", "b"], [None, None])
    assert np.isnan(mass).all()


@pytest.mark.parametrize(
    "more", [{"inputs": []}, {"inputs": {}}, {"id": 3}, {"outputs": 3}, {"outputs": [3]}]
)
def test_the_frame_of_a_request_is_checked(more):
    body = orjson.dumps({"inputs": [tensor()], **more})
    with pytest.raises(InvalidInput):
        v2.decode(body, numeric(), max_rows=9)
