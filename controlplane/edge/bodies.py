"""Bounds of bodies before any route sees them; how slowly they come is `protocol.py`'s.

A document is read here, whole and small; only an upload streams, and bounds its own size.
"""

import asyncio
from typing import Final

from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from controlplane.problems import answer
from runtime.problems import Problem, TooLarge, TooSlow, UnsupportedMediaType

MAX_DOCUMENT_BYTES: Final = 1 << 20
DOCUMENT_WITHIN_S: Final = 30.0


class BodyLimits:
    """Refuses documents that are too large or too late, and bodies that are compressed."""

    def __init__(
        self,
        app: ASGIApp,
        max_bytes: int = MAX_DOCUMENT_BYTES,
        document_s: float = DOCUMENT_WITHIN_S,
    ) -> None:
        self._app, self._max_bytes, self._document_s = app, max_bytes, document_s

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one ASGI connection."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
        elif _is_coded(scope):
            await self._refuse(_coded(), scope, receive, send)
        elif scope["method"] == "POST" and scope["path"].endswith("/versions"):
            await self._app(scope, receive, send)
        else:
            await self._with_document(scope, receive, send)

    async def _with_document(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            async with asyncio.timeout(self._document_s):
                message = await self._document(scope, receive)
        except TimeoutError:
            late = TooSlow(f"The request did not arrive within {self._document_s:g} s.")
            await self._refuse(late, scope, receive, send)
        except TooLarge as large:
            await self._refuse(large, scope, receive, send)
        else:
            await self._app(scope, _again(message, receive), send)

    async def _document(self, scope: Scope, receive: Receive) -> Message:
        """Read the whole body; gives it as one message."""
        announced = dict(scope["headers"]).get(b"content-length", b"0")
        if announced.isdigit() and int(announced) > self._max_bytes:
            raise self._too_large()
        body = bytearray()
        while True:
            message = await receive()
            if message["type"] != "http.request":
                return message
            body += message.get("body", b"")
            if len(body) > self._max_bytes:
                raise self._too_large()
            if not message.get("more_body", False):
                return {"type": "http.request", "body": bytes(body), "more_body": False}

    def _too_large(self) -> TooLarge:
        limit = self._max_bytes
        return TooLarge(f"The body is larger than {limit} bytes.", limit=limit)

    @staticmethod
    async def _refuse(problem: Problem, scope: Scope, receive: Receive, send: Send) -> None:
        response = answer(problem, Request(scope))
        response.headers["connection"] = "close"  # the rest of the body is not worth reading
        await response(scope, receive, send)


def _is_coded(scope: Scope) -> bool:
    coding = dict(scope["headers"]).get(b"content-encoding", b"identity")
    return coding.strip().lower() not in (b"", b"identity")


def _coded() -> UnsupportedMediaType:
    return UnsupportedMediaType("Send the body as it is, without Content-Encoding.")


def _again(first: Message, receive: Receive) -> Receive:
    given = False

    async def next_message() -> Message:
        nonlocal given
        if given:
            return await receive()
        given = True
        return first

    return next_message
