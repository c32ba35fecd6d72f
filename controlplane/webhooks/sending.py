"""Sends a message to an address that a tenant chose, without becoming anybody's tool.

A name is resolved here, and the connection goes to an address that was looked at: what the name
says a moment later makes no difference. No redirect is followed and no proxy of the environment
used. All of it has one deadline, and of an answer only its first kB is read.
"""

import asyncio
import contextlib
import logging
import socket
import ssl
import time
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from importlib.metadata import version
from ipaddress import ip_address
from typing import Final
from urllib.parse import urlsplit

import httpcore
from typing_extensions import override

from controlplane.webhooks import signing
from controlplane.webhooks.addresses import Network, NotAllowed, check_url, may_reach, refusal
from controlplane.webhooks.retrying import Outcome
from controlplane.webhooks.service import Message

log = logging.getLogger("kubeserve.webhooks")
DEADLINE_S: Final = 15.0
KEPT_BYTES: Final = 1024
MOST_TRIED: Final = 4  # addresses of one name
# Threads of their own: a tenant's slow name server must not hold up what else looks up names.
RESOLVERS: Final = 8
AGENT: Final = f"kubeserve/{version('kubeserve')} (webhooks)"


class Sender:
    """Sends messages, one connection each.

    own      networks that messages may go to though they are private, and without encryption
    context  of TLS; the system's authorities by default
    clock    of the timestamps that are signed
    """

    def __init__(
        self,
        own: Sequence[Network] = (),
        context: ssl.SSLContext | None = None,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
        *,
        deadline_s: float = DEADLINE_S,
    ) -> None:
        self.own, self._clock, self._deadline_s = tuple(own), clock, deadline_s
        self._context = context or ssl.create_default_context()
        self._threads = ThreadPoolExecutor(RESOLVERS, thread_name_prefix="webhook-names")

    async def send(self, message: Message) -> Outcome:
        """Make one attempt; never raises for what the receiver does."""
        began = time.monotonic()
        found = Outcome(None, f"no answer within {self._deadline_s:g} s", timedelta())
        try:
            async with asyncio.timeout(self._deadline_s):
                found = await self._post(message)
        except TimeoutError:
            pass
        except NotAllowed as error:
            found = Outcome(None, f"not sent: {error}", timedelta())
        except (httpcore.NetworkError, httpcore.ProtocolError, httpcore.TimeoutException) as error:
            found = Outcome(None, _said(error), timedelta())
        except Exception as error:
            # One attempt among others: it is tried again later, and not at once for ever.
            log.exception("a message could not be sent")
            found = Outcome(None, f"not sent: {type(error).__name__}", timedelta())
        took = timedelta(seconds=time.monotonic() - began)
        return Outcome(found.status, found.error, took, found.response, found.retry_after)

    async def _post(self, message: Message) -> Outcome:
        check_url(message.url, self.own)  # what is allowed may have changed since it was made
        url = httpcore.URL(message.url)
        backend = _Looked(url.scheme.decode(), self.own, self._threads)
        async with (
            httpcore.AsyncConnectionPool(
                ssl_context=self._context, max_connections=1, network_backend=backend
            ) as pool,
            pool.stream(
                "POST", url, headers=self._headers(message), content=message.body
            ) as answer,
        ):
            text = await _beginning(answer)
            return Outcome(
                answer.status, None, timedelta(), text, _retry_after(answer.headers, self._clock())
            )

    def _headers(self, message: Message) -> list[tuple[str, str]]:
        timestamp = int(self._clock().timestamp())
        signed = signing.headers(message.secrets, message.id, timestamp, message.body)
        return [
            ("host", urlsplit(message.url).netloc),
            ("content-type", "application/json"),
            ("content-length", str(len(message.body))),
            ("user-agent", AGENT),
            ("connection", "close"),
            *signed.items(),
        ]


def _said(error: Exception) -> str:
    return f"{type(error).__name__}: {error}".rstrip(": ")[:300]


async def _beginning(answer: httpcore.Response) -> str:
    """Read the first of a body; what cannot be shown is replaced."""
    read = b""
    async with contextlib.aclosing(answer.aiter_stream()) as pieces:  # type: ignore[type-var]
        async for piece in pieces:
            read += piece[: KEPT_BYTES - len(read)]
            if len(read) >= KEPT_BYTES:
                break
    return read.decode("utf-8", "replace").replace("\0", "\ufffd")


def _retry_after(headers: Iterable[tuple[bytes, bytes]], now: datetime) -> timedelta | None:
    """Read Retry-After, seconds or a date; None where it says nothing that can be read."""
    value = next((v for name, v in headers if name.lower() == b"retry-after"), b"").decode("latin1")
    if value.isdecimal():
        return timedelta(seconds=min(int(value[:9]), 1 << 30))
    try:
        at = parsedate_to_datetime(value)
    except ValueError:
        return None
    return at - now if at.tzinfo is not None else None


class _Looked(httpcore.AsyncNetworkBackend):
    """Connects to addresses that messages may go to, and to no others."""

    def __init__(self, scheme: str, own: Sequence[Network], threads: ThreadPoolExecutor) -> None:
        self._scheme, self._own, self._threads = scheme, own, threads
        self._inner = httpcore.AnyIOBackend()

    @override
    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        found = [ip_address(one) for one in await self._addresses(host, port)]
        allowed = [one for one in found if may_reach(one, self._scheme, self._own)]
        if not allowed:
            raise NotAllowed(refusal(host, found[0], self._scheme))
        failure: Exception = httpcore.ConnectError("no address")
        for address in allowed[:MOST_TRIED]:
            try:
                return await self._inner.connect_tcp(
                    str(address), port, timeout, local_address, socket_options
                )
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
                failure = error
        raise failure

    async def _addresses(self, host: str, port: int) -> list[str]:
        loop = asyncio.get_running_loop()
        try:
            found = await loop.run_in_executor(
                self._threads, lambda: socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
            )
        except (OSError, UnicodeError) as error:
            said = getattr(error, "strerror", None) or "it cannot be looked up"
            raise httpcore.ConnectError(f"the name {host}: {said}") from error
        return list(dict.fromkeys(str(entry[4][0]).partition("%")[0] for entry in found))

    @override
    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)
