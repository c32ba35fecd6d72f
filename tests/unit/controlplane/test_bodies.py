"""Bounds on what arrives: size and patience, before any route sees it."""

import asyncio
import json
from typing import Any

import pytest
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.types import Message, Receive, Scope, Send

from controlplane.bodies import BodyLimits
from runtime.problems import TooSlow


async def echo(scope: Scope, receive: Receive, send: Send) -> None:
    body = await Request(scope, receive).body()
    await PlainTextResponse(str(len(body)))(scope, receive, send)


async def call(
    pieces: list[bytes | None],
    *,
    path: str = "/v1/models",
    length: int | None = None,
    **limits: Any,
) -> tuple[int, bytes]:
    """Send a body in pieces; None: nothing more ever comes."""
    headers = [] if length is None else [(b"content-length", str(length).encode())]
    scope = {"type": "http", "method": "POST", "path": path, "headers": headers, "state": {}}
    left = list(pieces)
    sent: list[Message] = []

    async def receive() -> Message:
        piece = left.pop(0)
        if piece is None:
            await asyncio.Event().wait()
        return {"type": "http.request", "body": piece, "more_body": bool(left)}

    async def send(message: Message) -> None:
        sent.append(message)

    await BodyLimits(echo, **limits)(scope, receive, send)
    return sent[0]["status"], b"".join(m.get("body", b"") for m in sent)


async def test_a_document_arrives_whole() -> None:
    assert await call([b"ab", b"", b"cd"]) == (200, b"4")


@pytest.mark.parametrize(
    ("pieces", "length", "status"),
    [
        ([b"x" * 10], None, 200),
        ([b"x" * 11], None, 413),
        ([b"x" * 6, b"x" * 6, None], None, 413),
        ([None], 11, 413),
        ([b"x", None], None, 408),
    ],
    ids=["at the limit", "over it", "over it on the way", "announced over it", "never ends"],
)
async def test_a_document_is_bounded(
    pieces: list[bytes | None], length: int | None, status: int
) -> None:
    found, body = await call(pieces, length=length, max_bytes=10, document_s=0.05)
    assert found == status
    if status != 200:
        assert json.loads(body)["status"] == status


async def test_an_upload_is_not_counted_but_must_not_stall() -> None:
    upload = "/v1/models/iris/versions"
    assert await call([b"x" * 8, b"x" * 8], path=upload, max_bytes=10) == (200, b"16")
    with pytest.raises(TooSlow, match=r"for 0\.05 s"):
        await call([b"x", None], path=upload, next_s=0.05)
