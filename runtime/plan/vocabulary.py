"""From a token to its code: terms that were learnt, and hashes.

A vocabulary of 100,000 terms as a dictionary took 123 ms to make on a busy machine, and takes some
16 MB in every worker. So it stays in the plan file as it is, with an index by hash; a token is
looked up there the first time it is met, and then known. On that machine reading it took 0.1 ms,
and a whole plan of tf-idf and a linear model 2 ms.
"""

from itertools import islice, pairwise, repeat
from typing import Final, Protocol
from zlib import crc32

import numpy as np

from runtime.plan.murmur import hashes
from runtime.plan.ops import Array, Fields, Int64Vector

MOST_TERMS: Final = 1 << 22
MOST_IN_A_BUCKET: Final = 32
# 64 thousand tokens are some 8 MB, whatever is asked; words that nobody knows are among them.
MOST_KNOWN: Final = 1 << 16
LONGEST_KNOWN: Final = 64  # characters


class Terms(Protocol):
    """What gives tokens their codes.

    width    columns
    nothing  code of what is no term, above all others
    """

    width: int
    nothing: int

    def look_up(self, tokens: list[str]) -> list[int]:
        """Give the code of each token."""

    def all(self) -> dict[str, int] | None:
        """Give every token that is a term, if that can be."""


class Codes:
    """Codes of tokens, from 0 on; those met lately are remembered.

    Once as many were looked up as there are terms, all terms are remembered instead, if they are
    few enough: then what is none of them is known, too.

    ignored  tokens that get `nothing` whatever the terms are
    above    a token that gets one more
    """

    def __init__(self, terms: Terms, ignored: frozenset[str], above: str | None) -> None:
        self._terms, self._ignored, self._above = terms, ignored, above
        # Made at first use: a small file may have thousands of nodes.
        self._always: dict[str, int] | None = None
        self._known: dict[str, int] = {}
        self._looked_up = 0
        # Never changed once it is there: another thread may be reading it.
        self._all: dict[str, int] | None = None

    def of(self, tokens: list[str]) -> Int64Vector:
        """Give the code of each token: 35 ns each where they are remembered."""
        count = len(tokens)
        if self._all is not None:
            codes = map(self._all.get, tokens, repeat(self._terms.nothing))
            return np.fromiter(codes, np.int64, count)
        try:
            return np.fromiter(map(self._known.__getitem__, tokens), np.int64, count)
        except KeyError:
            found = np.fromiter(map(self._known.get, tokens, repeat(-1)), np.int64, count)
        missing = np.flatnonzero(found < 0)
        unknown = [tokens[place] for place in missing.tolist()]
        new = self._looked(list(dict.fromkeys(unknown)))
        found[missing] = [new[token] for token in unknown]
        self._remember(new)
        return found

    def _looked(self, tokens: list[str]) -> dict[str, int]:
        always = self._settled()
        fresh = [token for token in tokens if token not in always]
        new = dict(zip(fresh, self._terms.look_up(fresh), strict=True))
        return {token: always[token] for token in tokens if token in always} | new

    def _settled(self) -> dict[str, int]:
        if self._always is None:
            always = dict.fromkeys(self._ignored, self._terms.nothing)
            if self._above is not None:
                always[self._above] = self._terms.nothing + 1
            self._always = always
        return self._always

    def _remember(self, new: dict[str, int]) -> None:
        self._looked_up += len(new)
        if self._looked_up > self._terms.width and self._terms.width <= MOST_KNOWN:
            terms = self._terms.all()
            if terms is not None:
                self._all, self._known = terms | self._settled(), {}
                return
        if len(self._known) + len(new) > MOST_KNOWN:
            self._known = {}
        short = ((token, code) for token, code in new.items() if len(token) <= LONGEST_KNOWN)
        self._known.update(islice(short, MOST_KNOWN))


class Vocabulary:
    """Terms by column, as they lie in the plan file.

    terms    u1: all terms in UTF-8, in the order of their columns
    ends     i4 (terms + 1,): where each begins, and the end of the last
    buckets  i4 (2^n + 1,): which part of `members` has the terms with these last n bits of crc32
    members  i4 (terms,): columns, bucket by bucket
    """

    def __init__(self, fields: Fields) -> None:
        terms, ends = fields.tensor("terms", "u1", None), fields.tensor("ends", "i4", None)
        self.width = self.nothing = len(ends) - 1
        if not 1 <= self.width <= MOST_TERMS or not _steps(ends, len(terms)):
            raise fields.fail("'ends' does not cut the terms")
        buckets = fields.tensor("buckets", "i4", None)
        members = fields.tensor("members", "i4", self.width)
        self._mask = len(buckets) - 2
        if self._mask < 0 or self._mask & (self._mask + 1) or not _steps(buckets, self.width):
            raise fields.fail("'buckets' does not cut the members")
        if np.diff(buckets).max() > MOST_IN_A_BUCKET:
            raise fields.fail(f"'buckets' has more than {MOST_IN_A_BUCKET} terms in one")
        if members.min() < 0 or members.max() >= self.width:
            raise fields.fail("'members' must hold columns")
        # An item of a memoryview takes a third of the time of an array's.
        self._terms, self._ends = terms.data, ends.data
        self._buckets, self._members = buckets.data, members.data

    def look_up(self, tokens: list[str]) -> list[int]:
        """Give the column of each token, `width` where there is none: 1 us each."""
        out = []
        terms, ends, buckets, members = self._terms, self._ends, self._buckets, self._members
        for token in tokens:
            # No request has half a surrogate pair; if one did, no term would be like it.
            raw = token.encode("utf-8", "surrogatepass")
            bucket = crc32(raw) & self._mask
            column = self.width
            for member in members[buckets[bucket] : buckets[bucket + 1]]:
                if terms[ends[member] : ends[member + 1]] == raw:
                    column = member
                    break
            out.append(column)
        return out

    def all(self) -> dict[str, int]:
        """Give the column of every term: 0.3 us each."""
        raw, ends = bytes(self._terms), self._ends.tolist()
        texts = (raw[start:end].decode("utf-8", "replace") for start, end in pairwise(ends))
        return {text: column for column, text in enumerate(texts)}


def _steps(places: Array, end: int) -> bool:
    """Tell whether places go from 0 to the end without a step back."""
    return bool(places[0] == 0 and places[-1] == end and (np.diff(places) >= 0).all())


class Hashed:
    """Columns by hash: no vocabulary.

    A code is twice the column, and one more where the hash is below zero.

    source  sklearn.feature_extraction._hashing_fast.transform
    """

    def __init__(self, fields: Fields) -> None:
        self.width = fields.integer("n_features", 1, MOST_TERMS)
        self.nothing = 2 * self.width

    def look_up(self, tokens: list[str]) -> list[int]:
        """Give the code of each token: 0.3 us each of many, 2 us of a few."""
        hashed = hashes([token.encode("utf-8", "surrogatepass") for token in tokens])
        wide = hashed.astype(np.int64)
        codes: list[int] = (np.abs(wide) % self.width * 2 + (wide < 0)).tolist()
        return codes

    def all(self) -> None:
        """There are more tokens than can be named."""
