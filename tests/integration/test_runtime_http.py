"""The HTTP edge of a real worker, over raw sockets: what is wrong is told, the next is served."""

import json
import socket
from collections.abc import Iterator
from typing import Any

import pytest

from tests.integration.runtime_rig import AUDIENCE, ISSUER, ROW, Served, serving

LIMIT = 300_000


@pytest.fixture(scope="module")
def worker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with serving(tmp_path_factory.mktemp("edge"), max_body_bytes=LIMIT, max_rows=5000) as served:
        yield served


class Wire:
    """A connection with nothing between the test and its bytes."""

    def __init__(self, served: Served) -> None:
        self.sock = served.connect()
        self.sock.settimeout(20)
        self.file = self.sock.makefile("rb")
        self.bearer = f"authorization: Bearer {served.keys.token()}\r\n"

    def __enter__(self) -> "Wire":
        return self

    def __exit__(self, *_: object) -> None:
        self.file.close()
        self.sock.close()

    def send(self, text: str | bytes) -> None:
        self.sock.sendall(text.encode() if isinstance(text, str) else text)

    def request(self, body: Any = None, path: str = "/predict", extra: str = "") -> bytes:
        raw = (
            body
            if isinstance(body, bytes)
            else json.dumps([ROW] if body is None else body).encode()
        )
        return (
            f"POST {path} HTTP/1.1\r\nhost: x\r\n{self.bearer}{extra}"
            f"content-length: {len(raw)}\r\n\r\n"
        ).encode() + raw

    def answer(self) -> tuple[int, dict[str, str], Any]:
        line = self.file.readline()
        assert line, "the connection was closed without an answer"
        headers: dict[str, str] = {}
        while (header := self.file.readline()) not in (b"\r\n", b""):
            name, _, value = header.decode().partition(":")
            headers[name.lower()] = value.strip()
        raw = self.file.read(int(headers.get("content-length", 0)))
        body = json.loads(raw) if raw and "json" in headers["content-type"] else raw
        return int(line.split()[1]), headers, body

    def serves_on(self) -> None:
        self.send(self.request())
        assert self.answer()[2]["predictions"] == [0]

    def ended(self) -> bool:
        return self.file.read(1) == b""


@pytest.fixture
def wire(worker: Served) -> Iterator[Wire]:
    with Wire(worker) as opened:
        yield opened


@pytest.mark.parametrize(
    ("path", "body", "said"),
    [
        ("/predict", [ROW, ROW], {"predictions": [0, 0]}),
        ("/v1/models/iris:predict", {"instances": [ROW]}, {"predictions": [0]}),
        ("/v1/models/iris%3Apredict?x=1", {"instances": [ROW]}, {"predictions": [0]}),
        (
            "/v2/models/iris/versions/1/infer",
            {"inputs": [{"name": "x", "shape": [1, 4], "datatype": "FP64", "data": ROW}]},
            {"model_name": "iris", "model_version": "1"},
        ),
    ],
    ids=["short", "v1", "v1-encoded", "v2-version"],
)
def test_every_format_is_answered_by_the_revision(
    wire: Wire, path: str, body: Any, said: dict[str, Any]
) -> None:
    wire.send(wire.request(body, path))
    status, headers, answer = wire.answer()
    assert status == 200
    assert headers["k-revision"] == "iris-00001"
    assert said.items() <= answer.items()


def test_csv_is_read_at_the_short_form_only(wire: Wire) -> None:
    table = b"sepal_l,sepal_w,petal_l,petal_w\n5.1,3.5,1.4,0.2\n6.7,3.0,5.2,2.3\n"
    wire.send(wire.request(table, extra="content-type: text/csv\r\n"))
    assert wire.answer()[2]["predictions"] == [0, 2]
    wire.send(wire.request(table, "/v1/models/iris:predict", "content-type: text/csv\r\n"))
    assert wire.answer()[0] == 415
    wire.serves_on()


