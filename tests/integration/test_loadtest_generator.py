"""The generator against real servers: what it sends, what it counts, what is its own fault."""

import contextlib
import json
import random
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from loadtests.benchmarks.serving import module, program
from loadtests.evaluating import evidence
from loadtests.generator import Generator, Limits
from loadtests.histogram import quantile_s
from loadtests.links import Address
from loadtests.recording import Interval, summed
from loadtests.shapes import Phase, moments
from loadtests.slo import Objectives, Outcome, judge
from loadtests.wire import request
from tests.integration.runtime_rig import free_port

BODY = b'{"rows": [[1.0]]}'
WHOLE = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}"


def requests(port: int) -> list[bytes]:
    return [
        request("/predict", f"127.0.0.1:{port}", {"content-type": "application/json"}, BODY, "t")
    ]


def driven(
    port: int,
    rate: float,
    seconds: float,
    *,
    connections: int = 64,
    timeout_s: float = 10.0,
    missed_s: float = 0.01,
    tls: str | None = None,
) -> Generator:
    """Drive a server to the end of a schedule."""
    generator = Generator(
        Address("127.0.0.1", port, tls),
        requests(port),
        moments((Phase("steady", seconds, rate, rate),), "constant"),
        Limits(connections, timeout_s, missed_s, 1.0, seconds),
        start=time.perf_counter() + 0.05,
    )
    while not generator.done:
        generator.drive(time.perf_counter() + 1.0)
    return generator


def total(generator: Generator) -> Interval:
    found = summed(generator.take())
    generator.close()
    return found


@contextlib.contextmanager
def known(folder: Path, delays: list[float]) -> Iterator[int]:
    port, file = free_port(), folder / "delays.json"
    file.write_text(json.dumps(delays))
    with program(module("tests.integration.known_server", str(port), str(file)), port):
        yield port


@contextlib.contextmanager
def answering(serve: Callable[[socket.socket], None]) -> Iterator[int]:
    """Hand each connection to a function, in a thread of its own; all end with the server."""
    listener = socket.create_server(("127.0.0.1", 0), backlog=256)
    opened: list[socket.socket] = []
    threads: list[threading.Thread] = []

    def accept() -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = listener.accept()
                opened.append(client)
                threads.append(threading.Thread(target=one, args=(client,)))
                threads[-1].start()

    def one(client: socket.socket) -> None:
        with contextlib.suppress(OSError), client:
            serve(client)

    accepting = threading.Thread(target=accept)
    accepting.start()
    try:
        yield listener.getsockname()[1]
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        accepting.join()
        for client in opened:
            with contextlib.suppress(OSError):
                client.shutdown(socket.SHUT_RDWR)
        for thread in threads:
            thread.join()


def always(answer: bytes) -> Callable[[socket.socket], None]:
    def serve(client: socket.socket) -> None:
        while client.recv(65536):
            client.sendall(answer)

    return serve


def test_every_arrival_is_sent_and_no_other() -> None:
    with answering(always(WHOLE)) as port:
        found = total(driven(port, rate=500, seconds=0.5))
    assert (found.sent, found.good, found.queued) == (250, 250, 0)
    assert found.latency.sum() == found.service.sum() == 250
    assert not found.errors


def test_the_95th_percentile_is_that_of_the_servers_distribution(tmp_path: Path) -> None:
    true = 0.05 - 0.15 * np.log(1 - (np.arange(1000) + 0.5) / 1000)  # shifted exponential
    delays = true.tolist()
    random.Random(1).shuffle(delays)
    with known(tmp_path, delays) as port:
        found = total(driven(port, rate=250, seconds=4.0, connections=256))
    assert found.good == 1000
    for share in (0.5, 0.95):
        measured = quantile_s(found.latency, share)
        assert measured == pytest.approx(np.quantile(true, share), rel=0.05)


def test_a_server_of_20_ms_fails_15_and_passes_30_each_of_20_times(tmp_path: Path) -> None:
    outcomes = []
    with known(tmp_path, [0.02]) as port:
        for _ in range(20):
            generator = driven(port, rate=200, seconds=1.0)
            seen = evidence(generator.take(), 200, 0.01)
            generator.close()
            verdicts = [judge(Objectives(p50=limit), seen)[0] for limit in ("15ms", "30ms")]
            outcomes.append([verdict.outcome for verdict in verdicts])
    assert outcomes == [[Outcome.FAILED, Outcome.PASSED]] * 20


def test_a_stall_is_seen_by_all_that_should_have_been_sent_meanwhile() -> None:
    def serve(client: socket.socket) -> None:
        client.recv(65536)
        stalled.wait()  # a server that stalls while requests go on to be due
        client.sendall(WHOLE)
        while client.recv(65536):
            client.sendall(WHOLE)

    stalled = threading.Event()
    threading.Timer(0.5, stalled.set).start()
    with answering(serve) as port:
        found = total(driven(port, rate=100, seconds=0.4, connections=1))
    assert (found.good, found.queued) == (40, 39)
    # A closed loop would have seen one slow request; here the median waited, too.
    assert (quantile_s(found.latency, 0.5) or 0) > 0.1
    assert (quantile_s(found.service, 0.5) or 1) < 0.1


def test_what_is_sent_late_is_the_generators_own_fault() -> None:
    with answering(always(WHOLE)) as port:
        generator = Generator(
            Address("127.0.0.1", port, None),
            requests(port),
            moments((Phase("steady", 0.2, 100, 100),), "constant"),
            Limits(8, 10.0, 0.01, 1.0, 0.2),
            start=time.perf_counter() - 1.0,  # as if it had slept over its whole schedule
        )
        while not generator.done:
            generator.drive(time.perf_counter() + 1.0)
        intervals = generator.take()
        generator.close()
    assert summed(intervals).missed == 20
    seen = evidence(intervals, 100, 0.01)
    assert "late" in seen.limited[0]
    for limit in ("0.1ms", "10m"):
        assert judge(Objectives(p50=limit), seen)[0].outcome is Outcome.INCONCLUSIVE


