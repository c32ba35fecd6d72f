"""Raw tensors and compression over HTTP to a real worker."""

import gzip
import http.client
import json
import zlib
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from sklearn.datasets import load_iris

from runtime.codecs import v2
from runtime.plan.plan import load
from tests.integration.runtime_rig import ROW, Served, linear_plan, serving

LIMIT = 300_000
INFER = "/v2/models/iris/infer"
X = load_iris().data


@pytest.fixture(scope="module")
def worker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    folder = tmp_path_factory.mktemp("formats")
    with serving(folder, max_body_bytes=LIMIT, max_rows=5000) as served:
        yield served


@pytest.fixture(scope="module")
def proba(tmp_path_factory: pytest.TempPathFactory) -> Any:
    plan = load(linear_plan(tmp_path_factory.mktemp("plan") / "iris.plan"))
    return lambda x: plan.run("predict_proba", x)


class Caller:
    """One connection, kept."""

    def __init__(self, served: Served) -> None:
        self.http = http.client.HTTPConnection("127.0.0.1", served.port, timeout=20)
        self.bearer = f"Bearer {served.keys.token()}"

    def __call__(
        self, body: bytes, path: str = INFER, **headers: Any
    ) -> tuple[int, http.client.HTTPMessage, bytes]:
        own = {name.replace("_", "-"): str(value) for name, value in headers.items()}
        self.http.request("POST", path, body, {"authorization": self.bearer, **own})
        response = self.http.getresponse()
        return response.status, response.msg, response.read()


@pytest.fixture
def call(worker: Served) -> Iterator[Caller]:
    caller = Caller(worker)
    yield caller
    caller.http.close()


def raw(x: Any, *outputs: str) -> tuple[bytes, int]:
    parts = v2.encode_raw({"input": np.asarray(x, np.float64)}, outputs or None)
    assert parts.head_bytes is not None
    return parts.join(), parts.head_bytes


@pytest.mark.parametrize("rows", [1, 150, 4000])
@pytest.mark.parametrize("padding", [0, 3], ids=["aligned", "unaligned"])
def test_raw_tensors_both_ways_over_a_kept_connection(
    call: Caller, proba: Any, rows: int, padding: int
) -> None:
    x = np.resize(X, (rows, 4))
    body, head_bytes = raw(x, "predict_proba")
    body = body[:head_bytes] + b" " * padding + body[head_bytes:]
    for _ in range(3):  # the second of equal heads takes the short way past the parser
        status, headers, answer = call(
            body,
            content_type="application/octet-stream",
            inference_header_content_length=head_bytes + padding,
        )
        assert status == 200, answer
        assert headers["content-type"] == "application/octet-stream"
        assert headers["k-revision"] == "iris-00001"
        found = v2.decode_answer(answer, int(headers["inference-header-content-length"]))
        assert np.array_equal(found["predict_proba"], proba(x))


def test_json_in_and_raw_out_and_the_other_way(call: Caller) -> None:
    tensor = {"name": "x", "shape": [1, 4], "datatype": "FP64", "data": ROW}
    asked = {"name": "predict", "parameters": {"binary_data": True}}
    status, headers, answer = call(json.dumps({"inputs": [tensor], "outputs": [asked]}).encode())
    head_bytes = int(headers["inference-header-content-length"])
    assert status == 200
    assert v2.decode_answer(answer, head_bytes)["predict"].tolist() == [0]

    # aiohttp calls every body of bytes an octet stream; without the header it is JSON.
    _, headers, answer = call(
        json.dumps({"inputs": [tensor]}).encode(), content_type="application/octet-stream"
    )
    assert headers["content-type"] == "application/json"
    assert json.loads(answer)["outputs"][0]["data"] == [0]


@pytest.mark.parametrize(
    ("change", "status", "said"),
    [
        ({"inference_header_content_length": 1 << 40}, 400, "Inference-Header-Content-Length"),
        ({"inference_header_content_length": "-3"}, 400, "must be a number of bytes"),
        ({"inference_header_content_length": "9" * 40}, 400, "must be a number of bytes"),
        ({"inference_header_content_length": 10}, 400, "not JSON"),
        ({}, 422, "needs the header"),
    ],
)
def test_a_head_that_lies_is_refused_and_the_next_is_served(
    call: Caller, change: dict[str, Any], status: int, said: str
) -> None:
    body, head_bytes = raw([ROW])
    found, headers, answer = call(body if change else body[:head_bytes], **change)
    assert (found, headers["content-type"]) == (status, "application/problem+json")
    assert said in json.loads(answer)["detail"]
    assert call(body, inference_header_content_length=head_bytes)[0] == 200


