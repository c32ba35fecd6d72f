"""Raw tensors: what goes in comes out, whatever lies does no harm, and numbers are not copied."""

import struct

import numpy as np
import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from runtime.codecs import v2, v2_binary
from runtime.codecs.request import Call
from runtime.codecs.v2_binary import Parts
from runtime.problems import InvalidInput, Malformed
from tests.unit.codecs.signatures import ANYTHING, INFO, MIXED, TEXT, numeric
from tests.unit.codecs.test_round_trips import attempt

QUICK = settings(deadline=None, max_examples=80, derandomize=True)
WORDS = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)


def request(*tensors, padding=0, **more):
    """Give (body, head_bytes) of tensors (name, datatype, shape, bytes)."""
    inputs = [
        {
            "name": name,
            "datatype": datatype,
            "shape": list(shape),
            "parameters": {"binary_data_size": len(raw)},
        }
        for name, datatype, shape, raw in tensors
    ]
    head = orjson.dumps({"inputs": inputs, **more}) + b" " * padding
    return head + b"".join(raw for *_, raw in tensors), len(head)


def decode(*tensors, signature=None, padding=0, **more):
    body, head_bytes = request(*tensors, padding=padding, **more)
    return v2.decode(body, signature or numeric(), max_rows=99, head_bytes=head_bytes)


def test_a_body_put_together_from_pieces_is_read_where_it_lies():
    tensor = ("x", "FP64", (2, 4), np.arange(8.0).tobytes())
    _, unpadded = request(tensor)
    body, head_bytes = request(tensor, padding=-unpadded % v2_binary.ALIGN)
    pieces = bytearray(body)
    call = v2.decode(pieces, numeric(4), max_rows=99, head_bytes=head_bytes)
    assert np.array_equal(call.inputs, np.arange(8.0).reshape(2, 4))
    pieces[-8:] = np.float64(99.0).tobytes()
    assert call.inputs[1, 3] == 99.0


def matrices(dtype):
    shapes = st.tuples(st.integers(0, 6), st.integers(1, 5))
    return arrays.arrays(np.dtype(dtype), shapes)


DATATYPES = {
    "BOOL": "?",
    **{f"INT{8 * n}": f"<i{n}" for n in (1, 2, 4, 8)},
    **{f"UINT{8 * n}": f"<u{n}" for n in (1, 2, 4, 8)},
    "FP16": "<f2",
    "FP32": "<f4",
    "FP64": "<f8",
}


@QUICK
@given(
    st.sampled_from(sorted(DATATYPES)).flatmap(
        lambda name: st.tuples(st.just(name), matrices(DATATYPES[name]))
    ),
    st.integers(0, 8),
)
def test_numbers_of_every_datatype_arrive_wherever_they_lie(sent, padding):
    datatype, x = sent
    with np.errstate(invalid="ignore"):
        fits = not np.isinf(x).any()
    signature = numeric(x.shape[1], missing=True)
    ask = lambda: decode(  # noqa: E731
        ("x", datatype, x.shape, x.tobytes()), signature=signature, padding=padding
    )
    if not fits:
        with pytest.raises(InvalidInput, match="is not a finite number"):
            ask()
        return
    call = ask()
    assert call.inputs.dtype == np.float64
    assert call.inputs.flags.aligned
    assert call.inputs.flags.c_contiguous
    assert np.array_equal(call.inputs, x.astype(np.float64), equal_nan=True)
    columns = [
        (f"x{i}", datatype, (len(x),), np.ascontiguousarray(column).tobytes())
        for i, column in enumerate(x.T)
    ]
    by_name = decode(*columns[::-1], signature=signature, padding=padding)
    assert np.array_equal(by_name.inputs, call.inputs, equal_nan=True)


@QUICK
@given(st.lists(st.floats(width=32), min_size=1, max_size=9))
def test_bf16_is_the_upper_half_of_fp32(numbers):
    upper = np.array(numbers, "<f4").view("<u4") >> 16
    widened = (upper << 16).astype("<u4").view("<f4")
    raw = upper.astype("<u2").tobytes()
    found = v2_binary.read(
        v2_binary.Tail(raw, 0).take("x", "BF16", [len(numbers)], len(raw)), "x", "BF16"
    )
    assert found.dtype == np.float32
    assert found.tobytes() == widened.tobytes()


@QUICK
@given(arrays.arrays(np.float64, st.tuples(st.integers(1, 9), st.integers(1, 5))))
def test_what_the_client_writes_the_server_reads_without_a_copy(x):
    x[~np.isfinite(x)] = 0
    parts = v2.encode_raw({"input": x}, ("predict", "predict_proba"), "r-1")
    assert np.shares_memory(np.frombuffer(parts.buffers[1], np.uint8), x)
    body = parts.join()
    assert len(body) == parts.size
    call = v2.decode(body, numeric(x.shape[1]), max_rows=9, head_bytes=parts.head_bytes)
    assert np.array_equal(call.inputs, x)
    assert np.shares_memory(call.inputs, np.frombuffer(body, np.uint8))
    assert (call.request_id, call.outputs) == ("r-1", ("predict", "predict_proba"))
    assert call.binary == call.outputs


