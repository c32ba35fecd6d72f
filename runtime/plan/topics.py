"""Topics of documents: the E-step of latent Dirichlet allocation, all rows at once."""

from typing import Final

import numpy as np

from runtime.plan.ops import (
    Fields,
    Float64Matrix,
    InputRefused,
    Inputs,
    Missing,
    Node,
    NodeReader,
    as_matrix,
)
from runtime.plan.special import fast_digamma

MAX_ROUNDS: Final = 10_000
MAX_PRODUCTS: Final = 1 << 31  # of a word and a topic for one row, in all rounds: some 3 s
BLOCK_CELLS: Final = 1 << 20  # words of documents held at once: 8 MiB
EPS: Final = float(np.finfo(np.float64).eps)


class Topics(Node):
    """LatentDirichletAllocation.

    words    (topics, columns): exp(E[log beta]), scikit-learn's exp_dirichlet_component_
    prior    of the topics in a document
    exact    within 1e-12: a row goes through as many rounds as in scikit-learn, which sums the
             words of a document in another order
    cost     up to `rounds` products of (rows, topics) and (topics, columns), over the rows that
             still change by `enough` or more
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

    def transform(self, x: Inputs) -> Float64Matrix:
        """Share of each topic, (rows, topics)."""
        matrix = as_matrix(x)
        if (matrix < 0).any():
            row, column = (int(place) for place in np.argwhere(matrix < 0)[0])
            raise InputRefused(row, column, "a count of words cannot be below zero")
        out = np.empty((matrix.shape[0], self.n_out))
        height = max(1, BLOCK_CELLS // self.n_in)
        with np.errstate(all="ignore"):
            for at in range(0, matrix.shape[0], height):
                out[at : at + height] = self._shares(matrix[at : at + height])
            out /= out.sum(axis=1)[:, None]
        return out

    def _shares(self, x: Float64Matrix) -> Float64Matrix:
        """Weights of the topics, (rows, topics), by rounds until a row hardly changes."""
        out = np.ones((x.shape[0], self.n_out))
        weights = np.exp(fast_digamma(out) - fast_digamma(out.sum(axis=1))[:, None])
        going = np.arange(x.shape[0])
        for _ in range(self.rounds):
            norm = weights @ self.words + EPS
            found = weights * (np.divide(x, norm, out=norm) @ self.words.T) + self.prior
            total = np.add.accumulate(found, axis=1)[:, -1]
            weights = np.exp(fast_digamma(found) - fast_digamma(total)[:, None])
            change = np.abs(out[going] - found).mean(axis=1)
            out[going] = found
            # A row that is NaN stays so; scikit-learn goes on with it to no other end.
            on = change >= self.enough
            if not on.all():
                going, weights, x = going[on], weights[on], x[on]
            if not going.size:
                break
        return out


NODES: dict[str, NodeReader] = {Topics.kind: Topics}
