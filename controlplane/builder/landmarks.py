"""Values at which a fitted model's answer turns: thresholds, categories, centres, ranges, texts.

Read from the fitted attributes, column by column, as far as the first estimators see the raw input.
Where nothing is known the probe rows are drawn around zero.
"""

import random
from collections import defaultdict
from collections.abc import Iterable
from typing import Any, Final

import numpy as np

from controlplane.builder.ranges import ranges
from runtime.estimators import classifier_of

Values = dict[int, list[Any]]

_MOST_A_COLUMN: Final = 200
_MOST_TREES: Final = 20
_MOST_ROWS: Final = 64
# Words in a text, 70 in the mean: what a row costs is measured on these.
_LENGTHS: Final = (60, 3, 8, 15, 30, 60, 120, 250, 1, 0)
_MOST_TEXTS: Final = 90
_MOST_TERMS: Final = 2_000
# Words that no vocabulary need have: spelt in capitals, with accents, in parts, in other scripts.
_ODD_WORDS: Final = (
    *("THE", "and", "of", "IT", "is", "never-seen", "e-mail", "don't", "3.14", "2026", "x", "..."),
    *(
        "!?",
        "(so)",
        "a,b;c",
        "foo@example.com",
        "\xe9t\xe9",
        "\xc9T\xc9",
        "cafe\u0301",
        "stra\xdfe",
    ),
    *(
        "\u0130stanbul",
        "\ufb01nd",
        "\uff57ide",
        "\u732b",
        "\u043f\u0440\u0438",
        "\U0001f431\U0001f436",
    ),
    *("a\u00a0b", "supercalifragilistic"),
)
# Fitted attributes with one row of input space each, or one value a column.
_POINTS: Final = (
    "cluster_centers_",
    "support_vectors_",
    "_fit_X",
    "theta_",
    "mean_",
    "center_",
    "statistics_",
    "data_min_",
    "data_max_",
    "_mean",
    "xbar_",
)


def landmarks(estimator: Any, names: list[str]) -> Values:
    """Give the values worth probing of every column that something is known about."""
    found: Values = defaultdict(list)
    _visit(estimator, list(range(len(names))), names, found, 0)
    return {column: values[:_MOST_A_COLUMN] for column, values in found.items()}


def _ranges(estimator: Any, columns: list[int], found: Values) -> None:
    if hasattr(estimator, "build_analyzer") and columns:
        found[columns[0]].extend(texts(estimator))
    for column, values in zip(columns, ranges(estimator, len(columns)), strict=True):
        if values:
            found[column].extend(values)


def _ends(estimator: Any, columns: list[int], found: Values) -> None:
    ends = getattr(estimator, "X_thresholds_", None)  # isotonic regression
    if isinstance(ends, np.ndarray) and len(columns) == 1:
        found[columns[0]].extend(ends.tolist())
    counts = getattr(estimator, "n_categories_", None)  # numbered categories: CategoricalNB
    if isinstance(counts, np.ndarray) and counts.shape == (len(columns),):
        for column, count in zip(columns, counts.tolist(), strict=True):
            found[column].extend(range(min(int(count), _MOST_A_COLUMN)))


def _visit(estimator: Any, columns: list[int], names: list[str], found: Values, depth: int) -> None:
    if depth > 8 or isinstance(estimator, str) or estimator is None:
        return
    for inner, where in _inside(estimator, columns, names):
        _visit(inner, where, names, found, depth + 1)
    _ranges(estimator, columns, found)
    for attribute in _POINTS:
        _points(getattr(estimator, attribute, None), columns, found)
    _scales(estimator, columns, found)
    _ends(estimator, columns, found)
    for position, categories in enumerate(_lists(getattr(estimator, "categories_", None))):
        if position < len(columns):
            found[columns[position]].extend(np.asarray(categories, object).tolist())
    for tree in list(_trees(estimator))[:_MOST_TREES]:
        _thresholds(tree, columns, found)


def _inside(
    estimator: Any, columns: list[int], names: list[str]
) -> Iterable[tuple[Any, list[int]]]:
    yield getattr(estimator, "initial_imputer_", None), columns
    best = getattr(estimator, "best_estimator_", None) or getattr(estimator, "regressor_", None)
    if best is not None:
        yield best, columns
    steps = getattr(estimator, "steps", None)
    if isinstance(steps, list):
        # Steps that keep the columns in place show the next one the same columns, only scaled.
        usable = [step for _, step in steps if step not in (None, "passthrough")]
        yield from ((step, columns) for step in usable[:1])
    for _, transformer, chosen in _lists(getattr(estimator, "transformers_", None)):
        yield transformer, _chosen(chosen, columns, names)
    for _, transformer in _lists(getattr(estimator, "transformer_list", None)):
        yield transformer, columns
    yield from _members(estimator, columns)


