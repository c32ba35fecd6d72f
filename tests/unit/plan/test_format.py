"""The plan file: what is written is read back, and what was tampered with is refused in words."""

import io
import json
import struct
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from runtime.plan import PlanError
from runtime.plan import format as plan_format

EMPTY: dict[str, Any] = {
    "format": plan_format.FORMAT,
    "graph": {},
    "tensors": {},
    "signature": {},
    "cost": {},
    "provenance": {},
}


def file_of(header: dict[str, Any] | bytes, body: bytes = b"") -> bytes:
    """A file with any header at all, laid out as the format says."""
    raw = header if isinstance(header, bytes) else json.dumps(header).encode()
    padding = bytes(-(16 + len(raw)) % plan_format.ALIGN)
    return plan_format.MAGIC + struct.pack("<Q", len(raw)) + raw + padding + body


def stored(folder: Path, content: bytes) -> Path:
    path = folder / "plan"
    path.write_bytes(content)
    return path


def nested(depth: int) -> Any:
    return [] if depth == 1 else [nested(depth - 1)]


def table(*entry: Any) -> dict[str, Any]:
    return {**EMPTY, "tensors": {"a": list(entry)}}


@given(
    arrays=st.lists(
        st.tuples(
            st.sampled_from(sorted(plan_format.ITEM_BYTES)),
            st.lists(st.integers(0, 5), max_size=plan_format.MAX_RANK),
        ),
        max_size=6,
    )
)
@settings(
    max_examples=60,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
def test_tensors_come_back_as_they_were_read_only_and_aligned(
    tmp_path: Path, arrays: list[tuple[str, list[int]]]
) -> None:
    tensors = {
        f"t{i}": (np.arange(int(np.prod(shape))) % 2).reshape(shape).astype(code)
        for i, (code, shape) in enumerate(arrays)
    }
    path = tmp_path / "plan"
    with path.open("wb") as out:
        plan_format.write(
            out, graph={"op": "x"}, tensors=tensors, signature={}, cost={}, provenance={"a": "ü"}
        )
    found = plan_format.read(path)
    assert found.header["graph"] == {"op": "x"}
    assert found.header["provenance"] == {"a": "ü"}
    assert list(found.tensors) == list(tensors)
    for name, array in tensors.items():
        ours = found.tensors[name]
        assert ours.dtype == array.dtype
        assert ours.shape == array.shape
        assert not ours.flags.writeable
        assert ours.size == 0 or ours.ctypes.data % plan_format.ALIGN == 0
        np.testing.assert_array_equal(ours, array)


@pytest.mark.parametrize("array", [np.array(["a"]), np.array([None]), np.zeros(2, ">f8")])
def test_arrays_that_the_format_does_not_hold_are_refused_when_written(array: Any) -> None:
    with pytest.raises(PlanError, match="cannot be stored"):
        plan_format.write(
            io.BytesIO(), graph={}, tensors={"a": array}, signature={}, cost={}, provenance={}
        )


EIGHT = bytes(64)
REFUSED: dict[str, tuple[bytes, str]] = {
    "nothing": (b"", "too short"),
    "another magic": (b"GIF89a" + bytes(100), "not a plan"),
    "a later magic": (b"KPLAN\x00\x00\x02" + file_of(EMPTY)[8:], "another version"),
    "header beyond the file": (plan_format.MAGIC + struct.pack("<Q", 1 << 62), "claims"),
    "header above the limit": (
        plan_format.MAGIC + struct.pack("<Q", (16 << 20) + 1) + bytes((16 << 20) + 64),
        "claims",
    ),
    "not JSON": (file_of(b"{"), "not JSON"),
    "not UTF-8": (file_of(json.dumps(EMPTY).encode("utf-16")), "not JSON"),
    "half a surrogate pair": (file_of({**EMPTY, "graph": {"a": "\ud800"}}), "not JSON"),
    "NaN": (file_of({**EMPTY, "cost": {"a": float("nan")}}), "NaN"),
    "not an object": (file_of(b"[]"), "must hold"),
    "a section too few": (file_of({"format": 1}), "must hold"),
    "a section too many": (file_of({**EMPTY, "more": 1}), "must hold"),
    "a key twice": (file_of(b'{"format": 1, "format": 1}'), "twice"),
    "a later format": (file_of({**EMPTY, "format": 2}), "this runtime reads 1"),
    "true as format": (file_of({**EMPTY, "format": True}), "this runtime reads 1"),
    "nested deeply": (file_of({**EMPTY, "graph": nested(300)}), "nested deeper"),
    "nested deeply behind a string": (
        file_of({**EMPTY, "graph": ["]" * 500, nested(300)]}),
        "nested deeper",
    ),
    "tensors as a list": (file_of({**EMPTY, "tensors": []}), "at most"),
    "too many tensors": (
        file_of({**EMPTY, "tensors": {str(i): ["u1", [0], 0, 0] for i in range(10_001)}}),
        "at most",
    ),
    "half an entry": (file_of(table("f8", [1], 0)), "not described"),
    "unknown dtype": (file_of(table("O", [1], 0, 8), EIGHT), "bad dtype"),
    "dtype as a list": (file_of(table([], [1], 0, 8), EIGHT), "bad dtype"),
    "rank five": (file_of(table("f8", [1] * 5, 0, 8), EIGHT), "bad dtype"),
    "negative side": (file_of(table("f8", [-1], 0, 8), EIGHT), "bad dtype"),
    "true as a side": (file_of(table("f8", [True], 0, 8), EIGHT), "bad dtype"),
    "fractional side": (file_of(table("f8", [1.0], 0, 8), EIGHT), "bad dtype"),
    "empty but huge": (file_of(table("f8", [0, 2**39, 2**39], 0, 0)), "bad dtype"),
    "shape against size": (file_of(table("f8", [2], 0, 8), EIGHT), "does not lie"),
    "a hole": (file_of(table("f8", [1], 64, 8), EIGHT * 2), "does not lie"),
    "overlap": (
        file_of({**EMPTY, "tensors": {k: ["f8", [1], 0, 8] for k in "ab"}}, EIGHT),
        "does not lie",
    ),
    "beyond the file": (file_of(table("f8", [1 << 30], 0, 8 << 30)), "does not lie"),
    "a boolean of two": (file_of(table("b1", [1], 0, 1), b"\x02" + bytes(63)), "neither 0 nor 1"),
    "trailing bytes": (file_of(EMPTY, EIGHT), "the file has"),
    "truncated padding": (file_of(table("f8", [1], 0, 8), EIGHT)[:-1], "the file has"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_a_file_that_is_no_plan_is_refused_in_words(tmp_path: Path, name: str) -> None:
    content, words = REFUSED[name]
    with pytest.raises(PlanError, match=words):
        plan_format.read(stored(tmp_path, content))


def test_brackets_inside_strings_are_not_nesting(tmp_path: Path) -> None:
    intervals = [f'[{i}, {i + 1}) "\\' for i in range(1000)]
    path = stored(tmp_path, file_of({**EMPTY, "graph": {"values": intervals}}))
    assert plan_format.read(path).header["graph"] == {"values": intervals}


def test_a_string_without_an_end_is_passed_over_once(tmp_path: Path) -> None:
    # Looked for again at each of its quotes, a megabyte would take an hour.
    raw = b"[" * 201 + b'"' + b'\\"' * 500_000
    with pytest.raises(PlanError, match="nested deeper"):
        plan_format.read(stored(tmp_path, file_of(raw)))


def test_what_is_quoted_of_a_header_is_no_longer_than_a_reason(tmp_path: Path) -> None:
    with pytest.raises(PlanError, match=r"^format") as refused:
        plan_format.read(stored(tmp_path, file_of({**EMPTY, "format": "x" * 100_000})))
    assert len(str(refused.value)) < 3_000


def test_a_missing_file_is_the_callers_affair(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        plan_format.read(tmp_path / "none")
