"""What both shells share of httpx: its settings, and what its errors mean."""

import ipaddress
import ssl
from functools import cache
from typing import Any, Final
from urllib.parse import urlsplit

import httpx
import orjson

from controlplane.client.errors import BadAnswer, ClientError, NotConfigured, Unreachable
from controlplane.client.results import LogLine
from controlplane.client.steps import Answer, Broken, Send

CONNECT_S: Final = 5.0
TIMEOUTS: Final = (httpx.ReadTimeout, httpx.WriteTimeout, httpx.PoolTimeout)
OURS: Final = (httpx.LocalProtocolError, httpx.DecodingError, httpx.TooManyRedirects)


def options(url: str) -> dict[str, Any]:
    """Give the arguments of httpx's clients; no proxy for loopback."""
    return {
        "follow_redirects": False,
        "verify": _tls(),
        "trust_env": not _is_loopback(url),
        "limits": httpx.Limits(max_connections=200, max_keepalive_connections=100),
    }


@cache
def _tls() -> ssl.SSLContext:
    """Make one context for all clients: reading the authorities takes 50 ms."""
    return httpx.create_ssl_context()


def _is_loopback(url: str) -> bool:
    host = urlsplit(url).hostname or ""
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def timeout(step: Send) -> httpx.Timeout:
    """Give the patience for one request; a stream may be silent for as long as it likes."""
    read = None if step.stream else step.timeout_s
    return httpx.Timeout(step.timeout_s, connect=CONNECT_S, read=read)


def failure(error: httpx.HTTPError | httpx.InvalidURL, url: str) -> Exception:
    """Say what an error of httpx means to a flow."""
    because = str(error) or type(error).__name__
    if isinstance(error, httpx.InvalidURL | httpx.UnsupportedProtocol):
        return NotConfigured(f"{url!r} is not an address: {because}")
    if isinstance(error, TIMEOUTS):
        return Broken(because, timed_out=True)
    if isinstance(error, OURS):
        return ClientError(f"The exchange with {url} failed: {because}")
    return Broken(because)


def lost(error: httpx.HTTPError, url: str) -> ClientError:
    """Say that a stream broke off in the middle."""
    meant = failure(error, url)
    return meant if isinstance(meant, ClientError) else Unreachable(url, str(meant))


def answer_of(response: httpx.Response, *, open_stream: bool = False) -> Answer:
    """Give a response to a flow; `open_stream`: the body is still to be read."""
    headers = {name.lower(): value for name, value in response.headers.items()}
    if open_stream:
        return Answer(response.status_code, headers, b"", lines=response)
    return Answer(response.status_code, headers, response.content)


def log_line(text: str) -> LogLine:
    """Read one line of a log stream."""
    try:
        found = orjson.loads(text)
    except orjson.JSONDecodeError as error:
        raise BadAnswer(f"not a log line: {text[:200]}") from error
    if not isinstance(found, dict):
        raise BadAnswer(f"not a log line: {text[:200]}")
    return LogLine.read(found)
