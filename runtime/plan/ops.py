"""What every family of nodes shares: the node contract, checked reading, arithmetic.

A plan is a tree of nodes. A node is one compiled estimator: it is read from a JSON spec and named
tensors (both untrusted: plans come from a sandbox that ran a tenant's code), and then has the
estimator's own methods over whole arrays.
"""

import functools
import math
from collections.abc import Callable, Mapping, Sequence
from contextvars import Context
from enum import StrEnum
from typing import TYPE_CHECKING, Any, ClassVar, Final, NamedTuple, ParamSpec, TypeVar

import numpy as np
from numpy.typing import NDArray

from runtime.plan.signature import Kind
from runtime.plan.sparse import Sparse
from runtime.plan.whole import GIVEN, MAX_DEPTH, MOST_ASKED, Place, Whole

if TYPE_CHECKING:
    from typing_extensions import override as override
else:

    def override(method):
        """Mark a method that replaces an inherited one; typing has it from Python 3.12 on only."""
        return method


Float64Matrix = NDArray[np.float64]  # (rows, columns), C order
Float32Matrix = NDArray[np.float32]
Float64Vector = NDArray[np.float64]
Int64Vector = NDArray[np.int64]
Cells = NDArray[Any]  # one column of a frame: float64, or object holding str and None
Array = NDArray[Any]

P = ParamSpec("P")
R = TypeVar("R")

EPSILON: Final = float(np.finfo(np.float64).eps)
LARGEST: Final = float(np.finfo(np.float64).max)
LONGEST_REASON: Final = 2_000  # characters
# Of a sparse row, in which nearly all are zeros: 128 kB a row, of as many rows as are asked.
MOST_ANSWERED: Final = 1 << 14


class PlanError(ValueError):
    """The plan is not one that this runtime serves; the message says where and why."""

    def __init__(self, reason: str) -> None:
        # What is quoted of a header may be as long as the header.
        short = reason if len(reason) <= LONGEST_REASON else f"{reason[:LONGEST_REASON]} …"
        super().__init__(short)


class InputRefused(ValueError):
    """A cell that scikit-learn would raise for; row and column within the call, None: every one."""

    def __init__(self, row: int | None, column: int | None, detail: str) -> None:
        super().__init__(f"row {row}, column {column}: {detail}")
        self.row, self.column, self.detail = row, column, detail


class Frame(NamedTuple):
    """Input columns of mixed kinds: each float64, or object holding str (None where missing)."""

    columns: tuple[Cells, ...]

    @property
    def rows(self) -> int:
        """Rows, the same for every column."""
        return len(self.columns[0]) if self.columns else 0


Inputs = Float64Matrix | Frame  # what comes from outside
Rows = Inputs | Sparse  # what nodes give to each other
Cell = float | str | None


def _silent_context() -> Context | None:
    """Make a context in which numpy says nothing; None where it keeps that by thread, as 1.26."""
    context, before = Context(), np.geterr()
    context.run(np.seterr, all="ignore")
    if np.geterr() == before:
        return context
    np.seterr(**before)
    return None


SILENT: Final = _silent_context()


def silent(function: Callable[P, R]) -> Callable[P, R]:
    """Have numpy not warn of overflow and the like in a function, as `np.errstate(all="ignore")`.

    cost  0.25 us a call, a quarter of what `errstate` takes, which one row feels
    """
    copy = None if SILENT is None else SILENT.copy

    @functools.wraps(function)
    def call(*args: P.args, **kwargs: P.kwargs) -> R:
        if copy is None:
            with np.errstate(all="ignore"):
                return function(*args, **kwargs)
        # No context can be entered twice at once, and a copy is made in no time.
        return copy().run(function, *args, **kwargs)

    return call


def first_cell(marked: NDArray[np.bool_]) -> tuple[int, int]:
    """Give row and column of the first cell that is true, of (rows, columns) with one at least."""
    row, column = np.argwhere(marked)[0].tolist()
    return row, column


def as_matrix(x: Rows) -> Float64Matrix:
    """Give the columns as one float64 matrix; only where the signature says they are numbers."""
    if isinstance(x, Sparse):
        return x.dense().astype(np.float64, copy=False)
    if not isinstance(x, Frame):
        # A vote hands labels on, which are integers.
        return x if x.dtype.char == "d" else x.astype(np.float64)
    rows = x.rows
    if rows == 1:
        # A quarter of the time of an assignment a column, and one row is the common call.
        return np.array([[cells.item() for cells in x.columns]], np.float64)
    out = np.empty((rows, len(x.columns)))
    for place, cells in enumerate(x.columns):
        out[:, place] = cells
    return out


