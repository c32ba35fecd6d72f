"""Random request streams through our protocol, uvicorn's two and h11: all see the same requests.

The same application answers behind them, and says what it was asked. Where the others answer, we
answer alike or refuse; where they refuse, we refuse. Streams come whole, cut anywhere, mutilated.
"""

import asyncio
import logging
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import unquote_to_bytes

import h11
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from uvicorn.config import Config
from uvicorn.protocols.http.h11_impl import H11Protocol
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn.server import ServerState

from runtime.plan.ops import override
from runtime.protocol import HttpProtocol
from runtime.responses import CONTINUE
from tests.unit.runtime.wired import Answer, Pipe, Wired, echo, read_answers

pytestmark = pytest.mark.usefixtures("shortcuts")
EXAMPLES = settings(max_examples=100, deadline=None, derandomize=True)


@pytest.fixture(scope="module", autouse=True)
def _quiet() -> Iterator[None]:
    logging.disable(logging.ERROR)  # uvicorn's lines for each refusal
    yield
    logging.disable(logging.NOTSET)


@pytest.fixture(scope="module")
def runner() -> Iterator[asyncio.Runner]:
    with asyncio.Runner() as opened:
        yield opened


# Streams


@dataclass(frozen=True)
class Asked:
    """A request as a client means it."""

    method: bytes
    target: bytes
    headers: tuple[bytes, ...]
    body: bytes
    parts: tuple[int, ...] | None  # lengths of its chunks; None: with its length
    version: bytes = b"1.1"

    def raw(self) -> bytes:
        line = b"%b %b HTTP/%b" % (self.method, self.target, self.version)
        framing = [b"Transfer-Encoding: chunked"]
        body = b"".join(b"%x\r\n%b\r\n" % (len(part), part) for part in self._chunks() if part) + (
            b"0\r\n\r\n"
        )
        if self.parts is None:
            framing = [b"Content-Length: %d" % len(self.body)] if self.body else []
            body = self.body
        lines = [line, b"Host: example.org", *self.headers, *framing]
        return b"\r\n".join(lines) + b"\r\n\r\n" + body

    def _chunks(self) -> list[bytes]:
        found, left = [], self.body
        for size in self.parts or ():
            found.append(left[:size])
            left = left[size:]
        return [*found, left]

    def answer(self) -> bytes:
        path = self.target.partition(b"?")[0].replace(b"%7E", b"~")
        read = self.method == b"POST" and path == b"/predict"
        return b"%b %b %b" % (self.method, path, self.body if read else b"")


FIELDS = st.sampled_from(
    [
        b"Accept: */*",
        b"X-Empty:",
        b"X-Latin: caf\xe9",
        b"x-list: a, b",
        b"User-Agent: a (b; c)",
        b"Expect: 100-continue",
        b"Content-Type: application/json",
        b"Connection: keep-alive",
    ]
)
BODIES = st.binary(max_size=40) | st.sampled_from(
    [b"\r\n\r\n", b"GET /in-a-body HTTP/1.1\r\nHost: x\r\n\r\n", b"0\r\n\r\n", b"[[1, 2]]"]
)
ASKED = st.builds(
    Asked,
    method=st.sampled_from([b"POST", b"POST", b"POST", b"GET", b"PUT"]),
    target=st.sampled_from([b"/predict", b"/predict", b"/a?b=%20c", b"/%7Ea", b"/predict?x"]),
    headers=st.lists(FIELDS, max_size=3, unique=True).map(tuple),
    body=BODIES,
    parts=st.none() | st.lists(st.integers(1, 20), max_size=3).map(tuple),
)


