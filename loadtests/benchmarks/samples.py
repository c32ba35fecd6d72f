"""Data to fit estimators on and to ask them, in the sizes that models are put to work with."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any, Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from runtime.plan import Frame, Inputs

ROWS: Final = 1000
COLUMNS: Final = 20
WORDS: Final = (
    "red",
    "blue",
    "old",
    "fine",
    "house",
    "car",
    "wine",
    "the",
    "a",
    "no",
    "with",
    "of",
)


@dataclass(frozen=True, slots=True)
class Rows:
    """The same rows as scikit-learn takes them and as a plan does."""

    theirs: Any
    ours: Inputs

    def __len__(self) -> int:
        return len(self.theirs)

    def slice(self, start: int, end: int) -> "Rows":
        """Give some of them, in C order as a request's are."""
        if isinstance(self.theirs, pd.DataFrame):
            theirs: Any = self.theirs.iloc[start:end]
        else:
            theirs = self.theirs[start:end]
        if isinstance(self.ours, Frame):
            return Rows(theirs, Frame(tuple(column[start:end] for column in self.ours.columns)))
        return Rows(theirs, self.ours[start:end])


@dataclass(frozen=True, slots=True)
class Sample:
    """What an estimator is fitted on, and how to draw rows like it."""

    x: Any
    y: Any

    def rows(self, count: int) -> Rows:
        """Draw rows: half as they were in training, so that they lie on thresholds, half beside."""
        random = np.random.default_rng(count)
        drawn = random.integers(len(self.x), size=count)
        if isinstance(self.x, list):
            return _rows([self.x[i] for i in drawn])
        if isinstance(self.x, pd.DataFrame):
            return _rows(self.x.iloc[drawn].reset_index(drop=True))
        taken = self.x[drawn]
        if taken.dtype == object:
            return _rows(taken)
        moved = taken + np.where(drawn % 2, 0.0, 1.0)[:, None] * self._noise(taken.shape, random)
        return _rows(np.ascontiguousarray(moved))

    def _noise(self, shape: tuple[int, ...], random: np.random.Generator) -> NDArray[Any]:
        """Never below zero where the training had nothing below it; whole where it was whole."""
        known = self.x[~np.isnan(self.x)]
        if np.equal(known, np.floor(known)).all():
            return random.poisson(0.5, size=shape).astype(np.float64)
        noise = random.normal(scale=0.3, size=shape)
        return np.abs(noise) if known.min() >= 0 else noise


def _rows(theirs: Any) -> Rows:
    if isinstance(theirs, list):
        return Rows(theirs, Frame((_objects(theirs),)))
    if isinstance(theirs, pd.DataFrame):
        return Rows(theirs, Frame(tuple(_cells(theirs[name]) for name in theirs)))
    if theirs.dtype == object:
        return Rows(theirs, Frame(tuple(_objects(column.tolist()) for column in theirs.T)))
    return Rows(theirs, theirs)


def _cells(column: "pd.Series[Any]") -> NDArray[Any]:
    if column.dtype == np.float64:
        return column.to_numpy()
    return _objects(column.tolist())


def _objects(values: list[Any]) -> NDArray[Any]:
    array = np.empty(len(values), object)
    array[:] = values
    return array


def _numbers() -> tuple[NDArray[Any], NDArray[Any]]:
    random = np.random.default_rng(1)
    x = random.normal(size=(ROWS, COLUMNS))
    x[:, 1] += x[:, 0]
    return x, np.tanh(x[:, 2]) + x @ random.normal(size=COLUMNS) / 3 + x[:, 3] * x[:, 4]


def _classes() -> Sample:
    x, y = _numbers()
    return Sample(x, np.digitize(y, np.quantile(y, [0.4, 0.7])))


def _two_classes() -> Sample:
    x, y = _numbers()
    return Sample(x, (y > 0).astype(np.int64))


def _several() -> Sample:
    x, y = _numbers()
    return Sample(x, np.column_stack([y > 0, y > 1, x[:, 0] > 0]).astype(np.int64))


def _some_classes() -> Sample:
    sample = _classes()
    return Sample(sample.x, np.where(np.arange(ROWS) % 3 == 0, sample.y, -1))


def _values() -> Sample:
    return Sample(*_numbers())


def _two_values() -> Sample:
    x, y = _numbers()
    return Sample(x, np.column_stack([y, y * y]))


def _positive() -> Sample:
    x, y = _numbers()
    return Sample(x, np.abs(y) + 0.1)


def _one_column() -> Sample:
    x, y = _numbers()
    return Sample(x[:, 2:3].copy(), y)


def _products() -> Sample:
    sample = _classes()
    few = sample.x[:200]
    return Sample(few @ few.T, sample.y[:200])


def _counts() -> Sample:
    sample = _classes()
    return Sample(np.floor(np.maximum(2 * sample.x + 2, 0.0)), sample.y)


def _shares() -> Sample:
    sample = _two_classes()
    return Sample(1 / (1 + np.exp(-sample.x)), sample.y)


def _gaps() -> Sample:
    sample = _classes()
    return Sample(np.where(np.abs(sample.x) > 1.5, np.nan, sample.x), sample.y)


def _categories() -> Sample:
    sample = _two_classes()
    names = [[f"{'abcdefgh'[j]}{int(abs(3 * v))}" for j, v in enumerate(r[:8])] for r in sample.x]
    return Sample(np.array(names, object), sample.y)


def _frame() -> Sample:
    sample, texts = _two_classes(), _categories()
    columns = {f"n{j}": sample.x[:, j] for j in range(10)}
    columns |= {f"c{j}": texts.x[:, j] for j in range(4)}
    return Sample(pd.DataFrame(columns), sample.y)


def _texts() -> Sample:
    random = np.random.default_rng(2)
    texts = [" ".join(random.choice(WORDS, size=12)) for _ in range(ROWS)]
    return Sample(texts, np.array(["red" in text for text in texts], np.int64))


SAMPLES: Final[dict[str, Callable[[], Sample]]] = {
    "classes": cache(_classes),
    "two classes": cache(_two_classes),
    "several labels": cache(_several),
    "some classes": cache(_some_classes),
    "values": cache(_values),
    "two values": cache(_two_values),
    "positive values": cache(_positive),
    "values of one column": cache(_one_column),
    "products": cache(_products),
    "counts": cache(_counts),
    "shares": cache(_shares),
    "gaps": cache(_gaps),
    "categories": cache(_categories),
    "frame": cache(_frame),
    "texts": cache(_texts),
}