@pytest.mark.parametrize(
    ("body", "extra", "status", "place"),
    [
        (b"{not json", "", 400, "not JSON"),
        (b"", "", 400, "JSON"),
        ([["abc", 1, 2, 3]], "", 422, 'row 0, column "sepal_l"'),
        ([ROW, [1, 2, None, 3]], "", 422, 'row 1, column "petal_l"'),
        ([ROW, [1, 2]], "", 422, "row 1"),
        (b"[[1e999, 1, 2, 3]]", "", 400, "not JSON"),
        (b"[[NaN, 1, 2, 3]]", "", 400, "not JSON"),
        ([{"sepal_l": 1, "extra": 2}], "", 422, "extra"),
        ([ROW] * 5001, "", 413, "5000"),
        ([ROW], "content-type: image/png\r\n", 415, "image/png"),
        ([ROW], "content-encoding: br\r\n", 415, "'br'"),
        ([ROW], "content-encoding: gzip\r\n", 400, "not gzip"),
        ([ROW], "content-type: application/octet-stream\r\n", 415, "V2 only"),
        ([ROW], "inference-header-content-length: 2\r\n", 415, "V2 only"),
        ([ROW], "request-timeout: soon\r\n", 400, "Request-Timeout"),
        ([ROW], "knative-serving-tag: nightly\r\n", 404, "nightly"),
    ],
)
def test_a_wrong_request_is_told_what_and_where_and_the_next_is_served(
    wire: Wire, body: Any, extra: str, status: int, place: str
) -> None:
    wire.send(wire.request(body, extra=extra))
    got, headers, problem = wire.answer()
    assert (got, headers["content-type"]) == (status, "application/problem+json")
    assert place in problem["detail"]
    assert problem["error"] == problem["detail"]
    wire.serves_on()


def test_who_has_no_valid_token_is_refused(wire: Wire, worker: Served) -> None:
    wire.bearer = ""
    wire.send(wire.request())
    status, headers, _ = wire.answer()
    assert status == 401
    place = f"{ISSUER}/.well-known/oauth-protected-resource/endpoints/0b9e"
    told = f'Bearer realm="kubeserve", resource_metadata="{place}"'
    assert headers["www-authenticate"] == told
    wire.bearer = "authorization: Bearer ks_ep_x\r\n"
    wire.send(wire.request())
    assert wire.answer()[1]["www-authenticate"] == f'{told}, error="invalid_token"'
    wire.send(b"GET /.well-known/oauth-protected-resource HTTP/1.1\r\nhost: x\r\n\r\n")
    described = wire.answer()[2]
    assert (described["resource"], described["authorization_servers"]) == (AUDIENCE, [ISSUER])
    for changes, expected in [({"scope": "models:read"}, 403), ({"aud": "other"}, 401)]:
        wire.bearer = f"authorization: Bearer {worker.keys.token(**changes)}\r\n"
        wire.send(wire.request())
        got, headers, _ = wire.answer()
        assert got == expected
        error = "insufficient_scope" if expected == 403 else "invalid_token"
        assert f'error="{error}"' in headers["www-authenticate"]


def test_pipelined_requests_are_answered_in_their_order(wire: Wire) -> None:
    kinds = [
        wire.request([[6.7, 3.0, 5.2, 2.3]]),
        f"GET /v2 HTTP/1.1\r\nhost: x\r\n{wire.bearer}\r\n".encode(),
        wire.request([["abc", 1, 2, 3]]),
        wire.request(),
        b"GET /nothing HTTP/1.1\r\nhost: x\r\n\r\n",
    ]
    wire.send(b"".join(kinds) * 40)
    for _ in range(40):
        assert wire.answer()[2]["predictions"] == [2]
        assert wire.answer()[2]["name"] == "kubeserve"
        assert wire.answer()[0] == 422
        assert wire.answer()[2]["predictions"] == [0]
        assert wire.answer()[0] == 404


def test_a_request_byte_by_byte_is_answered(wire: Wire) -> None:
    for byte in wire.request():
        wire.send(bytes([byte]))
    assert wire.answer()[2]["predictions"] == [0]
    wire.serves_on()


def test_chunked_bodies_are_read_to_their_end(wire: Wire) -> None:
    wire.send(
        f"POST /predict HTTP/1.1\r\nhost: x\r\n{wire.bearer}transfer-encoding: chunked\r\n\r\n"
    )
    for part in (b"[[5.1, 3", b".5, 1.4, 0.2]", b"]"):
        wire.send(b"%x\r\n%b\r\n" % (len(part), part))
    wire.send(b"0\r\n\r\n")
    assert wire.answer()[2]["predictions"] == [0]
    wire.serves_on()