@st.composite
def conversations(draw: st.DrawFn) -> list[Asked]:
    """Requests of one connection, with heads that come again, the last perhaps its last."""
    found = draw(st.lists(ASKED, min_size=1, max_size=5))
    if draw(st.booleans()):
        same = found[draw(st.integers(0, len(found) - 1))]
        again = draw(st.lists(st.binary(min_size=len(same.body), max_size=len(same.body))))
        found += [replace(same, body=body) for body in again[:4]]
    end = draw(st.sampled_from(["", "", "close", "1.0"]))
    if end == "close":
        found[-1] = replace(found[-1], headers=(b"Connection: Close",))
    if end == "1.0":
        found[-1] = replace(found[-1], version=b"1.0", parts=None, headers=())
    return found


@st.composite
def cuts(draw: st.DrawFn, asked: list[Asked], size: int) -> list[int]:
    """Sizes of chunks: anywhere, or where requests end, which is where the short way is taken."""
    if draw(st.booleans()):
        return [len(one.raw()) for one in asked]
    return draw(st.lists(st.integers(1, max(1, size)) | st.integers(1, 12), max_size=30))


TOKENS = st.sampled_from(
    [
        *(bytes([byte]) for byte in b'\n\r\0\t :,;/?#%*=+-_@"[]{}0139aAfF\x0b\x7f\x80\xff'),
        b"\r\n",
        b"\r\n ",
        b"\r\n\t",
        b"\r\n\r\n",
        b"  ",
        b"0\r\n\r\n",
        b"Content-Length: 3\r\n",
        b"Content-Length: 0\r\n",
        b"content-length : 3\r\n",
        b"Transfer-Encoding: chunked\r\n",
        b"Transfer-Encoding: gzip\r\n",
        b"Transfer-Encoding: identity\r\n",
        b", chunked",
        b"Host: other\r\n",
        b"Connection: close\r\n",
        b"Connection: keep-alive\r\n",
        b"Expect: more\r\n",
        b"HTTP/1.0",
        b"HTTP/2.0",
        b"RTSP/1.0",
        b"GET /more HTTP/1.1\r\nHost: x\r\n\r\n",
        b"18446744073709551616",
        b";a=b",
    ]
)


@st.composite
def mutilated(draw: st.DrawFn, raw: bytes) -> bytes:
    for _ in range(draw(st.integers(1, 3))):
        # Heads are where it matters; a place is drawn near one's end as often as anywhere.
        ends = [at for at in range(len(raw)) if raw.startswith(b"\r\n", at)] or [0]
        anywhere = st.integers(0, len(raw))
        near = st.builds(lambda e, d: max(0, e + d), st.sampled_from(ends), st.integers(-3, 3))
        at = draw(anywhere | near)
        match draw(st.sampled_from(["insert", "replace", "delete", "repeat", "cut"])):
            case "insert":
                raw = raw[:at] + draw(TOKENS) + raw[at:]
            case "replace":
                token = draw(TOKENS)
                raw = raw[:at] + token + raw[at + len(token) :]
            case "delete":
                raw = raw[:at] + raw[at + draw(st.integers(1, 4)) :]
            case "repeat":
                span = draw(st.integers(1, 40))
                raw = raw[: at + span] + raw[at : at + span] + raw[at + span :]
            case "cut":
                raw = raw[: max(1, at)]
    return raw


# The others


class LenientPipe(Pipe):
    """uvicorn resumes what it did not pause, and a real transport lets it."""

    @override
    def pause_reading(self) -> None:
        self.paused = True

    @override
    def resume_reading(self) -> None:
        self.paused = False


class Patient(h11.Connection):
    """h11, but empty lines before a request are skipped as RFC 9112 2.2 asks."""

    @override
    def next_event(self) -> Any:
        left = self.trailing_data[0]
        if self.their_state is h11.IDLE and left[:1] in {b"\r", b"\n"}:
            self._receive_buffer.__init__()  # type: ignore[misc]
            self._receive_buffer += left.lstrip(b"\r\n")
        return super().next_event()


