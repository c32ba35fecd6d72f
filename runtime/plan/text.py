"""Vectorizers of texts: how often each token is there, and what tf-idf makes of that."""

from collections.abc import Iterator
from typing import Final

import numpy as np

from runtime.plan.analyzers import BREAK, CHUNK, Analyzer
from runtime.plan.ops import (
    MOST_ANSWERED,
    Array,
    Cell,
    Fields,
    Frame,
    Int64Vector,
    Missing,
    Node,
    NodeReader,
    Rows,
    as_columns,
    as_matrix,
    override,
)
from runtime.plan.signature import Kind
from runtime.plan.sparse import Sparse, floating, normalized
from runtime.plan.vocabulary import LONGEST_KNOWN, MOST_TERMS, Codes, Hashed, Vocabulary

MOST_HELD: Final = 1 << 22  # bytes of the codes of remembered words; with these, some 8 MB
WORDS_AT_ONCE: Final = 1_000  # that are new, and have some 20,000 tokens
AT_ONCE: Final = 1 << 18  # characters of texts that are cut together, and of none that is longer
_SIGNS: Final = np.array([1, -1])
DTYPES = ("f8", "f4", "i8", "i4")


class Texts(Node):
    """What vectorizers share: one column of texts, none of them missing, to sparse rows.

    exact  bitwise
    cost   0.1 us a token where `Analyzer` cuts texts together, else a loop over the texts and 0.2
           to 0.4 us: the tokens of a language are words of it, which only a dictionary knows
    """

    methods = ("transform",)
    missing = Missing.REFUSES
    exact = "bitwise"
    n_in = 1

    def __init__(self, fields: Fields, terms: Vocabulary | Hashed) -> None:
        self.analyzer = Analyzer(fields)
        self.nothing, self.n_out = terms.nothing, terms.width
        self.codes = Codes(terms, self.analyzer.ignored, BREAK if self.analyzer.breaks else None)
        self.words = Words(self.analyzer, self.codes) if self.analyzer.by_word else None
        self.dtype = np.dtype(fields.choice("dtype", *DTYPES))
        self.binary = fields.flag("binary")

    @override
    def columns_in(self, nan_ok_after: bool) -> tuple[tuple[Kind, bool], ...]:  # noqa: ARG002
        """Give the one column, of texts."""
        return ((Kind.STRING, False),)

    @override
    def origin(self, column: int) -> int | None:  # noqa: ARG002
        """Give the one input column."""
        return 0

    @override
    def example(self) -> tuple[Cell, ...]:
        """Give a text."""
        return ("",)

    def _cut(self, x: Rows) -> tuple[Int64Vector, Int64Vector]:
        """Give the code of each token of all texts that counts, and the row it is in, in order."""
        texts: list[str] = as_columns(x)[0].tolist()
        if len(texts) == 1:
            return self._cut_group(0, texts)
        parts = [self._cut_group(first, some) for first, some in _groups(texts)]
        if len(parts) == 1:
            return parts[0]
        return _joined([codes for codes, _ in parts]), _joined([at for _, at in parts])

    def _cut_group(self, first: int, texts: list[str]) -> tuple[Int64Vector, Int64Vector]:
        tokens = self.analyzer.together(texts)
        if self.words is not None:
            codes, at = self.words.cut(texts)
        elif tokens is None:
            codes, at = self._one_by_one(texts)
        else:
            codes = self.codes.of(tokens)
            # A lone text has no breaks.
            at = codes if len(texts) == 1 else (codes > self.nothing).cumsum()
        counted = codes < self.nothing
        codes = codes[counted]
        at = np.zeros(codes.shape[0], np.int64) if len(texts) == 1 else at[counted]
        if first:
            at += first
        return codes, at

    def _one_by_one(self, texts: list[str]) -> tuple[Int64Vector, Int64Vector]:
        parts, counts = [], []
        tokens: list[str] = []
        for text in texts:
            count = 0
            for piece in self.analyzer.pieces(text):
                tokens += piece
                count += len(piece)
                if len(tokens) >= CHUNK:
                    parts.append(self.codes.of(tokens))
                    tokens = []
            counts.append(count)
        parts.append(self.codes.of(tokens))
        return _joined(parts), np.repeat(np.arange(len(texts)), counts)

    def _rows(self, keys: Int64Vector, values: Array, rows: int) -> Sparse:
        """Make rows of sorted keys, `row * n_out + column`."""
        if rows == 1:
            at, columns = np.zeros(len(keys), np.int64), keys
        else:
            at = keys // self.n_out
            columns = keys - at * self.n_out
        held = np.ones(len(keys), self.dtype) if self.binary else values.astype(self.dtype)
        return Sparse(at, columns, held, rows, self.n_out)


