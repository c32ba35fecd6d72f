"""Arrays on the pipe: what is written is read, and anything else is refused."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from runtime.frames import FrameError, decode, encode

NUMBERS = hnp.arrays(
    st.sampled_from([np.float64, np.float32, np.int64, np.int32, np.bool_, np.uint8]),
    hnp.array_shapes(min_dims=1, max_dims=3, min_side=0, max_side=4),
)
CELLS = st.lists(st.one_of(st.none(), st.text(), st.integers(-9, 9), st.booleans()), max_size=6)


@given(numbers=st.lists(NUMBERS, max_size=3), cells=CELLS)
@settings(deadline=None, max_examples=80)
def test_arrays_come_back(numbers: list[np.ndarray], cells: list[object]) -> None:
    column = np.empty(len(cells), object)
    column[:] = cells
    meta, arrays = decode(encode({"method": "predict"}, [*numbers, column]))
    assert meta == {"method": "predict"}
    for ours, theirs in zip(arrays[:-1], numbers, strict=True):
        assert ours.dtype == theirs.dtype
        np.testing.assert_array_equal(ours, theirs)
    assert arrays[-1].tolist() == cells


@given(content=st.binary(max_size=200))
def test_any_bytes_are_refused(content: bytes) -> None:
    with pytest.raises(FrameError):
        decode(content)


@given(data=st.data())
@settings(deadline=None, max_examples=150)
def test_changed_frames_are_read_or_refused(data: st.DataObject) -> None:
    content = bytearray(encode({"a": 1}, [np.arange(6.0).reshape(2, 3), np.array(["x"], object)]))
    position = data.draw(st.integers(0, len(content) - 1))
    content[position] = data.draw(st.integers(0, 255))
    try:
        _, arrays = decode(bytes(content))
    except FrameError:
        return
    assert sum(array.size for array in arrays) <= len(content)


def test_length_is_refused_before_anything_is_reserved() -> None:
    frame = bytearray(encode({}, []))
    frame[8:16] = (1 << 62).to_bytes(8, "little")
    with pytest.raises(FrameError, match="are allowed"):
        decode(bytes(frame))