ANSWERS = st.sampled_from(["f8", "f4", "i8", "i4", "?"]).flatmap(
    lambda dtype: arrays.arrays(
        np.dtype(dtype), st.tuples(st.integers(0, 9)) | st.tuples(st.integers(0, 9), st.just(3))
    )
)


@QUICK
@given(ANSWERS, st.lists(WORDS, max_size=9), st.sampled_from([(), ("a",), ("b",), ("a", "b")]))
def test_answers_come_back_to_the_last_bit(numbers, words, binary):
    labels = np.array(words, object)
    if "a" not in binary and numbers.dtype.kind == "f":
        numbers[np.isinf(numbers)] = 0  # JSON has none
    call = Call(np.zeros((1, 1)), 1, ("a", "b"), request_id="7", binary=binary)
    answer = v2.encode_answer(call, {"a": numbers, "b": labels}, INFO)
    if not binary:
        back = v2.decode_answer(answer)
    else:
        assert answer.head_bytes % 8 == 0
        assert orjson.loads(answer.buffers[0])["id"] == "7"
        back = v2.decode_answer(answer.join(), answer.head_bytes)
    assert back["a"].dtype == numbers.dtype
    assert back["a"].shape == numbers.shape
    assert np.array_equal(back["a"], numbers, equal_nan=numbers.dtype.kind == "f")
    assert back["b"].tolist() == words


def test_numbers_of_an_answer_are_not_copied_either():
    results = {"predict_proba": np.linspace(0, 1, 2000).reshape(1000, 2)}
    call = Call(np.zeros((1, 1)), 1000, ("predict_proba",), binary=("predict_proba",))
    answer = v2.encode_answer(call, results, INFO)
    assert isinstance(answer, Parts)
    assert np.shares_memory(np.frombuffer(answer.buffers[1], np.uint8), results["predict_proba"])
    body = answer.join()
    back = v2.decode_answer(body, answer.head_bytes)["predict_proba"]
    assert np.shares_memory(back, np.frombuffer(body, np.uint8))
    assert back.flags.aligned


@QUICK
@given(st.lists(WORDS, max_size=9))
def test_texts_arrive_as_they_were(words):
    raw = v2_binary.texts(words)
    call = decode(("text", "BYTES", (len(words),), raw), signature=TEXT)
    assert call.inputs.columns[0].tolist() == words


def test_text_and_numbers_raw_and_in_json_in_one_request():
    body, head_bytes = request(
        ("age", "INT32", (2,), np.array([41, 42], "<i4").tobytes()),
        ("island", "BYTES", (2, 1), v2_binary.texts(["a", "ü"])),
    )
    document = orjson.loads(body[:head_bytes])
    tail = body[head_bytes:]
    document["inputs"].insert(
        1, {"name": "sex", "datatype": "BYTES", "shape": [2], "data": ["f", None]}
    )
    head = orjson.dumps(document)
    call = v2.decode(head + tail, MIXED, max_rows=9, head_bytes=len(head))
    age, island, mass, sex = call.inputs.columns
    assert (age.tolist(), island.tolist(), sex.tolist()) == ([41, 42], ["a", "ü"], ["f", None])
    assert np.isnan(mass).all()


def test_a_column_of_anything_keeps_what_it_is():
    call = decode(
        ("x0", "BOOL", (2,), b"\x01\x00"),
        ("x1", "INT64", (2,), np.array([1, 2**60 + 1]).tobytes()),
        signature=ANYTHING,
    )
    assert [column.tolist() for column in call.inputs.columns] == [[True, False], [1, 2**60 + 1]]


def test_outputs_are_raw_where_each_or_the_request_says_so():
    two = ("x", "FP64", (1, 2), bytes(16))
    names = ("predict", "predict_proba")

    def wanted(*parameters, **more):
        outputs = [{"name": n, "parameters": p} for n, p in zip(names, parameters, strict=False)]
        return decode(two, outputs=outputs, **more).binary

    assert wanted({"binary_data": True}, {}) == ("predict",)
    assert wanted({"binary_data": False}, {}, parameters={"binary_data_output": True}) == (
        "predict_proba",
    )
    assert wanted({}, {}) == ()
    assert wanted(parameters={"binary_data_output": True}) == ("predict",)
    assert wanted(parameters={"binary_data_output": "yes"}) == ()


F8 = np.array([1.0, 2.0]).tobytes()


