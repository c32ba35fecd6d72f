"""What a connection is held to: time, size, number, order; and what it is not blamed for."""

import pytest

from runtime.connection import HEAD_S, IDLE_S, LINGER_S, MAX_PIPELINED, WRITE_S
from runtime.exchange import Exchange
from runtime.heads import Head
from runtime.problems import Unauthenticated
from runtime.protocol import HttpProtocol
from runtime.reading import MIN_RATE, RATE_AFTER_S
from tests.unit.runtime.wired import BODY_S, Wired, answer, raising

pytestmark = pytest.mark.usefixtures("shortcuts")

HEAD = b"POST /predict HTTP/1.1\r\nhost: x\r\n"
ONE = HEAD + b"content-length: 3\r\n\r\nabc"
GET = b"GET /a HTTP/1.1\r\nhost: x\r\n\r\n"
CHUNKED = HEAD + b"transfer-encoding: chunked\r\n\r\n"
ASKING = HEAD + b"content-length: 3\r\nexpect: 100-continue\r\n\r\n"
OFFERING = b"GET /a HTTP/1.1\r\nhost: x\r\nconnection: upgrade\r\nupgrade: h2c\r\n\r\n"


# Order, and what one request may cost another


async def test_thousands_of_offers_in_one_chunk_are_answered() -> None:
    wired = await Wired().send(OFFERING * 3000)
    assert wired.statuses() == [200] * 3000


async def test_an_offer_in_http_1_0_does_not_keep_the_connection() -> None:
    wired = await Wired().send(OFFERING.replace(b"HTTP/1.1", b"HTTP/1.0") + GET)
    assert wired.statuses() == [200]
    assert wired.closed


@pytest.mark.parametrize("offer", [b"connection: close, upgrade", b"Connection: Upgrade,Close"])
async def test_an_offer_and_close_closes(offer: bytes) -> None:
    wired = await Wired().send(OFFERING.replace(b"connection: upgrade", offer) + GET)
    assert wired.statuses() == [200]
    assert wired.answers()[0].headers["connection"] == "close"
    assert wired.closed


@pytest.mark.parametrize("sizes", [(), (len(ONE) + 19,)], ids=["one-chunk", "two-chunks"])
async def test_what_follows_close_is_read_away_and_not_answered(sizes: tuple[int, ...]) -> None:
    wired = Wired(later=True)
    closing = ONE.replace(b"host", b"connection: close\r\nhost")
    await wired.send(closing + GET + b"\0 no HTTP", sizes)
    answer(*wired.asked[0])
    await wired.settled()
    assert wired.statuses() == [200]
    # Said to end, not cut: a reset would take the answer from a client that is still sending.
    assert wired.pipe.eof
    assert not wired.pipe.closing
    await wired.send(GET * 100)
    assert wired.statuses() == [200]
    await wired.pass_time(LINGER_S + 2)
    assert wired.pipe.aborted


async def test_answers_leave_in_the_order_of_their_requests() -> None:
    wired = Wired(later=True)
    await wired.send(ONE + GET + ONE.replace(b"abc", b"def") + GET.replace(b"/a", b"/b"))
    first, second = wired.asked
    answer(*second)
    await wired.settled()
    assert wired.statuses() == []
    answer(*first)
    await wired.settled()
    assert [one.body for one in wired.answers()] == [
        b"POST /predict abc",
        b"GET /a ",
        b"POST /predict def",
        b"GET /b ",
    ]


TAIL = len(ONE) - 30
AROUND = HEAD + b"content-length: %d\r\n\r\n" % len(ONE)


@pytest.mark.parametrize(
    ("chunks", "said"),
    [
        ([ONE, ONE, ONE[:-1] + b"d"], [b"abc", b"abc", b"abd"]),
        ([ONE + b"\r\n", ONE + b"\r\n", ONE], [b"abc"] * 3),
        ([ONE[:TAIL], ONE[TAIL:], ONE[TAIL:]], [b"abc", None]),
        ([ONE, AROUND, ONE, ONE], [b"abc", ONE, b"abc"]),
        ([ONE, ONE[:TAIL], ONE[TAIL:], ONE], [b"abc"] * 3),
        ([ONE, b"G", ONE], [b"abc", None]),
        ([ONE, ONE[:-3] + b"ab", b"d" + ONE], [b"abc", b"abd", b"abc"]),
    ],
    ids=["again", "line-behind", "tail-alone", "as-a-body", "halved", "amid-a-line", "late-end"],
)
async def test_only_a_whole_request_is_known_again(
    chunks: list[bytes], said: list[bytes | None]
) -> None:
    wired = Wired()
    for chunk in chunks:
        await wired.send(chunk)
    told = [one.body if one.status == 200 else None for one in wired.answers()]
    assert told == [body if body is None else b"POST /predict " + body for body in said]