def as_columns(x: Rows) -> tuple[Cells, ...]:
    """Give the columns one by one."""
    if isinstance(x, Frame):
        return x.columns
    matrix = as_matrix(x)
    return tuple(matrix[:, j] for j in range(matrix.shape[1]))


def product(x: Rows, weights: Array) -> Float64Matrix:
    """Give `x @ weights`; source: sklearn.utils.extmath.safe_sparse_dot."""
    return x.times(weights) if isinstance(x, Sparse) else as_matrix(x) @ weights


def above(x: Rows, threshold: float) -> Float64Matrix | Sparse:
    """Give ones for cells above a threshold and zeros for others.

    Of sparse rows, in the dtype of their values and where the threshold is not below zero.

    source  sklearn.preprocessing.binarize
    """
    if isinstance(x, Sparse):
        return x.with_values((x.values > threshold).astype(x.values.dtype))
    return (as_matrix(x) > threshold).astype(np.float64)


def alike(items: tuple[Any, ...]) -> bool:
    """Tell whether all items are equal; of a hundred thousand that are one object, in 0.5 ms."""
    return not items or items.count(items[0]) == len(items)


class Missing(StrEnum):
    """What scikit-learn's estimator does with NaN in its input."""

    REFUSES = "refuses"  # raises
    PASSES = "passes"  # leaves it NaN for whoever comes next (a predictor: handles it)
    FILLS = "fills"  # none is left afterwards


class Node:
    """One compiled estimator.

    methods   the estimator's methods this node serves, the default one first
    n_in      input columns
    n_out     output columns of `transform` (0 where there is none)
    classes   labels of a classifier, in scikit-learn's order
    missing   what happens to NaN
    exact     "bitwise": equal to scikit-learn to the last bit, in any batch;
              "batch": bitwise at the same batch size; "tolerance": within `tolerance`
    tolerance relative, and absolute times the size of the answers: what rounding in another order
              may change. More than 1e-12 only where scikit-learn's own digits are lost to
              cancellation
    kinds_out what the output columns of `transform` hold; None: all numbers
    gives_gaps `transform` may give NaN or infinity for cells that are neither
    takes_sparse  every method takes `Sparse` as it is, and gives what scikit-learn gives for a CSR
              matrix; for other nodes whoever calls makes dense blocks of it
    """

    kind: ClassVar[str]
    methods: tuple[str, ...] = ()
    n_in: int = 0
    n_out: int = 0
    classes: Array | None = None
    missing: Missing = Missing.REFUSES
    exact: str = "tolerance"
    tolerance: float = 1e-12
    kinds_out: tuple[Kind, ...] | None = None
    gives_gaps: bool = False
    takes_sparse: bool = False

    def columns_in(self, nan_ok_after: bool) -> tuple[tuple[Kind, bool], ...]:
        """Give kind and `missing allowed` of every input column.

        nan_ok_after  whoever comes next takes NaN (True at the end of the plan)
        """
        allowed = {
            Missing.REFUSES: False,
            Missing.PASSES: nan_ok_after,
            Missing.FILLS: True,
        }[self.missing]
        return ((Kind.NUMBER, allowed),) * self.n_in

    def wants(self, after: tuple[tuple[Kind, bool], ...]) -> tuple[tuple[Kind, bool], ...]:
        """Give what `columns_in` gives, when whoever comes next wants this of each output column.

        Raises PlanError when that is strings where this node gives numbers, or the reverse.
        """
        short = self.kinds_out is None and alike(after)
        asked = after[:1] if short else after
        kinds = self.kinds_out or (Kind.NUMBER,) * len(asked)
        for kind, (wanted, _) in zip(kinds, asked, strict=True):
            if wanted not in (kind, Kind.ANY):
                raise PlanError(f"{self.kind} gives a {kind} where a {wanted} is wanted")
        return self.columns_in(all(missing for _, missing in asked))

    def origin(self, column: int) -> int | None:  # noqa: ARG002
        """Give the one input column that an output column of `transform` is made of, if any."""
        return None

    def example(self) -> tuple[float | str | None, ...]:
        """Give one cell for each input column that this node takes."""
        columns = self.columns_in(nan_ok_after=True)
        if columns and columns[0][0] is Kind.NUMBER and alike(columns):
            return (0.0,) * len(columns)
        return tuple(0.0 if kind is Kind.NUMBER else None for kind, _ in columns)

    def example_for(self, after: tuple[Cell, ...]) -> tuple[Cell, ...]:  # noqa: ARG002
        """Give an example whose output whoever comes next takes, where `after` is what that takes.

        None is a cell that nobody minds. Nodes that hand cells on as they are pass `after` back.
        """
        return self.example()

    def run(self, method: str, x: Rows) -> Array:
        """Call a method named in `methods` on whole arrays; rows in, as many rows out.

        `transform` itself may give any `Rows` to another node; here it is an array.
        """
        return answer(getattr(self, method)(x))


