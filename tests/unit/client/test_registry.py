"""Pushing, waiting for builds, deploying; tokens that run out; lists in pages; streams of logs."""

import io
import threading

import pytest

from controlplane.client import (
    ApiError,
    BadAnswer,
    BuildFailed,
    ClientError,
    DeployFailed,
    NotConfigured,
    SignInFailed,
    TimedOut,
    Unreachable,
)
from controlplane.client.bundle import Extras, bundled
from controlplane.client.upload import of_source
from tests.unit.client.fake_api import CUT, RESET

BLOB = bytes(range(256)) * 3000
VERSIONS = "/v1/models/iris/versions"


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "model.joblib"
    path.write_bytes(BLOB)
    return path


def test_a_file_is_pushed_with_progress(api, client, file):
    told = []
    version = client.push(file, "iris", progress=lambda sent, total: told.append((sent, total)))
    assert (version.model, version.number, version.state) == ("iris", 1, "ready")
    assert (version.size_bytes, api.blobs[1]) == (len(BLOB), BLOB)
    assert len(told) == 3
    assert told == sorted(told)
    assert told[-1] == (len(BLOB), len(BLOB))
    assert api.seen[1][2]["content-length"] == str(len(BLOB))


@pytest.mark.parametrize("wrap", [bytes, io.BytesIO, bytearray], ids=["bytes", "file", "bytearray"])
def test_bytes_and_open_files_are_pushed(api, client, wrap):
    assert client.push(wrap(BLOB), "iris").number == 1
    assert api.blobs[1] == BLOB


def test_a_model_is_pushed_with_what_it_needs(api, client, file, tmp_path):
    (tmp_path / "src").mkdir()
    (tmp_path / "src/my.py").write_text("X = 1\n")
    told = []
    extras = {"code": tmp_path / "src", "requirements": ["pandas"]}
    progress = lambda sent, total: told.append((sent, total))  # noqa: E731
    assert client.push(file, "iris", progress=progress, **extras).number == 1
    with bundled(file, Extras(**extras)) as source:
        assert api.blobs[1] == b"".join(of_source(source))
    assert told[-1] == (len(api.blobs[1]), len(api.blobs[1]))
    api.misbehave(VERSIONS, RESET)
    assert client.push(file, "iris", **extras).number == 1
    with pytest.raises(ClientError, match="no file or folder"):
        client.push(file, "iris", code=tmp_path / "nowhere")


def test_the_same_bytes_are_the_same_version(client, file):
    assert client.push(file, "iris").number == client.push(str(file), "iris").number


@pytest.mark.parametrize("broken", [RESET, CUT, (503, {})])
def test_an_upload_that_breaks_is_sent_again_from_its_start(api, client, file, broken):
    api.misbehave(VERSIONS, broken)
    assert client.push(io.BytesIO(BLOB), "iris").number == 1
    assert api.blobs == {1: BLOB}
    keys = [h["idempotency-key"] for m, p, h, *_ in api.seen if (m, p) == ("POST", VERSIONS)]
    assert len(keys) == 2
    assert len(set(keys)) == 1


class Estimator:
    def fit(self, x, y): ...


@pytest.mark.parametrize(
    ("thing", "error", "said"),
    [
        (Estimator(), TypeError, r'joblib\.dump\(model, "model\.joblib"\)'),
        (io.StringIO("x"), TypeError, "binary mode"),
        (3, TypeError, "not int"),
        ("nowhere.joblib", FileNotFoundError, "there is no file"),
        (b"", ClientError, "empty"),
    ],
)
def test_what_is_no_model_file_is_refused(api, client, thing, error, said):
    with pytest.raises(error, match=said):
        client.push(thing, "iris")
    assert not api.seen


def test_a_file_that_changes_while_it_is_sent_is_noticed(client, file):
    def grow(sent, total):
        with file.open("ab") as more:
            more.write(b"more" * 99_999)

    with pytest.raises(ClientError, match="changed while"):
        client.push(file, "iris", progress=grow)


def test_a_build_is_waited_for(api, client, file):
    api.states[1] = ["uploaded", "uploaded", "building", "ready"]
    assert client.push(file, "iris").state == "ready"
    assert api.count(f"{VERSIONS}/1", "GET") == 3


