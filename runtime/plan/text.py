"""Vectorizers of texts: how often each token is there, and what tf-idf makes of that."""

import numpy as np

from runtime.plan.analyzers import CHUNK, Analyzer
from runtime.plan.ops import (
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
from runtime.plan.vocabulary import MOST_TERMS, Codes, Hashed, Vocabulary

DTYPES = ("f8", "f4", "i8", "i4")


class Texts(Node):
    """What vectorizers share: one column of texts, none of them missing, to sparse rows.

    exact  bitwise
    cost   a loop over the texts and over what `Analyzer` cuts them into, 0.2 to 0.4 us a token:
           the tokens of a language are words of it, which only a dictionary knows
    """

    methods = ("transform",)
    missing = Missing.REFUSES
    exact = "bitwise"
    n_in = 1

    def __init__(self, fields: Fields, terms: Vocabulary | Hashed) -> None:
        self.analyzer = Analyzer(fields)
        self.codes = Codes(terms.look_up)
        self.n_out = terms.width
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
        """Give the code of each token of all texts, and the row it is in, in order."""
        texts: list[str] = as_columns(x)[0].tolist()
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
        codes = parts[0] if len(parts) == 1 else np.concatenate(parts)
        return codes, np.repeat(np.arange(len(texts)), counts)

    def _rows(self, keys: Int64Vector, values: Array, rows: int) -> Sparse:
        """Make rows of sorted keys, `row * n_out + column`."""
        at, columns = np.divmod(keys, self.n_out)
        held = np.ones(len(keys), self.dtype) if self.binary else values.astype(self.dtype)
        return Sparse(at, columns, held, rows, self.n_out)


class Count(Texts):
    """CountVectorizer: how often each term of the vocabulary is there.

    source  sklearn.feature_extraction.text.CountVectorizer.transform
    """

    kind = "count"

    def __init__(self, fields: Fields) -> None:
        super().__init__(fields, Vocabulary(fields))

    def transform(self, x: Rows) -> Sparse:
        """Give (rows, terms), the columns of a row in ascending order."""
        codes, at = self._cut(x)
        known = codes < self.n_out
        keys = at[known] * self.n_out + codes[known]
        keys.sort()
        first = _firsts(keys)
        counts = np.diff(first, append=len(keys))
        return self._rows(keys[first], counts, _height(x))


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
        codes += at * (2 * self.n_out)
        codes.sort()
        keys, signs = codes >> 1, 1 - 2 * (codes & 1)
        first = _firsts(keys)
        counts = np.add.reduceat(signs, first) if first.shape[0] else signs
        if not self.signed:
            counts = np.diff(first, append=len(keys))
        out = self._rows(keys[first], counts, _height(x))
        if self.norm == "none":
            return out
        return normalized(out.with_values(floating(out.values)), self.norm)


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


def _firsts(keys: Int64Vector) -> Int64Vector:
    """Give the place of the first of each run of equal keys."""
    new = np.ones(len(keys), bool)
    np.not_equal(keys[1:], keys[:-1], out=new[1:])
    return np.flatnonzero(new)


NODES: dict[str, NodeReader] = {kind.kind: kind for kind in (Count, Hashing, Tfidf)}
