"""Signing a person in with the browser of this machine (RFC 8252): code, PKCE, loopback redirect.

The browser is opened at an address of ours, which holds no secret and sends it on. The first one
that comes there gets a cookie, without which a code is not taken: who reads the address from the
list of processes can neither finish the sign-in nor put an account of their own into it.
"""

import base64
import hashlib
import hmac
import html
import secrets
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.cookies import CookieError, SimpleCookie
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from queue import Empty, Queue
from typing import Any, Final, cast
from urllib.parse import parse_qsl, urlencode, urlsplit

import httpx

from controlplane.client.authorization import discover, keep, read, send
from controlplane.client.errors import BadAnswer, ClientError, SignInFailed, TimedOut
from controlplane.client.login import CLIENT_ID, Login, LoginFile
from controlplane.client.transport import options
from runtime.plan.ops import override

WITHIN_S: Final = 300.0
SHOWN_WITHIN_S: Final = 5.0
REQUEST_S: Final = 10.0  # browsers open connections beforehand and say nothing on them
PAGE: Final = """<!doctype html>
<html lang="en"><meta charset="utf-8"><title>KubeServe</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<style>:root {{ color-scheme: light dark; font: 16px/1.5 system-ui; }}</style>
<main><h1>{title}</h1><p>{text}</p></main></html>
"""
HEADERS: Final = {
    "content-type": "text/html; charset=utf-8",
    "content-security-policy": "default-src 'none'; style-src 'unsafe-inline'; "
    "frame-ancestors 'none'; base-uri 'none'; form-action 'none'",
    "cache-control": "no-store",
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
}


def sign_in(
    url: str,
    file: LoginFile,
    opened: Callable[[str], bool],
    within_s: float = WITHIN_S,
) -> Login | None:
    """Sign in at a KubeServe with a browser of this machine, and keep it.

    opened  is given the address to open; False: no browser could be opened, and nobody waits for it
    Gives None then. Raises Unreachable, BadAnswer, TimedOut, or SignInFailed when it was denied.
    """
    with httpx.Client(**options(url)) as http:
        told = discover(http, url)
        with _listening(_Asked(told["authorization_endpoint"], url)) as waiting:
            if not opened(waiting.asked.place):
                return None
            back = waiting.answer(within_s)
            try:
                found = _redeemed(http, told["token_endpoint"], waiting.asked, back)
            except ClientError as error:
                waiting.say("You are not signed in", str(error))
                raise
            login = keep(file, url, found)
            waiting.say("You are signed in", "You may close this page and go back to the terminal.")
    return login


@dataclass(slots=True)
class _Asked:
    """One sign-in. `place`: where we listen."""

    authorize: str
    issuer: str
    place: str = ""
    state: str = field(default_factory=lambda: secrets.token_urlsafe(32))
    verifier: str = field(default_factory=lambda: secrets.token_urlsafe(64))

    @property
    def redirect_uri(self) -> str:
        return f"{self.place}/callback"

    @property
    def address(self) -> str:
        """Where the browser is sent to ask."""
        digest = hashlib.sha256(self.verifier.encode()).digest()
        asked = {
            "response_type": "code",
            "client_id": CLIENT_ID,
            "redirect_uri": self.redirect_uri,
            "state": self.state,
            "code_challenge": base64.urlsafe_b64encode(digest).rstrip(b"=").decode(),
            "code_challenge_method": "S256",
        }
        return f"{self.authorize}?{urlencode(asked)}"


def _redeemed(
    http: httpx.Client, token: str, asked: _Asked, back: dict[str, str]
) -> dict[str, Any]:
    """Give the tokens for what came back; raises SignInFailed, BadAnswer."""
    if back.get("iss") != asked.issuer:
        # RFC 9207: a code of one server is never shown to another.
        raise BadAnswer(f"The answer is of {back.get('iss')!r}, and {asked.issuer} was asked.")
    if "code" not in back:
        detail = back.get("error_description") or back.get("error") or "no code came back"
        raise SignInFailed({"title": back.get("error", ""), "detail": f"Not signed in: {detail}"})
    form = {
        "grant_type": "authorization_code",
        "client_id": CLIENT_ID,
        "code": back["code"],
        "redirect_uri": asked.redirect_uri,
        "code_verifier": asked.verifier,
    }
    return read(send(http, "POST", token, form), token)


