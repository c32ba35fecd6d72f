"""Files over signed addresses and forms: streamed, digest compared, and never elsewhere."""

import asyncio
import contextlib
import hashlib
import http.client
import io
import random
import re
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

import httpx

from controlplane.builder.instructions import Form

CHUNK: Final = 1 << 20
ATTEMPTS: Final = 4
# How often a builder that waits looks: at first a push follows soon, or none does.
LOOK_S: Final = 0.15
OFTEN_S: Final = 120.0
SELDOM_S: Final = 0.6
TIMEOUT: Final = httpx.Timeout(30.0, connect=5.0)
_CODE: Final = re.compile(r"<Code>(\w{1,60})</Code>")


class TransferError(Exception):
    """The store does not answer, or refuses."""


class NotThere(TransferError):
    """There is nothing at the address, or nothing yet."""


class Differs(TransferError):
    """The bytes are not those that were announced."""


class Undelivered(TransferError):
    """An environment did not come as it was made."""


class _Passing(TransferError):
    """May be gone the next time."""


async def fetch(url: str, path: Path, sha256: str, size_bytes: int) -> None:
    """Download to a new file; raises Differs unless digest and size are as announced."""
    async with _client() as client:
        await _again(lambda: _fetch(client, url, path, sha256, size_bytes))


async def told(url: str, wait_s: float, most_bytes: int) -> bytes | None:
    """Wait until there is something at an address; None when nothing came.

    A store that falls meanwhile is waited for too; raises TransferError for what is too large.
    """
    loop = asyncio.get_running_loop()
    began = loop.time()
    async with _client() as client:
        while True:
            with contextlib.suppress(NotThere, _Passing):
                return await _told(client, url, most_bytes)
            waited = loop.time() - began
            if waited >= wait_s:
                return None
            await asyncio.sleep(LOOK_S if waited < OFTEN_S else SELDOM_S)


async def _told(client: httpx.AsyncClient, url: str, most_bytes: int) -> bytes:
    content = bytearray()
    try:
        async with client.stream("GET", url) as answer:
            await _check(answer)
            async for chunk in answer.aiter_raw(CHUNK):
                content += chunk
                if len(content) > most_bytes:
                    raise TransferError(f"what is told has more than {most_bytes} bytes")
    except httpx.TransportError as error:
        raise _Passing(f"the object store broke off: {_words(error)}") from error
    return bytes(content)


async def _fetch(
    client: httpx.AsyncClient, url: str, path: Path, sha256: str, size_bytes: int
) -> None:
    digest, size = hashlib.sha256(), 0
    try:
        async with client.stream("GET", url) as answer:
            await _check(answer)
            with path.open("wb") as file:
                async for chunk in answer.aiter_raw(CHUNK):
                    size += len(chunk)
                    if size > size_bytes:
                        raise Differs(f"the upload is larger than the {size_bytes} bytes announced")
                    digest.update(chunk)
                    await asyncio.to_thread(file.write, chunk)
    except httpx.TransportError as error:
        raise _Passing(f"the object store broke off: {_words(error)}") from error
    if size != size_bytes or digest.hexdigest() != sha256:
        raise Differs(f"the upload is not the one announced: {size} of {size_bytes} bytes")


async def send(form: Form, content: Path | bytes) -> None:
    """Upload a file or some bytes; a second time is harmless."""
    async with _client() as client:
        await _again(lambda: _send(client, form, content))


async def _send(client: httpx.AsyncClient, form: Form, content: Path | bytes) -> None:
    opened = io.BytesIO(content) if isinstance(content, bytes) else content.open("rb")
    with opened as file:
        files = {"file": ("file", file, "application/octet-stream")}  # behind the fields
        try:
            async with client.stream("POST", form.url, data=form.fields, files=files) as answer:
                await _check(answer, form.fields.get("key", ""))
        except httpx.TransportError as error:
            raise _Passing(f"the object store broke off: {_words(error)}") from error


async def _check(answer: httpx.Response, key: str = "") -> None:
    """Raise for anything but success; a redirect is none: it would lead elsewhere.

    key  of the object, where the address is that of its bucket
    """
    if answer.is_success:
        return
    # The store's own code is enough, and says nothing secret: an address holds its signature.
    start = b""
    async for chunk in answer.aiter_raw(4096):
        start = chunk
        break
    code = _CODE.search(start.decode("utf-8", "replace"))
    phrase = code[1] if code else http.client.responses.get(answer.status_code, "")
    what = (
        f"the object store answered {answer.status_code} {phrase} for {_place(answer.request, key)}"
    )
    if answer.status_code in (408, 429) or answer.status_code >= 500:
        raise _Passing(what)
    # S3 says 403 where the signer may not list the bucket.
    raise (NotThere if answer.status_code in (403, 404) else TransferError)(what)


def _place(request: httpx.Request, key: str) -> str:
    path = urlsplit(str(request.url)).path
    return f"{request.method} {path}/{key}" if key else f"{request.method} {path}"


def _words(error: Exception) -> str:
    return f"{type(error).__name__} {error}".strip()


def _client() -> httpx.AsyncClient:
    # Neither proxies nor .netrc of the environment: the addresses are all there is to know.
    return httpx.AsyncClient(
        timeout=TIMEOUT,
        follow_redirects=False,
        trust_env=False,
        headers={"accept-encoding": "identity"},
    )


async def _again(step: Callable[[], Awaitable[None]]) -> None:
    for attempt in range(ATTEMPTS):
        try:
            await step()
        except _Passing:
            if attempt == ATTEMPTS - 1:
                raise
            await asyncio.sleep(random.uniform(0.5, 1) * 2**attempt / 4)  # noqa: S311  (backoff)
        else:
            return
