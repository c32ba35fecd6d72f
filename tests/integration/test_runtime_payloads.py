"""What a real worker logs of its requests: what is chosen, left out, kept and dropped."""

import contextlib
import fcntl
import json
import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from runtime import spool
from runtime.heads import UNLOGGED
from runtime.payload_batches import Logged, read_entries
from runtime.payload_log import COUNTS, Counts, Head, PayloadLog, read_head
from tests.integration.runtime_rig import ROW, Served, serving
from tests.integration.test_runtime_http import Wire
from tests.waiting import until


def log_to(folder: Path, **changes: Any) -> str:
    return PayloadLog("e1", 1.0, folder=str(folder))._replace(**changes).write()


def read(folder: Path) -> list[tuple[Head, list[Logged]]]:
    found = []
    for path in sorted(folder.glob(f"*{spool.BATCH}")):
        head, start = read_head(raw := path.read_bytes())
        found.append((head, [*read_entries(raw, start, head)]))
    return found


def entries(folder: Path) -> list[Logged]:
    return [one for _, batch in read(folder) for one in batch]


def counts(folder: Path) -> Counts:
    (path,) = folder.glob(f"*{spool.SUFFIX}")
    return Counts(*COUNTS.unpack(path.read_bytes()))


@contextlib.contextmanager
def logging(folder: Path, **changes: Any) -> Iterator[tuple[Served, Path]]:
    put = folder / "spool"
    with serving(folder, payloads=log_to(put, **changes)) as worker:
        yield worker, put


def test_rows_predictions_and_failures_are_there_when_the_worker_has_ended(tmp_path: Path) -> None:
    with logging(tmp_path, redact=("sepal_w",), hashed=("petal_w",), key="ab" * 32) as (
        worker,
        put,
    ):
        with Wire(worker) as wire:
            for _ in range(5):  # beyond the second, the shortest way
                wire.send(wire.request([ROW], extra="x-request-id: mine\r\n"))
                assert wire.answer()[2]["predictions"] == [0]
        rows = [[5.0 + 0.1 * i, 3.0, 4.0, 1.5] for i in range(3)]
        worker.ask("/predict", {"rows": rows, "outputs": ["predict", "predict_proba"]})
        assert worker.ask("/predict", [["x", 1, 1, 1]])[0] == 422
        assert worker.ask("/predict", [ROW], authorization="Bearer no")[0] == 401
        assert worker.stop() == 0
    found = entries(put)
    assert [one.status for one in found] == [200] * 6 + [422]
    (head, _), *_ = read(put)
    assert head.revisions["iris-00001"] == (("sepal_l", "petal_l"), ("petal_w",), ("petal_w",))
    for one in found[:5]:
        assert one.request_id == "mine"
        assert one.numbers.tolist() == [[5.1, 1.4]]
        assert one.outputs["predict"].tolist() == [0]
        assert 0 < one.seconds < 5
        assert abs(one.at - time.time()) < 60  # noqa: TID251
    # The same value is the same hash, another one is another; neither is the value.
    ((first,),), ((second, *_),) = found[0].texts, found[5].texts
    assert len(str(first)) == 32
    assert first == found[1].texts[0][0] != second
    assert found[5].rows == 3
    assert found[5].outputs["predict_proba"].shape == (3, 3)
    assert found[6].rows == 0
    assert b"3.5" not in b"".join(path.read_bytes() for path in put.iterdir())
    told = counts(put)
    assert (told.seen, told.sampled, told.handed, told.held) == (7, 7, 7, 0)


