"""Bounds on what arrives: size and patience, before any route sees it."""

import asyncio
import json
from typing import Any

import pytest
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.types import Message, Receive, Scope, Send

from controlplane.edge.bodies import BodyLimits


async def echo(scope: Scope, receive: Receive, send: Send) -> None:
    body = await Request(scope, receive).body()
    await PlainTextResponse(str(len(body)))(scope, receive, send)


async def call(
    pieces: list[bytes | None],
    *,
    path: str = "/v1/models",
    length: int | None = None,
    coding: str = "identity",
    **limits: Any,
) -> tuple[int, bytes]:
    """Send a body in pieces; None: nothing more ever comes."""
    headers = [(b"content-encoding", coding.encode())]
    if length is not None:
        headers.append((b"content-length", str(length).encode()))
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


async def test_an_upload_is_not_counted_here() -> None:
    upload = "/v1/models/iris/versions"
    assert await call([b"x" * 8, b"x" * 8], path=upload, max_bytes=10) == (200, b"16")


@pytest.mark.parametrize("path", ["/v1/models", "/v1/models/iris/versions"])
async def test_compressed_bodies_are_refused_with_what_to_send(path: str) -> None:
    status, body = await call([b"x"], path=path, coding="gzip")
    assert status == 415
    assert "without Content-Encoding" in json.loads(body)["detail"]
