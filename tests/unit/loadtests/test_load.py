"""The generators: what they count, what they refuse to count, and when requests arrive."""

import contextlib
import socket
import threading
import time
from collections.abc import Iterator

import numpy as np
import pytest

from loadtests.benchmarks import load
from loadtests.benchmarks.arrivals import Latencies, Minute, Schedule, Soak
from loadtests.benchmarks.load import LoadFailed, Request
from loadtests.benchmarks.serving import module, program
from tests.integration.runtime_rig import free_port

BODY = b'{"instances": [[1.0]]}'


@pytest.fixture(scope="module")
def blind() -> Iterator[tuple[Request, int]]:
    port = free_port()
    with program(module("loadtests.benchmarks.apps.blind", str(port)), port) as server:
        yield Request(port, "/predict", BODY, {"authorization": "Bearer x"}), server.pid


@contextlib.contextmanager
def answering(answer: bytes) -> Iterator[Request]:
    """One connection after the other gets these bytes for what it sends, and is closed."""
    listener = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = listener.accept()
                with client:
                    client.recv(65536)
                    client.sendall(answer)

    thread = threading.Thread(target=serve)
    thread.start()
    try:
        yield Request(listener.getsockname()[1], "/predict", BODY)
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        thread.join()


def test_a_request_is_what_a_server_reads():
    head, _, body = Request(1, "/x", BODY, {"a": "b"}).raw().partition(b"\r\n\r\n")
    assert head.split(b"\r\n") == [
        b"POST /x HTTP/1.1",
        b"host: 127.0.0.1",
        b"a: b",
        b"content-length: %d" % len(BODY),
    ]
    assert body == BODY


def test_our_own_generator_counts_what_is_answered(blind):
    request, pid = blind
    run = load.figures(request, pid, connections=4, seconds=0.2, by="python")
    assert run["rps"] > 0
    assert 0 < run["p50_us"] <= run["p99_us"]
    assert 0 < run["generator_busy"] <= 1.01


def test_a_refusal_is_an_error_and_no_figure():
    refused = b"HTTP/1.1 401 Unauthorized\r\ncontent-length: 0\r\n\r\n"
    with answering(refused) as request, pytest.raises(LoadFailed, match="401"):
        load.drive(request, 1, 0.2, by="python")


def test_a_connection_that_is_closed_is_an_error():
    half = b"HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nhalf"
    with answering(half) as request, pytest.raises(LoadFailed, match="closed"):
        load.drive(request, 1, 0.2, by="python")


def test_an_answer_longer_than_the_first_is_an_error():
    whole = b"HTTP/1.1 200 OK\r\ncontent-length: 1\r\n\r\n"
    with answering(whole + b"xyz") as request, pytest.raises(LoadFailed, match="length"):
        load.drive(request, 1, 0.2, by="python")


def test_a_body_larger_than_a_socket_holds_goes_out_in_parts():
    port = free_port()
    large = b"x" * (8 << 20)
    with program(_constant(port), port):
        run = load.drive(Request(port, "/", large), 2, 0.2, by="python")
    assert run.requests >= 2


def _constant(port: int) -> list[str]:
    app = "loadtests.benchmarks.apps.constant:constant"
    return module("uvicorn", app, "--port", str(port), "--log-level", "warning")


def test_arrivals_come_at_the_rate_that_is_asked_for():
    schedule = Schedule(1000.0, start=5.0)
    moments = np.array([schedule.next() for _ in range(20_000)])
    gaps = np.diff(moments)
    assert moments[0] > 5.0
    assert (gaps >= 0).all()
    assert gaps.mean() == pytest.approx(1e-3, rel=0.05)
    assert gaps.std() == pytest.approx(1e-3, rel=0.05)  # Poisson's


def test_quantiles_are_within_a_step():
    latencies = Latencies()
    latencies.add(list(np.arange(1, 1001) / 1000))
    assert latencies.total == 1000
    assert latencies.quantile_us(0.5) == pytest.approx(0.5e6, rel=0.02)
    assert latencies.quantile_us(0.99) == pytest.approx(0.99e6, rel=0.02)


def test_a_latency_beyond_the_last_step_is_counted_in_it():
    latencies = Latencies()
    latencies.add([0.0, 1e9])
    assert latencies.total == 2


def test_a_soak_sends_every_arrival_and_no_other(blind):
    request, _ = blind
    schedule, expected = Schedule(500.0, 0.0), 0
    while schedule.next() < 0.5:
        expected += 1
    told: list[Minute] = []
    soak = Soak(500.0, 0.5, told.append)
    soak.run(request, connections=4)
    assert soak.latencies.total == expected
    assert [minute.requests for minute in told] == [expected]
    assert soak.minutes == told


def test_latency_counts_from_the_arrival_not_from_when_we_got_to_it():
    whole = b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n"
    listener = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        client, _ = listener.accept()
        with client:
            client.recv(65536)
            time.sleep(0.3)  # a server that stalls, as long as all requests take to arrive
            client.sendall(whole)
            while client.recv(65536):
                client.sendall(whole)

    thread = threading.Thread(target=serve)
    thread.start()
    with listener:
        soak = Soak(200.0, 0.3)
        soak.run(Request(listener.getsockname()[1], "/", BODY), connections=1)
    thread.join()
    assert soak.latencies.total > 10
    # Half of them arrived in the first half of the stall, and so waited for all of the second.
    assert soak.latencies.quantile_us(0.5) > 0.1e6