def answer(result: Rows) -> Array:
    """Give what a method answers as an array; raises PlanError where that would be too wide.

    Columns, of which some hold texts, become one array of objects, as in scikit-learn.
    """
    if isinstance(result, Frame):
        return np.column_stack([cells.astype(object) for cells in result.columns])
    if not isinstance(result, Sparse):
        return result
    if result.width > MOST_ANSWERED:
        raise PlanError(f"an answer has {result.width} numbers a row, more than {MOST_ANSWERED}")
    return result.dense()


def example_kept(node: Node, after: tuple[Cell, ...]) -> tuple[Cell, ...]:
    """Give the `example_for` of a node that hands some columns on: what whoever comes next takes of
    each goes to the column that it is made of."""
    cells = list(node.example())
    for column, cell in enumerate(after):
        place = node.origin(column)
        if place is not None and cell is not None:
            cells[place] = cell
    return tuple(cells)


NodeReader = Callable[["Fields"], Node]


class Fields:
    """Checked reading of one node's spec. Every accessor raises PlanError with the place.

    A node takes every key it knows when it is made; `graph.build` then refuses, by `done()`, keys
    nobody asked for.

    thorough  look at every element of large tensors. False: the file is, by its digest, one that
              was looked at when it was built; kernels that clip their indices need not look again
    """

    def __init__(
        self,
        spec: Mapping[str, Any],
        whole: Whole,
        build: Callable[[Any, Place], Node],
        place: Place,
    ) -> None:
        self._spec, self._whole, self._build, self._place = spec, whole, build, place
        self.thorough, self.where = whole.thorough, place.where
        self._seen = {"op"}

    def fail(self, reason: str) -> PlanError:
        """Make the error for this node; `raise fields.fail("...")`."""
        return PlanError(f"{self.where}: {reason}")

    def _take(self, key: str) -> Any:
        self._seen.add(key)
        if key not in self._spec:
            raise self.fail(f"{key!r} is missing")
        return self._spec[key]

    def has(self, key: str) -> bool:
        """True when the key is there and not null; null and absent mean the same."""
        self._seen.add(key)
        return self._spec.get(key) is not None

    def integer(self, key: str, low: int, high: int) -> int:
        """Read a whole number from low to high."""
        value = self._take(key)
        if type(value) is not int or not low <= value <= high:
            raise self.fail(f"{key!r} must be an integer from {low} to {high}")
        return value

    def number(self, key: str) -> float:
        """Read a finite float."""
        value = self._take(key)
        # Compared, not asked of numpy: a JSON integer may be too large for any float.
        if type(value) not in (int, float) or not abs(value) <= LARGEST:
            raise self.fail(f"{key!r} must be a finite number")
        return float(value)

    def flag(self, key: str) -> bool:
        """Read true or false."""
        value = self._take(key)
        if type(value) is not bool:
            raise self.fail(f"{key!r} must be true or false")
        return value

    def choice(self, key: str, *choices: str) -> str:
        """Read one of the given words."""
        value = self._take(key)
        if value not in choices:
            raise self.fail(f"{key!r} must be one of {', '.join(choices)}")
        return str(value)

    def text(self, key: str) -> str:
        """Read a text."""
        value = self._take(key)
        if not isinstance(value, str):
            raise self.fail(f"{key!r} must be a text")
        return value

    def items(self, key: str, most: int = 1_000_000) -> Sequence[Any]:
        """Read a JSON array of anything; the caller checks its members."""
        value = self._take(key)
        if not isinstance(value, list) or len(value) > most:
            raise self.fail(f"{key!r} must be a list of at most {most}")
        return value

    def tensor(self, key: str, dtype: str, *shape: int | None) -> Array:
        """Read the tensor named by this key.

        dtype  numpy code without byte order: "f8", "f4", "i8", "i4", "u1", "b1", ...
        shape  expected shape; None is any length
        """
        name = self._take(key)
        array = self._whole.tensor(name)
        if array is None:
            raise self.fail(f"{key!r} names no tensor")
        if not self._whole.takes(name, self.where, key):
            raise self.fail(f"{key!r} names a tensor that is there for something else")
        if array.dtype.str[1:] != dtype:
            raise self.fail(f"{key!r} must be {dtype}, is {array.dtype.str[1:]}")
        fits = array.ndim == len(shape) and all(
            want is None or have == want for have, want in zip(array.shape, shape, strict=True)
        )
        if not fits:
            raise self.fail(f"{key!r} must have shape {shape}, has {array.shape}")
        return array

    def finite(self, key: str, *shape: int | None) -> Array:
        """Read a float64 tensor without NaN and infinities."""
        array = self.tensor(key, "f8", *shape)
        if not np.isfinite(array).all():
            raise self.fail(f"{key!r} must be finite")
        return array

    def indices(self, key: str, below: int, *shape: int | None) -> Array:
        """Read an int64 tensor of indices, each from 0 to below - 1."""
        array = self.tensor(key, "i8", *shape)
        if array.size and (array.min() < 0 or array.max() >= below):
            raise self.fail(f"{key!r} must hold indices from 0 to {below - 1}")
        return array

    def labels(self, key: str = "classes") -> Array:
        """Read class labels, as `controlplane.builder.lower.base.labels` writes them:
        `{"dtype": "i8" | "f8" | "b1" | "str" | ..., "values": [...]}`."""
        value = self._take(key)
        if not isinstance(value, dict) or set(value) != {"dtype", "values"}:
            raise self.fail(f"{key!r} must hold dtype and values")
        dtype, values = value["dtype"], value["values"]
        if not isinstance(values, list) or not values:
            raise self.fail(f"{key!r} has no values")
        if dtype == "str":
            if not all(isinstance(v, str) for v in values):
                raise self.fail(f"{key!r} must hold strings")
            array = np.empty(len(values), object)
            array[:] = values
            return array
        known = isinstance(dtype, str) and dtype in LABEL_DTYPES
        if not known or not all(type(v) in (int, float, bool) for v in values):
            raise self.fail(f"{key!r} must hold numbers, strings or booleans")
        try:
            array = np.asarray(values, dtype=dtype)
        except (OverflowError, ValueError) as error:
            raise self.fail(f"{key!r}: {error}") from error
        if array.tolist() != values:
            raise self.fail(f"{key!r} holds values that are not {dtype}")
        return array

    def child(self, key: str) -> Node:
        """Read the node under this key."""
        return self.node(self._take(key), key)

    def node(self, spec: Any, where: str, asked: int = 1) -> Node:
        """Read a node found inside one of `items`.

        asked  how often it is called in one call of this node, at most
        """
        place = self._place.inside(where, asked)
        if place.depth > MAX_DEPTH:
            raise self.fail(f"nested deeper than {MAX_DEPTH}")
        if place.asked > MOST_ASKED:
            raise self.fail(f"a node is called more than {MOST_ASKED} times for one answer")
        return self._build(spec, place)

    def spend(self, columns: int) -> None:
        """Count columns that this node makes beside those it gives, once for all rows or a row."""
        if not self._whole.spends(GIVEN * columns):
            raise self.fail("the nodes make too many columns together")

    def spend_own(self, node: Node) -> None:
        """Count the columns that the node which was read takes and gives."""
        if not self._whole.spends(node.n_in + GIVEN * node.n_out):
            raise self.fail("the nodes take and give too many columns together")

    def done(self) -> None:
        """Refuse keys that no reader asked for."""
        unknown = sorted(set(self._spec) - self._seen)
        if unknown:
            raise self.fail(f"unknown keys {unknown}")