def test_a_request_without_an_answer_counts_as_long_as_it_waited(tmp_path: Path) -> None:
    with known(tmp_path, [30.0]) as port:
        found = total(driven(port, rate=50, seconds=0.2, connections=4, timeout_s=0.5))
    assert (found.sent, found.good) == (10, 0)
    assert found.errors == {"no answer within 0.5 s": 10}
    assert (quantile_s(found.latency, 0.01) or 0) >= 0.49


REFUSED = b'HTTP/1.1 422 Unprocessable\r\ncontent-length: 18\r\n\r\n{"title":"No fit"}'
DENIED = b"HTTP/1.1 401 Unauthorized\r\ncontent-length: 0\r\n\r\n"
CHUNKED = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n"
GARBAGE = b"SSH-2.0-OpenSSH_9\r\n\r\n"
TOO_LONG = b"HTTP/1.1 200 OK\r\ncontent-length: 1\r\n\r\nxyz"


@pytest.mark.parametrize(
    ("answer", "good", "kind"),
    [
        pytest.param(REFUSED, 0, "HTTP 422: No fit", id="problem"),
        pytest.param(DENIED, 0, "HTTP 401", id="no token"),
        pytest.param(CHUNKED, 10, None, id="chunks"),
        pytest.param(GARBAGE, 0, "not HTTP: b'SSH-2.0-OpenSSH_9'", id="another protocol"),
        pytest.param(TOO_LONG, 0, "more bytes than the answer has", id="too long"),
    ],
)
def test_answers_are_told_apart(answer: bytes, good: int, kind: str | None) -> None:
    with answering(always(answer)) as port:
        generator = driven(port, rate=100, seconds=0.1)
        found = total(generator)
    assert (found.sent, found.good) == (10, good)
    assert dict(found.errors) == ({} if kind is None else {kind: 10})
    assert generator.refused == (10 if answer == DENIED else 0)


def test_a_connection_that_closes_behind_its_answer_is_replaced() -> None:
    def serve(client: socket.socket) -> None:
        client.recv(65536)
        client.sendall(b"HTTP/1.1 200 OK\r\nconnection: close\r\n\r\nuntil the end")

    with answering(serve) as port:
        found = total(driven(port, rate=100, seconds=0.1))
    assert (found.sent, found.good) == (10, 10)


def test_a_connection_that_ends_before_its_answer_is_an_error() -> None:
    with answering(lambda client: None) as port:
        found = total(driven(port, rate=100, seconds=0.1))
    assert (found.sent, found.good) == (10, 0)
    assert sum(found.errors.values()) == 10


def test_a_port_that_nobody_listens_on_is_an_error_for_each_request() -> None:
    found = total(driven(free_port(), rate=100, seconds=0.1))
    assert found.errors == {"Connection refused": 10}


def test_a_burst_goes_out_at_once_over_connections_of_its_own() -> None:
    with answering(always(WHOLE)) as port:
        generator = Generator(
            Address("127.0.0.1", port, None), requests(port), None,
            Limits(64, 10.0, 0.01, 1.0, float("inf")), start=time.perf_counter(),
        )  # fmt: skip
        assert generator.done
        for number in range(2):
            generator.burst(number, 20)
            while not generator.done:
                generator.drive(time.perf_counter() + 1.0)
        found = generator.take()
        generator.close()
    assert [found[number].good for number in (0, 1)] == [20, 20]


def test_another_token_goes_with_the_requests_that_follow() -> None:
    seen: list[bytes] = []

    def serve(client: socket.socket) -> None:
        while data := client.recv(65536):
            seen.append(data)
            client.sendall(WHOLE)

    with answering(serve) as port:
        generator = Generator(
            Address("127.0.0.1", port, None), requests(port), None,
            Limits(1, 10.0, 0.01, 1.0, float("inf")), start=time.perf_counter(),
        )  # fmt: skip
        for token in ("t", "renewed"):
            generator.use([request("/predict", "here", {}, BODY, token)])
            generator.burst(0, 1)
            while not generator.done:
                generator.drive(time.perf_counter() + 1.0)
        generator.close()
    assert [b"Bearer t\r\n" in seen[0], b"Bearer renewed\r\n" in seen[1]] == [True, True]


def test_tls_is_spoken_and_certificates_are_looked_at(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    certificate, key = self_signed(tmp_path)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)

    def serve(client: socket.socket) -> None:
        with context.wrap_socket(client, server_side=True) as wrapped:
            while wrapped.recv(65536):
                wrapped.sendall(WHOLE)

    with answering(serve) as port:
        refused = total(driven(port, rate=100, seconds=0.1, tls="localhost"))
        monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
        found = total(driven(port, rate=100, seconds=0.1, tls="localhost"))
    assert (refused.sent, refused.good) == (10, 0)
    assert any("certificate" in kind.lower() for kind in refused.errors)
    assert (found.sent, found.good) == (10, 10)


def self_signed(folder: Path) -> tuple[Path, Path]:
    import datetime

    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    private = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")])
    now = datetime.datetime.now(datetime.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(private.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(hours=1))
        .not_valid_after(now + datetime.timedelta(hours=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), False)
        .sign(private, hashes.SHA256())
    )
    certificate, key = folder / "certificate.pem", folder / "key.pem"
    certificate.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    key.write_bytes(
        private.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    return certificate, key