class Words:
    """Codes of the tokens of words, each of which has the same ones wherever it stands.

    cost  40 ns a word that is remembered, as many are
    """

    def __init__(self, analyzer: Analyzer, codes: Codes) -> None:
        self._analyzer, self._codes = analyzer, codes
        # By word, int64 one after another: as bytes they are joined in one call.
        self._known: dict[str, bytes] = {}
        self._held = 0

    def cut(self, texts: list[str]) -> tuple[Int64Vector, Int64Vector]:
        """Give the code of each token, and the place of its text, in order."""
        parts = [self._of(self._analyzer.plain(text).split()) for text in texts]
        counts = [len(part) // 8 for part in parts]
        codes = np.frombuffer(b"".join(parts), np.int64)
        return codes, np.repeat(np.arange(len(texts)), counts)

    def _of(self, words: list[str]) -> bytes:
        known = self._known
        try:
            return b"".join(map(known.__getitem__, words))
        except KeyError:
            fresh = self._fresh(list(set(words).difference(known)))
        self._remember(fresh)
        return b"".join([known.get(word) or fresh[word] for word in words])

    def _fresh(self, words: list[str]) -> dict[str, bytes]:
        found = {}
        for start in range(0, len(words), WORDS_AT_ONCE):
            tokens: list[str] = []
            ends = {}
            for word in words[start : start + WORDS_AT_ONCE]:
                pieces = self._analyzer.of_word(word)
                if len(word) > LONGEST_KNOWN:
                    # It may be as long as a text.
                    found[word] = b"".join([self._codes.of(piece).tobytes() for piece in pieces])
                else:
                    for piece in pieces:
                        tokens += piece
                    ends[word] = 8 * len(tokens)
            codes, begin = self._codes.of(tokens).tobytes(), 0
            for word, end in ends.items():
                found[word], begin = codes[begin:end], end
        return found

    def _remember(self, fresh: dict[str, bytes]) -> None:
        short = {word: codes for word, codes in fresh.items() if len(word) <= LONGEST_KNOWN}
        size = sum(map(len, short.values()))
        if self._held + size > MOST_HELD:
            self._known, self._held = {}, 0
        if size <= MOST_HELD:
            self._known.update(short)
            self._held += size


class Count(Texts):
    """CountVectorizer: how often each term of the vocabulary is there.

    source  sklearn.feature_extraction.text.CountVectorizer.transform
    """

    kind = "count"

    def __init__(self, fields: Fields) -> None:
        super().__init__(fields, Vocabulary(fields))

    def transform(self, x: Rows) -> Sparse:
        """Give (rows, terms), the columns of a row in ascending order."""
        keys = self._keys(x)
        keys.sort()
        first = _firsts(keys)
        return self._rows(keys[first], _lengths(first, len(keys)), _height(x))

    @override
    def run(self, method: str, x: Rows) -> Array:
        """Give what `transform` does as a matrix; what goes to its place need not be sorted."""
        if self.n_out > MOST_ANSWERED:
            return super().run(method, x)
        rows = _height(x)
        out = np.bincount(self._keys(x), minlength=rows * self.n_out)
        if self.binary:
            np.minimum(out, 1, out=out)
        counted: Array = out.reshape(rows, self.n_out).astype(self.dtype, copy=False)
        return counted

    def _keys(self, x: Rows) -> Int64Vector:
        codes, at = self._cut(x)
        if _height(x) == 1:
            return codes
        at *= self.n_out
        at += codes
        return at


class Hashing(Texts):
    """HashingVectorizer: how often tokens of each hash are there, some of them counted down.

    norm    of the rows: none, l1 or l2
    source  sklearn.feature_extraction.text.HashingVectorizer.transform
    """

    kind = "hashing"

    def __init__(self, fields: Fields) -> None:
        super().__init__(fields, Hashed(fields))
        self.signed = fields.flag("signed")
        self.norm = fields.choice("norm", "none", "l1", "l2")

    def transform(self, x: Rows) -> Sparse:
        """Give (rows, n_features), the columns of a row in ascending order.

        Where as many are counted up as down, a zero is held: `binary` makes it a one.
        """
        codes, at = self._cut(x)
        at *= 2 * self.n_out
        codes += at
        codes.sort()
        keys = codes >> 1
        first = _firsts(keys)
        if self.signed:
            signs = _SIGNS.take(codes & 1)
            counts = np.add.reduceat(signs, first) if first.shape[0] else signs
        else:
            counts = _lengths(first, len(keys))
        out = self._rows(keys[first], counts, _height(x))
        if self.norm == "none":
            return out
        return normalized(out.with_values(floating(out.values)), self.norm)

    @override
    def run(self, method: str, x: Rows) -> Array:
        """Give what `transform` does as a matrix; what goes to its place need not be sorted."""
        if self.n_out > MOST_ANSWERED or self.dtype != np.float64:
            return super().run(method, x)
        rows = _height(x)
        codes, keys = self._cut(x)
        keys *= self.n_out
        keys += codes >> 1
        weights = _SIGNS.take(codes & 1) if self.signed and not self.binary else None
        counts = np.bincount(keys, weights, rows * self.n_out).reshape(rows, self.n_out)
        out: Array = counts.astype(np.float64, copy=False)
        if self.binary:
            np.minimum(out, 1.0, out=out)
        if self.norm != "none":
            # In any order, since sums of whole numbers are exact.
            squares = self.norm == "l2"
            norms = np.einsum("ij,ij->i", out, out if squares else np.sign(out))
            norms = np.sqrt(norms) if squares else norms
            norms[norms == 0] = 1.0
            out /= norms[:, None]
        return out


class Tfidf(Node):
    """TfidfTransformer: counts, or one more than their logarithms, times a weight, normalised.

    idf     (columns,): what each column is multiplied by, in the dtype it was fitted in
    exact   bitwise; with logarithms at the same batch size
    source  sklearn.feature_extraction.text.TfidfTransformer.transform
    """

    kind = "tfidf"
    methods = ("transform",)
    missing = Missing.REFUSES
    takes_sparse = True

    def __init__(self, fields: Fields) -> None:
        self.n_in = self.n_out = fields.integer("n_in", 1, MOST_TERMS)
        self.idf: Array | None = None
        if fields.has("idf"):
            dtype = fields.choice("dtype", "f8", "f4")
            self.idf = fields.tensor("idf", dtype, self.n_in)
            if not np.isfinite(self.idf).all():
                raise fields.fail("'idf' must be finite")
        self.sublinear = fields.flag("sublinear")
        self.norm = fields.choice("norm", "none", "l1", "l2")
        self.exact = "batch" if self.sublinear else "bitwise"
        # Counts of hashes may be zero or below.
        self.gives_gaps = self.sublinear

    @override
    def origin(self, column: int) -> int | None:
        """Give the input column that an output column is made of."""
        return column

    @override
    def example(self) -> tuple[Cell, ...]:
        """Give counts."""
        return (1.0,) * self.n_in

    def transform(self, x: Rows) -> Sparse:
        """Give (rows, columns)."""
        counts = x if isinstance(x, Sparse) else Sparse.of(as_matrix(x))
        values = floating(counts.values)
        with np.errstate(all="ignore"):
            if self.sublinear:
                np.log(values, out=values)
                values += 1.0
            if self.idf is not None:
                values *= self.idf[counts.columns]
        out = counts.with_values(values)
        return out if self.norm == "none" else normalized(out, self.norm)


def _height(x: Rows) -> int:
    return x.rows if isinstance(x, (Frame, Sparse)) else len(x)


def _groups(texts: list[str]) -> Iterator[tuple[int, list[str]]]:
    """Cut a list into some of AT_ONCE characters or a little more, each with its first place."""
    start = size = 0
    for end, text in enumerate(texts, 1):
        size += len(text)
        if size >= AT_ONCE or end == len(texts):
            yield start, texts[start:end]
            start, size = end, 0
    if not texts:
        yield 0, texts


def _joined(parts: list[Int64Vector]) -> Int64Vector:
    return parts[0] if len(parts) == 1 else np.concatenate(parts)


def _firsts(keys: Int64Vector) -> Int64Vector:
    """Give the place of the first of each run of equal keys."""
    new = np.ones(len(keys), bool)
    np.not_equal(keys[1:], keys[:-1], out=new[1:])
    return new.nonzero()[0]


def _lengths(first: Int64Vector, end: int) -> Int64Vector:
    """Give the length of each run, by where they begin and where the last ends."""
    out = np.empty_like(first)
    if out.shape[0]:
        np.subtract(first[1:], first[:-1], out=out[:-1])
        out[-1] = end - first[-1]
    return out


NODES: dict[str, NodeReader] = {kind.kind: kind for kind in (Count, Hashing, Tfidf)}
