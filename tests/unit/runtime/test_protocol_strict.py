"""What a client may send and what it is told: framing, request line, fields, methods, versions.

Each case goes in as one chunk and byte by byte, and must be answered alike. What is refused ends
its connection, so that nothing behind it can be taken for another request.
"""

from dataclasses import dataclass

import pytest

from tests.unit.runtime.wired import MAX_BODY_BYTES, Wired

CHUNKED = b"transfer-encoding: chunked\r\n"
ABC = b"3\r\nabc\r\n0\r\n\r\n"
FIVE = b"content-length: 5\r\n"
NEXT = b"GET /next HTTP/1.1\r\nhost: x\r\n\r\n"
UPGRADE = b"connection: upgrade\r\nupgrade: websocket\r\n"


def request(
    headers: bytes = b"",
    body: bytes = b"",
    *,
    line: bytes = b"POST /predict HTTP/1.1",
    host: bytes = b"host: x\r\n",
) -> bytes:
    return line + b"\r\n" + host + headers + b"\r\n" + body


def chunked(body: bytes) -> bytes:
    return request(CHUNKED, body)


def getting(target: bytes, version: bytes = b"HTTP/1.1") -> bytes:
    return request(line=b"GET " + target + b" " + version)


@dataclass(frozen=True)
class Case:
    """A request, the status it gets, what the answer says, whether the connection goes on.

    split  where it must not be sent byte by byte: it would not be told from its first bytes
    """

    name: str
    sent: bytes
    status: int
    says: bytes = b""
    goes_on: bool = False
    split: bool = True


def ok(name: str, sent: bytes, says: bytes = b"POST /predict abc") -> Case:
    return Case(name, sent, 200, says, goes_on=True)


def no(name: str, sent: bytes, status: int = 400, says: bytes = b"", *, split: bool = True) -> Case:
    return Case(name, sent, status, says, split=split)


LENGTHS = [
    ok("plain", request(b"content-length: 3\r\n", b"abc")),
    ok("space-behind", request(b"content-length: 3 \r\n", b"abc")),
    ok("tab-before", request(b"content-length:\t3\r\n", b"abc")),
    ok("leading-zeros", request(b"content-length: 0003\r\n", b"abc")),
    ok("thirty-digits", request(b"content-length: " + b"0" * 29 + b"3\r\n", b"abc")),
    ok("none-is-no-body", request(), b"POST /predict "),
    ok("of-a-get", request(b"content-length: 3\r\n", b"abc", line=b"GET /a HTTP/1.1"), b"GET /a "),
    no("twice-the-same", request(b"content-length: 3\r\ncontent-length: 3\r\n", b"abc")),
    no("twice-different", request(b"content-length: 3\r\ncontent-length: 4\r\n", b"abc")),
    no("list", request(b"content-length: 3, 3\r\n", b"abc")),
    no("empty", request(b"content-length:\r\n")),
    ok("zero-with-space", request(b"content-length: 0 \r\n"), b"POST /predict "),
    no("plus", request(b"content-length: +3\r\n", b"abc")),
    no("minus", request(b"content-length: -3\r\n", b"abc")),
    no("space-within", request(b"content-length: 3 3\r\n", b"abc")),
    no("hex", request(b"content-length: 0x3\r\n", b"abc")),
    no("letters", request(b"content-length: three\r\n", b"abc")),
    no("underscore", request(b"content-length: 1_0\r\n", b"abc")),
    no("fraction", request(b"content-length: 3.0\r\n", b"abc")),
    no("over-64-bits", request(b"content-length: 18446744073709551619\r\n", b"abc")),
    no("huge", request(b"content-length: 9999999999999999999\r\n", b"abc"), 413),
    no("over-the-limit", request(b"content-length: %d\r\n" % (2**20)), 413),
    no(
        "over-the-limit-padded", request(b"content-length: " + b"0" * 25 + b"9" * 15 + b"\r\n"), 413
    ),
]