def test_a_failed_build_says_why(api, client, file):
    api.states[1] = ["uploaded", "failed"]
    with pytest.raises(BuildFailed, match=r"iris:1 failed: It is no pickle\. Use joblib\.dump\."):
        client.push(file, "iris")
    assert client.push(file, "iris", wait=False).reason == "It is no pickle."


def test_waiting_for_a_build_ends(api, client, file):
    api.states[1] = ["building"]
    with pytest.raises(TimedOut, match="still building"):
        client.push(file, "iris", wait_s=0.05)


def test_a_deployment_is_waited_for(api, client):
    shown = [
        api.endpoint("iris", generation=2),
        api.endpoint("iris", generation=2, observed_generation=2, ready={"status": "Unknown"}),
        api.endpoint("iris", generation=2, observed_generation=2),
    ]
    api.misbehave("/v1/endpoints/iris", *[(200, document) for document in shown])
    endpoint = client.deploy("iris:3", scaling={"min_scale": 1}, container_concurrency=4)
    assert endpoint.is_ready
    assert (endpoint.url, endpoint.revisions[0].percent) == (api.url, 100)
    assert (endpoint.cold_start.total_ms, endpoint.cold_start.phases_ms) == (9.5, {"spawn": 4.0})
    _, path, _, body, _ = api.seen[1]
    assert path == "/v1/endpoints/iris/releases"
    assert body == (
        b'{"model":"iris","version":3,"scaling":{"min_scale":1},"container_concurrency":4}'
    )


def test_a_deployment_that_fails_says_why(api, client):
    ready = {"status": "False", "reason": "WorkerDies", "message": "It ends at once."}
    document = api.endpoint("iris", generation=2, observed_generation=2, ready=ready)
    api.misbehave("/v1/endpoints/iris", (200, document))
    with pytest.raises(DeployFailed, match="iris is not ready: It ends at once"):
        client.deploy("iris")


def test_what_is_deployed_is_named_once(client):
    with pytest.raises(ValueError, match="names a version already"):
        client.deploy("iris:3", 4)


def test_traffic_and_rollback_give_the_endpoint(api, client):
    assert client.traffic("iris", [{"version": 1, "percent": 100}]).name == "iris"
    assert client.rollback("iris").generation == 2
    assert [body for *_, body, _ in api.seen[1:]] == [
        b'{"traffic":[{"version":1,"percent":100}]}',
        b'{"to":null}',
    ]


def test_changes_without_an_answer_are_done(client):
    assert client.set_alias("iris", "production", 1) is None
    assert client.delete_alias("iris", "production") is None
    assert client.delete_endpoint("iris") is None
    assert client.delete_model("iris") is None


def test_what_was_deleted_by_a_try_that_broke_counts_as_deleted(api, client):
    gone = (404, {"type": "/problems/not-found", "detail": "Gone."})
    api.misbehave("/v1/models/iris", RESET, gone)
    assert client.delete_model("iris") is None
    api.misbehave("/v1/models/iris", gone)
    with pytest.raises(ApiError, match="Gone"):
        client.delete_model("iris")


def test_lists_are_read_to_their_end(api, client):
    pages = [
        {"items": [{"name": "a"}, {"name": "b"}], "next": "b&c"},
        {"items": [{"name": "c", "versions": 2}], "next": None},
    ]
    api.misbehave("/v1/models", *[(200, page) for page in pages])
    assert [model.name for model in client.models()] == ["a", "b", "c"]
    assert [query for *_, query in api.seen[1:]] == ["limit=100", "limit=100&cursor=b%26c"]


@pytest.mark.parametrize("page", [{}, [], {"items": 3}, {"items": [3]}, {"items": [{}]}])
def test_a_list_that_is_none_is_a_bad_answer(api, client, page):
    api.misbehave("/v1/models", (200, page))
    with pytest.raises(BadAnswer):
        client.models()


@pytest.mark.parametrize("name", ["", ".", ".."])
def test_what_is_no_name_is_not_asked_for(api, client, name):
    with pytest.raises(ValueError, match="not a name"):
        client.model(name)
    assert not api.seen