def test_equal_heads_with_other_bodies_are_told_apart(wire: Wire) -> None:
    # The second of two equal heads takes the short way past the parser.
    for row, label in (
        ([5.1, 3.5, 1.4, 0.2], 0),
        ([6.7, 3.1, 5.2, 2.3], 2),
        ([5.1, 3.5, 1.4, 0.2], 0),
    ):
        wire.send(wire.request([row]))
        assert wire.answer()[2]["predictions"] == [label]
    whole = wire.request([[6.7, 3.1, 5.2, 2.3]])
    wire.send(whole[:-5])
    wire.send(whole[-5:] + whole)
    assert [wire.answer()[2]["predictions"] for _ in range(2)] == [[2], [2]]


def test_a_small_head_behind_a_large_body_is_not_too_large(wire: Wire) -> None:
    large, small = wire.request(b" " * 100_000 + json.dumps([ROW]).encode()), wire.request()
    wire.send(large + small[:60])
    assert wire.answer()[2]["predictions"] == [0]
    wire.send(small[60:])
    assert wire.answer()[2]["predictions"] == [0]
    wire.serves_on()


def test_who_asks_first_is_told_to_go_on(wire: Wire) -> None:
    whole = wire.request(extra="expect: 100-continue\r\n")
    head, _, body = whole.partition(b"\r\n\r\n")
    wire.send(head + b"\r\n\r\n")
    assert wire.answer()[0] == 100
    wire.send(body)
    assert wire.answer()[2]["predictions"] == [0]
    wire.serves_on()


def test_a_body_too_large_is_refused_before_it_is_sent(wire: Wire) -> None:
    wire.send(
        f"POST /predict HTTP/1.1\r\nhost: x\r\n{wire.bearer}content-length: 100000000\r\n\r\n"
    )
    status, headers, problem = wire.answer()
    assert (status, headers["connection"], problem["limit_bytes"]) == (413, "close", LIMIT)
    assert wire.ended()


def test_a_body_without_end_is_refused_at_the_limit(wire: Wire) -> None:
    wire.send(
        f"POST /predict HTTP/1.1\r\nhost: x\r\n{wire.bearer}transfer-encoding: chunked\r\n\r\n"
    )
    part = b"10000\r\n" + b" " * 0x10000 + b"\r\n"
    for _ in range(8):
        wire.send(part)
    assert wire.answer()[0] == 413
    assert wire.ended()


def test_a_large_body_without_token_is_refused_before_it_is_read(wire: Wire) -> None:
    wire.send(b"POST /predict HTTP/1.1\r\nhost: x\r\ncontent-length: 200000\r\n\r\n")
    assert wire.answer()[0] == 401
    assert wire.ended()


@pytest.mark.parametrize(
    ("head", "status"),
    [
        (
            "POST /predict HTTP/1.1\r\nhost: x\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\n",
            400,
        ),
        (
            "POST /predict HTTP/1.1\r\nhost: x\r\ncontent-length: 5\r\ntransfer-encoding: chunked\r\n\r\n",  # noqa: E501
            400,
        ),
        ("POST /predict HTTP/1.1\r\nhost: x\r\ntransfer-encoding: gzip\r\n\r\n", 400),
        ("POST /predict HTTP/1.1\r\nhost: x\r\ncontent-length: -1\r\n\r\n", 400),
        ("POST /predict HTTP/1.1\r\ncontent-length: 0\r\n\r\n", 400),
        ("CONNECT x:1 HTTP/1.1\r\nhost: x\r\n\r\n", 400),
        ("this is not HTTP\r\n\r\n", 400),
        ("GET /livez HTTP/1.1\r\nhost: x\r\n" + "a: " + "b" * 70_000 + "\r\n\r\n", 431),
        ("GET /livez HTTP/1.1\r\nhost: x\r\n" + "a: b\r\n" * 20_000, 431),
    ],
    ids=["lengths", "both", "gzip", "negative", "no-host", "connect", "noise", "431", "431-slow"],
)
def test_what_is_no_clean_http_ends_the_connection(wire: Wire, head: str, status: int) -> None:
    wire.send(head)
    got, headers, _ = wire.answer()
    assert (got, headers["connection"]) == (status, "close")
    assert wire.ended()


def test_http_1_0_and_connection_close(worker: Served) -> None:
    with Wire(worker) as wire:
        wire.send(wire.request(extra="connection: close\r\n"))
        assert wire.answer()[1]["connection"] == "close"
        assert wire.ended()
    with Wire(worker) as wire:
        wire.send(wire.request().replace(b"HTTP/1.1", b"HTTP/1.0"))
        assert wire.answer()[0] == 200
        assert wire.ended()
    with Wire(worker) as wire:
        kept = wire.request(extra="connection: keep-alive\r\n").replace(b"HTTP/1.1", b"HTTP/1.0")
        for _ in range(2):
            wire.send(kept)
            assert wire.answer()[1]["connection"] == "keep-alive"