CODINGS = [
    ok("chunked", chunked(ABC)),
    ok("chunked-in-capitals", request(b"Transfer-Encoding: CHUNKED\r\n", ABC)),
    ok("of-a-get", request(CHUNKED, ABC, line=b"GET /a HTTP/1.1"), b"GET /a "),
    no("with-length", request(b"content-length: 3\r\n" + CHUNKED, ABC)),
    no("then-length", request(CHUNKED + b"content-length: 3\r\n", ABC)),
    no("chunked-twice", request(b"transfer-encoding: chunked, chunked\r\n", ABC)),
    no("chunked-in-two-lines", request(CHUNKED * 2, ABC)),
    no("gzip-then-chunked", request(b"transfer-encoding: gzip, chunked\r\n", ABC), 501),
    no("gzip-then-chunked-lines", request(b"transfer-encoding: gzip\r\n" + CHUNKED, ABC), 501),
    no("chunked-then-gzip", request(b"transfer-encoding: chunked, gzip\r\n", ABC)),
    no("chunked-then-gzip-lines", request(CHUNKED + b"transfer-encoding: gzip\r\n", ABC)),
    no("gzip", request(b"transfer-encoding: gzip\r\n", ABC)),
    no("xchunked", request(b"transfer-encoding: xchunked\r\n", ABC)),
    no("identity", request(b"transfer-encoding: identity\r\n")),
    no("identity-then-chunked", request(b"transfer-encoding: identity, chunked\r\n", ABC), 501),
    no("empty", request(b"transfer-encoding:\r\n", ABC)),
    no("comma-behind", request(b"transfer-encoding: chunked,\r\n", ABC)),
    no("parameter", request(b"transfer-encoding: chunked;q=1\r\n", ABC)),
    no("quoted", request(b'transfer-encoding: "chunked"\r\n', ABC)),
    no("vertical-tab", request(b"transfer-encoding: \x0bchunked\r\n", ABC)),
    no("space-before-colon", request(b"transfer-encoding : chunked\r\n", ABC)),
    no("folded", request(b"transfer-encoding:\r\n chunked\r\n", ABC)),
    no("http-1.0", request(CHUNKED, ABC, line=b"POST /predict HTTP/1.0")),
    no(
        "http-1.0-kept",
        request(
            CHUNKED + b"connection: keep-alive\r\n", ABC + NEXT, line=b"POST /predict HTTP/1.0"
        ),
    ),
]

CHUNKS = [
    ok("two", chunked(b"1\r\na\r\n2\r\nbc\r\n0\r\n\r\n")),
    ok("zeros-before", chunked(b"0003\r\nabc\r\n000\r\n\r\n")),
    ok("capital-hex", chunked(b"A\r\n0123456789\r\n0\r\n\r\n"), b"POST /predict 0123456789"),
    ok("extension", chunked(b"3;a=b\r\nabc\r\n0\r\n\r\n")),
    ok("extension-quoted", chunked(b'3;a="b c"\r\nabc\r\n0;last\r\n\r\n')),
    ok("trailer-ignored", chunked(b"3\r\nabc\r\n0\r\nx-sum: 1\r\n\r\n")),
    no("extension-bare-lf", chunked(b"3;a\nabc\r\n0\r\n\r\n")),
    no("extension-bare-cr", chunked(b"3;a\rb\r\nabc\r\n0\r\n\r\n")),
    no("extension-nul", chunked(b"3;a\0b\r\nabc\r\n0\r\n\r\n")),
    no("space-behind-size", chunked(b"3 \r\nabc\r\n0\r\n\r\n")),
    no("space-before-size", chunked(b" 3\r\nabc\r\n0\r\n\r\n")),
    no("plus", chunked(b"+3\r\nabc\r\n0\r\n\r\n")),
    no("minus", chunked(b"-3\r\nabc\r\n0\r\n\r\n")),
    no("0x", chunked(b"0x3\r\nabc\r\n0\r\n\r\n")),
    no("underscore", chunked(b"0_3\r\nabc\r\n0\r\n\r\n")),
    no("no-size", chunked(b"\r\nabc\r\n0\r\n\r\n")),
    no("over-64-bits", chunked(b"10000000000000003\r\nabc\r\n0\r\n\r\n")),
    no("size-bare-lf", chunked(b"3\nabc\r\n0\r\n\r\n")),
    no("data-bare-lf", chunked(b"3\r\nabc\n0\r\n\r\n")),
    no("data-no-end", chunked(b"3\r\nabc0\r\n\r\n")),
    no("data-too-long", chunked(b"3\r\nabcd\r\n0\r\n\r\n")),
    no("end-bare-lf", chunked(b"3\r\nabc\r\n0\r\n\n")),
    no("last-size-bare-lf", chunked(b"3\r\nabc\r\n0\n\r\n")),
    no("trailer-no-token", chunked(b"3\r\nabc\r\n0\r\nx\0: y\r\n\r\n")),
    no("trailer-folded", chunked(b"3\r\nabc\r\n0\r\nx: y\r\n z\r\n\r\n")),
    no("trailer-length", chunked(b"3\r\nabc\r\n0\r\ncontent-length: 30\r\n\r\n")),
    no("trailer-coding", chunked(b"3\r\nabc\r\n0\r\n" + CHUNKED + b"\r\n")),
    no("trailer-host", chunked(b"3\r\nabc\r\n0\r\nhost: y\r\n\r\n")),
    no("trailer-close", chunked(b"3\r\nabc\r\n0\r\nConnection: close\r\n\r\n")),
    no("trailer-upgrade", chunked(b"3\r\nabc\r\n0\r\n" + UPGRADE + b"\r\n")),
    no("over-the-limit", chunked(b"%x\r\n" % (2**16) + b"a" * 2**16), 413, split=False),
]

