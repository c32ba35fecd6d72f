"""Bodies of megabytes at a real worker: whole, in any pieces, in every format, never finished."""

import contextlib
import gzip
import json
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import numpy as np
import psutil
import pytest

from runtime.plan import load
from tests.integration.runtime_rig import Keys, Served, launch_of, serving
from tests.integration.test_runtime_http import Wire
from tests.waiting import until

ROWS: Final = 40_000
COLUMNS: Final = 4
MB: Final = 1_000_000
CALLERS: Final = 12


@pytest.fixture(scope="module")
def worker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    folder = tmp_path_factory.mktemp("bulk")
    with serving(folder, max_body_bytes=4 * MB, max_rows=ROWS) as served:
        yield served


@pytest.fixture
def wire(worker: Served) -> Iterator[Wire]:
    with Wire(worker) as opened:
        yield opened


@pytest.fixture(scope="module")
def rows() -> "np.ndarray[Any, np.dtype[np.float64]]":
    return np.random.default_rng(0).normal(4, 2, size=(ROWS, COLUMNS)).round(2)


@pytest.fixture(scope="module")
def expected(rows: Any, tmp_path_factory: pytest.TempPathFactory) -> list[int]:
    folder = tmp_path_factory.mktemp("plan")
    (revision,) = launch_of(folder, Keys(folder)).revisions
    found: list[int] = load(revision.artifact).run("predict", rows).tolist()
    return found


def raw_request(wire: Wire, rows: Any) -> bytes:
    tensor = {"name": "rows", "datatype": "FP64", "shape": list(rows.shape)}
    raw = rows.astype("<f8").tobytes()
    asked = {"inputs": [tensor | {"parameters": {"binary_data_size": len(raw)}}]}
    head = json.dumps(asked).encode()
    head += b" " * (-len(head) % 8)
    extra = "content-type: application/octet-stream\r\n"
    extra += f"inference-header-content-length: {len(head)}\r\n"
    return wire.request(head + raw, "/v2/models/iris/infer", extra)


@pytest.mark.parametrize("piece", [None, 1 << 16, 300_007])
def test_raw_tensors_in_any_pieces_again_and_again(
    wire: Wire, rows: Any, expected: list[int], piece: int | None
) -> None:
    whole = raw_request(wire, rows)
    for _ in range(3):
        size = piece or len(whole)
        for at in range(0, len(whole), size):
            wire.send(whole[at : at + size])
        status, _, answer = wire.answer()
        assert status == 200
        assert answer["outputs"][0]["data"] == expected
        wire.serves_on()


def test_what_follows_a_body_in_the_same_breath_is_answered_in_turn(
    wire: Wire, rows: Any, expected: list[int]
) -> None:
    wire.send(
        wire.request() + raw_request(wire, rows) + wire.request() + raw_request(wire, rows[:5])
    )
    assert wire.answer()[2]["predictions"] == [0]
    assert wire.answer()[2]["outputs"][0]["data"] == expected
    assert wire.answer()[2]["predictions"] == [0]
    assert wire.answer()[2]["outputs"][0]["data"] == expected[:5]


@pytest.mark.parametrize("kind", ["json", "csv", "gzip", "v1"])
def test_every_format(wire: Wire, rows: Any, expected: list[int], kind: str) -> None:
    path, extra, body = "/predict", "", json.dumps(rows.tolist()).encode()
    if kind == "csv":
        body, extra = "\n".join(",".join(map(str, row)) for row in rows.tolist()).encode(), (
            "content-type: text/csv\r\n"
        )
    elif kind == "gzip":
        body, extra = gzip.compress(body, 1), "content-encoding: gzip\r\n"
    elif kind == "v1":
        path, body = "/v1/models/iris:predict", json.dumps({"instances": rows.tolist()}).encode()
    wire.send(wire.request(body, path, extra))
    status, _, answer = wire.answer()
    assert (status, answer["predictions"]) == (200, expected)


def test_texts_among_large_raw_tensors_are_refused_with_words(wire: Wire) -> None:
    raw = (b"\x01\x00\x00\x00x") * 100_000
    tensor = {"name": "rows", "datatype": "BYTES", "shape": [25_000, 4]}
    head = json.dumps(
        {"inputs": [tensor | {"parameters": {"binary_data_size": len(raw)}}]}
    ).encode()
    extra = f"inference-header-content-length: {len(head)}\r\n"
    wire.send(wire.request(head + raw, "/v2/models/iris/infer", extra))
    status, _, answer = wire.answer()
    assert status == 422
    assert "number" in answer["detail"]


def test_who_leaves_amid_a_body_leaves_nothing(worker: Served, rows: Any) -> None:
    for _ in range(30):
        with Wire(worker) as wire:
            wire.send(raw_request(wire, rows)[:700_000])
    with Wire(worker) as half:
        half.send(raw_request(half, rows)[:700_000])
        half.sock.shutdown(socket.SHUT_WR)
        status, _, answer = half.answer()
        assert status == 400
        assert "amid a request" in answer["detail"]
    with Wire(worker) as wire:
        wire.serves_on()


def test_what_large_bodies_took_is_given_back_once_it_is_calm(
    tmp_path: Path, rows: Any, expected: list[int]
) -> None:
    with contextlib.ExitStack() as stack:
        # One that has nothing yet of bodies before.
        worker = stack.enter_context(serving(tmp_path, max_body_bytes=4 * MB, max_rows=ROWS))
        process = psutil.Process(worker.process.pid)
        wires = [stack.enter_context(Wire(worker)) for _ in range(CALLERS)]
        wires[0].serves_on()
        before = process.memory_info().rss
        for wire in wires:
            wire.send(raw_request(wire, rows)[:-1])
        until(lambda: process.memory_info().rss > before + CALLERS * MB)
        for wire in wires:
            wire.send(rows.astype("<f8").tobytes()[-1:])
            assert wire.answer()[2]["outputs"][0]["data"] == expected
        until(lambda: process.memory_info().rss < before + CALLERS * MB / 2)
