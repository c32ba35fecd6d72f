"""From grown trees to the tensors of the two layouts that `runtime.plan` knows."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from controlplane.builder.lower.base import Draft, Spec
from runtime.plan.by_height import ALONE
from runtime.plan.quickscorer import MAX_TABLE
from runtime.plan.tree_walk import CATEGORIES, MAX_STEPS

MOST_LEAVES: Final = 64  # bits of a mask
NEVER: Final = 1_000_000_000  # rows


@dataclass(frozen=True, slots=True)
class Grown:
    """One fitted tree, node 0 the root.

    left, right  children; a leaf has -1
    threshold    float64: left if x <= threshold
    nan_left     a missing value goes left
    values       (nodes, k), only those of leaves matter
    split        number of the node's row in `routes`; 0 for a numeric node
    routes       (splits, 256): the category goes right; row 0 is false
    """

    left: NDArray[np.int64]
    right: NDArray[np.int64]
    feature: NDArray[np.int64]
    threshold: NDArray[np.float64]
    nan_left: NDArray[np.bool_]
    values: NDArray[np.float64]
    split: NDArray[np.int64] | None = None
    routes: NDArray[np.bool_] | None = None

    @property
    def leaf(self) -> NDArray[np.bool_]:
        return self.left < 0


def lay_out(draft: Draft, trees: Sequence[Grown], *, narrow: bool) -> Spec:
    """Write the layout, or both where which one is quicker depends on the height of a batch.

    narrow  the model compares float32 with float64 thresholds (the classic trees)
    """
    spec = quickscorer(draft, trees, narrow=narrow)
    return walk(draft, trees, narrow=narrow) if spec is None else spec


def walked_from(
    trees: Sequence[Grown], depths: Sequence[int], used: int, thresholds: int, width: int
) -> int:
    """Give the rows of a call from which a walk is quicker than a table; NEVER, if it never is.

    Nanoseconds, fitted to what `loadtests.benchmarks.layouts` measures (1 to 500 trees of 8 to 64
    leaves, 1 to 4096 rows, 20 columns), so its table shows the fit alone. Of 144 cells that it was
    not fitted to (3 to 200 trees, 4 and 60 columns) 4 took more than 1.25 times the quickest, at
    most 2.1 times: 200 trees over 60 columns at 20 rows, where a table searches every column.

    depths      steps that each tree takes at most
    used        features that are compared
    thresholds  of all features
    width       bytes of a mask
    """
    count = len(trees)
    walk_row = sum(3.3 * depth + 9 for depth in depths)
    walk_call = 4500 * max(depths)
    masks = count * used * width
    table_row = 7.5 * used * math.log2(1 + thresholds / used) + 0.1 * masks + 3 * count
    if table_row <= walk_row:
        return NEVER
    # Of few rows every threshold is compared, of many each feature's are searched.
    few_row = 1.5 * thresholds + 20 * used + 0.2 * masks
    return min(NEVER, 1 + round(walk_call / (max(few_row, table_row) - walk_row)))


def rounded_down(thresholds: NDArray[np.float64]) -> NDArray[np.float32]:
    """Largest float32 not above: x <= threshold decides the same for every float32 x."""
    with np.errstate(over="ignore"):
        near = thresholds.astype(np.float32)
    below = np.nextafter(near, np.float32(-np.inf))
    return np.where(near > thresholds, below, near).astype(np.float32)


def _cut(thresholds: NDArray[np.float64], narrow: bool) -> NDArray[Any]:
    return rounded_down(thresholds) if narrow else thresholds


def walk(draft: Draft, trees: Sequence[Grown], *, narrow: bool) -> Spec:
    """Write the tables of a walk."""
    tables = _levels(draft, trees, narrow)
    # Values of inner nodes are never read; one row of zeros stands for all of them.
    values = [np.where(tree.leaf[:, None], tree.values, 0.0) for tree in trees]
    unique, rows = _unique_rows(np.concatenate(values).take(tables.pop("order"), axis=0))
    return {
        "layout": "walk",
        "compares": "f4" if narrow else "f8",
        **{key: draft.tensor(table) for key, table in tables.items()},
        "leaf": draft.tensor(rows, "i4"),
        "values": draft.tensor(unique, "f8"),
    }


def _levels(draft: Draft, trees: Sequence[Grown], narrow: bool) -> dict[str, NDArray[Any]]:
    """Tables of a walk by their names, and in which `order` they take the nodes of all trees."""
    parts: dict[str, list[NDArray[Any]]] = {
        key: [] for key in ("order", "left", "feature", "threshold", "nan_right", "split")
    }
    roots, steps, routes = [], [], [np.zeros((1, CATEGORIES), np.bool_)]
    first = splits = 0
    for tree in trees:
        order, left, depth = _breadth_first(draft, tree)
        leaf = tree.leaf[order]
        split = np.zeros(len(order), np.int64)
        if tree.split is not None and tree.routes is not None:
            split = tree.split[order]
            split[split > 0] += splits
            splits += len(tree.routes) - 1
            routes.append(tree.routes[1:])
        still = leaf | (split > 0)  # a category is never above +inf: its route alone decides
        parts["order"].append(order + first)
        parts["left"].append(left + first)
        parts["feature"].append(np.where(leaf, 0, tree.feature[order]))
        parts["threshold"].append(np.where(still, np.inf, tree.threshold[order]))
        parts["nan_right"].append(~tree.nan_left[order] & ~leaf)
        parts["split"].append(split)
        roots.append(first)
        steps.append(depth)
        first += len(order)
    if first >= 2**31:
        raise draft.unsupported("the trees have more than two thousand million nodes")
    tables = {key: np.concatenate(part) for key, part in parts.items()}
    tables["threshold"] = _cut(tables["threshold"], narrow)
    tables |= {"roots": np.array(roots), "steps": np.array(steps)}
    for key in ("roots", "steps", "left", "feature", "split"):
        tables[key] = tables[key].astype(np.int32)
    if splits:
        return tables | {"routes": np.concatenate(routes)}
    del tables["split"]
    return tables


def _breadth_first(draft: Draft, tree: Grown) -> tuple[NDArray[np.int64], NDArray[np.int64], int]:
    """Node order with siblings adjacent, the left child in that order (a leaf: itself), depth."""
    level = np.zeros(1, np.int64)
    levels = [level]
    while True:
        inner = level[~tree.leaf[level]]
        if not len(inner):
            break
        level = np.stack((tree.left[inner], tree.right[inner]), axis=1).ravel()
        levels.append(level)
        if len(levels) > MAX_STEPS:
            raise draft.unsupported(f"a tree is deeper than {MAX_STEPS} levels")
    order = np.concatenate(levels)
    place = np.arange(len(order))
    back = np.zeros(len(tree.left), np.int64)
    back[order] = place
    left = np.where(tree.leaf[order], place, back[tree.left[order]])
    return order, left, len(levels) - 1


def _unique_rows(values: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Rows that differ in a bit, and which one each row is: fully grown forests have few."""
    values = np.ascontiguousarray(values)
    rows = values.view(np.dtype((np.void, values.itemsize * values.shape[1]))).ravel()
    _, first, which = np.unique(rows, return_index=True, return_inverse=True)
    return values[first], which.ravel()