LINES_AND_FIELDS = [
    ok("tab-in-value", request(b"a: b\tc\r\n"), b"POST /predict "),
    ok("bytes-in-value", request(b"a: b\xffc\r\n"), b"POST /predict "),
    ok("empty-value", request(b"a:\r\n"), b"POST /predict "),
    ok("every-token-character", request(b"!#$%&'*+-.^_`|~09Az: b\r\n"), b"POST /predict "),
    no("bare-lf-everywhere", b"POST /predict HTTP/1.1\nhost: x\ncontent-length: 3\n\nabc"),
    no("bare-lf-in-fields", b"POST /predict HTTP/1.1\r\nhost: x\ncontent-length: 3\r\n\r\nabc"),
    no("bare-lf-in-line", b"POST /predict HTTP/1.1\nhost: x\r\ncontent-length: 3\r\n\r\nabc"),
    no("bare-lf-at-end", b"POST /predict HTTP/1.1\r\nhost: x\r\ncontent-length: 3\r\n\nabc"),
    no("bare-cr-in-fields", b"POST /predict HTTP/1.1\r\nhost: x\rcontent-length: 3\r\n\r\nabc"),
    no("bare-cr-in-value", request(b"a: b\rc\r\n" + FIVE)),
    no("fold-space", request(b"a: b\r\n c\r\n")),
    no("fold-tab", request(b"a: b\r\n\tc\r\n")),
    no("fold-first", b"POST /predict HTTP/1.1\r\n host: x\r\n\r\n"),
    no("fold-of-nothing", request(b"a:\r\n b\r\n")),
    no("nul-in-value", request(b"a: b\0c\r\n")),
    no("control-in-value", request(b"a: b\x01c\r\n")),
    no("del-in-value", request(b"a: b\x7fc\r\n")),
    no("space-before-colon", request(b"a : b\r\n")),
    no("tab-before-colon", request(b"a\t: b\r\n")),
    no("no-name", request(b": b\r\n")),
    no("no-colon", request(b"abc\r\n")),
    no("space-in-name", request(b"a b: c\r\n")),
    no("high-byte-in-name", request(b"a\xff: c\r\n")),
    no("nul-in-name", request(b"a\0: c\r\n")),
    *(no(f"name-with-{c}", request(b"a%cb: c\r\n" % ord(c))) for c in '()<>@,;\\"/[]?={}'),
    no("too-many", request(b"a: b\r\n" * 101), 431),
    no("too-large", request(b"a: " + b"b" * 70_000 + b"\r\n"), 431, split=False),
    no("authorization-twice", request(b"authorization: Bearer a\r\n" * 2), 400, b"authorization"),
]

