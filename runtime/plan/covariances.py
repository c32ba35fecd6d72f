"""Covariance functions of Gaussian processes: expressions of kernels, run on a stack.

An expression is a list of steps in postfix order. A step puts a matrix of kernel values on the
stack, or replaces the one or two on top by what it makes of them; one is left at the end.
"""

import math
from typing import Any, Final

import numpy as np

from runtime.plan.ops import LARGEST, Array, Fields, Float64Matrix
from runtime.plan.pairwise import CHI2, PairwiseKernel
from runtime.plan.squares import Squares

MAX_STEPS: Final = 200
MAX_HELD: Final = 16  # matrices on the stack at once
ALLOWED: Final = 1e-12  # how far off a kernel that is at most one may be
# How much a kernel that is smooth in the squared distance changes by it, at most; in units of its
# length scale.
STEEPNESS: Final = {
    "rbf": 0.5,
    "matern-1.5": 1.5,
    "matern-2.5": 5 / 6,
    "matern-inf": 0.5,
}
RATIONAL: Final = 0.5  # the same of the rational quadratic kernel, whose rows are as they came

GAUSSIAN: Final = ("rbf", "matern-inf")

# Numbers after each step's name; None: one, or one a column.
LEAVES: Final[dict[str, tuple[int | None, ...]]] = {
    "constant": (1,),  # value
    "white": (1,),  # noise level: only between a row and itself
    "rbf": (None,),  # length scale
    "matern-0.5": (None,),
    "matern-1.5": (None,),
    "matern-2.5": (None,),
    "matern-inf": (None,),
    "rational": (1, 1),  # alpha, length scale
    "periodic": (1, 1),  # length scale, periodicity
    "dot": (1,),  # sigma_0
    "pairwise": (),  # one of PairwiseKernel's, whose settings lie beside the steps
}
OPERATORS: Final[dict[str, tuple[int | None, ...]]] = {"sum": (), "product": (), "power": (1,)}
TAKEN: Final = {"sum": 2, "product": 2, "power": 1}  # matrices that an operator takes off