def _members(estimator: Any, columns: list[int]) -> Iterable[tuple[Any, list[int]]]:
    """Members of an ensemble, each with the columns it is given."""
    picked = getattr(estimator, "estimators_features_", None)
    for number, member in enumerate(_lists(getattr(estimator, "estimators_", None))[:_MOST_TREES]):
        where = columns if picked is None else [columns[j] for j in picked[number]]
        yield member, where
    for pair in _lists(getattr(estimator, "calibrated_classifiers_", None))[:_MOST_TREES]:
        yield classifier_of(pair), columns
    if not hasattr(estimator, "support_"):  # a selection shows its estimator other columns
        yield getattr(estimator, "estimator_", None), columns


def texts(vectorizer: Any) -> list[str]:
    """Make texts of a vectorizer's terms and of words that it need not know; one is empty."""
    draw = random.Random(20261128)  # noqa: S311  the same model gives the same texts
    learnt = getattr(vectorizer, "vocabulary_", None) or {}
    terms = [term for term in learnt if isinstance(term, str)]
    terms = draw.sample(terms, min(len(terms), _MOST_TERMS)) or list(_ODD_WORDS)
    made = []
    for number in range(_MOST_TEXTS):
        words = [
            draw.choice(terms) if draw.random() < 0.8 else draw.choice(_ODD_WORDS)
            for _ in range(_LENGTHS[number % len(_LENGTHS)])
        ]
        between = draw.choice((" ", " ", "  ", "\n", ", "))
        # The terms may be parts of words, with the spaces around them.
        made.append((between if vectorizer.analyzer == "word" else "").join(words))
    return made


def _lists(value: Any) -> list[Any]:
    return list(value) if isinstance(value, (list, tuple)) else []


def _chosen(chosen: Any, columns: list[int], names: list[str]) -> list[int]:
    places = {names[column]: column for column in columns}
    if isinstance(chosen, slice):
        return columns[chosen] if not isinstance(chosen.start, str) else []
    items = [chosen] if isinstance(chosen, (str, int)) else list(chosen)
    if items and all(isinstance(item, (bool, np.bool_)) for item in items):
        return [column for column, taken in zip(columns, items, strict=False) if taken]
    wanted = [places.get(item) if isinstance(item, str) else columns[item] for item in items]
    return [column for column in wanted if column is not None]


def _points(value: Any, columns: list[int], found: Values) -> None:
    if not isinstance(value, np.ndarray) or value.ndim not in (1, 2):
        return
    if not value.size:  # an SVC of precomputed products holds no support vectors
        return
    rows = value.reshape(-1, value.shape[-1])[:_MOST_ROWS]
    if rows.shape[1] != len(columns):
        return
    for position, column in enumerate(columns):
        found[column].extend(rows[:, position].tolist())


def _scales(estimator: Any, columns: list[int], found: Values) -> None:
    middle = getattr(estimator, "mean_", getattr(estimator, "center_", None))
    scale = getattr(estimator, "scale_", None)
    if not (isinstance(middle, np.ndarray) and isinstance(scale, np.ndarray)):
        return
    if middle.shape == scale.shape == (len(columns),):
        for factor in (-2.0, -0.5, 0.5, 2.0):
            _points((middle + factor * scale)[None, :], columns, found)


def _trees(estimator: Any) -> Iterable[Any]:
    if hasattr(getattr(estimator, "tree_", None), "threshold"):  # KernelDensity has another kind
        yield estimator.tree_
    stages = getattr(estimator, "estimators_", None)
    if isinstance(stages, np.ndarray):  # gradient boosting; other ensembles are lists
        for member in stages.ravel():
            yield member.tree_
    for stage in _lists(getattr(estimator, "_predictors", None)):
        for predictor in stage:
            yield predictor.nodes


def _thresholds(tree: Any, columns: list[int], found: Values) -> None:
    if isinstance(tree, np.ndarray):  # histogram gradient boosting
        features, thresholds, inner = (
            tree["feature_idx"],
            tree["num_threshold"],
            ~tree["is_leaf"].astype(bool),
        )
    else:
        features, thresholds, inner = tree.feature, tree.threshold, tree.feature >= 0
    for feature, threshold in zip(features[inner], thresholds[inner], strict=True):
        if 0 <= feature < len(columns):
            found[columns[int(feature)]].append(float(threshold))