TARGETS = [
    ok("path", getting(b"/a/b?c=d&e"), b"GET /a/b "),
    ok("escaped", getting(b"/a%20b"), b"GET /a b "),
    ok("two-slashes", getting(b"//x/a"), b"GET //x/a "),
    ok("absolute", getting(b"http://x/a?b"), b"GET /a "),
    ok("absolute-elsewhere", getting(b"HTTP://Other.example:80/a"), b"GET /a "),
    ok("absolute-https", getting(b"https://[::1]:8443/a"), b"GET /a "),
    ok("absolute-without-path", getting(b"http://x"), b"GET / "),
    ok("absolute-query-only", getting(b"http://x?a"), b"GET / "),
    ok(
        "absolute-prediction",
        request(b"content-length: 3\r\n", b"abc", line=b"POST http://x/predict HTTP/1.1"),
    ),
    ok("asterisk-of-options", request(line=b"OPTIONS * HTTP/1.1"), b"OPTIONS * "),
    no("asterisk-of-get", getting(b"*")),
    no("asterisk-and-more", request(line=b"OPTIONS *a HTTP/1.1")),
    no("absolute-other-scheme", getting(b"ftp://x/a")),
    no("absolute-userinfo", getting(b"http://u:p@x/a")),
    no("absolute-no-host", getting(b"http:///a")),
    no("absolute-bad-port", getting(b"http://x:8a/a")),
    no("authority", getting(b"x:80")),
    no("name-only", getting(b"x")),
    no("connect", request(line=b"CONNECT x:80 HTTP/1.1")),
    no("fragment", getting(b"/a#b")),
    no("fragment-of-absolute", getting(b"http://x/a#b")),
    no("fragment-in-query", getting(b"/a?b#c")),
    no("escape-cut", getting(b"/a%")),
    no("escape-short", getting(b"/a%2")),
    no("escape-no-hex", getting(b"/a%zz")),
    no("utf-8", getting("/café".encode())),
    no("high-byte", getting(b"/\xff")),
    no("nul", getting(b"/a\0b")),
    no("control", getting(b"/a\x01b")),
    no("del", getting(b"/a\x7fb")),
    no("tab", getting(b"/a\tb")),
    no("space", getting(b"/a b")),
    no("empty", getting(b"")),
    no("query-only", getting(b"?a")),
    no("too-long", getting(b"/" + b"a" * 9000), 414),
    no("much-too-long", getting(b"/" + b"a" * 70_000), 414, split=False),
]

HOSTS = [
    *(
        ok(f"good-{said.decode()}", request(host=b"Host: " + said + b"\r\n"), b"POST /predict ")
        for said in (b"x", b"x:80", b"x:", b"a.b-c_d.example", b"127.0.0.1:8080", b"[::1]:80")
    ),
    no("twice-the-same", request(b"host: x\r\n"), 400, b"host"),
    no("twice-different", request(b"host: y\r\n"), 400, b"host"),
    no("missing", request(host=b"")),
    *(
        no(f"bad-{said!r}", request(host=b"Host: " + said + b"\r\n"))
        for said in (
            b"",
            b":80",
            b"x y",
            b"x, y",
            b"x/y",
            b"a@x",
            b"x:8a",
            b"x:80:90",
            b"[::1",
            b"::1",
            b"[x]",
            b"x#y",
            b"x?y",
            b"%zz",
            b"\xc3\xa9",
        )
    ),
    no("bad-in-1.0", request(host=b"Host: x y\r\n", line=b"GET /a HTTP/1.0")),
]

