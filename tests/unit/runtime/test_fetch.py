"""Fetching an artifact: from a store that misbehaves in every way a store does."""

import contextlib
import hashlib
import json
import socket
import struct
import threading
import tracemalloc
from collections import deque
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from runtime import fetch
from runtime.fetch import Fetch, NoArtifact, WrongArtifact, source_from
from runtime.launch import LaunchError, RevisionLaunch

CONTENT = bytes(range(256)) * 40_000  # 10 MB
SHA = hashlib.sha256(CONTENT).hexdigest()


@dataclass
class Answer:
    """One answer that is not the object; `length` is what it claims, if it lies."""

    status: int = 200
    body: bytes = b""
    length: int | None = None
    headers: dict[str, str] = field(default_factory=dict)
    reset: bool = False  # at the end, instead of closing
    hold: threading.Event | None = None  # waited for before the end


class Store:
    """Gives `next_up` first, then the content or its range; keeps what it was asked."""

    def __init__(self):
        self.next_up, self.seen, self.ranges = deque(), [], []
        self.next_posted, self.posted = deque(), []
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), self.handler())
        self.server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"
        self.thread = threading.Thread(target=self.server.serve_forever, args=(0.01,), daemon=True)
        self.thread.start()

    def answer(self, asked):
        if self.next_up:
            return self.next_up.popleft()
        if asked is None:
            return Answer(body=CONTENT)
        first = int(asked.removeprefix("bytes=").removesuffix("-"))
        said = f"bytes {first}-{len(CONTENT) - 1}/{len(CONTENT)}"
        return Answer(206, CONTENT[first:], headers={"content-range": said})

    def handler(self):
        store = self

        class Handler(BaseHTTPRequestHandler):
            def log_message(self, *_):
                pass

            def do_POST(self):
                body = self.rfile.read(int(self.headers["content-length"]))
                store.posted.append((self.path, self.headers["content-type"], body))
                status = store.next_posted.popleft() if store.next_posted else 204
                self.send_response(status)
                self.send_header("content-length", "0")
                self.end_headers()

            def do_GET(self):
                store.seen.append((self.path, self.headers["authorization"]))
                store.ranges.append(self.headers["range"])
                answer = store.answer(self.headers["range"])
                self.send_response(answer.status)
                for name, value in answer.headers.items():
                    self.send_header(name, value)
                length = len(answer.body) if answer.length is None else answer.length
                self.send_header("content-length", str(length))
                self.end_headers()
                with contextlib.suppress(ConnectionError):  # it may have heard enough
                    self.wfile.write(answer.body)
                if answer.hold is not None:
                    answer.hold.wait(10)
                if answer.reset:
                    linger = struct.pack("ii", 1, 0)
                    self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
                    self.connection.close()

        return Handler

    def close(self):
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()


@pytest.fixture
def store():
    made = Store()
    yield made
    made.close()


@pytest.fixture
def run(store, tmp_path, monkeypatch):
    monkeypatch.setattr(fetch, "FIRST_PAUSE_S", 0.01)

    def begin():
        env = {
            "KUBESERVE_FETCH": json.dumps(
                {"url": store.url, "bucket": "b", "prefix": "tenants/acme/",
                 "region": "us-east-1", "into": str(tmp_path)}
            ),
            "AWS_ACCESS_KEY_ID": "key",
            "AWS_SECRET_ACCESS_KEY": "secret",
        }  # fmt: skip
        revision = RevisionLaunch("iris-1", "iris", 1, str(tmp_path / SHA), SHA)
        mounted = RevisionLaunch("iris-2", "iris", 2, "/elsewhere/plan", "0" * 64)
        fetching = Fetch(source_from(env), [revision, mounted])
        fetching.begin()
        fetching.wait()
        return tmp_path / SHA

    return begin


def test_the_file_is_there_and_only_what_is_not_mounted_is_asked_for(store, run):
    assert run().read_bytes() == CONTENT
    ((path, authorization),) = store.seen
    assert path == f"/b/tenants/acme/{SHA}"
    assert authorization.startswith("AWS4-HMAC-SHA256 Credential=key/")


def test_what_passes_is_tried_again(store, run, capfd):
    store.next_up += [Answer(503), Answer(429), Answer(500, b"x"), Answer(408)]
    assert run().read_bytes() == CONTENT
    assert len(store.seen) == 5
    assert "yet: the object store answered 503" in capfd.readouterr().err


@pytest.mark.parametrize("reset", [False, True])
def test_what_broke_off_is_continued(store, run, tmp_path, reset):
    store.next_up += [Answer(200, CONTENT[:100_000], len(CONTENT), reset=reset), Answer(503)]
    assert run().read_bytes() == CONTENT
    first, *more = store.ranges
    assert first is None
    assert len(set(more)) == 1  # the answer in between changed nothing
    assert 0 < int(more[0].removeprefix("bytes=").removesuffix("-")) <= 100_000
    assert [path.name for path in tmp_path.iterdir()] == [SHA]