def test_what_says_that_it_is_not_to_be_logged_is_not(tmp_path: Path) -> None:
    """As load tests and replays say, in whichever way a request is answered."""
    marked = "".join(f"{name}: {value}\r\n" for name, value in UNLOGGED.items())
    with logging(tmp_path) as (worker, put):
        with Wire(worker) as wire, Wire(worker) as other:
            for _ in range(4):  # beyond the second, the shortest way
                wire.send(wire.request([ROW], extra=marked))
                other.send(other.request([ROW], extra="x-request-id: mine\r\n"))
                assert wire.answer()[0] == other.answer()[0] == 200
            wire.send(wire.request([["x", 1, 1, 1]], extra=marked))
            assert wire.answer()[0] == 422
            wire.send(wire.request([ROW, ROW], extra=marked))
            assert wire.answer()[0] == 200
            stream = "content-type: application/x-ndjson\r\n"
            wire.send(wire.request(json.dumps(ROW).encode(), extra=marked + stream))
            answer = b""
            while not answer.endswith(b"\r\n0\r\n\r\n"):
                answer += wire.sock.recv(65536)
        assert answer.startswith(b"HTTP/1.1 200")
        assert worker.stop() == 0
    assert [one.request_id for one in entries(put)] == ["mine"] * 4
    assert counts(put).seen == 4  # nor is it a request that could have been


def test_predictions_are_left_out_where_they_are_not_wanted(tmp_path: Path) -> None:
    with logging(tmp_path, predictions=False) as (worker, put):
        worker.ask("/predict", [ROW])
        assert worker.stop() == 0
    (one,) = entries(put)
    assert one.outputs == {}
    assert one.numbers.tolist() == [ROW]


def test_rows_of_a_stream_are_logged_by_piece(tmp_path: Path) -> None:
    with logging(tmp_path) as (worker, put):
        body = b"\n".join(json.dumps(ROW).encode() for _ in range(40))
        with Wire(worker) as wire:
            wire.send(wire.request(body, extra="content-type: application/x-ndjson\r\n"))
            answer = b""
            while not answer.endswith(b"\r\n0\r\n\r\n"):
                answer += wire.sock.recv(65536)
        assert answer.startswith(b"HTTP/1.1 200")
        assert worker.stop() == 0
    assert sum(one.rows for one in entries(put)) == 40


def test_what_is_too_large_is_counted_and_answered(tmp_path: Path) -> None:
    with logging(tmp_path, hashed=("sepal_l",), key="ab" * 32) as (worker, put):
        rows = np.tile(ROW, (3_000, 1)).tolist()  # 30,000 for what hashes cost
        status, _, answer = worker.ask("/predict", rows)
        assert status == 200
        assert len(answer["predictions"]) == 3_000
        assert worker.stop() == 0
    assert (counts(put).large, counts(put).handed, entries(put)) == (1, 0, [])


def test_while_nobody_takes_batches_memory_is_bounded_and_drops_are_counted(
    tmp_path: Path,
) -> None:
    full = tmp_path / "spool"
    full.mkdir()
    (full / f"other-1{spool.BATCH}").touch()
    os.truncate(full / f"other-1{spool.BATCH}", spool.MOST_BYTES)
    with logging(tmp_path) as (worker, _):
        rows = np.tile(ROW, (5_000, 1)).tolist()
        for _ in range(60):
            assert worker.ask("/predict", rows)[0] == 200
        until(lambda: counts(full).sampled == 60)  # after its answer a request is logged
        told = counts(full)
        assert told.full + told.held == 60
        assert told.full > 30  # four megabytes are 20 such requests
        until(lambda: "SpoolFull" in worker.log.read_text())
        # Somebody takes what is there: what was kept comes, in the order of the requests.
        (full / f"other-1{spool.BATCH}").unlink()
        until(lambda: counts(full).held == 0, 30)
        assert counts(full).handed == told.held
    assert [one.rows for one in entries(full)] == [5_000] * told.held


def test_what_a_killed_worker_held_is_counted(tmp_path: Path) -> None:
    with logging(tmp_path) as (worker, put):
        (lock,) = put.glob(f"*{spool.SUFFIX}")
        with lock.open() as file, pytest.raises(BlockingIOError):
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        for _ in range(3):
            worker.ask("/predict", [ROW])
        until(lambda: counts(put).sampled == 3)
        worker.process.kill()
        worker.process.wait()
        with lock.open() as file:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        told = counts(put)
        assert told.sampled == 3
        assert told.held + len(entries(put)) == 3