# 100 (Continue)


async def test_who_asks_behind_others_is_told_to_go_on_when_their_answers_are_out() -> None:
    wired = Wired(later=True)
    await wired.send(ONE + ASKING)
    assert bytes(wired.pipe.sent) == b""
    answer(*wired.asked[0])
    assert bytes(wired.pipe.sent).endswith(b"HTTP/1.1 100 Continue\r\n\r\n")
    await wired.send(b"def")
    answer(*wired.asked[1])
    assert [(one.body, one.continued) for one in wired.answers()] == [
        (b"POST /predict abc", 0),
        (b"POST /predict def", 1),
    ]


async def test_who_waits_to_go_on_is_not_too_slow() -> None:
    wired = Wired(later=True)
    await wired.send(ONE + ASKING)
    await wired.pass_time(BODY_S * 2)
    answer(*wired.asked[0])
    await wired.pass_time(RATE_AFTER_S - 1)
    await wired.send(b"def")
    answer(*wired.asked[1])
    assert wired.statuses() == [200, 200]


async def test_a_final_answer_comes_instead_of_go_on() -> None:
    wired = await Wired(admit=raising(Unauthenticated("Who are you?"))).send(ASKING)
    (told,) = wired.answers()
    assert (told.status, told.continued) == (401, 0)
    assert wired.closed


@pytest.mark.parametrize(
    "asked",
    [
        ASKING.replace(b"HTTP/1.1", b"HTTP/1.0") + b"abc",
        HEAD + b"expect: 100-continue\r\n\r\n",
        HEAD + b"expect: 100-continue\r\ncontent-length: 0\r\n\r\n",
        GET.replace(b"host", b"expect: 100-continue\r\nhost"),
    ],
    ids=["http-1.0", "no-body", "empty-body", "get"],
)
async def test_who_has_nothing_to_send_is_not_told_to_go_on(asked: bytes) -> None:
    (told,) = (await Wired().send(asked)).answers()
    assert (told.status, told.continued) == (200, 0)


# Sizes


async def test_a_chunked_body_of_single_bytes_is_read() -> None:
    body = b"".join(b"1\r\n%c\r\n" % 97 for _ in range(5000)) + b"0\r\n\r\n"
    wired = await Wired().send(CHUNKED + body, [1000] * 100)
    assert wired.answers()[0].body == b"POST /predict " + b"a" * 5000


@pytest.mark.parametrize(
    "tail",
    [
        b"1;" + b"a" * 300_000 + b"\r\nb\r\n",
        b"0\r\nx: " + b"a" * 300_000 + b"\r\n\r\n",
        b"0\r\n" + b"x: y\r\n" * 50_000 + b"\r\n",
        (b"1;" + b"a" * 1000 + b"\r\nb\r\n") * 1000,
        b"3a98\r\n" + b"a" * 15_000 + b"\r\n0\r\nx: " + b"a" * 300_000,
    ],
    ids=["extension", "trailer", "trailers", "extensions", "trailer-behind-much"],
)
async def test_what_is_no_body_in_a_chunked_body_is_bounded(tail: bytes) -> None:
    wired = Wired()
    sent = CHUNKED + tail
    for at in range(0, len(sent), 4096):
        await wired.send(sent[at : at + 4096])
        if wired.closed:
            break
    assert wired.statuses()[0] in {400, 431}
    assert at < 140_000


async def test_a_refused_head_request_has_no_body() -> None:
    for refused in (b"HEAD /a HTTP/1.1\r\n\r\n", b"HEAD /a HTTP/1.1\r\nhost: x\r\na b\r\n\r\n"):
        (told,) = (await Wired().send(refused)).answers("HEAD")
        assert (told.status, told.body) == (400, b"")
        assert int(told.headers["content-length"]) > 0