def test_answers_keep_their_order_whatever_form_they_have(worker: Served) -> None:
    body, head_bytes = raw(np.resize(X, (4000, 4)), "predict_proba")
    plain = json.dumps([ROW]).encode()
    bearer = f"host: x\r\nauthorization: Bearer {worker.keys.token()}\r\n"
    requests = [
        f"POST {INFER} HTTP/1.1\r\n{bearer}inference-header-content-length: {head_bytes}\r\n"
        f"content-length: {len(body)}\r\n\r\n".encode() + body,
        f"POST /predict HTTP/1.1\r\n{bearer}content-length: {len(plain)}\r\n\r\n".encode() + plain,
    ]
    with worker.connect() as sock, sock.makefile("rb") as file:
        sock.settimeout(20)
        sock.sendall(b"".join(requests * 3))
        for _ in range(3):
            for kind in ("octet-stream", "json"):
                assert b"200 OK" in file.readline()
                lines = iter(file.readline, b"\r\n")
                headers = dict(line.decode().strip().lower().split(": ", 1) for line in lines)
                assert headers["content-type"] == f"application/{kind}"
                file.read(int(headers["content-length"]))


@pytest.mark.parametrize(("coding", "pack"), [("gzip", gzip.compress), ("deflate", zlib.compress)])
@pytest.mark.parametrize("path", ["/predict", "/v1/models/iris:predict", INFER])
def test_compressed_bodies_are_read(call: Caller, coding: str, pack: Any, path: str) -> None:
    for rows in (1, 4000):
        x = np.resize(X, (rows, 4))
        headers = {"content_encoding": coding}
        if path == INFER:
            body, head_bytes = raw(x)
            headers["inference_header_content_length"] = str(head_bytes)
        else:
            body = json.dumps({"instances": x.tolist()}).encode()
        for _ in range(2):
            status, _, answer = call(pack(body), path, **headers)
            assert status == 200, answer
        status, _, answer = call(pack(body)[:-3], path, **headers)
        assert (status, "cut off" in json.loads(answer)["detail"]) == (400, True)


@pytest.mark.parametrize("coding", ["gzip", "deflate"])
def test_a_bomb_is_refused_at_the_limit_of_a_body(call: Caller, coding: str) -> None:
    pack = gzip.compress if coding == "gzip" else zlib.compress
    status, _, answer = call(pack(b"[" + b" " * (64 << 20)), "/predict", content_encoding=coding)
    problem = json.loads(answer)
    assert (status, problem["limit_bytes"]) == (413, LIMIT)
    assert "decompressed" in problem["detail"]
    assert call(json.dumps([ROW]).encode(), "/predict")[0] == 200


def test_csv_may_be_compressed_too(call: Caller) -> None:
    table = b"5.1,3.5,1.4,0.2\n6.7,3.0,5.2,2.3\n"
    status, _, answer = call(
        gzip.compress(table), "/predict", content_type="text/csv", content_encoding="gzip"
    )
    assert (status, json.loads(answer)["predictions"]) == (200, [0, 2])


@pytest.mark.parametrize(
    ("coding", "unpack"), [("gzip", gzip.decompress), ("deflate", zlib.decompress)]
)
def test_answers_are_compressed_for_who_asks_for_that_alone(
    call: Caller, proba: Any, coding: str, unpack: Any
) -> None:
    for rows in (150, 4000):
        x = np.resize(X, (rows, 4))
        body, head_bytes = raw(x, "predict_proba")
        _, headers, answer = call(
            body, inference_header_content_length=head_bytes, accept_encoding=coding
        )
        assert headers["content-encoding"] == coding
        assert headers["vary"] == "accept-encoding"
        plain = unpack(answer)
        found = v2.decode_answer(plain, int(headers["inference-header-content-length"]))
        assert np.array_equal(found["predict_proba"], proba(x))
        _, headers, answer = call(
            json.dumps({"rows": x.tolist(), "outputs": ["predict_proba"]}).encode(),
            "/predict",
            accept_encoding=coding,
        )
        assert headers["content-encoding"] == coding
        assert np.array_equal(json.loads(unpack(answer))["predictions"], proba(x))
    for accepts in ("gzip, deflate", "identity", "br"):
        _, headers, _ = call(json.dumps(X.tolist()).encode(), "/predict", accept_encoding=accepts)
        assert headers["content-encoding"] is None
    _, headers, _ = call(json.dumps([ROW]).encode(), "/predict", accept_encoding=coding)
    assert headers["content-encoding"] is None
