"""Copies of requests: so many of so many, later, and dropped where nobody reads."""

import asyncio
import json
import socket
from functools import partial

import pytest

from runtime.codecs import short, v2
from runtime.plan.signature import Column, Output, Signature
from runtime.sampling import MOST_BYTES, MOST_KEPT, Sampler, packed, unpacked

SIGNATURE = Signature((Column("x0"),), (Output("predict", "FP64"),))


@pytest.fixture
def ends():
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
    with ours, theirs:
        theirs.setblocking(False)
        yield ours, theirs


async def received(sock, count):
    found = []
    async with asyncio.timeout(5):
        while len(found) < count:
            found.append(await asyncio.get_running_loop().sock_recv(sock, 1 << 20))
    with pytest.raises(BlockingIOError):
        sock.recv(1)
    return found


async def test_one_in_so_many_is_copied_after_a_moment(ends):
    sampler = Sampler(asyncio.get_running_loop())
    sampler.start(ends[0], "iris-00001", 0.25)
    for at in range(40):
        sampler.offer(short.decode, b"[[%d]]" % at)
    with pytest.raises(BlockingIOError):  # nothing is written while answers may be waiting
        ends[1].recv(1)
    packets = await received(ends[1], 10)
    assert [json.loads(unpacked(one)[1]) for one in packets] == [[[at]] for at in range(3, 40, 4)]
    assert sampler.dropped == 0


async def test_what_a_request_is_read_with_goes_along():
    body = b'{"inputs":[]}\n\x00\x01'
    for decode in (short.decode, short.decode_csv, v2.decode):
        assert unpacked(packed(decode, body)) == (decode, body)
    found, rest = unpacked(packed(partial(v2.decode, head_bytes=13), body))
    assert (found.func, found.keywords, rest) == (v2.decode, {"head_bytes": 13}, body)
    decode, rest = unpacked(packed(short.decode, bytearray(b"[[1.5]]")))
    assert decode(rest, SIGNATURE, max_rows=10).inputs.tolist() == [[1.5]]


async def test_a_shadow_that_reads_nothing_costs_a_bounded_lot(ends):
    sampler = Sampler(asyncio.get_running_loop())
    ends[0].setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)
    sampler.start(ends[0], "iris-00001", 1.0)
    for _ in range(10):
        for _ in range(20):
            sampler.offer(short.decode, b"[[1.0]]" * 100)
        await asyncio.sleep(0.01)
    assert sampler.dropped >= 150
    before = sampler.dropped
    for _ in range(MOST_KEPT + 5):
        sampler.offer(short.decode, b"[[1.0]]")
    assert sampler.dropped == before + 5
    sampler.offer(short.decode, bytes(MOST_BYTES + 1))
    assert sampler.dropped == before + 6


async def test_a_shadow_that_is_gone_hurts_nobody(ends):
    sampler = Sampler(asyncio.get_running_loop())
    sampler.start(ends[0], "iris-00001", 1.0)
    ends[1].close()
    sampler.offer(short.decode, b"[[1.0]]")
    async with asyncio.timeout(5):
        while not sampler.dropped:
            await asyncio.sleep(0.005)
    sampler.stop()
    assert sampler.revision is None
