"""Sparse codes: each row as a few atoms of a dictionary."""

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
)

BLOCK_CELLS: Final = 1 << 20
MAX_ATOMS: Final = 4_096  # of a pursuit, which needs the products of all of them
MAX_CHOSEN: Final = 512  # of them for one row: one more takes a system of all of them


class SparseCode(Node):
    """DictionaryLearning, MiniBatchDictionaryLearning and SparseCoder.

    atoms      (atoms, columns)
    algorithm  threshold: products with the atoms, shrunk by `alpha`; pursuit: `alpha` atoms, one
               after the other, each that which the rest of the row is nearest to
    positive   codes below zero become zero (threshold)
    split      codes above zero, then those below with their sign turned
    exact      threshold: bitwise at the same batch size. pursuit: within 1e-12 times the condition
               of the atoms chosen, which are solved for anew each time
    cost       pursuit: a system of up to `atoms` equations for each atom of each row
    source     sklearn.decomposition._dict_learning._sparse_encode_precomputed;
               sklearn.linear_model._omp._gram_omp
    """

    kind = "sparse_code"
    methods = ("transform",)
    missing = Missing.REFUSES

    def __init__(self, fields: Fields) -> None:
        self.atoms = fields.finite("atoms", None, None)
        self.count, self.n_in = (int(length) for length in self.atoms.shape)
        if not self.count or not self.n_in:
            raise fields.fail("'atoms' is empty")
        self.split = fields.flag("split")
        self.n_out = self.count * (2 if self.split else 1)
        self.pursues = fields.choice("algorithm", "threshold", "pursuit") == "pursuit"
        self.exact = "tolerance" if self.pursues else "batch"
        self.positive = fields.flag("positive")
        if self.pursues:
            self.most = fields.integer("most", 1, min(self.count, MAX_CHOSEN))
            if self.count > MAX_ATOMS:
                raise fields.fail(f"a pursuit has at most {MAX_ATOMS} atoms")
            with np.errstate(over="ignore", invalid="ignore"):
                self.gram = self.atoms @ self.atoms.T
            if not np.isfinite(self.gram).all():
                raise fields.fail("'atoms' is too large")
        else:
            self.alpha = fields.number("alpha")

    def transform(self, x: Inputs) -> Float64Matrix:
        """Give (rows, atoms), or twice as many columns where they are split."""
        matrix = as_matrix(x)
        with np.errstate(all="ignore"):
            products = np.dot(self.atoms, matrix.T).T
            if self.pursues:
                try:
                    code = self._pursued(products)
                except np.linalg.LinAlgError as error:
                    raise InputRefused(None, None, f"no atoms make it up: {error}") from error
            else:
                code = np.sign(products) * np.maximum(np.abs(products) - self.alpha, 0)
                if self.positive:
                    np.clip(code, 0, None, out=code)
        if not self.split:
            return code
        out = np.empty((code.shape[0], self.n_out))
        np.maximum(code, 0, out=out[:, : self.count])
        np.negative(np.minimum(code, 0, out=code), out=out[:, self.count :])
        return out

    def _pursued(self, products: Float64Matrix) -> Float64Matrix:
        code = np.zeros(products.shape)
        if products.shape[0] == 1:
            self._write_one(code[0], products[0])
            return code
        height = max(1, BLOCK_CELLS // (self.most * max(self.most, self.count)))
        for at in range(0, products.shape[0], height):
            code[at : at + height] = self._block(products[at : at + height])
        return code

    def _write_one(self, code: Array, products: Array) -> None:
        """Write the code of one row over zeros; what `_block` does, without solving anew.

        The inverse of the chosen atoms' Cholesky factor gets a row more for each of them.
        """
        rest, chosen = products, list[int]()
        inverse, weights = np.zeros((self.most, self.most)), products[:0]
        for count in range(self.most):
            best = int(np.abs(rest).argmax())
            if not rest[best] ** 2 >= EPSILON or best in chosen:
                break
            own, inner = self.gram[best, best], inverse[:count, :count]
            across = inner @ self.gram[best].take(chosen) if chosen else products[:0]
            apart = own - across @ across
            if not apart > (EPSILON if chosen else 0.0):
                break
            root = np.sqrt(apart)
            inverse[count, :count] = (across @ inner) / -root
            inverse[count, count] = 1.0 / root
            chosen.append(best)
            inner = inverse[: count + 1, : count + 1]
            weights = (inner @ products.take(chosen)) @ inner
            rest = products - weights @ self.gram.take(chosen, axis=0)
        code[chosen] = weights

    def _block(self, products: Float64Matrix) -> Float64Matrix:
        """Codes of (rows, atoms) products; a row is done when no atom has anything left to say."""
        code = np.zeros(products.shape)
        going = np.arange(products.shape[0])
        rest = np.array(products)
        chosen = np.empty((len(going), 0), np.intp)
        for _ in range(self.most):
            sizes = np.abs(rest)
            best = sizes.argmax(axis=1)
            told = sizes[np.arange(len(best)), best] ** 2 >= EPSILON
            on = told & ~(chosen == best[:, None]).any(axis=1)
            going, best, chosen, rest = going[on], best[on], chosen[on], rest[on]
            wider = np.hstack([chosen, best[:, None]])
            new = self._apart(chosen, best)
            going, chosen, rest = going[new], wider[new], rest[new]
            if not going.size:
                break
            weights = self._solved(chosen, products[going])
            rest = products[going] - np.einsum("rk,rkc->rc", weights, self.gram[chosen])
            code[going] = 0.0
            code[going[:, None], chosen] = weights
        return code

    def _apart(self, chosen: Array, best: Array) -> Array:
        """True where an atom is no mixture of those chosen, (rows,)."""
        own = self.gram[best, best]
        if not chosen.shape[1]:
            return own > 0
        across = self.gram[best[:, None], chosen]
        inner = self.gram[chosen[:, :, None], chosen[:, None, :]]
        solved = np.linalg.solve(inner, across[:, :, None])[:, :, 0]
        apart: Array = own - np.einsum("rk,rk->r", across, solved) > EPSILON
        return apart

    def _solved(self, chosen: Array, products: Float64Matrix) -> Float64Matrix:
        """Weights of the chosen atoms that come nearest to each row, (rows, chosen)."""
        inner = self.gram[chosen[:, :, None], chosen[:, None, :]]
        wanted = np.take_along_axis(products, chosen, axis=1)
        weights: Float64Matrix = np.linalg.solve(inner, wanted[:, :, None])[:, :, 0]
        return weights


NODES: dict[str, NodeReader] = {SparseCode.kind: SparseCode}
