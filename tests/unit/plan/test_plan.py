"""Loading a plan: what fits is served as it was compiled, what does not is refused in words."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import GradientBoostingClassifier
from sklearn.feature_selection import RFE
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.pipeline import FeatureUnion, make_pipeline
from sklearn.preprocessing import (
    FunctionTransformer,
    MinMaxScaler,
    Normalizer,
    OneHotEncoder,
    OrdinalEncoder,
    PolynomialFeatures,
    StandardScaler,
)

from controlplane.builder.lower.registry import new_draft
from runtime.plan import Cost, PlanError, load, signature_of
from runtime.plan import format as plan_format
from runtime.plan.graph import build
from runtime.plan.ops import Fields
from runtime.plan.plan import example_row
from runtime.plan.whole import Place, Whole
from tests.unit.plan.twins import assert_bitwise

LABELS = np.array(["no", "yes", "Ünknown"])


def pushed(folder: Path, estimator: Any, **changes: Any) -> Path:
    """Compile a fitted estimator into a file, with parts of the signature changed."""
    draft = new_draft()
    spec = draft.node(estimator)
    signature = signature_of(build(spec, draft.tensors), None).to_json()
    path = folder / "plan"
    with path.open("wb") as out:
        plan_format.write(
            out,
            graph=spec,
            tensors=draft.tensors,
            signature={**signature, **changes.pop("signature", {})},
            cost=changes.pop("cost", {"c0_us": 8.0, "c1_us": 0.5}),
            provenance=changes.pop("provenance", {"sklearn": "1.9.1"}),
        )
    return path


@pytest.fixture(scope="module")
def table() -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(0)
    return random.normal(size=(60, 3)), LABELS[np.arange(60) % 3]


def test_a_loaded_plan_answers_as_the_estimator(tmp_path: Path, table: Any) -> None:
    x, y = table
    model = make_pipeline(StandardScaler(), LogisticRegression()).fit(x, y)
    plan = load(pushed(tmp_path, model))
    for method in ("predict", "predict_proba", "decision_function"):
        assert_bitwise(plan.run(method, x), getattr(model, method)(x))
    assert plan.provenance == {"sklearn": "1.9.1"}
    assert plan.cost == Cost(8.0, 0.5)
    assert plan.cost.of(10) == 13.0
    assert plan.signature.output("predict").datatype == "BYTES"  # type: ignore[union-attr]


def output(name: str, datatype: str, width: int | None, *columns: str) -> dict[str, Any]:
    return {"name": name, "datatype": datatype, "width": width, "columns": list(columns)}


NUMBERS = [{"name": f"x{i}", "kind": "number", "missing": False} for i in range(3)]
PREDICT = output("predict", "BYTES", None)
PROBA = output("predict_proba", "FP64", 3, *sorted(LABELS))
SCORES = output("decision_function", "FP64", 3, *sorted(LABELS))
LIES: dict[str, dict[str, Any]] = {
    "a column too few": {"columns": NUMBERS[:2]},
    "a column of strings": {"columns": [*NUMBERS[:2], {**NUMBERS[2], "kind": "string"}]},
    "missing values allowed": {"columns": [*NUMBERS[:2], {**NUMBERS[2], "missing": True}]},
    "two columns of one name": {"columns": [*NUMBERS[:2], NUMBERS[0]]},
    "columns that are no list": {"columns": 3},
    "columns of text": {"columns": "abc"},
    "an unknown kind": {"columns": [*NUMBERS[:2], {**NUMBERS[2], "kind": []}]},
    "no output": {"outputs": []},
    "an output too few": {"outputs": [PREDICT, PROBA]},
    "an output that is none": {"outputs": [PREDICT, PROBA, output("run", "FP64", 3)]},
    "outputs in another order": {"outputs": [PROBA, PREDICT, SCORES]},
    "another datatype": {"outputs": [output("predict", "INT64", None), PROBA, SCORES]},
    "another width": {"outputs": [PREDICT, output("predict_proba", "FP64", 2), SCORES]},
    "a scalar that is a row": {
        "outputs": [PREDICT, PROBA, output("decision_function", "FP64", None)]
    },
    "other labels": {"outputs": [PREDICT, output("predict_proba", "FP64", 3, *"abc"), SCORES]},
}


@pytest.mark.parametrize("name", LIES)
def test_a_signature_that_the_graph_does_not_keep_is_refused(
    tmp_path: Path, table: Any, name: str
) -> None:
    model = LogisticRegression().fit(*table)
    with pytest.raises(PlanError, match="signature"):
        load(pushed(tmp_path, model, signature=LIES[name]))


@pytest.mark.parametrize(
    "cost", [{}, {"c0_us": -1.0, "c1_us": 0.0}, {"c0_us": "8", "c1_us": 0.0}, {"c0_us": 1.0}]
)
def test_a_cost_that_is_none_is_refused(tmp_path: Path, table: Any, cost: dict[str, Any]) -> None:
    with pytest.raises(PlanError, match="cost"):
        load(pushed(tmp_path, LogisticRegression().fit(*table), cost=cost))


def test_provenance_must_be_an_object(tmp_path: Path, table: Any) -> None:
    with pytest.raises(PlanError, match="provenance"):
        load(pushed(tmp_path, LogisticRegression().fit(*table), provenance=["x"]))


def test_as_many_names_as_columns_are_needed(table: Any) -> None:
    draft = new_draft()
    node = build(draft.node(LogisticRegression().fit(*table)), draft.tensors)
    with pytest.raises(PlanError, match="2 names for 3 columns"):
        signature_of(node, ["a", "b"])


@pytest.mark.parametrize(
    ("spec", "words"),
    [
        (None, "not a node"),
        ({"op": 3}, "not a node"),
        ({"op": "pickle"}, "unknown op"),
        ({"op": "linear_regressor"}, "missing"),
    ],
)
def test_a_graph_that_is_none_is_refused(spec: Any, words: str) -> None:
    with pytest.raises(PlanError, match=words):
        build(spec, {})


@pytest.mark.parametrize(
    "value",
    [
        3,
        {"dtype": "i8"},
        {"dtype": "i8", "values": []},
        {"dtype": [], "values": [1]},
        {"dtype": {}, "values": [1]},
        {"dtype": "O", "values": [1]},
        {"dtype": "i8", "values": ["a"]},
        {"dtype": "str", "values": [1]},
        {"dtype": "i1", "values": [1000]},
        {"dtype": "i8", "values": [10**30]},
        {"dtype": "i8", "values": [float("inf")]},
        {"dtype": "i8", "values": [0.5]},
    ],
)
def test_labels_that_are_none_are_refused(value: Any) -> None:
    spec = {"op": "x", "classes": value}
    fields = Fields(spec, Whole({}), lambda *_: pytest.fail("no child"), Place())
    with pytest.raises(PlanError, match="classes"):
        fields.labels()


def test_serving_imports_neither_scikit_learn_nor_what_it_needs() -> None:
    code = (
        "import sys, runtime.plan, runtime.plan.plan\n"
        "print(*sorted({name.partition('.')[0] for name in sys.modules}))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = set(done.stdout.split())
    assert {"numpy", "runtime"} <= loaded
    # numpy itself imports pickle; that nothing of ours does is an import contract.
    heavy = {"sklearn", "scipy", "joblib", "pandas", "pydantic", "asyncio", "controlplane"}
    assert not loaded & heavy


def bodies() -> list[Any]:
    """Small models of every kind of node that a mutation may reach."""
    random = np.random.default_rng(1)
    x, y = random.normal(size=(40, 2)), LABELS[np.arange(40) % 3]
    mix = np.empty((40, 4), object)
    mix[:, 0], mix[:, 3] = np.exp(x[:, 0]), x[:, 1]
    mix[:, 1] = mix[:, 2] = random.choice(np.array(["a", "b", "Ünknown"], object), 40)
    mix[5, 1] = np.nan
    return [
        LogisticRegression().fit(x, y),
        make_pipeline(StandardScaler(), PolynomialFeatures(), LinearRegression()).fit(x, x),
        GradientBoostingClassifier(n_estimators=2, max_depth=2).fit(x, y),
        make_pipeline(mixed(), LogisticRegression()).fit(mix, y),
        RFE(LogisticRegression(), n_features_to_select=1).fit(x, y),
    ]


def mixed() -> ColumnTransformer:
    """Encoders and imputers over columns of strings and numbers."""
    text = SimpleImputer(strategy="most_frequent", add_indicator=True)
    unknown = OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-1)
    return ColumnTransformer(
        [
            ("number", make_pipeline(SimpleImputer(), FunctionTransformer(np.log)), [0]),
            ("text", make_pipeline(text, OneHotEncoder(handle_unknown="ignore")), [1]),
            ("union", FeatureUnion([("a", unknown), ("b", OneHotEncoder())]), [2]),
            ("scaled", make_pipeline(Normalizer(), MinMaxScaler(clip=True)), [0]),
        ],
        remainder="passthrough",
        transformer_weights={"scaled": 2.0},
    )


def survives(folder: Path, content: bytes) -> None:
    """Refused in words, or loaded and able to answer; nothing else is allowed to happen."""
    path = folder / "mutant"
    path.write_bytes(content)
    try:
        plan = load(path)
    except PlanError:
        return
    with np.errstate(all="ignore"):
        for each in plan.signature.outputs:
            answer = plan.run(each.name, example_row(plan.node))
            assert len(answer) == 1


@pytest.mark.parametrize("which", range(5))
@given(data=st.data())
@settings(
    max_examples=60,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
def test_damaged_plans_are_refused_or_answer(
    tmp_path: Path, which: int, data: st.DataObject
) -> None:
    if not (tmp_path / "plan").exists():
        pushed(tmp_path, bodies()[which])
    content = bytearray((tmp_path / "plan").read_bytes())
    length = int.from_bytes(content[8:16], "little")
    for _ in range(data.draw(st.integers(0, 3))):
        # Half of the damage goes into the header, where the meaning is.
        end = data.draw(st.sampled_from([16 + length, len(content)]))
        place = data.draw(st.integers(0, end - 1))
        content[place] = data.draw(st.integers(0, 255))
    keep = data.draw(st.one_of(st.just(len(content)), st.integers(0, len(content))))
    survives(tmp_path, bytes(content[:keep]) + data.draw(st.binary(max_size=3)))


CELLS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(10**20), 10**20),
    st.floats(allow_nan=False, allow_infinity=False),
    st.sampled_from(["", "t0", "t1", "softmax", "f8", "number"]),
    st.lists(st.integers(-1, 3), max_size=3),
    st.dictionaries(st.sampled_from(["op", "dtype", "values"]), st.integers(), max_size=2),
)


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Every place inside a JSON document."""
    if not isinstance(value, (dict, list)):
        return [path]
    inner = value.items() if isinstance(value, dict) else enumerate(value)
    return [path, *(found for key, item in inner for found in places(item, (*path, key)))]


@pytest.mark.parametrize("which", range(5))
@given(data=st.data())
@settings(
    max_examples=80,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
def test_plans_whose_header_was_rewritten_are_refused_or_answer(
    tmp_path: Path, which: int, data: st.DataObject
) -> None:
    if not (tmp_path / "plan").exists():
        pushed(tmp_path, bodies()[which])
    content = (tmp_path / "plan").read_bytes()
    length = int.from_bytes(content[8:16], "little")
    header = json.loads(content[16 : 16 + length])
    *above, last = data.draw(st.sampled_from([p for p in places(header) if p]))
    inside = header
    for key in above:
        inside = inside[key]
    inside[last] = data.draw(CELLS)
    raw = json.dumps(header).encode()
    body = content[16 + length + -(16 + length) % plan_format.ALIGN :]
    start = plan_format.MAGIC + len(raw).to_bytes(8, "little") + raw
    survives(tmp_path, start + bytes(-len(start) % plan_format.ALIGN) + body)
