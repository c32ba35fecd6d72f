"""What `up` waits for, and what it says is missing."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from controlplane.cli import local


class Api(BaseHTTPRequestHandler):
    """Answers as the API does while it starts, until it is told that it is ready."""

    ready = False

    def do_GET(self) -> None:
        body = b"{}" if Api.ready else json.dumps({"detail": "The keys are missing."}).encode()
        self.send_response(200 if Api.ready else 503)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def address() -> Iterator[str]:
    with HTTPServer(("127.0.0.1", 0), Api) as server:
        threading.Thread(target=server.serve_forever).start()
        Api.ready = False
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def test_the_part_that_is_not_ready_is_named(
    tmp_path: Path, address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv(local.ADMINISTRATOR, raising=False)

    def missing(gateway: bool = False) -> str:
        return local._missing(tmp_path, gateway) or "nothing"

    assert missing() == "the keeper has not begun"
    (tmp_path / "keeper.pid").write_text("1 2 http://127.0.0.1:9 https://kube.test\n")
    assert missing() == "the API has not begun"
    (tmp_path / "credentials.json").write_text("{}")
    assert missing() == "the API does not answer at http://127.0.0.1:9"
    (tmp_path / "keeper.pid").write_text(f"1 2 {address} https://kube.test\n")
    assert "answers 503" in missing()
    assert "The keys are missing." in missing()
    Api.ready = True
    assert missing() == "nothing"
    assert "gateway.log" in missing(gateway=True)
