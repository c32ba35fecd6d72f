"""Small files that ask for much: memory and time by numbers in a header, by nesting, by names."""

from typing import Any, Final

import numpy as np

from tests.unit.plan.fuzzing.mutants import Mutant, header_of

Graph = dict[str, Any]
Tensors = dict[str, np.ndarray]

NO_FLAGS: Final = {"any_unused": False, "refuses_missing": False}
LABELS: Final = {"dtype": "i8", "values": [0, 1]}
SIGNATURE: Final = {
    "columns": [{"name": "x0", "kind": "number", "missing": False}],
    "outputs": [{"name": "transform", "datatype": "FP64", "width": 1, "columns": []}],
    "named": False,
}


def _side_by_side(node: Graph, count: int, columns: int = 1) -> Graph:
    part = {"node": node, "columns": [0] * columns, "weight": None}
    return {"op": "columns", "n_in": 1, "parts": [part] * count, "any_unused": False}


def _polynomial(n_in: int, low: int, high: int, *, alone: bool = False) -> Graph:
    return {
        "op": "polynomial",
        "n_in": n_in,
        "min_degree": low,
        "max_degree": high,
        "interaction_only": alone,
        "include_bias": False,
        "by_column": False,
    }


def _sketch(n_out: int, tensors: Tensors, degree: int) -> Graph:
    tensors["places"] = np.zeros((degree, 1), np.int64)
    tensors["signs"] = np.ones((degree, 1))
    return {"op": "count_sketch", "n_out": n_out, "places": "places", "signs": "signs", "root": 1.0}


def _chi_squared(steps: int) -> Graph:
    return {"op": "chi_squared", "n_in": 1, "steps": steps, "interval": 0.5}


def _forest(tensors: Tensors, *, trees: int, nodes: int, width: int, steps: int) -> Graph:
    """A forest of which all trees are the same chain of nodes."""
    place = np.arange(nodes, dtype=np.int32)
    inner = place % 2 == 0
    inner[-1] = False
    tensors |= {
        "roots": np.zeros(trees, np.int32),
        "left": np.where(inner, place + 1, place).astype(np.int32),
        "feature": np.zeros(nodes, np.int32),
        "threshold": np.where(inner, 0.0, np.inf).astype(np.float32),
        "nan_right": np.zeros(nodes, np.bool_),
        "leaf": np.zeros(nodes, np.int32),
        "values": np.ones((1, width)),
        "steps": np.full(trees, steps, np.int32),
    }
    names = ("roots", "left", "feature", "threshold", "nan_right", "leaf", "values", "steps")
    return {
        "op": "forest_regressor",
        "n_in": 1,
        "missing": "refuses",
        "compares": "f4",
        "layout": "walk",
        "in_order": True,
        **{name: name for name in names},
    }


def _one_vs_one(depth: int) -> Graph:
    """One that asks its member for two things, and is its own member's member."""
    inner: Graph = {
        "op": "constant",
        "n_in": 1,
        "values": {"dtype": "i8", "values": [1]},
        "vector": True,
        "scores": True,
        "classes": LABELS,
        "any_unused": False,
    }
    for _ in range(depth):
        inner = {
            "op": "one_vs_one",
            "members": [inner],
            "asks": ["decision_function"],
            "classes": LABELS,
            "threshold": 0.0,
            **NO_FLAGS,
        }
    return inner


def _points(tensors: Tensors, stored: int, columns: int = 1) -> Graph:
    tensors["points"] = np.arange(stored * columns, dtype=np.float64).reshape(stored, columns)
    return {"points": "points", "metric": "euclidean"}


def _many_classes(tensors: Tensors, stored: int, classes: int) -> Graph:
    tensors["targets"] = np.zeros(stored, np.int64)
    return {
        "op": "radius_classifier",
        **_points(tensors, stored),
        "radius": 1.0,
        "weights": "uniform",
        "targets": "targets",
        "classes": {"dtype": "i8", "values": list(range(classes))},
        "label": {"dtype": "i8", "values": [0]},
        "outlier": 0,
    }


