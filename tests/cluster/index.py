"""A package index that pods of the control plane reach: this machine passes on what PyPI says."""

import contextlib
import shutil
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Final

PAGES: Final = "https://pypi.org/simple/"
FILES: Final = "https://files.pythonhosted.org/"
JSON: Final = "application/vnd.pypi.simple.v1+json"


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: "_Index"

    def do_HEAD(self) -> None:
        self._answer()

    def do_GET(self) -> None:
        self._answer()

    def _answer(self) -> None:
        _, kind, rest = self.path.split("/", 2)
        request = urllib.request.Request(
            (PAGES if kind == "simple" else FILES) + rest, method=self.command
        )
        if kind == "simple":
            request.add_header("accept", JSON)
        elif "range" in self.headers:
            request.add_header("range", self.headers["range"])
        self.server.asked.append(self.path)
        try:
            with urllib.request.urlopen(request, timeout=60) as found:
                self._pass_on(found, page=kind == "simple")
        except urllib.error.HTTPError as error:
            self.send_response(error.code)
            self.send_header("content-length", "0")
            self.end_headers()

    def _pass_on(self, found: Any, *, page: bool) -> None:
        self.send_response(found.status)
        passed = ("content-type", "content-range", "accept-ranges", "etag")
        for name in passed:
            if found.headers[name]:
                self.send_header(name, found.headers[name])
        if page:
            here = f"http://{self.headers['host']}/files/"
            body = found.read().replace(FILES.encode(), here.encode())
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)
            return
        self.send_header("content-length", found.headers["content-length"])
        self.end_headers()
        shutil.copyfileobj(found, self.wfile)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
        pass


class _Index(ThreadingHTTPServer):
    asked: list[str]


@contextlib.contextmanager
def running(address: str) -> Iterator[_Index]:
    """Answer at an address of this machine; `asked` are the paths that were asked for."""
    server = _Index((address, 0), _Handler)
    server.asked = []
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
