"""Clients as the kernel brings them to a real worker: slow, half-closed, not reading, too many."""

import fcntl
import json
import signal
import socket
import ssl
import struct
import termios
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from runtime.connection import HEAD_S
from runtime.launch import Exit
from tests.integration.runtime_rig import ROW, Keys, Served, free_port, launch_of, served, serving
from tests.integration.test_runtime_http import Wire
from tests.waiting import until

OTHER = [6.7, 3.0, 5.2, 2.3]  # the model says 2; of ROW it says 0
BODY_S = 4.0
LIMIT = 2_000_000


@pytest.fixture(scope="module")
def worker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    folder = tmp_path_factory.mktemp("sockets")
    with serving(folder, max_body_bytes=LIMIT, timeout_s=BODY_S) as started:
        yield started


@pytest.fixture
def wire(worker: Served) -> Iterator[Wire]:
    with Wire(worker) as opened:
        yield opened


def connections_of(worker: Served) -> int:
    text = worker.ask("/metrics", method="GET")[2].decode()
    (line,) = [row for row in text.splitlines() if row.startswith("kubeserve_connections{")]
    return int(float(line.rsplit(None, 1)[1]))


def head_of(wire: Wire) -> tuple[int, dict[str, str]]:
    """Read an answer's head alone."""
    status = int(wire.file.readline().split()[1])
    headers = {}
    while (line := wire.file.readline()) != b"\r\n":
        name, _, value = line.decode().partition(":")
        headers[name.lower()] = value.strip()
    return status, headers


# Slow


@pytest.mark.slow
def test_slow_clients_are_told_and_cost_the_others_nothing(worker: Served) -> None:
    with Wire(worker) as silent, Wire(worker) as trickling, Wire(worker) as cut, Wire(worker) as ok:
        silent.send(silent.request()[:-2])
        cut.send(b"POST /predict HTTP/1.1\r\nhost:")
        whole = trickling.request()
        begun = time.monotonic()
        for byte in whole:
            trickling.send(bytes([byte]))
            ok.serves_on()
            trickling.sock.settimeout(0.2)
            try:
                told = trickling.sock.recv(12, socket.MSG_PEEK)
            except TimeoutError:
                continue
            assert told == b"HTTP/1.1 408"
            break
        trickling.sock.settimeout(20)
        assert time.monotonic() - begun < HEAD_S + 10
        for slow in (silent, trickling, cut):
            status, headers, _ = slow.answer()
            assert (status, headers["connection"]) == (408, "close")
            assert slow.ended()


def test_a_client_of_tls_is_refused_and_the_next_served(worker: Served) -> None:
    context = ssl.create_default_context()
    with worker.connect() as plain, pytest.raises((ssl.SSLError, ConnectionError)):
        context.wrap_socket(plain, server_hostname="localhost")
    assert worker.ask("/livez")[0] == 200


# Half-closed


def test_a_half_closed_connection_gets_all_its_answers_of_every_kind(wire: Wire) -> None:
    kinds = [
        wire.request([OTHER]),
        f"GET /v2 HTTP/1.1\r\nhost: x\r\n{wire.bearer}\r\n".encode(),
        wire.request([["abc", 1, 2, 3]]),
        wire.request(),
    ]
    wire.send(b"".join(kinds) * 30)
    wire.sock.shutdown(socket.SHUT_WR)
    for _ in range(30):
        assert wire.answer()[2]["predictions"] == [2]
        assert wire.answer()[2]["name"] == "kubeserve"
        assert wire.answer()[0] == 422
        assert wire.answer()[2]["predictions"] == [0]
    assert wire.ended()


@pytest.mark.parametrize("left", [1, 30, 250], ids=["body", "early-body", "head"])
def test_who_closes_amid_a_request_is_told(wire: Wire, left: int) -> None:
    wire.send(wire.request() + wire.request()[:-left])
    wire.sock.shutdown(socket.SHUT_WR)
    assert wire.answer()[2]["predictions"] == [0]
    status, headers, _ = wire.answer()
    assert (status, headers["connection"]) == (400, "close")
    assert wire.ended()


def test_clients_that_vanish_leave_nothing_behind(worker: Served) -> None:
    before = connections_of(worker)
    for left in (0, 1, 200):
        for _ in range(20):
            with Wire(worker) as gone:
                gone.send(gone.request() + gone.request()[: len(gone.request()) - left])
                if left == 1:  # a reset instead of an end
                    gone.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
    until(lambda: connections_of(worker) <= before)


