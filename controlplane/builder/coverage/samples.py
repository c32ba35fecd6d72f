"""Small data that every estimator of scikit-learn can be fitted on, the same each time."""

from typing import Any, Final

import numpy as np
import pandas
from sklearn.utils import Bunch

ROWS: Final = 60
COLUMNS: Final = 4


def _objects(values: list[Any]) -> Any:
    array = np.empty(len(values), object)
    array[:] = values
    return array


def _made() -> dict[str, tuple[Any, Any]]:
    """Give (rows, target) by name; the targets are what the names say."""
    random = np.random.default_rng(5)
    numbers = random.normal(size=(ROWS, COLUMNS))
    numbers[:, 1] += numbers[:, 0]
    values = numbers @ random.normal(size=COLUMNS) + 0.1 * random.normal(size=ROWS)
    labels = np.digitize(values, np.quantile(values, [0.3, 0.7]))
    counts = np.maximum(numbers + 1.0, 0.0)
    two = (values > 0).astype(np.int64)
    pets = _objects([["cat", "dog", "owl"][i % 3] for i in range(ROWS)])
    sizes = _objects([["s", "m"][i // 2 % 2] for i in range(ROWS)])
    many = random.normal(size=(300, 3))
    words = ["a fine red house", "the old red car", "no house, no car", "fine old wine"]
    return {
        "labels": (numbers, labels),
        "two labels": (numbers, two),
        "texts as labels": (numbers, np.array(["high", "low", "mid"])[labels]),
        "some labels": (numbers, np.where(np.arange(ROWS) % 3 == 0, labels, -1)),
        "two answers": (numbers, np.column_stack([labels, two])),
        "several labels": (numbers, np.column_stack([two, 1 - two, two])),
        "values": (numbers, values),
        "two values": (numbers, np.column_stack([values, -(values**2)])),
        "positive values": (numbers, np.abs(values) + 0.1),
        "positive": (np.abs(numbers) + 0.1, labels),
        "values of one column": (numbers[:, :1], values),
        "many values": (np.column_stack([np.arange(300.0) % 9, many]), many @ [1.0, -2.0, 0.5]),
        "counts": (counts, labels),
        "whole counts": (np.floor(counts * 2), labels),
        "shares": (counts / counts.max(), two),
        "distances": (np.abs(numbers[:, None] - numbers[None]).sum(axis=2), labels),
        "products": (numbers @ numbers.T, labels),
        "gaps": (np.where(numbers > 1.2, np.nan, numbers), labels),
        "categories": (np.column_stack([pets, sizes]), two),
        "texts": (words * 5, [0, 1, 0, 1] * 5),
        "a table of texts": (
            pandas.DataFrame({"text": words * 5, "length": list(map(float, range(20)))}),
            None,
        ),
        "dictionaries": ([{"a": 1.0, "b": 2.0}, {"b": 3.0}] * 5, [0, 1] * 5),
        "pictures": (random.random((3, 8, 8)), None),
        "label lists": ([["a"], ["a", "b"], []], None),
        "targets": (labels, None),
    }


SAMPLES: Final = Bunch(**_made())
