"""Topics of documents: the E-step of latent Dirichlet allocation."""

import math
from collections.abc import Iterator
from itertools import compress
from operator import sub
from typing import Final

import numpy as np

from runtime.plan.ops import (
    EPSILON,
    Array,
    Fields,
    Float64Matrix,
    InputRefused,
    Inputs,
    Missing,
    Node,
    NodeReader,
    as_matrix,
    first_cell,
)
from runtime.plan.special import fast_digamma, fast_digamma_of

MAX_ROUNDS: Final = 10_000
MAX_PRODUCTS: Final = 1 << 31  # of a word and a topic for one row, in all rounds: some 3 s
BLOCK_CELLS: Final = 1 << 17  # words and topics of documents held at once: 1 MiB
# Numbers of a few rows, their topics and as many as six calls are worth, that Python is quicker
# with than numpy, whose calls for all rows are forty a round, and four more a row that is wide.
FEW: Final = 80
CALLS: Final = 6
# Products of a word and a topic for one row that are made as fast as those with the words it has
# are looked up.
NARROW: Final = 4_096


class Topics(Node):
    """LatentDirichletAllocation.

    words    (topics, columns): exp(E[log beta]), scikit-learn's exp_dirichlet_component_
    prior    of the topics in a document
    exact    within 1e-12: a row goes through as many rounds as in scikit-learn, whose sums over a
             document's words a batch of narrow rows adds up in another order
    cost     up to `rounds` products of (rows, topics) and (topics, columns), over the rows that
             still change by `enough` or more; of wide rows, with those columns that they have
    source   sklearn.decomposition._lda._update_doc_distribution and transform
    """

    kind = "topics"
    methods = ("transform",)
    exact = "tolerance"
    missing = Missing.REFUSES

    def __init__(self, fields: Fields) -> None:
        self.words = fields.finite("words", None, None)
        self.n_out, self.n_in = (int(length) for length in self.words.shape)
        if not self.n_in or not self.n_out or (self.words < 0).any():
            raise fields.fail("'words' is empty, or below zero")
        self.prior = fields.number("prior")
        self.enough = fields.number("enough")
        self.rounds = fields.integer("rounds", 0, MAX_ROUNDS)
        if self.rounds * self.words.size > MAX_PRODUCTS:
            raise fields.fail("so many rounds over so many words are more than one row may take")
        if not self.prior > 0:
            raise fields.fail("'prior' must be above zero")
        # Of every topic, before the first round.
        self.weight = math.exp(fast_digamma_of(1.0) - fast_digamma_of(float(self.n_out)))

    def transform(self, x: Inputs) -> Float64Matrix:
        """Share of each topic, (rows, topics)."""
        matrix = as_matrix(x)
        if matrix.min(initial=0.0) < 0:
            row, column = first_cell(matrix < 0)
            raise InputRefused(row, column, "a count of words cannot be below zero")
        out = np.empty((matrix.shape[0], self.n_out))
        with np.errstate(all="ignore"):
            few = FEW if self._is_narrow() else 2 * FEW
            if matrix.shape[0] * (self.n_out + CALLS) <= few:
                for at, row in enumerate(matrix):
                    out[at] = self._of_one(row)
            else:
                for rows in self._blocks(matrix):
                    out[rows] = self._of_many(matrix[rows])
            out /= out.sum(axis=1)[:, None]
        return out

    def _blocks(self, x: Float64Matrix) -> Iterator[slice]:
        """Cut the rows into blocks of one row, or of BLOCK_CELLS words and topics at most."""
        most = self.n_in
        if not self._is_narrow():
            most = self.n_out * int(np.count_nonzero(x, axis=1).max(initial=0))
        # Seven times its topics is what the digamma function takes of a row.
        height = max(1, BLOCK_CELLS // (7 * self.n_out + most))
        for start in range(0, x.shape[0], height):
            yield slice(start, start + height)

    def _is_narrow(self) -> bool:
        return self.words.size <= NARROW

    def _of_one(self, row: Array) -> list[float]:
        """Weights of the topics in one document: each sum as scikit-learn makes it."""
        ids = np.flatnonzero(row)
        counts, words = row[ids], self.words[:, ids]
        turned, prior, exp = words.T, self.prior, math.exp
        found, weights = [1.0] * self.n_out, [self.weight] * self.n_out
        for _ in range(self.rounds):
            norm = np.dot(np.array(weights), words)
            norm += EPSILON
            given = np.dot(np.divide(counts, norm, out=norm), turned).tolist()
            last = found
            found = [w * g + prior for w, g in zip(weights, given, strict=True)]
            change = sum(map(abs, map(sub, last, found)))
            # One after another as in scikit-learn; from 3.12 on Python rounds a sum only once.
            of_total = fast_digamma_of(sum(found))
            weights = [exp(fast_digamma_of(value) - of_total) for value in found]
            # A row that is NaN stays so; scikit-learn goes on with it to no other end.
            if not change / self.n_out >= self.enough:
                break
        return found

    def _of_many(self, x: Float64Matrix) -> Float64Matrix:
        """Weights of the topics, (rows, topics), by rounds until a row hardly changes."""
        documents = Narrow(x, self.words) if self._is_narrow() else Wide(x, self.words)
        found = np.ones((x.shape[0], self.n_out))
        weights = np.full(found.shape, self.weight)
        out, going = np.empty(found.shape), np.arange(x.shape[0])
        for _ in range(self.rounds):
            last = found
            both = np.empty((going.shape[0], self.n_out + 1))
            found = both[:, :-1]
            np.multiply(weights, documents.given(weights), out=found)
            found += self.prior
            both[:, -1] = np.add.accumulate(found, axis=1)[:, -1]
            digamma = fast_digamma(both)
            weights = np.exp(digamma[:, :-1] - digamma[:, -1:])
            last -= found
            change = np.add.reduce(np.abs(last, out=last), axis=1)
            change /= self.n_out
            on = change >= self.enough
            if np.count_nonzero(on) < on.shape[0]:
                done = ~on
                out[going[done]] = found[done]
                going, found, weights = going[on], found[on], weights[on]
                if not going.shape[0]:
                    break
                documents.keep(on)
        out[going] = found
        return out


class Narrow:
    """Documents as lines of counts of all words."""

    def __init__(self, x: Float64Matrix, words: Float64Matrix) -> None:
        self.counts, self.words = x, words

    def given(self, weights: Float64Matrix) -> Float64Matrix:
        """Give what their words add to each topic, (documents, topics)."""
        norm = weights @ self.words
        norm += EPSILON
        out: Float64Matrix = np.divide(self.counts, norm, out=norm) @ self.words.T
        return out

    def keep(self, on: Array) -> None:
        """Go on with some of the documents."""
        self.counts = self.counts[on]


class Wide:
    """Documents as the few words that they have."""

    def __init__(self, x: Float64Matrix, words: Float64Matrix) -> None:
        self.held = []
        for row in x:
            ids = np.flatnonzero(row)
            own = words[:, ids]
            self.held.append((row[ids], own, own.T))

    def given(self, weights: Float64Matrix) -> Float64Matrix:
        """Give what `Narrow.given` does; each sum as scikit-learn makes it."""
        out = np.empty(weights.shape)
        for to, weight, (counts, own, turned) in zip(out, weights, self.held, strict=True):
            norm = np.dot(weight, own)
            norm += EPSILON
            np.dot(np.divide(counts, norm, out=norm), turned, out=to)
        return out

    def keep(self, on: Array) -> None:
        """Go on with some of the documents."""
        self.held = list(compress(self.held, on.tolist()))


NODES: dict[str, NodeReader] = {Topics.kind: Topics}