async def through_uvicorn(kind: Any, raw: bytes, sizes: list[int]) -> list[Answer]:
    loop = asyncio.get_running_loop()
    config = Config(echo, lifespan="off", ws="none", log_config=None, access_log=False)
    protocol = kind(config, ServerState(), {}, _loop=loop)
    pipe = LenientPipe(loop)
    pipe.protocol = protocol
    protocol.connection_made(pipe)
    at = 0
    for size in [*sizes, len(raw)]:
        await _rest(pipe)
        if at >= len(raw) or pipe.closing:
            break
        protocol.data_received(raw[at : at + size])
        at += size
    await _rest(pipe)
    pipe.close()
    await _rest(pipe)
    # Who was told to go on and did not has no answer.
    return read_answers(bytes(pipe.sent).removesuffix(CONTINUE))


def through_h11(raw: bytes) -> list[Answer]:
    """Give what h11 itself reads, answered as `echo` does."""
    server, found = Patient(h11.SERVER), list[Answer]()
    server.receive_data(raw)
    server.receive_data(b"")
    asked, body = h11.Request(method="GET", target="/", headers=[("host", "")]), b""
    while True:
        try:
            event = server.next_event()
        except h11.RemoteProtocolError as error:
            return [*found, Answer(error.error_status_hint, {}, b"")]
        if isinstance(event, h11.Request):
            asked, body = event, b""
        elif isinstance(event, h11.Data):
            body += bytes(event.data)
        elif isinstance(event, h11.EndOfMessage):
            path = unquote_to_bytes(asked.target.partition(b"?")[0])
            read = asked.method == b"POST" and path == b"/predict"
            said = b"%b %b %b" % (asked.method, path, body if read else b"")
            found.append(Answer(200, {}, said))
            server.send(h11.Response(status_code=200, headers=[("content-length", "0")]))
            server.send(h11.EndOfMessage())
            if server.our_state is not h11.DONE:
                return found
            server.start_next_cycle()
        else:
            return found


async def _rest(pipe: Pipe) -> None:
    """Wait until nothing is written any more: requests that wait for their rest never end."""
    quiet, before = 0, -1
    while quiet < 20:
        await asyncio.sleep(0)
        quiet, before = (quiet + 1 if before == len(pipe.sent) else 0), len(pipe.sent)


async def through_ours(
    raw: bytes, sizes: list[int], protocol: type[HttpProtocol] = HttpProtocol
) -> list[Answer]:
    wired = Wired(protocol=protocol)
    await wired.send(raw, sizes)
    await wired.end_input()
    assert wired.pipe.closing, "the connection is left open though nothing more can come"
    assert not wired.edge.connections
    assert wired.gate.kept == 0
    return wired.answers()


# What must hold


@EXAMPLES
@given(data=st.data())
def test_what_is_well_formed_is_answered_whole_or_cut(
    runner: asyncio.Runner, data: st.DataObject
) -> None:
    asked = data.draw(conversations())
    raw = b"".join(one.raw() for one in asked)
    sizes = data.draw(cuts(asked, len(raw)))
    answers = runner.run(through_ours(raw, sizes))
    assert [(one.status, one.body) for one in answers] == [(200, one.answer()) for one in asked]


@EXAMPLES
@given(data=st.data())
def test_uvicorn_and_h11_see_the_same_requests(runner: asyncio.Runner, data: st.DataObject) -> None:
    asked = data.draw(conversations())
    raw = b"".join(one.raw() for one in asked)
    sizes = data.draw(cuts(asked, len(raw)))
    ours = runner.run(through_ours(raw, sizes))
    for kind in (HttpToolsProtocol, H11Protocol):
        theirs = runner.run(through_uvicorn(kind, raw, sizes))
        assert said(theirs) == said(ours), kind