def test_an_offer_to_change_protocols_is_ignored_and_the_body_read(wire: Wire) -> None:
    offer = "connection: Upgrade, HTTP2-Settings\r\nupgrade: h2c\r\nhttp2-settings: AAMAAABk\r\n"
    wire.send(wire.request(extra=offer))
    assert wire.answer()[2]["predictions"] == [0]
    wire.serves_on()


def test_a_half_closed_connection_gets_its_answers(wire: Wire) -> None:
    wire.send(wire.request() + wire.request([[6.7, 3.0, 5.2, 2.3]]))
    wire.sock.shutdown(socket.SHUT_WR)
    assert wire.answer()[2]["predictions"] == [0]
    assert wire.answer()[2]["predictions"] == [2]
    assert wire.ended()


@pytest.mark.parametrize(
    ("method", "path", "status", "allow"),
    [
        ("GET", "/predict", 405, "POST, OPTIONS"),
        ("DELETE", "/livez", 405, "GET, HEAD, OPTIONS"),
        ("OPTIONS", "/v1/models/iris:predict", 204, "POST, OPTIONS"),
        ("HEAD", "/livez", 200, None),
        ("GET", "/v2/models/other", 404, None),
    ],
)
def test_other_methods(wire: Wire, method: str, path: str, status: int, allow: str | None) -> None:
    wire.send(f"{method} {path} HTTP/1.1\r\nhost: x\r\n\r\n")
    line = wire.file.readline()
    headers = b""
    while (header := wire.file.readline()) != b"\r\n":
        headers += header.lower()
    assert int(line.split()[1]) == status
    if allow is not None:
        assert f"allow: {allow}".lower().encode() in headers
    if method != "HEAD" and b"content-length" in headers:
        wire.file.read(int(headers.split(b"content-length: ")[1].split(b"\r\n")[0]))
    wire.serves_on()


def test_health_and_metrics_need_no_token_and_metadata_does(wire: Wire, worker: Served) -> None:
    for path in ("/", "/livez", "/readyz", "/v2/health/live", "/v2/health/ready", "/metrics"):
        wire.send(f"GET {path} HTTP/1.1\r\nhost: x\r\n\r\n")
        assert wire.answer()[0] == 200, path
    v2 = "/v2/models/iris"
    for path in (
        *("/v2", v2, f"{v2}/ready", f"{v2}/config", f"{v2}/stats", f"{v2}/versions/1"),
        *(f"{v2}/versions/1/ready", "/v2/models/stats", "/v1/models", "/v1/models/iris"),
    ):
        wire.send(f"GET {path} HTTP/1.1\r\nhost: x\r\n\r\n")
        assert wire.answer()[0] == 401, path
        assert worker.ask(path)[0] == 200, path


def test_metrics_count_by_revision_and_code(wire: Wire, worker: Served) -> None:
    wire.serves_on()
    text = worker.ask("/metrics", method="GET")[2].decode()
    for line in (
        'kubeserve_requests_total{code="200",endpoint="iris",revision="iris-00001",tenant="acme"}',
        'kubeserve_requests_total{code="422",endpoint="iris",revision="iris-00001",tenant="acme"}',
        'kubeserve_request_duration_seconds_count{endpoint="iris",revision="iris-00001",tenant="acme"}',
        'kubeserve_start_seconds{endpoint="iris",phase="load",tenant="acme"}',
        'kubeserve_cpu_seconds_total{endpoint="iris",tenant="acme"}',
        'kubeserve_memory_bytes{endpoint="iris",tenant="acme"}',
        'kubeserve_revision_info{backend="plan",endpoint="iris",model="iris"',
    ):
        found = [float(row.split()[-1]) for row in text.splitlines() if row.startswith(line)]
        assert found, line
        assert found[0] > 0


def test_an_answer_that_is_not_read_stops_the_reading_of_requests(worker: Served) -> None:
    with Wire(worker) as wire:
        rows = [ROW] * 4000
        one = wire.request({"rows": rows, "outputs": ["predict_proba"]})
        wire.sock.settimeout(1)
        wire.send(one)  # the first is read for certain
        with pytest.raises(TimeoutError):  # the kernel's buffers are full on both sides
            wire.send(one * 400)
        assert worker.ask("/livez")[0] == 200
