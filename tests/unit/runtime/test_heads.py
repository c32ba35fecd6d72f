"""What is read from a head beside its framing: the trace it belongs to, its id."""

import pytest

from runtime.heads import Head

TRACE, PARENT = b"0af7651916cd43dd8448eb211c80319c", b"b7ad6b7169203331"
GOOD = b"00-" + TRACE + b"-" + PARENT + b"-01"


def head(*headers: tuple[bytes, bytes]) -> Head:
    return Head(b"POST", b"/predict", [(b"host", b"x"), *headers], "1.1", close=False)


@pytest.mark.parametrize(
    "said",
    [
        GOOD,
        GOOD[:-2] + b"00",
        b"01" + GOOD[2:],
        b"cc" + GOOD[2:] + b"-more",
        b"01" + GOOD[2:] + b"-",
    ],
)
def test_a_trace_is_known_by_its_id(said: bytes) -> None:
    assert head((b"TraceParent", said), (b"tracestate", b"a=b")).trace == TRACE.decode()


@pytest.mark.parametrize(
    "said",
    [
        b"",
        b"00",
        GOOD[:-1],
        GOOD.upper(),
        b"ff" + GOOD[2:],
        GOOD + b"-more",
        GOOD + b"a",
        b" " + GOOD + b"\n",
        b"00-" + b"0" * 32 + b"-" + PARENT + b"-01",
        b"00-" + TRACE + b"-" + b"0" * 16 + b"-01",
        GOOD.replace(b"-", b"_"),
        GOOD.replace(b"b7ad", b"\xd9\xa1\xd9\xa2"),
    ],
)
def test_a_malformed_trace_is_none_and_no_fault(said: bytes) -> None:
    read = head((b"traceparent", said))
    assert (read.trace, read.broken, read.fault) == (None, None, None)


def test_of_two_traces_none_is_taken() -> None:
    read = head((b"traceparent", GOOD), (b"traceparent", GOOD))
    assert (read.trace, read.broken) == (None, None)


def test_fields_in_several_lines_are_one_list() -> None:
    assert (
        head((b"content-encoding", b"gzip"), (b"content-encoding", b"identity")).fault is not None
    )
    assert head((b"x-request-id", b"a"), (b"x-request-id", b"b")).request_id is None
    assert head((b"x-request-id", b"a")).request_id == "a"
