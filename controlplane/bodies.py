"""Bounds what a caller may send and how slowly, before any route sees it: uvicorn bounds neither.

A document is read here, whole and small; only an upload streams, and bounds its own size.
"""

import asyncio
from typing import Final

from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from controlplane.problems import answer
from runtime.problems import Problem, TooLarge, TooSlow

MAX_DOCUMENT_BYTES: Final = 1 << 20
DOCUMENT_WITHIN_S: Final = 30.0
NEXT_WITHIN_S: Final = 30.0  # between two pieces of an upload


class BodyLimits:
    """Refuses documents that are too large or too late, and uploads that stall."""

    def __init__(
        self,
        app: ASGIApp,
        max_bytes: int = MAX_DOCUMENT_BYTES,
        document_s: float = DOCUMENT_WITHIN_S,
        next_s: float = NEXT_WITHIN_S,
    ) -> None:
        self._app, self._max_bytes = app, max_bytes
        self._document_s, self._next_s = document_s, next_s

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one ASGI connection."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
        elif scope["method"] == "POST" and scope["path"].endswith("/versions"):
            await self._app(scope, self._patient(receive), send)
        else:
            await self._with_document(scope, receive, send)

    def _patient(self, receive: Receive) -> Receive:
        async def next_piece() -> Message:
            try:
                async with asyncio.timeout(self._next_s):
                    return await receive()
            except TimeoutError as error:
                raise TooSlow(
                    f"Nothing of the upload arrived for {self._next_s:g} s; send it again."
                ) from error

        return next_piece

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


def _again(first: Message, receive: Receive) -> Receive:
    given = False

    async def next_message() -> Message:
        nonlocal given
        if given:
            return await receive()
        given = True
        return first

    return next_message
