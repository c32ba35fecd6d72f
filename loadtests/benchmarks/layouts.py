"""Layouts of trees: the quickest one for a forest and the height of a batch, and what plans take.

Every layout takes the same rows to the same leaves, on one core; sums and checks, which all have in
common, are left out. `controlplane.builder.lower.tree_layouts.walked_from` is fitted to this.
"""

from collections.abc import Callable
from typing import Any, Final

import numpy as np
from sklearn.ensemble import RandomForestClassifier

from controlplane.builder.lower.base import Spec
from controlplane.builder.lower.registry import new_draft
from controlplane.builder.lower.tree_layouts import lay_out, quickscorer, walk
from controlplane.builder.lower.trees import grown_tree, probabilities
from loadtests.benchmarks.measuring import SERVER_CORE, Options, Raw, Row, number, pinned, times
from loadtests.benchmarks.plans import repeated, timed
from loadtests.benchmarks.samples import SAMPLES
from runtime.plan.by_height import ByHeight
from runtime.plan.graph import build
from runtime.plan.ops import Array
from runtime.plan.quickscorer import QuickScorer
from runtime.plan.tree_walk import Leaves
from runtime.plan.trees import ForestClassifier, Layout

TREES: Final = (1, 10, 100, 500)
SHAPES: Final[dict[str, dict[str, int]]] = {
    "8 leaves": {"max_leaf_nodes": 8},
    "depth 6": {"max_depth": 6},
    "64 leaves": {"max_leaf_nodes": 64},
    "unlimited": {},
}
HEIGHTS: Final = (1, 8, 64, 512, 4096)
LAYOUTS: Final = ("one by one", "walk", "quickscorer")
MOST_PAIRS: Final = 4096  # that go down one by one: more take seconds
CELL_SHARE: Final = 0.06  # of a round's seconds, for each layout, forest and height
LEAST: Final = 3
NEAR: Final = 1.25  # times the quickest: two runs of one cell differ by as much


def limit_s(options: Options) -> float:
    """Give the seconds it takes at most."""
    return 100 + 40 * options.seconds


def measure(options: Options) -> Raw:
    """Time every layout of every forest at every height."""
    heights = [height for height in HEIGHTS if height <= options.most_rows]
    cells: list[Raw] = []
    print(f"{'microseconds, * the plan takes':<40}" + "".join(f"{name:>16}" for name in LAYOUTS))
    with pinned(SERVER_CORE):
        for trees in TREES:
            for shape, limits in SHAPES.items():
                model = RandomForestClassifier(trees, random_state=0, **limits)
                for found in forest(model, heights, CELL_SHARE * options.seconds):
                    cells.append({"trees": trees, "shape": shape} | found)
                    print(told(cells[-1]), flush=True)
    return {"cells": cells}


def forest(model: RandomForestClassifier, heights: list[int], each_s: float) -> list[Raw]:
    """Fit a forest, lay it out every way, and time each."""
    sample = SAMPLES["classes"]()
    model.fit(sample.x, sample.y)
    plan, walked, table = (laid_out(model, way) for way in (lay_out, walk, quickscorer))
    cells = []
    for height in heights:
        x = np.asarray(sample.rows(height).ours).astype(np.float32)
        ways = ways_of(walked, table, x)
        found = {name: median_us(way, each_s) for name, way in ways.items()}
        cells.append({"rows": height, "taken": taken(plan, x), "us": found})
    return cells


def laid_out(model: RandomForestClassifier, way: Callable[..., Spec | None]) -> Layout | None:
    """Build a forest in a layout; None: it has no such layout."""
    draft = new_draft()
    trees = [grown_tree(tree.tree_, probabilities(tree)) for tree in model.estimators_]
    layout = way(draft, trees, narrow=True)
    if layout is None:
        return None
    spec = {
        "op": "forest_classifier",
        "classes": draft.labels(model.classes_),
        "n_in": int(model.n_features_in_),
        "missing": "passes",
        "in_order": True,
        **layout,
    }
    node = build(spec, draft.tensors)
    if not isinstance(node, ForestClassifier):
        raise TypeError(f"a forest became {type(node).__name__}")
    return node.trees


def ways_of(walked: Any, table: Any, x: Array) -> dict[str, Callable[[], Any]]:
    """Give what can be timed for these rows."""
    ways: dict[str, Callable[[], Any]] = {"walk": lambda: ended(walked.together(x, 1))}
    if len(x) * walked.trees <= MOST_PAIRS:
        ways["one by one"] = lambda: walked.one_by_one(x)
    if table is not None:
        alone = table.table if isinstance(table, ByHeight) else table
        ways["quickscorer"] = lambda: ended(alone.leaves(x, 1))
    return ways


def ended(leaves: Leaves) -> None:
    """Have all rows reach their leaves."""
    for _ in leaves:
        pass


def taken(layout: Any, x: Array) -> str:
    """Name what a plan takes for these rows."""
    if isinstance(layout, ByHeight):
        layout = layout.quicker(x)
    if isinstance(layout, QuickScorer):
        return "quickscorer"
    return "one by one" if layout.are_few(x) else "walk"


def median_us(way: Callable[[], Any], within_s: float) -> float:
    """Give the microseconds of a call: the median of processor time."""
    spent: list[tuple[float, float]] = []
    repeats = repeated(way, spent)
    while len(spent) < LEAST or sum(wall for _, wall in spent) * repeats < within_s:
        spent.append(timed(way, repeats))
    return round(1e6 * float(np.median([cpu for cpu, _ in spent])), 1)


def behind(cell: Raw) -> float:
    """Give how many times as long as the quickest layout the one takes that the plan takes."""
    return float(cell["us"][cell["taken"]] / min(cell["us"].values()))


def rows(raw: Raw) -> list[Row]:
    """Hold what plans take against the quickest."""
    cells = raw["cells"]
    far = sorted((cell for cell in cells if behind(cell) > NEAR), key=behind, reverse=True)
    notes = [f"{named(cell)} {times(behind(cell))}" for cell in far]
    return [
        Row(
            "forests and batches for which a plan takes the quickest layout, or one near it",
            f"{len(cells) - len(far)} of {len(cells)}",
            f"within {times(NEAR)}",
            not far,
            "; ".join(notes),
        )
    ]


def named(cell: Raw) -> str:
    """Name a forest and a batch."""
    return f"{cell['trees']} trees, {cell['shape']}, {cell['rows']:,} rows"


def told(cell: Raw) -> str:
    """Write one cell for a terminal."""
    marks = [
        (
            f"{number(cell['us'][name])}{'*' if name == cell['taken'] else ' '}"
            if name in cell["us"]
            else "- "
        )
        for name in LAYOUTS
    ]
    return f"{named(cell):<40}" + "".join(f"{mark:>16}" for mark in marks)


def tables(raw: Raw) -> str:
    """Write every forest at every height."""
    head = f"| trees | | rows | {' | '.join(LAYOUTS)} |\n{'| --- ' * (len(LAYOUTS) + 3)}|\n"
    said = "Microseconds until all rows have reached their leaves; bold: what a plan takes.\n\n"
    return said + head + "".join(line(cell) for cell in raw["cells"])


def line(cell: Raw) -> str:
    """Write one line of the table."""
    written = [
        (
            f"**{number(cell['us'][name])}**"
            if name == cell["taken"]
            else number(cell["us"][name]) if name in cell["us"] else ""
        )
        for name in LAYOUTS
    ]
    return f"| {cell['trees']} | {cell['shape']} | {cell['rows']:,} | {' | '.join(written)} |\n"