async def test_head_has_the_headers_of_get_and_no_body() -> None:
    wired = await Wired().send(GET.replace(b"GET", b"HEAD") + GET)
    head, get = wired.answers("HEAD", "GET")
    assert head.body == b""
    assert int(head.headers["content-length"]) == len(get.body) + 1  # HEAD is a letter longer


async def test_half_read_bodies_are_bounded_and_do_not_keep_whole_ones_out() -> None:
    first = Wired()
    gate = first.edge.gate
    half = HEAD + b"content-length: 15000\r\n\r\n" + b"a" * 10_000
    fitting = gate.most_bytes // 10_000
    others = [await Wired(edge=first.edge).send(half) for _ in range(fitting)]
    assert not any(other.closed for other in others)
    last = await Wired(edge=first.edge).send(half)
    assert last.statuses() == [503]
    await first.send(ONE + GET)
    assert first.statuses() == [200, 200]
    for other in others:
        other.pipe.abort()
        await other.settled()
    again = await Wired(edge=first.edge).send(half)
    assert not again.closed
    await again.send(b"a" * 5000)
    assert again.statuses() == [200]
    assert gate.kept == 0


# Time


async def test_a_body_that_trickles_ends_long_before_its_time() -> None:
    wired = await Wired().send(HEAD + b"content-length: 15000\r\n\r\n")
    for _ in range(int(RATE_AFTER_S) + 30):
        await wired.send(b"a")
        await wired.pass_time(1)
    assert wired.statuses() == [408]
    assert wired.now - 1000 < RATE_AFTER_S + 5 + LINGER_S + 30


async def test_a_slow_body_above_the_least_rate_is_read() -> None:
    wired = await Wired().send(HEAD + b"content-length: 15000\r\n\r\n")
    step = MIN_RATE * 10
    for at in range(0, 15000, step):
        await wired.pass_time(9)
        await wired.send(b"a" * min(step, 15000 - at))
    assert wired.statuses() == [200]


async def test_a_part_behind_an_answer_in_the_making_costs_only_itself() -> None:
    wired = Wired(later=True)
    await wired.send(ONE + b"POST /predict HTT")
    await wired.pass_time(HEAD_S + LINGER_S + 10)
    answer(*wired.asked[0])
    assert wired.statuses() == [200, 408]
    assert wired.closed


async def test_who_is_not_read_is_not_too_slow() -> None:
    wired = Wired(later=True)
    await wired.send(ONE * MAX_PIPELINED + ONE[:20])
    assert wired.pipe.paused
    await wired.pass_time(HEAD_S * 5)
    for asked in wired.asked:
        answer(*asked)
    assert not wired.pipe.paused
    await wired.pass_time(HEAD_S - 2)
    await wired.send(ONE[20:])
    answer(*wired.asked[-1])
    assert wired.statuses() == [200] * (MAX_PIPELINED + 1)


async def test_idle_connections_end_though_their_client_left_an_answer_unread() -> None:
    wired = Wired()
    wired.pipe.taking = False
    await wired.send(ONE)
    await wired.pass_time(IDLE_S + 1)
    assert wired.pipe.closing
    await wired.pass_time(WRITE_S + 2)
    assert wired.pipe.aborted
    assert not wired.edge.connections


# Clients that do not read


async def test_who_takes_nothing_is_cut_and_what_was_written_forgotten() -> None:
    wired = Wired()
    wired.pipe.taking = False
    body = HEAD + b"content-length: 15000\r\n\r\n" + b"a" * 15000
    await wired.send(body * 6)
    assert wired.pipe.paused
    await wired.pass_time(WRITE_S - 2)
    assert wired.edge.connections
    await wired.pass_time(4)
    assert wired.pipe.aborted
    assert not wired.edge.connections


async def test_who_takes_slowly_is_not_cut() -> None:
    wired = Wired()
    wired.pipe.taking = False
    body = HEAD + b"content-length: 15000\r\n\r\n" + b"a" * 15000
    await wired.send(body * 6)
    for _ in range(8):
        await wired.pass_time(WRITE_S - 5)
        wired.pipe.take(5000)
    assert wired.pipe.paused
    wired.pipe.take(100_000)
    assert not wired.pipe.paused
    await wired.send(ONE)
    assert wired.statuses() == [200] * 7


