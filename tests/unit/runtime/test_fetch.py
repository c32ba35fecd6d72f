"""Fetching an artifact: from a store that misbehaves in every way a store does."""

import hashlib
import json
import threading
from collections import deque
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from runtime import fetch
from runtime.fetch import Fetch, NoArtifact, WrongArtifact, source_from
from runtime.launch import LaunchError, RevisionLaunch

CONTENT = bytes(range(256)) * 4000
SHA = hashlib.sha256(CONTENT).hexdigest()


class Store:
    """Answers with `next_up` first, then with the content; keeps the paths it was asked for."""

    def __init__(self):
        self.next_up, self.seen = deque(), []
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), self.handler())
        self.server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"
        self.thread = threading.Thread(target=self.server.serve_forever, args=(0.01,), daemon=True)
        self.thread.start()

    def handler(self):
        store = self

        class Handler(BaseHTTPRequestHandler):
            def log_message(self, *_):
                pass

            def do_GET(self):
                store.seen.append((self.path, self.headers["authorization"]))
                status, body, length = 200, CONTENT, None
                if store.next_up:
                    status, body, length = store.next_up.popleft()
                self.send_response(status)
                if status == 302:
                    self.send_header("location", f"{store.url}/elsewhere")
                self.send_header("content-length", str(length or len(body)))
                self.end_headers()
                self.wfile.write(body)

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


def test_what_passes_is_tried_again(store, run):
    store.next_up += [(503, b"", None), (200, CONTENT[:1000], len(CONTENT)), (500, b"x", None)]
    assert run().read_bytes() == CONTENT
    assert len(store.seen) == 4


def test_another_content_is_refused_and_leaves_nothing(store, run, tmp_path):
    store.next_up.append((200, b"other", None))
    with pytest.raises(WrongArtifact, match="was changed"):
        run()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("status", "body", "says"),
    [
        (404, b"<Code>NoSuchKey</Code>", "is not there"),
        (403, b"<Code>InvalidAccessKeyId</Code>", "InvalidAccessKeyId.*kubeserve-store"),
        (302, b"", "302"),
    ],
)
def test_a_refusal_is_told_once_and_in_words(store, run, status, body, says):
    store.next_up.append((status, body, None))
    with pytest.raises(NoArtifact, match=says):
        run()
    assert len(store.seen) == 1


def test_a_store_that_stays_away_is_given_up(store, run, monkeypatch):
    monkeypatch.setattr(fetch, "WITHIN_S", 0.2)
    store.next_up += [(503, b"", None)] * 100
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