@contextmanager
def _listening(asked: _Asked) -> Iterator["_Waiting"]:
    waiting = _Waiting(asked)
    thread = threading.Thread(target=waiting.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield waiting
    finally:
        waiting.shutdown()
        waiting.server_close()
        thread.join()


class _Waiting(ThreadingHTTPServer):
    """Listens on a free port of 127.0.0.1 until a browser has come back."""

    daemon_threads = True

    def __init__(self, asked: _Asked) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.asked, self.host = asked, f"127.0.0.1:{self.server_port}"
        asked.place = f"http://{self.host}"
        self.cookie = (f"kubeserve-login-{self.server_port}", secrets.token_urlsafe(32))
        self._begun, self._ended = threading.Lock(), threading.Lock()
        self._came: Queue[dict[str, str]] = Queue()
        self._outcome: Queue[tuple[str, str]] = Queue()
        self.shown = threading.Event()

    def begin(self) -> bool:
        """Tell whether this is the first browser that comes."""
        return self._begun.acquire(blocking=False)

    def end(self) -> bool:
        """Tell whether this is the first answer that comes."""
        return self._ended.acquire(blocking=False)

    def come(self, back: dict[str, str]) -> tuple[str, str]:
        """Hand over what a browser brought; gives title and text of what it shows."""
        self._came.put(back)
        return self._outcome.get()

    def answer(self, within_s: float) -> dict[str, str]:
        """Wait for the browser; raises TimedOut."""
        try:
            return self._came.get(timeout=within_s)
        except Empty as error:
            raise TimedOut(
                f"Nobody signed in within {within_s / 60:g} minutes. Try again, or with any other "
                "browser: kubeserve login --device"
            ) from error

    def say(self, title: str, text: str) -> None:
        """Show how it ended, if the browser still waits for it."""
        self._outcome.put((title, text))
        self.shown.wait(SHOWN_WITHIN_S)

    @override
    def handle_error(self, *_: object) -> None:
        """Write nothing: a browser that goes away is none that signs in."""


class _Handler(BaseHTTPRequestHandler):
    timeout = REQUEST_S

    def do_GET(self) -> None:
        waiting, parts = cast("_Waiting", self.server), urlsplit(self.path)
        if self.headers.get("host") != waiting.host:
            self._show(404, "Nothing here", "This is not the address of this sign-in.")
        elif parts.path == "/":
            self._begin(waiting)
        elif parts.path == "/callback":
            self._come_back(waiting, parts.query)
        else:
            self._show(404, "Nothing here", "Go back to the terminal.")

    def _begin(self, waiting: _Waiting) -> None:
        if not waiting.begin() and not self._is_the_first(waiting):
            text = "Another browser has begun this sign-in. Start again: kubeserve login"
            self._show(409, "Begun elsewhere", text)
            return
        name, value = waiting.cookie
        self.send_response(303)
        self.send_header("location", waiting.asked.address)
        self.send_header("set-cookie", f"{name}={value}; HttpOnly; SameSite=Lax; Path=/")
        self._end({**HEADERS, "content-length": "0"})

    def _come_back(self, waiting: _Waiting, query: str) -> None:
        pairs = parse_qsl(query, keep_blank_values=True, max_num_fields=20)
        back = dict(pairs)
        state = back.get("state", "")
        ours = hmac.compare_digest(state.encode(), waiting.asked.state.encode())
        whole = len(back) == len(pairs) and ours and self._is_the_first(waiting)
        if not whole or not waiting.end():
            text = "This is no answer to the sign-in that waits. Start again: kubeserve login"
            self._show(400, "Not of this sign-in", text)
            return
        title, text = waiting.come(back)
        try:
            self._show(200, title, text)
        finally:
            waiting.shown.set()

    def _is_the_first(self, waiting: _Waiting) -> bool:
        """Tell whether this is the browser that began."""
        name, value = waiting.cookie
        try:
            kept = SimpleCookie(self.headers.get("cookie", "")).get(name)
        except CookieError:
            return False
        return kept is not None and hmac.compare_digest(kept.value.encode(), value.encode())

    def _show(self, status: int, title: str, text: str) -> None:
        body = PAGE.format(title=html.escape(title), text=html.escape(text)).encode()
        self.send_response(status)
        self._end({**HEADERS, "content-length": str(len(body))})
        self.wfile.write(body)

    def _end(self, headers: dict[str, str]) -> None:
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()

    @override
    def log_message(self, *_: object) -> None:
        """Write nothing: an address here holds a code."""
