"""Rows as a stream to a real worker: any number of them, in order, in little memory."""

import contextlib
import json
import re
import signal
import socket
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.compose import make_column_transformer
from sklearn.datasets import load_iris
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder

from runtime.launch import RevisionLaunch
from runtime.plan.plan import load
from tests.integration.runtime_rig import (
    ROW,
    Keys,
    Served,
    digest_of,
    linear_plan,
    plan_of,
    serving,
)
from tests.waiting import until

LIMIT = 300_000
OTHER = [6.7, 3.0, 5.2, 2.3]
LINE, OTHER_LINE = (json.dumps(row).encode() + b"\n" for row in (ROW, OTHER))
X = load_iris().data


@pytest.fixture(scope="module")
def worker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    folder = tmp_path_factory.mktemp("streams")
    with serving(folder, max_body_bytes=LIMIT, max_rows=5000) as served:
        yield served


class Streaming:
    """One connection on which rows are written and predictions read at will."""

    def __init__(self, served: Served) -> None:
        self.served = served
        self.sock = served.connect()
        self.sock.settimeout(60)
        self.file = self.sock.makefile("rb")
        self.chunked = True
        self._line = b""

    def __enter__(self) -> "Streaming":
        return self

    def __exit__(self, *_: object) -> None:
        self.file.close()
        self.sock.close()

    def begin(
        self, query: str = "", path: str = "/predict", extra: str = "", version: str = "1.1"
    ) -> None:
        framing = "" if "content-length" in extra else "transfer-encoding: chunked\r\n"
        self.sock.sendall(
            f"POST {path}{query} HTTP/{version}\r\nhost: x\r\n"
            f"authorization: Bearer {self.served.keys.token()}\r\n"
            f"content-type: application/x-ndjson\r\n{framing}{extra}\r\n".encode()
        )

    def send(self, body: bytes) -> None:
        self.sock.sendall(b"%x\r\n%b\r\n" % (len(body), body))

    def end(self) -> None:
        self.sock.sendall(b"0\r\n\r\n")

    def head(self) -> tuple[int, dict[str, str]]:
        line = self.file.readline()
        assert line, "the connection was closed without an answer"
        headers = {}
        while (header := self.file.readline()) not in (b"\r\n", b""):
            name, _, value = header.decode().partition(":")
            headers[name.lower()] = value.strip()
        self.chunked = headers.get("transfer-encoding") == "chunked"
        return int(line.split()[1]), headers

    def pieces(self) -> Iterator[bytes]:
        """Give the body as it comes, to its end."""
        while True:
            size = int(self.file.readline(), 16)
            piece = self.file.read(size)
            assert self.file.read(2) == b"\r\n"
            if not size:
                return
            yield piece

    def lines(self) -> list[Any]:
        body = b"".join(self.pieces()) if self.chunked else self.file.read()
        return [json.loads(line) for line in body.splitlines()]

    def problem(self) -> tuple[int, dict[str, Any]]:
        status, headers = self.head()
        assert headers["content-type"] == "application/problem+json"
        return status, json.loads(self.file.read(int(headers["content-length"])))

    def ended(self) -> bool:
        return self.file.read(1) == b""


@pytest.fixture
def stream(worker: Served) -> Iterator[Streaming]:
    with Streaming(worker) as opened:
        yield opened


OF = '{endpoint="iris",tenant="acme"}'


def metric(served: Served, line: str) -> float:
    text: str = served.ask("/metrics")[2].decode()
    found = re.search(rf"^{re.escape(line)} (\S+)$", text, re.MULTILINE)
    return 0.0 if found is None else float(found[1])


@pytest.mark.parametrize("size", [1, 7, 1000, 1 << 20], ids=lambda n: f"cut every {n}")
def test_predictions_come_in_order_however_the_rows_arrive(stream: Streaming, size: int) -> None:
    body = b"".join(json.dumps(row).encode() + b"\n" for row in X.tolist())[:-1]
    if size == 1:
        body = body[:300]
        body = body[: body.rindex(b"\n")]
    stream.begin()
    for start in range(0, len(body), size):
        stream.send(body[start : start + size])
    stream.end()
    status, headers = stream.head()
    assert (status, headers["content-type"]) == (200, "application/x-ndjson")
    assert headers["k-revision"] == "iris-00001"
    expected = stream.served.ask("/predict", X.tolist())[2]["predictions"]
    assert stream.lines() == expected[: body.count(b"\n") + 1]
    # The connection serves on.
    stream.begin(extra=f"content-length: {len(OTHER_LINE)}\r\n")
    stream.sock.sendall(OTHER_LINE)
    assert stream.head()[0] == 200
    assert stream.lines() == [2]


