"""A small HTTP server that plays the signed addresses and forms of an object store, on loopback."""

import email
import email.policy
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


class Bucket:
    """Objects by path. `script`: answers to give first, by (method, path): a status, or a redirect.

    requests  what came, in order
    """

    def __init__(self, port: int) -> None:
        self.url = f"http://127.0.0.1:{port}"
        self.objects: dict[str, bytes] = {}
        self.requests: list[tuple[str, str]] = []
        self.script: dict[tuple[str, str], list[int | str]] = {}


class _Server(ThreadingHTTPServer):
    bucket: Bucket


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server

    @property
    def _place(self) -> str:
        return self.path.partition("?")[0]

    def _scripted(self) -> bool:
        bucket = self.server.bucket
        bucket.requests.append((self.command, self._place))
        answers = bucket.script.get((self.command, self._place))
        if not answers:
            return False
        answer = answers.pop(0)
        if isinstance(answer, str):
            self._answer(307, b"", location=answer)
        else:
            self._answer(answer, b"<Error><Code>AccessDenied</Code></Error>")
        return True

    def _answer(self, status: int, body: bytes, **headers: str) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_GET(self) -> None:
        if not self._scripted():
            found = self.server.bucket.objects.get(self._place)
            self._answer(200 if found is not None else 404, found or b"")

    def do_POST(self) -> None:
        """Take a form as S3 does: the key is a field of it, and the file comes last."""
        body = self.rfile.read(int(self.headers["content-length"]))
        kind = f"Content-Type: {self.headers['content-type']}\r\n\r\n".encode()
        parts = email.message_from_bytes(kind + body, policy=email.policy.HTTP).iter_parts()
        fields = {
            str(part.get_param("name", header="content-disposition")): part.get_payload(decode=True)
            for part in parts
        }
        assert list(fields)[-1] == "file"
        self.path = f"{self.path}/{fields['key'].decode()}"
        if not self._scripted():
            self.server.bucket.objects[self._place] = fields["file"]
            self._answer(204, b"")

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
        pass


@contextmanager
def serving() -> Iterator[Bucket]:
    server = _Server(("127.0.0.1", 0), _Handler)
    server.bucket = bucket = Bucket(server.server_port)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield bucket
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