@pytest.mark.parametrize(
    ("sent", "said"),
    [
        (("x", "FP64", (1, 2), F8[:-1]), "needs 16 bytes, binary_data_size is 15"),
        (("x", "FP64", (2, 2), F8), "shape [2, 2] of FP64 needs 32 bytes"),
        (("x", "FP64", (1 << 40, 1 << 40), F8), f"needs {1 << 83} bytes"),
        (("x", "FP32", (1, 2), F8), "needs 8 bytes, binary_data_size is 16"),
        (("x", "FP64", (1, 2), np.array([1, np.nan]).tobytes()), 'row 0, column "x1": is missing'),
        (
            ("x", "FP64", (1, 2), np.array([-np.inf, 2]).tobytes()),
            'row 0, column "x0": -inf is not a finite number',
        ),
        (("x", "BOOL", (1, 2), b"\x01\x02"), "2 is no BOOL"),
        (("x", "FP64", (1, 3), F8 + F8[:8]), "has 3 columns, this model takes 2"),
        (("x", "BYTES", (1, 2), b"\x01\x00\x00\x00a"), "needs at least 8 bytes"),
        (("x", "BYTES", (1, 2), b"\xff\xff\xff\xffabcd"), "is 4294967295 bytes long, 4 are left"),
        (("x", "BYTES", (1, 2), b"\x02\0\0\0ab\x01\0"), "its length is cut off"),
        (("x", "BYTES", (1, 2), b"\x01\0\0\0a\x01\0\0\0bc"), "1 bytes follow the last of its 2"),
        (("x", "BYTES", (1, 2), b"\x01\0\0\0\xff\x01\0\0\0b"), "is not UTF-8"),
        (("x", "BYTES", (1, 2), v2_binary.texts("12")), '"1" is not a number'),
    ],
)
def test_a_tensor_that_does_not_fit_is_refused_by_name_and_place(sent, said):
    with pytest.raises(InvalidInput) as caught:
        decode(sent)
    assert said in caught.value.detail


def test_sizes_that_lie_about_the_body_are_refused():
    body, head_bytes = request(("x", "FP64", (1, 2), F8))
    for wrong, said in (
        (body + b"\0", "1 bytes follow the last tensor's"),
        (body[:-1], "the body has 15 bytes left for it"),
    ):
        with pytest.raises(InvalidInput, match=said):
            v2.decode(wrong, numeric(), max_rows=9, head_bytes=head_bytes)
    for bound in (-1, len(body) + 1, 1 << 70):
        with pytest.raises(Malformed, match="Inference-Header-Content-Length"):
            v2.decode(body, numeric(), max_rows=9, head_bytes=bound)
    for size in (-1, 1.5, None, "16", True, 1 << 63):
        document = orjson.loads(body[:head_bytes])
        document["inputs"][0]["parameters"]["binary_data_size"] = size
        raw = orjson.dumps(document)
        with pytest.raises(InvalidInput, match="binary_data_size"):
            v2.decode(raw + F8, numeric(), max_rows=9, head_bytes=len(raw))


def test_a_text_column_of_numbers_is_refused_cell_by_cell():
    with pytest.raises(InvalidInput) as caught:
        decode(("text", "FP64", (2,), F8), signature=TEXT)
    assert [fault["detail"] for fault in caught.value.members["errors"]] == [
        "1.0 is not a string",
        "2.0 is not a string",
    ]


PIECES = st.sampled_from(
    [F8, b"", b"\x01\0\0\0a", b"\xff" * 4, struct.pack("<d", np.nan)]
) | st.binary(max_size=24)
TENSORS = st.tuples(
    st.sampled_from(["x0", "x1", "age", "island", "text", "i"]),
    st.sampled_from([*DATATYPES, "BF16", "BYTES"]),
    st.lists(st.integers(0, 3), min_size=1, max_size=2),
    PIECES,
)


@settings(deadline=None, max_examples=400, derandomize=True)
@given(
    st.lists(TENSORS, min_size=1, max_size=3),
    st.integers(0, 3),
    st.integers(-3, 3),
    st.sampled_from([numeric(1), numeric(2), numeric(2, missing=True), MIXED, TEXT, ANYTHING]),
)
def test_any_raw_request_gives_a_call_or_a_problem(tensors, padding, off, signature):
    body, head_bytes = request(*tensors, padding=padding)
    call, problem = attempt(
        lambda: v2.decode(body, signature, max_rows=3, head_bytes=head_bytes + off * (off == 3))
    )
    if problem is not None:
        assert problem.status in (400, 413, 422)
        assert orjson.dumps(problem.body())
        return
    assert call.rows <= 3
    if signature.numeric:
        assert call.inputs.shape == (call.rows, len(signature.columns))
        assert not np.isinf(call.inputs).any()


@QUICK
@given(st.binary(max_size=60), st.integers(0, 60))
def test_any_raw_answer_is_read_or_malformed(body, head_bytes):
    with pytest.raises(Malformed):
        v2.decode_answer(body, head_bytes)


@QUICK
@given(TENSORS)
def test_any_tensor_of_an_answer_is_read_or_malformed(tensor):
    name, datatype, shape, raw = tensor
    head = orjson.dumps(
        {
            "outputs": [
                {
                    "name": name,
                    "datatype": datatype,
                    "shape": shape,
                    "parameters": {"binary_data_size": len(raw)},
                }
            ]
        }
    )
    try:
        found = v2.decode_answer(head + raw, len(head))
    except Malformed:
        return
    assert list(found[name].shape) == shape
