"""Compressed bodies come back whole; one that lies costs no more than its limit."""

import gzip
import tracemalloc
import zlib

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from runtime.codecs.v2_binary import Parts
from runtime.coding import WORTH_BYTES, deflate, inflate
from runtime.problems import Malformed, TooLarge

CODINGS = [b"gzip", b"deflate"]
PACK = {b"gzip": gzip.compress, b"deflate": zlib.compress}


@settings(deadline=None, derandomize=True)
@given(st.binary(max_size=3000), st.sampled_from(CODINGS))
def test_what_was_compressed_comes_back(body, coding):
    assert inflate(PACK[coding](body), coding, len(body)) == body
    packed = deflate(body, coding)
    if len(body) < WORTH_BYTES:
        assert packed is body
    else:
        assert packed.coding == coding.decode()
        assert inflate(packed.join(), coding, len(body)) == body


def test_parts_are_compressed_as_one():
    numbers = np.zeros(1000)
    packed = deflate(Parts((b"{}      ", numbers.data.cast("B")), 8), b"gzip")
    assert packed.head_bytes == 8
    assert gzip.decompress(packed.join()) == b"{}      " + numbers.tobytes()


def test_members_of_gzip_follow_each_other():
    assert inflate(gzip.compress(b"a") + gzip.compress(b"b"), b"gzip", 2) == b"ab"
    with pytest.raises(TooLarge):
        inflate(gzip.compress(b"a") + gzip.compress(b"b"), b"gzip", 1)
    with pytest.raises(Malformed, match="Something follows"):
        inflate(gzip.compress(b"") * 2000, b"gzip", 10)
    with pytest.raises(Malformed, match="Something follows"):
        inflate(zlib.compress(b"a") + b"x", b"deflate", 10)


@pytest.mark.parametrize("coding", CODINGS)
def test_a_bomb_holds_no_more_than_the_limit(coding):
    bomb, limit = PACK[coding](bytes(64 << 20)), 1 << 20
    tracemalloc.start()
    with pytest.raises(TooLarge, match="1048576 bytes once it is decompressed"):
        inflate(bomb, coding, limit)
    assert tracemalloc.get_traced_memory()[1] < 4 * limit
    tracemalloc.stop()


@pytest.mark.parametrize("coding", CODINGS)
@pytest.mark.parametrize(
    "spoil", [lambda b: b[:-5], lambda b: b[3:], lambda b: b"", lambda b: b"[[1]]"]
)
def test_what_is_broken_is_malformed(coding, spoil):
    with pytest.raises(Malformed, match=coding.decode()):
        inflate(spoil(PACK[coding](b"[[1, 2]]" * 50)), coding, 1000)