def _many_neighbours(tensors: Tensors, k: int) -> Graph:
    tensors["embedding"] = np.ones((k, 1))
    return {
        "op": "locally_linear",
        **_points(tensors, k),
        "k": k,
        "embedding": "embedding",
        "reg": 0.001,
    }


def _many_atoms(tensors: Tensors, atoms: int) -> Graph:
    tensors["atoms"] = np.random.default_rng(0).normal(size=(atoms, atoms))
    return {
        "op": "sparse_code",
        "atoms": "atoms",
        "split": False,
        "algorithm": "pursuit",
        "positive": False,
        "most": atoms,
    }


def _endless_topics(tensors: Tensors) -> Graph:
    tensors["words"] = np.ones((100, 10_000))
    return {"op": "topics", "words": "words", "prior": 0.1, "enough": -1.0, "rounds": 10_000}


def _one_tensor_in_many(tensors: Tensors) -> Graph:
    tensors["stored"] = np.ones((1, 1_000_000))
    kernel = {
        "op": "nystroem",
        "kernel": "cosine",
        "gamma": 1.0,
        "coef0": 1.0,
        "degree": 3.0,
        "stored": "stored",
        "stored_turned": False,
        "matrix": "matrix",
        "matrix_turned": False,
    }
    tensors["matrix"] = np.ones((1_000_000, 1))
    return _side_by_side(kernel, 200)


def _wide_and_narrow() -> Graph:
    """Columns at a degree that leaves one product of them: half a million are made on the way."""
    return _side_by_side(_polynomial(19, 19, 19, alone=True), 300, 19)


def _mean_of_unlike_shapes(tensors: Tensors) -> Graph:
    """A number and two numbers can be added up for one row, and for two rows, but for no more."""
    constants = [
        {
            "op": "constant",
            "n_in": 1,
            "values": {"dtype": "f8", "values": [1.0] * width},
            "vector": width == 1,
            "scores": False,
            "any_unused": False,
        }
        for width in (1, 2)
    ]
    return {"op": "averaged_regressor", "members": constants, "in_order": True, **NO_FLAGS}


def attacks() -> dict[str, tuple[Graph, Tensors]]:
    """Every one, by what it is."""
    found: dict[str, tuple[Graph, Tensors]] = {}

    def add(name: str, make: Any) -> None:
        tensors: Tensors = {}
        found[name] = make(tensors), tensors

    add("a million columns of a number, often", lambda t: _side_by_side(_chi_squared(10_000), 1000))
    add("products of products", lambda t: _side_by_side(_polynomial(1000, 1, 2), 300, 1000))
    add("products that are left out", lambda t: _wide_and_narrow())
    add(
        "wide scalers in a wide scaler",
        lambda t: {
            "op": "pipeline",
            "steps": [{"op": "normalize", "n_in": 10_000_000, "norm": "l2"}] * 1000,
            "shows_head": False,
            "sparse": False,
        },
    )
    add("a thousand spectra a row", lambda t: _sketch(100_000, t, 1000))
    add("one tensor in many nodes", _one_tensor_in_many)
    add("wide leaves", lambda t: _forest(t, trees=1_300, nodes=1, width=100_000, steps=0))
    add("wider leaves", lambda t: _forest(t, trees=16_384, nodes=1, width=100_000, steps=0))
    add("shared ways", lambda t: _forest(t, trees=1_000_000, nodes=2047, width=1, steps=1023))
    add("asked twice at each depth", lambda t: _one_vs_one(31))
    add("a table of points and classes", lambda t: _many_classes(t, 100_000, 50_000))
    add("a system of all neighbours", lambda t: _many_neighbours(t, 8_000))
    add("a pursuit of all atoms", lambda t: _many_atoms(t, 1_000))
    add("rounds that change nothing", _endless_topics)
    add("members of unlike shapes", _mean_of_unlike_shapes)
    return found


def attack(name: str, graph: Graph, tensors: Tensors) -> Mutant:
    """The file of one of them."""
    return Mutant("attack", name, header_of(name, graph, SIGNATURE), dict(tensors))
