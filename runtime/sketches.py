"""What a column's values are like, in a few numbers: bins of a reference, and counts in them.

A sketch of the training data is made where the data are, by the SDK, so that rows are never sent.
Numbers are put into bins of equal shares of the reference (its deciles), texts by value; so each
sketch holds a column's bins, and what fell into them.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt

BINS: Final = 10
# As many values of a text are told apart; the rest is one bin.
MOST_VALUES: Final = 50
MOST_COLUMNS: Final = 200
MOST_TEXT: Final = 200  # characters of a value
NUMBER, TEXT = "number", "text"

Cells = npt.NDArray[Any] | Sequence[Any]


class Bins(NamedTuple):
    """How a column is cut.

    edges   of numbers: a bin ends with its edge, the last has none; so there is one bin more
    values  of texts: a bin each, and one for all others
    whole   there were no other values in the reference, so others are new
    """

    kind: str
    edges: tuple[float, ...] = ()
    values: tuple[str, ...] = ()
    whole: bool = True

    @property
    def size(self) -> int:
        """How many bins there are."""
        return len(self.edges if self.kind == NUMBER else self.values) + 1


class Sketch(NamedTuple):
    """Counts in bins; `missing` beside them."""

    bins: Bins
    counts: tuple[int, ...]
    missing: int

    @property
    def rows(self) -> int:
        """How many cells were looked at."""
        return sum(self.counts) + self.missing

    def to_json(self) -> dict[str, Any]:
        """Give what `sketch_from` reads back."""
        return {
            "kind": self.bins.kind,
            "edges": list(self.bins.edges),
            "values": list(self.bins.values),
            "whole": self.bins.whole,
            "counts": list(self.counts),
            "missing": self.missing,
        }


def sketch_from(document: Mapping[str, Any]) -> Sketch:
    """Read a sketch; raises ValueError."""
    try:
        kind = document["kind"]
        edges = tuple(map(float, document.get("edges") or ()))
        values = tuple(map(str, document.get("values") or ()))
        bins = Bins(kind, edges, values, bool(document.get("whole", True)))
        counts, missing = tuple(map(int, document["counts"])), int(document["missing"])
    except (KeyError, TypeError, ValueError, OverflowError) as error:
        raise ValueError(f"no sketch of a column: {error!r}") from error
    if kind not in (NUMBER, TEXT) or (values if kind == NUMBER else edges):
        raise ValueError("the kind of a sketch is number, with edges, or text, with values")
    if not np.isfinite(edges).all() or any(a >= b for a, b in pairwise(edges)):
        raise ValueError("the edges of a sketch must be finite and grow")
    if len({*values}) != len(values) or bins.size != len(counts) or bins.size > MOST_VALUES + 1:
        raise ValueError("a sketch has a count for each bin, 51 at most")
    if min(*counts, missing) < 0 or max(*counts, missing) > 10**12:
        raise ValueError("a count of a sketch is no count")
    return Sketch(bins, counts, missing)


def sketch(cells: Cells) -> Sketch:
    """Cut a column of a reference, and count it. None and NaN are missing."""
    values = _numbers(cells)
    if values is not None:
        present = values[~np.isnan(values)]
        edges: npt.NDArray[Any] = np.unique(
            np.quantile(present, np.arange(1, BINS) / BINS, method="inverted_cdf")
        ) if len(present) else np.empty(0)  # fmt: skip
        return count(cells, Bins(NUMBER, tuple(edges[np.isfinite(edges)].tolist())))
    common = Counter(_texts(cells))
    kept = sorted(common, key=lambda value: (-common[value], value))[:MOST_VALUES]
    return count(cells, Bins(TEXT, values=tuple(kept), whole=len(common) <= MOST_VALUES))


def count(cells: Cells, bins: Bins) -> Sketch:
    """Count a column in the bins of a reference; of numbers, what is no number is missing."""
    if bins.kind == NUMBER:
        values = _numbers(cells)
        if values is None:
            return Sketch(bins, (0,) * bins.size, len(cells))
        present = values[~np.isnan(values)]
        places = np.searchsorted(np.asarray(bins.edges), present, side="left")
        counts = np.bincount(places, minlength=bins.size)
        return Sketch(bins, tuple(counts.tolist()), len(values) - len(present))
    found = Counter(_texts(cells))
    known = [found.pop(value, 0) for value in bins.values]
    others = sum(found.values())
    return Sketch(bins, (*known, others), len(cells) - sum(known) - others)


def added(first: Sketch, second: Sketch) -> Sketch:
    """Add counts in the same bins."""
    sums = tuple(a + b for a, b in zip(first.counts, second.counts, strict=True))
    return Sketch(first.bins, sums, first.missing + second.missing)


def _numbers(cells: Cells) -> npt.NDArray[np.float64] | None:
    """Give a column as numbers, missing as NaN; None where a cell is none."""
    array = np.asarray(cells)
    if array.dtype.kind in "fiub":
        return array.astype(np.float64)
    if array.dtype.kind != "O":
        return None
    kinds = {type(cell) for cell in array.tolist()}
    if not kinds <= {float, int, bool, type(None)}:
        return None
    return np.array([np.nan if cell is None else cell for cell in array.tolist()], np.float64)


def _texts(cells: Cells) -> list[str]:
    listed = cells.tolist() if isinstance(cells, np.ndarray) else cells
    return [
        str(cell)[:MOST_TEXT].replace("\0", "")
        for cell in listed
        if cell is not None and cell == cell
    ]