VERSIONS = [
    no("0.9-simple", b"GET /a\r\n", 505),
    no("0.9-with-end", b"GET /a\r\n\r\n", 505),
    no("0.9-said", getting(b"/a", b"HTTP/0.9"), 505),
    no("1.2", getting(b"/a", b"HTTP/1.2"), 505),
    no("2.0", getting(b"/a", b"HTTP/2.0"), 505),
    no("3.0", getting(b"/a", b"HTTP/3.0"), 505),
    no("1.10", getting(b"/a", b"HTTP/1.10")),
    no("01.1", getting(b"/a", b"HTTP/01.1")),
    no("1", getting(b"/a", b"HTTP/1")),
    no("letters", getting(b"/a", b"HTTP/x.y")),
    no("small", getting(b"/a", b"http/1.1")),
    no("rtsp", getting(b"/a", b"RTSP/1.0")),
    no("rtsp-post", request(FIVE, b"[[1]]", line=b"POST /predict RTSP/1.1")),
    no("icecast", request(line=b"SOURCE /a ICE/1.0")),
    no("http-2-preface", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\4\0\0\0\0\0", 505),
    no("tls", bytes.fromhex("16030100f8010000f40303") + b"\n\r\n\r\n" * 9, 400),
    no("socks", b"\5\1\0\r\n\r\n"),
    no("noise", b"this is not HTTP\r\n\r\n"),
]

LINES = [
    ok("empty-line-before", b"\r\n" + getting(b"/a"), b"GET /a "),
    ok("line-feed-before", b"\n" + getting(b"/a"), b"GET /a "),  # RFC 9112 2.2 allows
    no("two-spaces", b"GET  /a HTTP/1.1\r\nhost: x\r\n\r\n"),
    no("two-spaces-behind", b"GET /a  HTTP/1.1\r\nhost: x\r\n\r\n"),
    no("tabs", b"GET\t/a\tHTTP/1.1\r\nhost: x\r\n\r\n"),
    no("space-first", b" GET /a HTTP/1.1\r\nhost: x\r\n\r\n"),
    no("space-last", b"GET /a HTTP/1.1 \r\nhost: x\r\n\r\n"),
    no("a-word-more", b"GET /a HTTP/1.1 x\r\nhost: x\r\n\r\n"),
    no("unknown-method", request(line=b"BREW /a HTTP/1.1"), 501),
    no("long-method", request(line=b"A" * 70 + b" /a HTTP/1.1"), 501),
    no("small-method", request(line=b"get /a HTTP/1.1")),
    no("no-token", request(line=b"G@T /a HTTP/1.1")),
]

OFFERS_AND_EXPECTATIONS = [
    ok("upgrade", request(UPGRADE + b"content-length: 3\r\n", b"abc")),
    ok("upgrade-chunked", request(UPGRADE + CHUNKED, ABC)),
    ok("upgrade-without-body", request(UPGRADE, line=b"GET /a HTTP/1.1"), b"GET /a "),
    no("upgrade-both-lengths", request(UPGRADE + CHUNKED + b"content-length: 3\r\n", ABC)),
    no("unknown-expectation", request(b"expect: payment\r\n" + FIVE, b"abcde"), 417),
    no("two-expectations", request(b"expect: 100-continue, x\r\n" + FIVE, b"abcde"), 417),
]

TABLES = {
    "length": LENGTHS,
    "coding": CODINGS,
    "chunk": CHUNKS,
    "field": LINES_AND_FIELDS,
    "target": TARGETS,
    "host": HOSTS,
    "version": VERSIONS,
    "line": LINES,
    "offer": OFFERS_AND_EXPECTATIONS,
}
CASES = [
    pytest.param(case, size, id=f"{table}-{case.name}-{'whole' if size is None else 'bytes'}")
    for table, cases in TABLES.items()
    for case in cases
    for size in (None, 1)
    if size is None or case.split
]


@pytest.mark.parametrize(("case", "size"), CASES)
async def test_a_request_is_answered_or_refused_by_the_book(case: Case, size: int | None) -> None:
    wired = Wired()
    await wired.send(case.sent, () if size is None else [size] * len(case.sent))
    (answer,) = wired.answers()
    assert (answer.status, wired.closed) == (case.status, not case.goes_on), answer
    assert case.says in answer.body
    assert "content-length" in answer.headers
    if case.goes_on:
        await wired.send(NEXT)
        assert [one.body for one in wired.answers()][1:] == [b"GET /next "]
    else:
        assert answer.headers["connection"] == "close"
        assert answer.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize(
    "case",
    [
        pytest.param(case, id=f"{table}-{case.name}")
        for table, cases in TABLES.items()
        for case in cases
        if b"\r\n\r\n" in case.sent  # else it has the next for its own
    ],
)
async def test_behind_another_request_it_is_answered_alike(case: Case) -> None:
    wired = Wired()
    await wired.send(NEXT + case.sent + NEXT)
    said = wired.statuses()
    if case.goes_on:
        assert said == [200, case.status, 200]
    else:
        # A method that is unknown is told from noise only where a chunk begins with it.
        assert said in ([200, case.status], [200, 400] if case.status == 501 else [])
        assert wired.closed


async def test_the_limit_of_a_body_is_told() -> None:
    wired = await Wired().send(request(b"content-length: %d\r\n" % (MAX_BODY_BYTES + 1)))
    (answer,) = wired.answers()
    assert answer.status == 413
    assert b'"limit_bytes":%d' % MAX_BODY_BYTES in answer.body