# Answers that must arrive though the client is still sending


@pytest.mark.parametrize("chunked", [True, False])
def test_a_refusal_reaches_a_client_that_goes_on_sending(wire: Wire, chunked: bool) -> None:
    framing = "transfer-encoding: chunked" if chunked else "content-length: 100000000"
    wire.send(f"POST /predict HTTP/1.1\r\nhost: x\r\n{wire.bearer}{framing}\r\n\r\n")
    part = b"10000\r\n" + b" " * 0x10000 + b"\r\n"
    for _ in range(100):
        try:
            wire.send(part)
        except OSError:
            break
    status, headers, _ = wire.answer()
    assert (status, headers["connection"]) == (413, "close")


def test_the_last_answer_reaches_a_client_that_goes_on_sending(wire: Wire) -> None:
    wire.send(wire.request(extra="connection: close\r\n") + b"GET / no HTTP" + b"\0" * 3_000_000)
    status, headers, answer = wire.answer()
    assert (status, headers["connection"], answer["predictions"]) == (200, "close", [0])
    assert wire.ended()


def test_who_asks_first_and_may_not_is_told_before_the_body(wire: Wire) -> None:
    wire.bearer = ""
    asking, end, _ = wire.request(extra="expect: 100-continue\r\n").partition(b"\r\n\r\n")
    wire.send(asking + end)
    assert wire.answer()[0] == 401
    assert wire.ended()


def test_who_asks_first_behind_others_is_told_in_turn(wire: Wire) -> None:
    asking, _, body = wire.request(extra="expect: 100-continue\r\n").partition(b"\r\n\r\n")
    wire.send(wire.request([OTHER]) * 20 + asking + b"\r\n\r\n")
    for _ in range(20):
        assert wire.answer()[2]["predictions"] == [2]
    assert head_of(wire)[0] == 100
    wire.send(body)
    assert wire.answer()[2]["predictions"] == [0]
    wire.serves_on()


# Clients that do not read


def test_who_reads_late_gets_every_answer_in_order(worker: Served, wire: Wire) -> None:
    rows = [[ROW] * 3999 + [last] for last in (ROW, OTHER)]
    asked = [wire.request({"rows": one, "outputs": ["predict_proba"]}) for one in rows]
    number = 60

    def send() -> None:
        for index in range(number):
            wire.send(asked[index % 2])

    with ThreadPoolExecutor(1) as pool:
        sending = pool.submit(send)
        wire.sock.settimeout(60)
        # Both kernels' buffers are full when nothing moves any more.
        seen = [-1, 0]
        while seen[-1] != seen[-2]:
            time.sleep(0.3)
            seen.append(_unsent(wire.sock))
        assert worker.ask("/livez")[0] == 200
        for index in range(number):
            status, _, answer = wire.answer()
            assert status == 200
            first = answer["predictions"][-1][0]
            assert (first > 0.9) is (index % 2 == 0)
        sending.result(20)
    wire.serves_on()


def _unsent(sock: socket.socket) -> int:
    raw = fcntl.ioctl(sock.fileno(), termios.TIOCOUTQ, b"\0" * 4)
    (waiting_bytes,) = struct.unpack("i", raw)
    return int(waiting_bytes)


# Too many


def test_connections_beyond_the_descriptors_are_refused_and_the_others_served(
    tmp_path: Path,
) -> None:
    keys = Keys(tmp_path)
    launch = launch_of(tmp_path, keys, port=free_port())
    with served(launch, keys, tmp_path / "log", descriptors=120) as few:
        most = 60  # half of what it may open
        held = [Wire(few) for _ in range(most)]
        try:
            for one in held:
                one.serves_on()
            with Wire(few) as last:
                last.send(last.request())
                status, headers, _ = last.answer()
                assert (status, headers["retry-after"]) == (503, "1")
                assert headers["connection"] == "close"
                assert last.ended()
            for one in held:
                one.serves_on()
        finally:
            for one in held:
                one.__exit__()
        until(lambda: few.ask("/livez")[0] == 200)
        assert few.stop() == Exit.OK


# The end