LABEL_DTYPES = frozenset({"i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8", "f4", "f8", "b1"})


def exp_of_libm(x: Float64Matrix) -> Float64Matrix:
    """Exponential function as the C library rounds it, which compiled code such as scipy's calls.

    exact   bitwise; numpy's own vectors of 512 bits round 1 in 22 values to the other neighbour
    cost    there 30 to 60 ns a value instead of 7
    """
    if NUMPY_HAS_LIBMS_EXP:
        return np.exp(x)
    # numpy leaves the complex function to the C library, which leaves exp(x + 0i) to exp(x).
    return np.exp(x.astype(np.complex128)).real


def _numpy_has_libms_exp() -> bool:
    x = np.linspace(-30.0, 30.0, 256)
    return bool(np.exp(x).tolist() == [math.exp(value) for value in x.tolist()])


NUMPY_HAS_LIBMS_EXP: Final = _numpy_has_libms_exp()


@silent
def sigmoid(x: Array) -> Float64Matrix:
    """Logistic function, rounded as scipy.special.expit does for float64."""
    x = exp_of_libm(np.negative(x)) + 1.0
    np.divide(1.0, x, out=x)
    return x


def softmax(x: Float64Matrix) -> Float64Matrix:
    """Row-wise softmax; source: sklearn.utils.extmath.softmax."""
    x = x - x.max(axis=1).reshape(-1, 1)
    np.exp(x, out=x)
    x /= x.sum(axis=1).reshape(-1, 1)
    return x


def two_columns(positive: Float64Vector) -> Float64Matrix:
    """Give (rows, 2): one minus the probability, and the probability."""
    out = np.empty((positive.shape[0], 2))
    np.subtract(1, positive, out=out[:, 0])
    out[:, 1] = positive
    return out
