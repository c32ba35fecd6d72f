"""Plans that no honest build writes: each is refused when it is read, with the place."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.ensemble import (
    GradientBoostingClassifier,
    GradientBoostingRegressor,
    HistGradientBoostingRegressor,
    RandomForestClassifier,
)
from sklearn.tree import DecisionTreeRegressor

from controlplane.builder.lower.registry import new_draft
from runtime.plan.graph import build
from runtime.plan.ops import PlanError

Plan = tuple[dict[str, Any], dict[str, np.ndarray]]


def plan_of(estimator: Any) -> Plan:
    draft = new_draft()
    spec = draft.node(estimator)
    return spec, draft.tensors


@pytest.fixture(scope="module")
def plans() -> dict[str, Plan]:
    random = np.random.default_rng(0)
    x, y = random.normal(size=(300, 3)), random.integers(0, 2, 300)
    c = np.c_[x[:, :2], random.integers(0, 9, 300)]
    deep = HistGradientBoostingRegressor(
        max_iter=2, max_leaf_nodes=None, min_samples_leaf=1, categorical_features=[2]
    )
    target = random.normal(size=300)
    init = DecisionTreeRegressor(max_depth=2)
    return {
        "walk": plan_of(
            RandomForestClassifier(3, random_state=0).fit(np.tile(x, (3, 1)), [*y] * 3)
        ),
        "table": plan_of(GradientBoostingClassifier(n_estimators=3).fit(x, y)),
        "categories": plan_of(deep.fit(c, target)),
        "both": plan_of(
            RandomForestClassifier(3, max_depth=3, random_state=0).fit(np.tile(x, (1, 9)), y)
        ),
        "init": plan_of(GradientBoostingRegressor(n_estimators=2, init=init).fit(x, target)),
    }


def set_at(key: str, index: Any, value: Any) -> Callable[[dict[str, Any], dict[str, Any]], None]:
    def change(spec: dict[str, Any], tensors: dict[str, Any]) -> None:
        array = tensors[spec[key]].copy()
        array[index] = value
        tensors[spec[key]] = array

    change.__name__ = f"{key}[{index}]={value}"
    return change


def replaced(key: str, make: Callable[[np.ndarray], np.ndarray]) -> Callable[..., None]:
    def change(spec: dict[str, Any], tensors: dict[str, Any]) -> None:
        tensors[spec[key]] = make(tensors[spec[key]])

    change.__name__ = f"{key} replaced"
    return change


def spec_at(key: str, value: Any) -> Callable[..., None]:
    def change(spec: dict[str, Any], tensors: dict[str, Any]) -> None:
        spec[key] = value

    change.__name__ = f"{key}={value!r}"
    return change


def leaf_leads_on(spec: dict[str, Any], tensors: dict[str, Any]) -> None:
    left = tensors[spec["left"]]
    leaf = int(np.flatnonzero(left == np.arange(len(left)))[0])
    set_at("threshold", leaf, 0.0)(spec, tensors)


def leaf_splits(spec: dict[str, Any], tensors: dict[str, Any]) -> None:
    left = tensors[spec["left"]]
    leaf = int(np.flatnonzero(left == np.arange(len(left)))[0])
    set_at("split", leaf, 1)(spec, tensors)


def unsorted(spec: dict[str, Any], tensors: dict[str, Any]) -> None:
    replaced("threshold", lambda a: a[::-1].copy())(spec, tensors)


CASES = [
    ("walk", set_at("left", 1, 0), "after their parent"),  # a cycle
    ("walk", set_at("left", 0, -1), "after their parent"),
    ("walk", set_at("left", 0, 2**31 - 1), "inside the table"),
    ("walk", lambda s, t: set_at("left", -2, len(t[s["left"]]) - 1)(s, t), "inside the table"),
    ("walk", set_at("feature", 0, 3), "'feature'"),
    ("walk", set_at("feature", 0, -1), "'feature'"),
    ("walk", set_at("leaf", 0, 2**30), "'leaf'"),
    ("walk", set_at("roots", 0, 2**30), "'roots'"),
    ("walk", set_at("steps", 0, 2**30), "'steps'"),
    ("walk", set_at("steps", 0, -1), "'steps'"),
    ("walk", leaf_leads_on, r"\+inf"),
    ("walk", replaced("left", lambda a: a.astype("i8")), "'left' must be i4"),
    ("walk", replaced("threshold", lambda a: a[:-1]), "'threshold' must have shape"),
    ("walk", replaced("roots", lambda a: a[:0]), "shape|needs trees"),
    ("walk", replaced("values", lambda a: a[:, :1].copy()), "one probability a class"),
    ("walk", replaced("values", lambda a: a[:0]), "needs trees and values"),
    ("walk", spec_at("n_in", 0), "'n_in'"),
    ("walk", spec_at("n_in", 1), "'feature'"),
    ("walk", spec_at("compares", "f8"), "'threshold' must be f8"),
    ("walk", spec_at("layout", "maze"), "'layout'"),
    ("walk", spec_at("missing", "fills"), "'missing'"),
    ("walk", spec_at("more", 1), "unknown keys"),
    ("walk", spec_at("classes", {"dtype": "i8", "values": [1]}), "one probability a class"),
    ("table", set_at("used", 0, 3), "'used'"),
    ("table", set_at("used", 0, 2), "'used' must be increasing"),
    ("table", set_at("offsets", 0, 1), "'offsets'"),
    ("table", set_at("offsets", -1, 10**6), "'offsets'"),
    ("table", set_at("offsets", 1, 0), "'offsets'"),
    ("table", set_at("threshold", 0, np.nan), "'threshold'"),
    ("table", unsorted, "'threshold' must be increasing"),
    ("table", replaced("masks", lambda a: a[:-1]), "'masks'"),
    ("table", replaced("masks", lambda a: a.astype("u2")), "'masks' must be u1"),
    ("table", set_at("masks", (0, 0), 0), "without a leaf"),
    ("table", replaced("masks", lambda a: a[:, :0]), "'values'|needs trees"),
    ("table", replaced("values", lambda a: a[:-1]), "'values'"),
    ("table", spec_at("bits", 24), "'bits'"),
    ("table", spec_at("link", "softmax"), "softmax"),
    ("table", spec_at("link", "identity"), "'link'"),
    ("table", spec_at("tie_is_second", 1), "'tie_is_second'"),
    ("table", spec_at("classes", {"dtype": "i8", "values": [1, 2, 3]}), "'classes'"),
    ("table", set_at("start", 0, np.nan), "'start'"),
    ("table", replaced("start", lambda a: np.zeros(2)), "groups of 2"),
    ("table", replaced("start", lambda a: np.zeros(0)), "start for each output"),
    ("both", spec_at("walked_from", 0), "'walked_from'"),
    ("both", set_at("walk_left", 1, 0), "after their parent"),
    ("both", set_at("walk_feature", 0, 27), "'feature'"),
    ("both", set_at("walk_leaf", 0, 24), "'leaf'"),
    ("both", set_at("walk_leaf", 0, -1), "'leaf'"),
    ("both", replaced("walk_roots", lambda a: a[:2].copy()), "'walk_steps'|a table of 3"),
    (
        "both",
        lambda s, t: [
            replaced(key, lambda a: a[:2].copy())(s, t) for key in ("walk_roots", "walk_steps")
        ],
        "a walk of 2 trees, a table of 3",
    ),
    ("both", replaced("values", lambda a: a[:-1]), "'values'"),
    ("categories", leaf_splits, "must not split"),
    ("categories", set_at("split", 0, 10**6), "'split'"),
    ("categories", set_at("routes", (0, 3), True), "'routes'"),
    ("categories", replaced("routes", lambda a: a[:, :9].copy()), "'routes'"),
    (
        "categories",
        spec_at("categories", [{"column": 3, "kind": "number", "values": []}]),
        "column",
    ),
    ("categories", spec_at("categories", [{"column": 0, "kind": "image", "values": []}]), "kind"),
    ("categories", spec_at("categories", [{"column": 0}]), "must hold column"),
    (
        "categories",
        spec_at("categories", [{"column": 0, "kind": "number", "values": [2, 1]}]),
        "increasing",
    ),
    (
        "categories",
        spec_at("categories", [{"column": 0, "kind": "number", "values": [10**400]}]),
        "float64",
    ),
    (
        "categories",
        spec_at("categories", [{"column": 0, "kind": "number", "values": [float("nan")]}]),
        "float64",
    ),
    (
        "categories",
        spec_at("categories", [{"column": 0, "kind": "string", "values": ["a", "a"]}]),
        "different strings",
    ),
    (
        "categories",
        spec_at("categories", [{"column": 0, "kind": "string", "values": [["a"]]}]),
        "different strings",
    ),
    (
        "categories",
        spec_at("categories", [{"column": 0, "kind": "number", "values": list(range(500))}]),
        "at most",
    ),
    ("init", lambda s, t: spec_at("n_in", 2)(s["init"], t), "'used'|same columns"),
    ("init", spec_at("init", {"op": "unheard"}), "unknown op"),
]


@pytest.mark.parametrize(
    ("name", "change", "message"),
    [
        pytest.param(*case, id=f"{number}-{case[0]}-{case[1].__name__}")
        for number, case in enumerate(CASES)
    ],
)
def test_a_malformed_plan_is_refused(plans, name, change, message):
    spec, tensors = plans[name]
    spec, tensors = {**spec}, dict(tensors)
    if "init" in spec:
        spec["init"] = dict(spec["init"])
    build(spec, tensors)  # it is in order before the change
    change(spec, tensors)
    with pytest.raises(PlanError, match=message):
        build(spec, tensors)


@settings(max_examples=60, deadline=None, derandomize=True)
@given(st.sampled_from(["walk", "table", "both", "categories"]), st.randoms(use_true_random=False))
def test_a_plan_with_flipped_bytes_is_refused_or_answers(plans, name, random):
    """Never a hang, a read out of bounds, or another error than PlanError."""
    spec, tensors = plans[name]
    tensors = dict(tensors)
    for key in random.sample(sorted(tensors), 1):
        raw = bytearray(tensors[key].tobytes())
        for _ in range(random.randint(1, 3)):
            raw[random.randrange(len(raw))] = random.choice([0, 1, 127, 128, 255])
        if tensors[key].dtype == np.bool_:
            raw = bytearray(min(byte, 1) for byte in raw)
        tensors[key] = np.frombuffer(bytes(raw), tensors[key].dtype).reshape(tensors[key].shape)
    try:
        node = build(spec, tensors)
    except PlanError:
        return
    with np.errstate(all="ignore"):
        assert node.predict(np.zeros((2, node.n_in))).shape == (2,)


@settings(max_examples=150, deadline=None, derandomize=True)
@given(st.integers(0, 2**32 - 1), st.sampled_from(["walk", "quickscorer"]), st.integers(1, 40))
def test_no_content_of_a_digest_checked_file_leads_out_of_its_arrays(seed, layout, rows):
    """Without the thorough look wrong content gives wrong numbers or an error, never more."""
    random = np.random.default_rng(seed)
    x, y = random.normal(size=(300, 6)), random.integers(0, 3, 300)
    leaves = 200 if layout == "walk" else 8
    forest = RandomForestClassifier(5, max_leaf_nodes=leaves, random_state=0).fit(x, y)
    spec, tensors = plan_of(forest)
    assert spec["layout"] == layout
    broken = dict(tensors)
    names = sorted(k for k, v in spec.items() if isinstance(v, str) and v in tensors)
    for key in random.choice(names, 3):
        name = spec[key]
        array = np.array(broken[name])
        noise = random.integers(0, 256, array.nbytes, dtype=np.uint8)
        keep = random.random(array.nbytes) < random.choice([0.0, 0.9, 0.999])
        raw = np.frombuffer(array.tobytes(), np.uint8)
        broken[name] = np.where(keep, raw, noise).view(array.dtype).reshape(array.shape)
    try:
        with np.errstate(all="ignore"):
            node = build(spec, broken, thorough=False)
            for method in node.methods:
                assert len(node.run(method, random.normal(size=(rows, 6)))) == rows
    except (PlanError, IndexError, ValueError):
        pass
