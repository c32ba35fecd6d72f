"""Topics of documents: the E-step of latent Dirichlet allocation."""

import math
from collections.abc import Iterator
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
from runtime.plan.special import exp_digamma, fast_digamma_of

MAX_ROUNDS: Final = 10_000
MAX_PRODUCTS: Final = 1 << 31  # of a word and a topic for one row, in all rounds: some 3 s
BLOCK_CELLS: Final = 1 << 17  # words and topics of documents held at once: 1 MiB
TERMS: Final = 12  # numbers that a round takes of a topic of a document
KEPT: Final = 0.75  # of the documents of a block go on, or those that are done are taken out
# Numbers of a few rows, their topics and as many as six calls are worth, that Python is quicker
# with than numpy, whose calls for all rows are 25 a round, and dearer where rows are wide.
FEW: Final = 30
CALLS: Final = 6
# Products of a word and a topic for one row that are made as fast as those with the words it has
# are looked up.
NARROW: Final = 4_096


class Topics(Node):
    """LatentDirichletAllocation.

    words    (topics, columns): exp(E[log beta]), scikit-learn's exp_dirichlet_component_
    prior    of the topics in a document
    exact    within 1e-10, nearly all rows within 1e-12: a row goes through as many rounds as in
             scikit-learn; a few rows by its own steps, a batch with sums over words in another
             order. What that changes is magnified by rounds that leave a balance between two
             topics for the same words (one in 1500 short documents, 50 topics): some 1e-11, as in
             scikit-learn itself when its columns are in another order
    cost     up to `rounds` products of (rows, topics) and (topics, columns), over the rows that
             still change by `enough` or more; of wide rows, with those columns that they have
    source   sklearn.decomposition._lda._update_doc_distribution and transform
    """

    kind = "topics"
    methods = ("transform",)
    exact = "tolerance"
    tolerance = 1e-10
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
        height = max(1, BLOCK_CELLS // (TERMS * (self.n_out + 1) + most))
        for start in range(0, x.shape[0], height):
            yield slice(start, start + height)

    def _is_narrow(self) -> bool:
        return self.words.size <= NARROW

    def _of_one(self, row: Array) -> list[float]:
        """Weights of the topics in one document: each step as scikit-learn makes it."""
        ids = np.flatnonzero(row)
        counts, words = row[ids], self.words[:, ids]
        turned, prior, exp = words.T, self.prior, math.exp
        found, weights = [1.0] * self.n_out, [self.weight] * self.n_out
        of_none = fast_digamma_of(prior)
        for _ in range(self.rounds):
            norm = np.array(weights).dot(words)
            norm += EPSILON
            given = np.divide(counts, norm, out=norm).dot(turned).tolist()
            last = found
            found = [w * g + prior for w, g in zip(weights, given, strict=True)]
            change = sum(map(abs, map(sub, last, found)))
            # A row that is NaN stays so; scikit-learn goes on with it to no other end.
            if not change / self.n_out >= self.enough:
                break
            # One after another as in scikit-learn; from 3.12 on Python rounds a sum only once.
            of_total = fast_digamma_of(sum(found))
            # Of many topics most soon have nothing of a document.
            none = exp(of_none - of_total)
            weights = [
                none if value == prior else exp(fast_digamma_of(value) - of_total)
                for value in found
            ]
        return found

    def _of_many(self, x: Float64Matrix) -> Float64Matrix:
        """Weights of the topics, (rows, topics), by rounds until a row hardly changes.

        Weights are not divided by the exponential of the total's digamma: EPSILON, which they
        are held against, is multiplied by it.
        """
        documents = Narrow(x, self.words) if self._is_narrow() else Wide(x, self.words)
        last = np.ones((x.shape[0], self.n_out))
        weights = exp_digamma(_with_total(last))
        out, going, on = np.empty(last.shape), np.arange(x.shape[0]), np.ones(x.shape[0], bool)
        for _ in range(self.rounds):
            found = documents.given(weights)
            found *= weights[:, :-1]
            found += self.prior
            last -= found
            change = np.add.reduce(np.abs(last, out=last), axis=1)
            change /= self.n_out
            before, on = on, on & (change >= self.enough)
            left = np.count_nonzero(on)
            if left < np.count_nonzero(before):
                done = before & ~on
                out[going[done]] = found[done]
            if not left:
                break
            if left <= KEPT * on.shape[0]:
                documents.keep(on)
                going, found, on = going[on], found[on], on[on]
            last, weights = found, exp_digamma(_with_total(found))
        else:
            out[going[on]] = last[on]
        return out


def _with_total(found: Float64Matrix) -> Float64Matrix:
    """Append the sum of each row: (rows, topics + 1)."""
    out = np.empty((found.shape[0], found.shape[1] + 1))
    out[:, :-1] = found
    np.add.reduce(found, axis=1, out=out[:, -1])
    return out


class Narrow:
    """Documents as lines of counts of all words.

    The last line of `words` is EPSILON, for the last of a document's weights.
    """

    def __init__(self, x: Float64Matrix, words: Float64Matrix) -> None:
        self.counts = x
        self.words = np.concatenate((words, np.full((1, words.shape[1]), EPSILON)))
        self.turned = words.T

    def given(self, weights: Float64Matrix) -> Float64Matrix:
        """Give what their words add to each topic, (documents, topics)."""
        norm = weights.dot(self.words)
        out: Float64Matrix = np.divide(self.counts, norm, out=norm).dot(self.turned)
        return out

    def keep(self, on: Array) -> None:
        """Go on with some of the documents."""
        self.counts = self.counts[on]


class Wide:
    """Documents as the few words that they have, filled up to the length of the longest.

    counts  (documents, 1, length), zero where a document is shorter
    words   (documents, topics + 1, length): those of each, and as in `Narrow` EPSILON
    """

    def __init__(self, x: Float64Matrix, words: Float64Matrix) -> None:
        lengths = np.count_nonzero(x, axis=1)
        held = np.arange(lengths.max(initial=0)) < lengths[:, None]
        at, ids = np.nonzero(x)
        columns = np.zeros(held.shape, np.intp)
        columns[held] = ids
        self.counts = np.zeros((x.shape[0], 1, held.shape[1]))
        self.counts[:, 0][held] = x[at, ids]
        own = np.empty((words.shape[0] + 1, *held.shape))
        np.take(words, columns, axis=1, out=own[:-1], mode="clip")
        own[-1] = EPSILON
        self.words = own.transpose(1, 0, 2)

    def given(self, weights: Float64Matrix) -> Float64Matrix:
        """Give what `Narrow.given` does."""
        norm = np.matmul(weights[:, None], self.words)
        np.divide(self.counts, norm, out=norm)
        out: Float64Matrix = np.matmul(norm, self.words[:, :-1].transpose(0, 2, 1))[:, 0]
        return out

    def keep(self, on: Array) -> None:
        """Go on with some of the documents."""
        self.counts, self.words = self.counts[on], self.words[on]


NODES: dict[str, NodeReader] = {Topics.kind: Topics}