def test_names_are_quoted(api, client):
    client.delete_model("a/b?c")
    assert api.seen[-1][1] == "/v1/models/a%2Fb%3Fc"


def test_a_refused_token_is_replaced_once(api, client, file):
    client.push(file, "iris")
    api.tokens.clear()
    client.push(file, "iris")
    assert api.count("/oauth2/token") == 2


def test_a_token_that_is_never_taken_is_an_error(api, client):
    no = (401, {"type": "/problems/unauthenticated", "detail": "No."})
    api.misbehave("/v1/models", no, no)
    with pytest.raises(SignInFailed, match="No"):
        client.models()
    assert api.count("/v1/models", "GET") == 2


def test_a_token_is_renewed_before_it_expires(api, client):
    api.lifetime = 100  # of which the last 30 seconds are not used
    now = [0.0]
    client._core.tokens._clock = lambda: now[0]
    for now[0] in (0.0, 69.0, 71.0):
        client.delete_model("iris")
    assert api.count("/oauth2/token") == 2


def test_a_wrong_secret_is_said_so(api, connect, monkeypatch):
    monkeypatch.setattr("tests.unit.client.conftest.SECRET", "wrong")
    with pytest.raises(SignInFailed, match="Who are you"):
        connect().models()


def test_an_address_where_nobody_listens_is_said_so(connect):
    with pytest.raises(Unreachable, match=r"http://127\.0\.0\.1:1/oauth2/token.*kubeserve up"):
        connect("http://127.0.0.1:1").models()


def test_another_server_is_no_kubeserve(api, client):
    api.misbehave("/oauth2/token", (200, None, {"content-type": "text/html"}, b"<html>"))
    with pytest.raises(BadAnswer, match="Is that a KubeServe address"):
        client.models()


def test_redirects_are_not_followed(api, client):
    api.misbehave("/v1/models", (307, {}, {"location": "http://evil.example/"}))
    with pytest.raises(BadAnswer, match="redirects"):
        client.models()


def chunked(*pieces, end=True):
    def write(handler):
        handler.send_response(200)
        handler.send_header("transfer-encoding", "chunked")
        handler.end_headers()
        for piece in pieces:
            handler.wfile.write(b"%x\r\n%s\r\n" % (len(piece), piece))
        handler.wfile.write(b"0\r\n\r\n" if end else b"")
        handler.close_connection = True

    return write


LOGS = "/v1/endpoints/iris/logs"
LINES = (
    b'{"at": "2026-11-23T20:00:00+00:00", "replica": "w-1", "text": "h\xc3\xa9',
    b'llo"}\n\n{"at": null, "replica": "w-2", "text": ""}\n',
)


def test_logs_are_read_line_by_line(api, client):
    api.misbehave(LOGS, chunked(*LINES))
    lines = list(client.logs("iris", tail=7, follow=True))
    assert [(line.replica, line.text) for line in lines] == [("w-1", "héllo"), ("w-2", "")]
    assert lines[0].at.hour == 20
    assert api.seen[-1][4] == "tail=7&follow=true"


def test_logs_that_break_off_say_so(api, client):
    api.misbehave(LOGS, chunked(*LINES, end=False))
    lines = client.logs("iris")
    assert [next(lines).replica, next(lines).replica] == ["w-1", "w-2"]
    with pytest.raises(Unreachable):
        next(lines)


def test_logs_of_what_is_not_there_are_an_error(api, client):
    api.misbehave(LOGS, (404, {"type": "/problems/not-found", "detail": "No such endpoint."}))
    with pytest.raises(ApiError, match="No such endpoint"):
        list(client.logs("iris"))


@pytest.mark.parametrize("connect", ["sync"], indirect=True)
def test_threads_share_one_token(api, client):
    threads = [threading.Thread(target=client.delete_model, args=("iris",)) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert api.count("/v1/models/iris", "DELETE") == 8
    assert api.count("/oauth2/token") == 1


@pytest.mark.parametrize("url", ["ftp://x", "127.0.0.1:8080", "http://", "http://h:99999", "x"])
def test_what_is_no_address_is_refused(connect, url):
    with pytest.raises(NotConfigured, match="address"):
        connect(url)