@dataclass(frozen=True, slots=True)
class _Condition:
    """One inner node: which leaves (bits) of its tree are lost by going right, and when."""

    tree: int
    lost: int
    threshold: float
    nan_right: bool
    route: NDArray[np.bool_] | None


def quickscorer(draft: Draft, trees: Sequence[Grown], *, narrow: bool) -> Spec | None:
    """Write a table, and a walk if it is ever quicker; give None where trees are too large."""
    most = max(int(tree.leaf.sum()) for tree in trees)
    if most > MOST_LEAVES:
        return None
    bits = next(b for b in (8, 16, 32, 64) if b >= most)
    values = np.zeros((len(trees), bits, trees[0].values.shape[1]))
    conditions: dict[int, list[_Condition]] = {}
    places = [
        _conditions(number, tree, narrow, conditions, values[number])
        for number, tree in enumerate(trees)
    ]
    # An ensemble of bare leaves still needs one feature to rank.
    used = sorted(conditions) or [0]
    thresholds = [_ranks(conditions.get(feature, [])) for feature in used]
    sizes = [len(cuts) + 2 for cuts in thresholds]
    if sum(sizes) * len(trees) * bits // 8 > MAX_TABLE:
        return None
    dtype = np.dtype(f"u{bits // 8}")
    masks = np.full((sum(sizes), len(trees)), np.iinfo(dtype).max, dtype)
    start = 0
    for feature, cuts, size in zip(used, thresholds, sizes, strict=True):
        _fill(masks[start : start + size], cuts, conditions.get(feature, []), dtype)
        start += size
    joined = np.concatenate(thresholds)
    spec: Spec = {
        "layout": "quickscorer",
        "compares": "f4" if narrow else "f8",
        "bits": bits,
        "used": draft.tensor(used, "i8"),
        "offsets": draft.tensor(np.cumsum([0] + [len(cuts) for cuts in thresholds]), "i8"),
        "threshold": draft.tensor(joined, "f4" if narrow else "f8"),
        "masks": draft.tensor(masks),
        "values": draft.tensor(values.reshape(len(trees) * bits, -1), "f8"),
    }
    tables = _levels(draft, trees, narrow)
    height = walked_from(trees, tables["steps"].tolist(), len(used), len(joined), bits // 8)
    if height < NEVER or len(trees) <= ALONE:
        leaf = np.concatenate(places).take(tables.pop("order"))
        spec["walked_from"] = height
        spec["walk_leaf"] = draft.tensor(leaf, "i4")
        spec |= {f"walk_{key}": draft.tensor(table) for key, table in tables.items()}
    return spec


def _conditions(
    number: int,
    tree: Grown,
    narrow: bool,
    conditions: dict[int, list[_Condition]],
    values: NDArray[np.float64],
) -> NDArray[np.int64]:
    """Number the leaves from left to right and collect the inner nodes' conditions.

    Gives each leaf's row among the values of all trees, by its node.
    """
    cuts = _cut(tree.threshold, narrow).tolist()
    places = np.zeros(len(tree.left), np.int64)
    count = 0

    def below(node: int) -> int:
        """Bits of the leaves under a node; a tree of 64 leaves is at most 63 deep."""
        nonlocal count
        if tree.left[node] < 0:
            values[count] = tree.values[node]
            places[node] = number * len(values) + count
            count += 1
            return 1 << (count - 1)
        left = below(int(tree.left[node]))
        right = below(int(tree.right[node]))
        route = None
        if tree.split is not None and tree.routes is not None and tree.split[node]:
            route = tree.routes[tree.split[node]]
        conditions.setdefault(int(tree.feature[node]), []).append(
            _Condition(number, left, cuts[node], not tree.nan_left[node], route)
        )
        return left | right

    below(0)
    return places


def _ranks(conditions: Sequence[_Condition]) -> NDArray[np.float64]:
    """Thresholds that rank a feature; those of categories make every code its own rank."""
    if not conditions:
        return np.array([np.inf])
    if conditions[0].route is not None:
        return np.arange(float(CATEGORIES))
    return np.unique([condition.threshold for condition in conditions])


def _fill(
    masks: NDArray[Any],
    cuts: NDArray[np.float64],
    conditions: Sequence[_Condition],
    dtype: np.dtype[Any],
) -> None:
    """Write the mask rows of one feature: one a rank, then one for NaN."""
    full = int(np.iinfo(dtype).max)
    for condition in conditions:
        kept = dtype.type(full & ~condition.lost)
        if condition.nan_right:
            masks[-1, condition.tree] &= kept
        if condition.route is None:
            rank = int(cuts.searchsorted(condition.threshold)) + 1
            masks[rank, condition.tree] &= kept
        else:
            masks[:CATEGORIES, condition.tree][condition.route] &= kept
    if conditions and conditions[0].route is None:
        np.bitwise_and.accumulate(masks[:-1], axis=0, out=masks[:-1])