@settings(EXAMPLES, max_examples=300)
@given(data=st.data())
def test_of_what_is_mutilated_nobody_reads_more_than_we_refuse(
    runner: asyncio.Runner, data: st.DataObject
) -> None:
    asked = data.draw(conversations())
    raw = data.draw(mutilated(b"".join(one.raw() for one in asked)))
    sizes = data.draw(cuts(asked, len(raw)))
    ours = runner.run(through_ours(raw, sizes))
    assert all(one.status in {200, 400, 413, 417, 431, 501, 505} for one in ours)
    hold_together(ours, through_h11(raw), raw)
    hold_together(ours, runner.run(through_uvicorn(HttpToolsProtocol, raw, sizes)), raw)


@settings(EXAMPLES, max_examples=200)
@given(data=st.data())
def test_cuts_change_nothing(runner: asyncio.Runner, data: st.DataObject) -> None:
    asked = data.draw(conversations())
    raw = data.draw(mutilated(b"".join(one.raw() for one in asked)))
    # Two spaces in a line are found anywhere, but behind another request only where no equal line
    # with one stands in the same chunk. Nothing hangs on them: both are read as the same request.
    assume(re.search(rb"(GET|PUT|POST)  |  HTTP/1| RTSP/1", raw) is None)
    whole = runner.run(through_ours(raw, []))
    parts = runner.run(through_ours(raw, data.draw(cuts(asked, len(raw)))))
    # Of several faults the first is told, and a cut may show another first.
    assert said(whole, refused=400) == said(parts, refused=400)


class Forgetful(HttpProtocol):
    """Ours without its memory: each head is read by the parser."""

    @override
    def _remember(self, data: bytes) -> None:
        pass


@st.composite
def chunks_of_one(draw: st.DrawFn) -> list[bytes]:
    """Chunks made of one request again and again: whole, halved, doubled, framed, as a body."""
    one = draw(ASKED)
    body = st.binary(min_size=len(one.body), max_size=len(one.body)) | st.just(one.body)
    raw, again = one.raw(), replace(one, body=draw(body)).raw()
    at = draw(st.integers(1, len(raw) - 1))
    around = replace(one, method=b"POST", target=b"/predict", body=raw, parts=None).raw()
    pieces = [
        *(raw, again) * 3,
        raw[:at],
        raw[at:],
        again[:at] + raw[at:],
        raw + again,
        raw + again[:at],
        raw[at:] + again,
        b"\r\n" + raw,
        raw + b"\r\n",
        again + b"\r\n",
        around[: -len(raw)],
        around,
        replace(one, headers=(*one.headers, b"X-More: yes")).raw(),
        draw(mutilated(again)),
        draw(ASKED).raw(),
    ]
    return [raw, *draw(st.lists(st.sampled_from(pieces), min_size=1, max_size=8))]


@settings(EXAMPLES, max_examples=400)
@given(chunks=chunks_of_one())
def test_a_remembered_head_changes_nothing(runner: asyncio.Runner, chunks: list[bytes]) -> None:
    raw, sizes = b"".join(chunks), [len(chunk) for chunk in chunks]
    ours = runner.run(through_ours(raw, sizes))
    assert said(ours) == said(runner.run(through_ours(raw, sizes, Forgetful)))


def said(answers: list[Answer], refused: int | None = None) -> list[tuple[int, bytes]]:
    """Give statuses, those of refusals as one if one is named, and the bodies of what answers."""
    return [
        (200, one.body) if one.status == 200 else (refused or one.status, b"") for one in answers
    ]


def hold_together(ours: list[Answer], theirs: list[Answer], raw: bytes) -> None:
    for number, mine in enumerate(ours):
        if mine.status != 200:
            assert number == len(ours) - 1, "something was answered behind a refusal"
            return
        if number == len(theirs) and b"HTTP/1.0" in raw:
            return  # uvicorn never keeps a connection of HTTP/1.0
        assert number < len(theirs), f"only we answer: {mine}"
        his = theirs[number]
        if his.status == 400 and ours[-1].status != 200:
            return  # uvicorn's refusals overtake the answers before them
        assert (his.status, his.body) == (200, mine.body)
    assert len(theirs) <= len(ours), "not refused, and not answered"