BROKEN_OFF = Answer(200, CONTENT[:1000], len(CONTENT))


@pytest.mark.parametrize(
    "then",
    [
        Answer(200, CONTENT),  # ranges are not known there
        Answer(416),
        Answer(206, CONTENT, headers={"content-range": f"bytes 0-{len(CONTENT) - 1}/*"}),
        Answer(206, b"x", headers={"content-range": "bytes 1000-1000/1001"}),  # of another object
    ],
)
def test_what_cannot_be_continued_is_begun_again(store, run, then):
    store.next_up += [BROKEN_OFF, then]
    assert run().read_bytes() == CONTENT
    assert store.ranges[1] == "bytes=1000-"
    assert store.ranges[2:] in ([], [None])


def test_a_silent_store_is_left_and_asked_again(store, run, monkeypatch):
    monkeypatch.setattr(fetch, "SILENCE_S", 0.2)
    hold = threading.Event()
    store.next_up.append(Answer(200, CONTENT[:1000], len(CONTENT), hold=hold))
    try:
        assert run().read_bytes() == CONTENT
    finally:
        hold.set()
    assert store.ranges == [None, "bytes=1000-"]


def test_a_store_that_drips_is_told(store, run, monkeypatch):
    monkeypatch.setattr(fetch, "WITHIN_S", 0.0)
    with pytest.raises(NoArtifact, match=r"bytes came.*fast enough"):
        run()


def test_a_port_where_nothing_listens_is_given_up(store, run, monkeypatch):
    monkeypatch.setattr(fetch, "WITHIN_S", 0.2)
    store.server.shutdown()
    store.server.server_close()
    with pytest.raises(NoArtifact, match=r"ConnectionRefusedError.*network policies"):
        run()


def test_what_speaks_no_http_is_given_up(store, run, monkeypatch):
    monkeypatch.setattr(fetch, "WITHIN_S", 0.2)
    monkeypatch.setattr(BaseHTTPRequestHandler, "protocol_version", "SSH/2")
    with pytest.raises(NoArtifact, match="BadStatusLine"):
        run()


def test_addresses_of_metadata_are_never_asked(store, run, monkeypatch):
    monkeypatch.setattr(fetch, "LINK_LOCAL", ("127.",))
    with pytest.raises(NoArtifact, match="no object store"):
        run()
    assert store.seen == []


def test_a_folder_that_takes_nothing_is_told_at_once(store, run, tmp_path):
    (tmp_path / f".{SHA}.part").mkdir()
    with pytest.raises(NoArtifact, match=r"cannot write .*missing, read-only or full"):
        run()
    assert len(store.seen) == 1


def test_a_full_disk_is_told_at_once(store, run, tmp_path):
    (tmp_path / f".{SHA}.part").symlink_to("/dev/full")
    with pytest.raises(NoArtifact, match="No space left"):
        run()
    assert len(store.seen) == 1


def test_memory_does_not_grow_with_the_artifact(store, run):
    tracemalloc.start()
    try:
        run()
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < len(CONTENT)


def test_another_content_is_refused_and_leaves_nothing(store, run, tmp_path):
    store.next_up.append(Answer(200, b"other"))
    with pytest.raises(WrongArtifact, match="was changed"):
        run()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("status", "body", "says"),
    [
        (404, b"<Code>NoSuchKey</Code>", "is not there"),
        (403, b"<Code>InvalidAccessKeyId</Code>", "InvalidAccessKeyId.*kubeserve-store"),
        (403, b"<Code>so\nmany\nlines</Code>", "no reason given"),
        (400, b"<Code>AuthorizationHeaderMalformed</Code>", "AuthorizationHeaderMalformed"),
        (302, b"", "302"),
    ],
)
def test_a_refusal_is_told_once_and_in_words(store, run, status, body, says):
    headers = {"location": f"{store.url}/elsewhere"} if status == 302 else {}
    store.next_up.append(Answer(status, body, headers=headers))
    with pytest.raises(NoArtifact, match=says):
        run()
    assert len(store.seen) == 1


def test_a_store_that_stays_away_is_given_up(store, run, monkeypatch):
    monkeypatch.setattr(fetch, "WITHIN_S", 0.2)
    store.next_up += [Answer(503)] * 100
    with pytest.raises(NoArtifact, match="is the object store up"):
        run()


@pytest.mark.parametrize(
    "text",
    ["", "[]", "{}", '{"url": "ftp://h", "bucket": "b", "prefix": "", "region": "r", "into": "/"}'],
)
def test_a_description_that_is_none_is_refused(text):
    with pytest.raises(LaunchError, match="KUBESERVE_FETCH"):
        source_from(
            {"KUBESERVE_FETCH": text, "AWS_ACCESS_KEY_ID": "a", "AWS_SECRET_ACCESS_KEY": "b"}
        )
