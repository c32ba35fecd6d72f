"""Files of logged requests: those of a version are read as one, and count what was asked for."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from controlplane.payloads import parquet
from runtime.payload_batches import entry
from runtime.payload_log import Counts, Head, Layout
from runtime.sketches import Bins, Sketch

NAME = "odd-00001"
PLAIN = Layout(("age",), ("city",))
HASHED = Layout((), ("age", "city"), ("age",))
VERSION = {
    "model": "odd",
    "version": 1,
    "columns": ["age", "city"],
    "outputs": [["predict", "BYTES", None, []], ["predict_proba", "FP64", 2, ["no", "yes"]]],
}
LABELS = np.array(["yes", "no"], object)
ODDS = np.array([[0.25, 0.75], [np.nan, 1.0]])
BINS = Sketch(Bins("number", (0.5,)), (0, 0), 0).to_json()


def batch(
    folder: Path, number: int, outputs: Mapping[str, Any], layout: Layout = PLAIN, status: int = 200
) -> Path:
    """Write a request of two rows as a worker does."""
    ages = np.array([[20.0], [30.0]]).tobytes() if layout is PLAIN else b""
    texts = b'["Bern",null]' if layout is PLAIN else b'["ab12","cd34"],["Bern",null]'
    told = (1e9 + number, f"r{number}", NAME, status, 0.25, 2)
    head = Head("e1", "ab", number, {NAME: layout}, Counts())
    path = folder / f"ab-{number:08d}.batch"
    path.write_bytes(head.write() + entry(told, ages, b"[" + texts + b"]", [*outputs.items()]))
    return path


def written(folder: Path, *batches: Path, **changes: Any) -> list[dict[str, Any]]:
    job = {
        "batches": [*map(str, batches)],
        "into": str(folder),
        "redact": [],
        "hashed": [],
        "predictions": True,
        "revisions": {NAME: VERSION},
        "bins": {},
    }
    told = parquet.write(job | changes)
    assert told["bad"] == []
    return list(told["files"])


def stored(store: Path, made: list[dict[str, Any]]) -> None:
    """Put files where the store has them: a folder for each schema."""
    for one in made:
        folder = store / one["schema"] / f"date={one['day']}"
        folder.mkdir(parents=True, exist_ok=True)
        Path(one["path"]).rename(folder / f"{sum(1 for _ in folder.iterdir())}.parquet")


def test_one_read_gives_every_output_whichever_was_asked_for_first(tmp_path: Path) -> None:
    store = tmp_path / "store"
    asked = ({"predict": LABELS}, {"predict": LABELS, "predict_proba": ODDS}, {})
    for number, outputs in enumerate(asked, 1):
        stored(store, written(tmp_path, batch(tmp_path, number, outputs)))
    (folder,) = store.iterdir()
    frame = pd.read_parquet(folder)
    assert len(frame) == 6
    assert frame["output.predict_proba.yes"].count() == 2
    assert frame["output.predict"].dropna().tolist() == ["yes", "no", "yes", "no"]
    assert [[*one] for one in frame["outputs"][::2]] == [
        ["predict"], ["predict", "predict_proba"], []
    ]  # fmt: skip
    assert frame["input.age"].tolist() == [20.0, 30.0] * 3


def test_what_is_hashed_or_left_out_anew_is_in_a_folder_of_its_own(tmp_path: Path) -> None:
    store, outputs = tmp_path / "store", {"predict": LABELS}
    stored(store, written(tmp_path, batch(tmp_path, 1, outputs), batch(tmp_path, 2, {}, HASHED)))
    one = batch(tmp_path, 3, outputs)
    stored(store, written(tmp_path, one, redact=["city"]))
    # Written in the clear before the worker heard that it is hashed: neither is kept.
    stored(store, written(tmp_path, one, hashed=["age"], predictions=False))
    seen = {
        tuple(name for name in frame if name.startswith(("input", "hashed", "output."))): frame
        for frame in map(pd.read_parquet, store.iterdir())
    }
    odds = ("output.predict", "output.predict_proba.no", "output.predict_proba.yes")
    assert seen.keys() == {
        ("input.age", "input.city", *odds),
        ("hashed.age", "input.city", *odds),
        ("input.age", *odds),
        ("input.city",),
    }
    assert seen["hashed.age", "input.city", *odds]["hashed.age"].tolist() == ["ab12", "cd34"]


def test_an_output_is_counted_in_the_rows_that_asked_for_it(tmp_path: Path) -> None:
    """A prediction that is missing is missing all the same."""
    some = [
        batch(tmp_path, 1, {"predict": LABELS}),
        batch(tmp_path, 2, {"predict_proba": ODDS}),
        batch(tmp_path, 3, {}, status=422),
    ]
    bins = {f"output.predict_proba.{name}": BINS for name in ("no", "yes")}
    (made,) = written(tmp_path, *some, bins=bins)
    counts = {"output.predict_proba.no": [1, 1, 0], "output.predict_proba.yes": [0, 0, 2]}
    assert made["counts"] == counts
    job = {"files": [made["path"]], "bins": bins, "rows": 100}
    assert parquet.count(job)["files"] == [{"rows": 4, "counts": counts}]
    sketched = parquet.sketch(job)
    rows = {name: sum(s["counts"]) + s["missing"] for name, s in sketched["columns"].items()}
    assert sketched["rows"] == 4
    assert rows == {
        "input.age": 4, "input.city": 4, "output.predict": 2,
        "output.predict_proba.no": 2, "output.predict_proba.yes": 2,
    }  # fmt: skip
    (never,) = written(tmp_path, some[0])
    assert (
        "output.predict_proba.no"
        not in parquet.sketch({**job, "files": [never["path"]]})["columns"]
    )


def test_a_reference_is_made_of_files_with_other_columns_too(tmp_path: Path) -> None:
    made = written(tmp_path, batch(tmp_path, 1, {}), batch(tmp_path, 2, {}, HASHED))
    columns = parquet.sketch({"files": [one["path"] for one in made], "rows": 3})["columns"]
    assert columns["input.age"]["kind"] == "number"
    assert columns["hashed.age"]["kind"] == "text"
    assert sum(columns["input.city"]["counts"]) + columns["input.city"]["missing"] == 3


@pytest.mark.parametrize(
    "answer",
    [np.array([[1.0, 2.0, 3.0]] * 2), np.array([["a", "b"]] * 2, object), np.array([0.5, 0.5])],
    ids=["wider", "texts", "flat"],
)
def test_an_answer_unlike_its_signature_changes_no_schema(tmp_path: Path, answer: Any) -> None:
    (usual,) = written(tmp_path, batch(tmp_path, 1, {"predict_proba": ODDS}))
    (other,) = written(tmp_path, batch(tmp_path, 2, {"predict_proba": answer}))
    assert usual["schema"] == other["schema"]
    assert pd.read_parquet(other["path"])["output.predict_proba.yes"].isna().all()