def converse(worker: Served, batches: list[int]) -> None:
    """Send eight requests at a time until an answer or an end says that it is over."""
    with Wire(worker) as steady:
        get = f"GET /v2 HTTP/1.1\r\nhost: x\r\n{steady.bearer}\r\n".encode()
        while True:
            try:
                steady.send((steady.request() + get) * 4)
                over = not steady.file.peek(1)
            except ConnectionError:
                over = True
            if over:
                return  # between two batches: it was closed while this one was on its way
            answers = [steady.answer() for _ in range(8)]
            assert [status for status, _, _ in answers] == [200] * 8
            batches.append(8)
            closing = ["connection" in headers for _, headers, _ in answers]
            assert not any(closing[:-1])
            if closing[-1]:
                assert steady.ended()
                return


def test_what_was_pipelined_is_answered_before_the_end(tmp_path: Path) -> None:
    with (
        serving(tmp_path) as worker,
        Wire(worker) as busy,
        Wire(worker) as half,
        ThreadPoolExecutor(1) as pool,
    ):
        batches: list[int] = []
        steady = pool.submit(converse, worker, batches)
        until(lambda: len(batches) > 10 or steady.done())
        get = f"GET /v2 HTTP/1.1\r\nhost: x\r\n{busy.bearer}\r\n".encode()
        wrong = busy.request([["abc", 1, 2, 3]])
        half.send(half.request()[:-3])
        # More than is read at a time, less than the kernel takes for a process that does not read.
        busy.send((busy.request() + get + wrong) * 40)
        assert busy.answer()[0] == 200  # it is being answered
        worker.process.send_signal(signal.SIGTERM)
        codes = [busy.answer()[0] for _ in range(119)]
        assert codes == [200, 422] + [200, 200, 422] * 39
        assert busy.ended()
        steady.result(20)
        half.send(half.request()[-3:])
        status, headers, answer = half.answer()
        assert (status, answer["predictions"], headers["connection"]) == (200, [0], "close")
        assert half.ended()
        assert worker.process.wait(15) == Exit.OK
        assert "were cut" not in worker.log.read_text()


# Methods


PATHS = ["/livez", "/readyz", "/metrics", "/v2", "/v2/models/iris", "/v1/models/iris", "/none"]


@pytest.mark.parametrize("path", PATHS)
def test_head_is_get_without_its_body(wire: Wire, path: str) -> None:
    wire.send(f"GET {path} HTTP/1.1\r\nhost: x\r\n{wire.bearer}\r\n")
    status, headers, _ = wire.answer()
    wire.send(f"HEAD {path} HTTP/1.1\r\nhost: x\r\n{wire.bearer}\r\n")
    got, same = head_of(wire)
    assert (got, set(same)) == (status, set(headers))
    for name in set(headers) - {"date", "content-length"}:
        assert same[name] == headers[name]
    assert int(same["content-length"]) > 0
    wire.serves_on()


@pytest.mark.parametrize(
    ("path", "allow"),
    [
        ("/livez", "GET, HEAD, OPTIONS"),
        ("/v2/models/iris", "GET, HEAD, OPTIONS"),
        ("/predict", "POST, OPTIONS"),
        ("/v2/models/iris/infer", "POST, OPTIONS"),
        ("*", "GET, HEAD, POST, OPTIONS"),
    ],
)
def test_options_names_the_methods_and_others_are_refused(
    wire: Wire, path: str, allow: str
) -> None:
    wire.send(f"OPTIONS {path} HTTP/1.1\r\nhost: x\r\n\r\n")
    status, headers = head_of(wire)
    assert (status, headers["allow"]) == (204, allow)
    if path == "*":
        return
    for method in ("PUT", "DELETE", "PATCH", "TRACE"):
        secret = "x-secret: told-back\r\n"
        wire.send(f"{method} {path} HTTP/1.1\r\nhost: x\r\n{secret}\r\n")
        status, headers, problem = wire.answer()
        assert (status, headers["allow"]) == (405, allow)
        assert "told-back" not in json.dumps(problem)
    wire.send(f"PROPFIND {path} HTTP/1.1\r\nhost: x\r\n\r\n")
    assert wire.answer()[0] == 501
    wire.serves_on()


def test_a_prediction_by_its_whole_address(wire: Wire) -> None:
    wire.send(wire.request(path="http://iris.acme.example/predict"))
    assert wire.answer()[2]["predictions"] == [0]
    wire.send(f"GET http://x/v2 HTTP/1.1\r\nhost: x\r\n{wire.bearer}\r\n")
    assert wire.answer()[2]["name"] == "kubeserve"