async def test_who_takes_slowly_gets_all_of_it_before_the_end() -> None:
    wired = Wired()
    wired.pipe.taking = False
    body = HEAD + b"content-length: 15000\r\n\r\n" + b"a" * 15000
    await wired.send(body * 6 + b"no HTTP")
    assert wired.statuses() == [200] * 6 + [400]
    for _ in range(8):
        await wired.pass_time(WRITE_S - 5)
        assert not wired.pipe.aborted
        wired.pipe.take(11_000)
    wired.pipe.take(11_000)
    assert not wired.pipe.buffer
    await wired.pass_time(LINGER_S + 2)
    assert wired.pipe.aborted


async def test_what_is_not_a_prediction_waits_while_nothing_is_taken() -> None:
    begun = 0

    def large(_head: object, _end: bytes) -> bytes:
        nonlocal begun
        begun += 1
        return b"HTTP/1.1 200 OK\r\ncontent-length: 40000\r\n\r\n" + b"a" * 40_000

    wired = Wired()
    wired.edge.app = large
    wired.pipe.taking = False
    await wired.send(GET * 100)
    assert begun == 2  # what fills the buffer
    wired.pipe.taking = True
    wired.pipe.take(100_000)
    await wired.settled()
    while begun < 100:
        before = begun
        await wired.settled()
        assert begun > before
    assert wired.statuses() == [200] * 100


# Half-closed


@pytest.mark.parametrize("sent", [b"", ONE[:-1], ONE[:20], b"G", CHUNKED + b"3\r\nabc\r\n0\r\n"])
async def test_who_ends_amid_a_request_is_told(sent: bytes) -> None:
    wired = await Wired(later=True).send(ONE + sent)
    await wired.end_input()
    assert not wired.closed
    answer(*wired.asked[0])
    await wired.settled()
    assert wired.statuses() == ([200, 400] if sent else [200])
    assert wired.pipe.closing
    assert not wired.edge.connections


async def test_who_ends_without_a_word_is_not_told_anything() -> None:
    wired = Wired()
    await wired.end_input()
    assert bytes(wired.pipe.sent) == b""
    assert wired.pipe.closing


# Too many


async def test_a_connection_too_many_is_told_so_and_the_others_are_served() -> None:
    first = Wired()
    first.edge.max_connections = 3
    others = [Wired(edge=first.edge) for _ in range(2)]
    last = Wired(edge=first.edge)
    await last.send(ONE)
    (told,) = last.answers()
    assert (told.status, told.headers["retry-after"]) == (503, "1")
    assert last.pipe.eof
    for wired in (first, *others):
        assert (await wired.send(GET)).statuses() == [200]
    await last.end_input()
    others[0].pipe.abort()
    await others[0].settled()
    assert (await Wired(edge=first.edge).send(GET)).statuses() == [200]


async def test_far_too_many_are_cut_without_a_word() -> None:
    first = Wired()
    first.edge.max_connections = 3
    crowd = [Wired(edge=first.edge) for _ in range(2000)]
    assert sum(one.pipe.aborted for one in crowd) > 1000
    assert crowd[-1].pipe.aborted
    await crowd[-1].settled()
    assert (await first.send(GET)).statuses() == [200]


# Leaving


async def test_no_answer_says_it_is_the_last_while_its_chunk_holds_another_request() -> None:
    wired = Wired()
    lasts = []

    def asking(connection: HttpProtocol, head: Head, body: bytes, _now: float) -> None:
        exchange = Exchange(connection, head, close=False)
        connection.exchanges.append(exchange)
        lasts.append(connection.is_last(exchange))
        answer(exchange, body)

    wired.protocol._predict = asking  # type: ignore[method-assign]
    await wired.send(ONE + GET + ONE)
    assert lasts == [False, False]
    assert wired.statuses() == [200, 200, 200]


async def test_while_connections_are_closed_every_last_answer_says_so() -> None:
    wired = Wired()
    wired.edge.leaving = wired.edge.closing = True
    await wired.send(GET + GET.replace(b"/a", b"/b"))
    first, second = wired.answers()
    assert "connection" not in first.headers
    assert second.headers["connection"] == "close"
    assert wired.closed
