"""Batches of logged requests: what is written is read again, and nothing else is."""

import asyncio
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from runtime.payload_batches import entry, read_entries
from runtime.payload_log import BadBatch, Counts, Head, Layout, PayloadLog, read_head, read_log
from runtime.payloads import Columns, Recorder
from runtime.plan.ops import Frame
from runtime.plan.signature import Column, Kind, Output, Signature

LAYOUT = Layout(("a", "b"), ("c",))
HEAD = Head("e1", "ab", 3, {"r": LAYOUT}, Counts(9, 5, 2, 1, 0))


def written(rows: int) -> bytes:
    numbers = np.arange(2.0 * rows).reshape(rows, 2)
    labels = np.array(["x"] * rows, object)
    told = (1.5, "id", "r", 200, 0.25, rows)
    texts = b"[[" + b",".join([b'"t"'] * rows) + b"]]"
    return entry(
        told,
        numbers.tobytes(),
        texts,
        [("predict", labels), ("predict_proba", np.ones((rows, 3)))],
    )


@given(st.lists(st.integers(1, 5), max_size=5))
def test_a_batch_is_read_as_it_was_written(heights: list[int]) -> None:
    raw = HEAD.write() + b"".join(map(written, heights))
    head, start = read_head(raw)
    assert head == HEAD
    found = [*read_entries(raw, start, head)]
    assert [one.rows for one in found] == heights
    for one in found:
        assert one.numbers.shape == (one.rows, 2)
        assert one.texts == [["t"] * one.rows]
        assert one.outputs["predict"].tolist() == ["x"] * one.rows
        assert one.outputs["predict_proba"].shape == (one.rows, 3)


@given(st.integers(0, 400), st.integers(0, 255))
def test_what_is_cut_or_changed_is_refused_in_words(at: int, byte: int) -> None:
    whole = HEAD.write() + written(2)
    for raw in (whole[: at % len(whole)], bytes(changed(whole, at % len(whole), byte))):
        try:
            head, start = read_head(raw)
            for one in read_entries(raw, start, head):
                assert one.numbers.shape == (one.rows, 2 if one.rows else 0)
        except BadBatch:
            continue


def changed(raw: bytes, at: int, byte: int) -> bytearray:
    other = bytearray(raw)
    other[at] = byte
    return other


def test_settings_are_read_as_they_were_written() -> None:
    log = PayloadLog("e1", 0.1, ("a",), ("b",), "ab", predictions=False, folder="/x")
    assert read_log(log.write()) == log
    for sample in (0, 1.5):
        with pytest.raises(ValueError, match="sample"):
            read_log(log._replace(sample=sample).write())


class Kept:
    def __init__(self) -> None:
        self.counts = Counts()

    def take(self, name: str, batch: bytes) -> None:
        raise AssertionError(name)

    def note(self, counts: tuple[int, int, int, int, int]) -> None:
        self.counts = Counts(*counts)


SIGNATURE = Signature(
    (Column("n", Kind.NUMBER, missing=True), Column("s", Kind.STRING, missing=True)),
    (Output("predict", "INT64"),),
    named=True,
)


@pytest.mark.parametrize("share", [0.01, 0.2, 0.9, 1.0])
def test_as_many_are_chosen_as_were_asked_for_whatever_comes_together(share: float) -> None:
    loop = asyncio.new_event_loop()
    recorder = Recorder(loop, PayloadLog("e", share), "s", {}, Kept(), lambda: 0.0)
    count = sum(len(recorder.chosen(size)) for size in [1, 2, 3, 50] * 1000)
    loop.close()
    expected = 56_000 * share
    assert abs(count - expected) <= 6 * math.sqrt(expected * (1 - share)) + 1e-9


def test_hashed_numbers_and_texts_keep_what_is_missing() -> None:
    log = PayloadLog("e", 1.0, (), ("n", "s"), "ab" * 32)
    columns = Columns(SIGNATURE, log)
    assert columns.layout == Layout((), ("n", "s"), ("n", "s"))
    texts = np.array(["x", None], object)
    raw = columns.texts(Frame((np.array([1.0, np.nan]), texts)))
    assert raw.count(b"null") == 2
    assert columns.numbers(Frame((np.array([1.0, np.nan]), texts))) == b""