def test_each_row_is_answered_before_the_next_is_sent(stream: Streaming) -> None:
    stream.begin("?outputs=predict,predict_proba")
    answers: Iterator[bytes] = iter(())
    for i in range(5):
        stream.send(OTHER_LINE if i % 2 else LINE)
        if not i:
            assert stream.head()[0] == 200
            answers = stream.pieces()
        found = json.loads(next(answers))
        assert found["predict"] == (2 if i % 2 else 0)
        assert len(found["predict_proba"]) == 3
    stream.end()
    assert list(answers) == []


def test_no_rows_are_answered_with_none(stream: Streaming) -> None:
    for body in (b"", b"\n \n"):
        stream.begin()
        if body:
            stream.send(body)
        stream.end()
        assert stream.head()[0] == 200
        assert stream.lines() == []


def resident_kb(served: Served, what: str) -> int:
    status = Path(f"/proc/{served.process.pid}/status").read_text()
    return int(re.search(rf"^{what}:\s+(\d+) kB", status, re.MULTILINE)[1])  # type: ignore[index]


def test_a_million_rows_pass_in_constant_memory(worker: Served) -> None:
    rows = 1_000_000
    block = (LINE * 3 + OTHER_LINE) * 2500
    with Streaming(worker) as warm:  # what the first stream needs once does not count
        warm.begin()
        warm.send(block)
        warm.end()
        assert warm.head()[0] == 200
        assert len(warm.lines()) == 10_000
    counted = metric(
        worker, 'kubeserve_rows_total{endpoint="iris",revision="iris-00001",tenant="acme"}'
    )
    Path(f"/proc/{worker.process.pid}/clear_refs").write_text("5")  # forget the highest so far
    before = resident_kb(worker, "VmHWM")
    with Streaming(worker) as stream:
        stream.begin()

        def write() -> None:
            for _ in range(rows // 10_000):
                stream.send(block)
            stream.end()

        writer = threading.Thread(target=write)
        writer.start()
        assert stream.head()[0] == 200
        size, tail = 0, b""
        for piece in stream.pieces():
            size += len(piece)
            tail = (tail + piece)[-80:]
        writer.join()
    assert size == 2 * rows
    assert tail == b"0\n0\n0\n2\n" * 10
    assert rows * len(LINE) > 50 * LIMIT
    assert resident_kb(worker, "VmHWM") - before < 16 * 1024
    assert (
        metric(worker, 'kubeserve_rows_total{endpoint="iris",revision="iris-00001",tenant="acme"}')
        == counted + rows
    )


@pytest.mark.parametrize("before", [1, 500, 20_000])
def test_a_wrong_row_ends_the_answer_behind_those_before_it(worker: Served, before: int) -> None:
    with Streaming(worker) as stream:
        stream.begin()
        stream.send(LINE * before + b'[1, 2, "x", 4]\n' + LINE * 50)
        assert stream.head()[0] == 200
        *predictions, last = stream.lines()
        assert predictions == [0] * before
        error = last["error"]
        assert (error["status"], error["row"]) == (422, before)
        assert error["errors"] == [
            {"row": before, "column": "petal_l", "detail": '"x" is not a number'}
        ]
        assert error["detail"] == f'row {before}, column "petal_l": "x" is not a number'
        assert stream.ended()


@pytest.mark.parametrize(
    ("body", "status", "said"),
    [
        (b'[1, 2, "x", 4]\n', 422, 'row 0, column "petal_l"'),
        (b"[1, 2\n", 400, "row 0 is not JSON"),
        (b"[" + b" " * (1 << 20), 400, "longer than 1048576 bytes"),
    ],
)
def test_a_wrong_first_row_is_an_ordinary_refusal(
    stream: Streaming, body: bytes, status: int, said: str
) -> None:
    stream.begin()
    stream.send(body)
    stream.send(LINE)
    found, problem = stream.problem()
    assert (found, problem["row"]) == (status, 0)
    assert said in problem["detail"]
    assert stream.ended()


def test_a_fault_of_a_whole_body_leaves_the_connection_open(stream: Streaming) -> None:
    for body, status in ((b"[1]\n", 422), (LINE + b"[1]\n", 200)):
        stream.begin(extra=f"content-length: {len(body)}\r\n")
        stream.sock.sendall(body)
        if status == 422:
            assert stream.problem()[0] == 422
        else:
            assert stream.head()[0] == 200
            assert stream.lines()[1]["error"]["row"] == 1


def test_a_line_too_long_ends_a_stream_too(stream: Streaming) -> None:
    stream.begin()
    stream.send(LINE + b"[" + b" " * (2 << 20))
    assert stream.head()[0] == 200
    first, last = stream.lines()
    assert (first, last["error"]["row"]) == (0, 1)
    assert "longer than" in last["error"]["detail"]


@pytest.mark.parametrize(
    ("change", "status", "said"),
    [
        ({"query": "?outputs=colour"}, 422, "no output"),
        ({"path": "/v1/models/iris:predict"}, 415, "/predict only"),
        ({"extra": "content-encoding: gzip\r\n"}, 415, "compressed"),
        ({"extra": "knative-serving-tag: nightly\r\n"}, 404, "nightly"),
    ],
)
def test_what_is_not_served_is_refused_before_a_row_is_read(
    stream: Streaming, change: dict[str, str], status: int, said: str
) -> None:
    stream.begin(**change)
    found, problem = stream.problem()
    assert found == status
    assert said in problem["detail"]
    assert stream.ended()


def test_who_has_no_token_is_refused(worker: Served) -> None:
    with Streaming(worker) as stream:
        stream.sock.sendall(
            b"POST /predict HTTP/1.1\r\nhost: x\r\ncontent-type: application/x-ndjson\r\n"
            b"transfer-encoding: chunked\r\n\r\n"
        )
        assert stream.problem()[0] == 401
        assert stream.ended()


def test_who_does_not_read_is_not_read_and_all_comes_once_he_does(worker: Served) -> None:
    rows, sent = 400_000, 0
    with Streaming(worker) as stream:
        # What the kernel may hold on the way, 6 MB at the server's side, must be less than all.
        for buffer in (socket.SO_RCVBUF, socket.SO_SNDBUF):
            stream.sock.setsockopt(socket.SOL_SOCKET, buffer, 64 * 1024)
        stream.begin("?outputs=predict_proba")
        stream.sock.settimeout(2)
        block = OTHER_LINE * 1000
        whole = (b"%x\r\n%b\r\n" % (len(block), block)) * (rows // 1000) + b"0\r\n\r\n"
        with contextlib.suppress(TimeoutError):
            while sent < len(whole):
                sent += stream.sock.send(whole[sent : sent + 65536])
        assert sent < len(whole), "all was read, though nothing was taken"
        assert worker.ask("/predict", [ROW])[2]["predictions"] == [0]
        stream.sock.settimeout(60)
        writer = threading.Thread(target=stream.sock.sendall, args=(whole[sent:],))
        writer.start()
        assert stream.head()[0] == 200
        assert sum(piece.count(b"\n") for piece in stream.pieces()) == rows
        writer.join()


def test_who_leaves_stops_the_work(worker: Served) -> None:
    left = 'kubeserve_streams_total{code="499",endpoint="iris",revision="iris-00001",tenant="acme"}'
    before = metric(worker, left)
    with Streaming(worker) as stream:
        stream.begin()
        stream.send(LINE)
        assert stream.head()[0] == 200
        assert metric(worker, f"kubeserve_streams_open{OF}") == 1
        stream.send(LINE * 100)
        stream.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
    until(lambda: metric(worker, f"kubeserve_streams_open{OF}") == 0)
    assert metric(worker, left) == before + 1
    assert metric(worker, f"kubeserve_requests_queued{OF}") == 0


def test_a_connection_shut_amid_the_rows_is_told_how_far_it_came(stream: Streaming) -> None:
    stream.begin()
    stream.send(LINE * 3 + b"[1, 2")
    status, _ = stream.head()
    pieces = stream.pieces()
    assert (status, next(pieces)) == (200, b"0\n" * 3)
    stream.sock.shutdown(socket.SHUT_WR)
    error = json.loads(b"".join(pieces))["error"]
    assert (error["status"], error["row"]) == (400, 3)
    assert stream.ended()


def test_a_body_that_is_no_http_amid_the_rows_is_told_so(worker: Served) -> None:
    for before in (b"", LINE):
        with Streaming(worker) as stream:
            stream.begin()
            if before:
                stream.send(before)
                assert stream.head()[0] == 200
                pieces = stream.pieces()
                assert next(pieces) == b"0\n"
            stream.sock.sendall(b"no chunk\r\n")
            if before:
                error = json.loads(b"".join(pieces))["error"]
                assert (error["status"], error["row"]) == (400, 1)
            else:
                assert stream.problem()[0] == 400
            assert stream.ended()
    until(lambda: metric(worker, f"kubeserve_streams_open{OF}") == 0)


def test_streams_keep_the_order_of_a_connection(worker: Served) -> None:
    with Streaming(worker) as stream:
        bearer = f"host: x\r\nauthorization: Bearer {worker.keys.token()}\r\n"
        plain = json.dumps([OTHER]).encode()
        before = f"POST /predict HTTP/1.1\r\n{bearer}content-length: {len(plain)}\r\n\r\n".encode()
        stream.sock.sendall((before + plain) * 3)
        stream.begin()
        stream.send(LINE * 30)
        stream.end()
        stream.sock.sendall(before + plain)
        for _ in range(3):
            _, headers = stream.head()
            body = json.loads(stream.file.read(int(headers["content-length"])))
            assert body["predictions"] == [2]
        assert stream.head()[0] == 200
        assert stream.lines() == [0] * 30
        _, headers = stream.head()
        body = json.loads(stream.file.read(int(headers["content-length"])))
        assert body["predictions"] == [2]


def test_http_1_0_is_answered_to_the_end_of_the_connection(stream: Streaming) -> None:
    stream.begin(extra=f"content-length: {2 * len(LINE)}\r\n", version="1.0")
    stream.sock.sendall(LINE * 2)
    status, headers = stream.head()
    assert (status, headers["connection"]) == (200, "close")
    assert "transfer-encoding" not in headers
    assert stream.lines() == [0, 0]


def test_who_asks_first_is_told_to_go_on(stream: Streaming) -> None:
    stream.begin(extra="expect: 100-continue\r\n")
    assert stream.head()[0] == 100
    stream.send(LINE)
    stream.end()
    assert stream.head()[0] == 200
    assert stream.lines() == [0]


def test_many_streams_and_single_rows_beside_each_other(worker: Served) -> None:
    streams = [Streaming(worker) for _ in range(8)]
    try:
        for stream in streams:
            stream.begin("?outputs=predict_proba")
        for _ in range(5):
            for stream in streams:
                stream.send(b"".join(json.dumps(row).encode() + b"\n" for row in X.tolist()))
            assert worker.ask("/predict", [ROW])[2]["predictions"] == [0]
        for stream in streams:
            stream.end()
        expected = worker.ask("/predict", {"rows": X.tolist(), "outputs": ["predict_proba"]})
        for stream in streams:
            assert stream.head()[0] == 200
            found = np.array(stream.lines())
            assert np.allclose(found, expected[2]["predictions"] * 5, rtol=0, atol=1e-12)
    finally:
        for stream in streams:
            stream.__exit__()


def test_a_row_that_the_model_itself_refuses_is_named(tmp_path: Path) -> None:
    frame = pd.DataFrame({"island": ["a", "b"] * 5, "age": range(10)})
    encode = make_column_transformer((OneHotEncoder(), ["island"]), remainder="passthrough")
    fitted = make_pipeline(encode, LogisticRegression()).fit(frame, [0, 1] * 5)
    plan = plan_of(tmp_path / "strict.plan", fitted, list(frame.columns))
    revision = RevisionLaunch("strict-00001", "strict", 1, str(plan), digest_of(plan))
    with serving(tmp_path, revisions=(revision,)) as served, Streaming(served) as stream:
        stream.begin()
        stream.send(b'["a", 1]\n{"age": 2, "island": "b"}\n' * 30)
        assert stream.head()[0] == 200
        pieces = stream.pieces()
        assert next(pieces) == b"0\n1\n" * 30
        stream.send(b'["a", 1]\n["c", 2]\n["a", 1]\n["d", 2]\n')
        first, last = [json.loads(line) for line in b"".join(pieces).splitlines()]
        assert (first, last["error"]["row"]) == (0, 61)
        assert last["error"]["errors"][0]["row"] == 61
        assert last["error"]["errors"][0]["column"] == "island"
        assert stream.ended()


def test_an_ending_worker_says_where_to_go_on(tmp_path: Path) -> None:
    with serving(tmp_path, drain_s=2.0) as served, Streaming(served) as stream:
        stream.begin()
        stream.send(LINE * 4)
        assert stream.head()[0] == 200
        pieces = stream.pieces()
        assert next(pieces) == b"0\n" * 4
        served.process.send_signal(signal.SIGTERM)
        until(lambda: "told to stop" in served.log.read_text())
        stream.send(LINE)  # streams go on for as long as there is time
        assert next(pieces) == b"0\n"
        error = json.loads(b"".join(pieces))["error"]
        assert (error["status"], error["row"]) == (503, 5)
        assert stream.ended()
        assert served.process.wait(10) == 0


def test_the_plan_is_that_of_ordinary_requests(tmp_path: Path) -> None:
    plan = load(linear_plan(tmp_path / "iris.plan"))
    with serving(tmp_path, Keys(tmp_path)) as served, Streaming(served) as stream:
        stream.begin("?outputs=predict_proba")
        stream.send(b"".join(json.dumps(row).encode() + b"\n" for row in X.tolist()))
        stream.end()
        assert stream.head()[0] == 200
        assert np.array_equal(stream.lines(), plan.run("predict_proba", X))