class Covariance:
    """k(x, y) for all rows x and all stored rows y, and k(x, x).

    allowed  how far off one of its kernels may be, for values within 1e-12

    exact    within 1e-12; squared distances are bitwise those of scipy's cdist where a kernel is
             not smooth in them, or rows lie so far out that matrix products would lose too much
    cost     matrix products and a few steps of (rows, stored); else a step for each column
    source   sklearn.gaussian_process.kernels, __call__ and diag
    """

    def __init__(self, fields: Fields, stored: Float64Matrix) -> None:
        self.stored = stored
        self.columns = int(stored.shape[1])
        self.steps = [self._step(fields, step) for step in fields.items("kernel_steps", MAX_STEPS)]
        self.pairwise = None
        if any(name == "pairwise" for name, _ in self.steps):
            self.pairwise = PairwiseKernel(fields, stored)
            if self.pairwise.kind in CHI2:
                raise fields.fail("a process has no chi2 kernel")
        held = 0
        for name, _ in self.steps:
            held -= TAKEN.get(name, 0)
            if held < 0:
                raise fields.fail("'kernel_steps' takes from an empty stack")
            held += 1
            if held > MAX_HELD:
                raise fields.fail(f"'kernel_steps' holds more than {MAX_HELD} matrices")
        if held != 1:
            raise fields.fail("'kernel_steps' does not leave one matrix")
        # In units of each length scale.
        self.leaves = [
            ((name, numbers), self._squares(name, numbers))
            for name, numbers in self.steps
            if name not in OPERATORS
        ]
        self.allowed = self._allowed()

    def _allowed(self) -> float:
        """Share of 1e-12 for each kernel: sums and products add up, powers multiply."""
        # Products of kernels grow with what they are times.
        with np.errstate(all="ignore"):
            largest = float(np.abs(self.diagonal(self.stored)).max())
        powers = [numbers[0] for name, numbers in self.steps if name == "power"]
        if not math.isfinite(largest) or min(powers, default=0.0) < 0:
            return 0.0
        smooth = sum(name == "rational" or name in STEEPNESS for (name, _), _ in self.leaves)
        raised = math.prod(max(1.0, power) for power in powers)
        return ALLOWED / (max(1, smooth) * max(1.0, largest) * raised)

    def _squares(self, name: str, numbers: list[Any]) -> Squares:
        """Make what tells how far rows are, as `_stationary` takes it."""
        stored = self.stored / numbers[0] if _is_scaled(name) else self.stored
        return Squares(stored, -0.5 if name in GAUSSIAN else 1.0)

    def _step(self, fields: Fields, step: Any) -> tuple[str, list[Any]]:
        if not isinstance(step, list) or not step or not isinstance(step[0], str):
            raise fields.fail("'kernel_steps' must hold lists that begin with a name")
        name, *numbers = step
        shape = LEAVES.get(
            name, {"power": (1,), "sum": (), "product": (), "pairwise": ()}.get(name)
        )
        if shape is None or len(shape) != len(numbers):
            raise fields.fail(f"'kernel_steps' has an unknown step {name!r}, or too few numbers")
        read = [self._numbers(fields, n, size) for n, size in zip(numbers, shape, strict=True)]
        positive = _is_scaled(name) or name in ("rational", "periodic")
        if positive and not all(np.all(np.asarray(n) > 0) for n in read):
            raise fields.fail(f"'kernel_steps': a number of {name} must be above zero")
        return name, read

    def _numbers(self, fields: Fields, given: Any, size: int | None) -> Any:
        single = type(given) in (int, float)
        if not single and (size is not None or not isinstance(given, list)):
            raise fields.fail("'kernel_steps' must hold numbers")
        numbers = [given] if single else given
        if not single and len(numbers) != self.columns:
            raise fields.fail("'kernel_steps' has a length scale that does not fit the columns")
        if not all(type(n) in (int, float) and abs(n) <= LARGEST for n in numbers):
            raise fields.fail("'kernel_steps' must hold finite numbers")
        return float(given) if single else np.array(numbers, np.float64)

    def values(self, x: Float64Matrix) -> Float64Matrix:
        """Give (rows, stored). Overflow gives infinities and NaN, as in scikit-learn."""
        found = self._run([self._leaf(*step, x, at) for step, at in self.leaves])
        return found if found.ndim else np.full((x.shape[0], self.stored.shape[0]), found)

    def diagonal(self, x: Float64Matrix) -> Array:
        """Give k(x, x) for each row, (rows,)."""
        return self._run([self._own(*step, x) for step, _ in self.leaves])

    def _run(self, leaves: list[Array]) -> Array:
        queue, stack = iter(leaves), list[Array]()
        for name, numbers in self.steps:
            match name:
                case "sum":
                    stack.append(_joined(np.add, stack.pop(), stack.pop()))
                case "product":
                    stack.append(_joined(np.multiply, stack.pop(), stack.pop()))
                case "power":
                    stack[-1] = stack[-1] ** numbers[0]
                case _:
                    stack.append(next(queue))
        return stack[0]

    def _leaf(self, name: str, numbers: list[Any], x: Float64Matrix, scaled: "Squares") -> Array:
        match name:
            # What all pairs have in common stays a lone number.
            case "constant":
                return np.asarray(numbers[0])
            case "white":
                return np.zeros(())
            case "dot":
                product: Array = x @ self.stored.T + numbers[0] ** 2
                return product
            case "pairwise" if self.pairwise is not None:
                return self.pairwise.values(x)
            case "rational":
                alpha, scale = numbers
                near = np.maximum(scaled.of(x, self.allowed, RATIONAL / scale**2), 0.0)
                bent: Array = (1 + near / (2 * alpha * scale**2)) ** -alpha
                return bent
            case "periodic":
                scale, period = numbers
                wave = np.sin(np.pi / period * np.sqrt(scaled.exactly(x))) / scale
                periodic: Array = np.exp(-2 * wave**2)
                return periodic
            case _:
                x = x / numbers[0]
                if name in STEEPNESS:
                    return _stationary(name, scaled.of(x, self.allowed, STEEPNESS[name]))
                return _stationary(name, scaled.exactly(x))

    def _own(self, name: str, numbers: list[Any], x: Float64Matrix) -> Array:
        match name:
            case "constant" | "white":
                return np.full(x.shape[0], numbers[0])
            case "dot":
                own: Array = np.einsum("ij,ij->i", x, x) + numbers[0] ** 2
                return own
            case "pairwise" if self.pairwise is not None:
                return self.pairwise.diagonal(x)
            case _:
                return np.ones(x.shape[0])


def _joined(how: np.ufunc, one: Array, other: Array) -> Array:
    """Add or multiply in the place of one of the two, unless both are lone numbers."""
    out = one if one.ndim else other if other.ndim else None
    joined: Array = how(one, other, out=out)
    return joined


def _is_scaled(name: str) -> bool:
    """True for a kernel of rows in units of a length scale."""
    return name == "rbf" or name.startswith("matern")


def _stationary(name: str, squares: Float64Matrix) -> Float64Matrix:
    """Kernels of the squared distance in units of the length scale; the squares are used up."""
    if name in GAUSSIAN:  # they are -½ times the square
        return np.exp(squares, out=squares)
    np.maximum(squares, 0.0, out=squares)  # expanded ones may be a little below
    distances: Float64Matrix = np.sqrt(squares, out=squares)
    if name == "matern-0.5":
        return np.exp(-distances)
    if name == "matern-1.5":
        k = distances * math.sqrt(3)
        rough: Float64Matrix = (1.0 + k) * np.exp(-k)
        return rough
    k = distances * math.sqrt(5)
    smooth: Float64Matrix = (1.0 + k + k**2 / 3.0) * np.exp(-k)
    return smooth
