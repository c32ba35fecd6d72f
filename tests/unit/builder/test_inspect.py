"""Looking into a file without loading it."""

import io
import os
import pickle
import zlib
from pathlib import Path
from typing import Any

import joblib
import numpy as np
import pytest
import sklearn
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LinearRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from controlplane.builder.inspect import Findings, NotAModel, inspect

X = np.arange(40.0).reshape(20, 2)
MODEL = make_pipeline(StandardScaler(), LinearRegression()).fit(X, X[:, 0])
FOREST = RandomForestClassifier(5, random_state=0).fit(X, np.arange(20) % 2)


def looked_into(content: bytes, folder: Path) -> Findings:
    path = folder / "upload"
    path.write_bytes(content)
    (folder / "raw").unlink(missing_ok=True)
    descriptor = os.open(path, os.O_RDONLY)
    try:
        return inspect(descriptor, str(folder / "raw"), most=1 << 24, ratio=200)
    finally:
        os.close(descriptor)


def joblibbed(model: Any, **options: Any) -> bytes:
    file = io.BytesIO()
    joblib.dump(model, file, **options)
    return file.getvalue()


@pytest.mark.parametrize("protocol", [2, 3, 4, 5])
def test_version_and_imports_of_a_pickle(protocol: int, tmp_path: Path) -> None:
    found = looked_into(pickle.dumps(MODEL, protocol), tmp_path)
    assert found.versions == {sklearn.__version__}
    assert found.complete
    assert found.protocol == protocol
    assert "sklearn.pipeline.Pipeline" in found.imports
    assert "sklearn.linear_model._base.LinearRegression" in found.imports


@pytest.mark.parametrize("model", [MODEL, FOREST], ids=["pipeline", "forest"])
@pytest.mark.parametrize(
    ("compress", "name"),
    [(0, None), (3, "zlib"), (("gzip", 3), "gzip"), (("bz2", 3), "bz2"), (("xz", 3), "xz")],
)
def test_version_of_a_joblib_file(
    model: Any, compress: Any, name: str | None, tmp_path: Path
) -> None:
    found = looked_into(joblibbed(model, compress=compress), tmp_path)
    assert found.versions == {sklearn.__version__}
    assert found.compression == name


def test_name_behind_the_first_array_is_found(tmp_path: Path) -> None:
    found = looked_into(joblibbed([np.random.default_rng(0).random(999), os.getcwd]), tmp_path)
    assert "posix.getcwd" in found.imports


def test_growth_over_the_ratio_is_refused(tmp_path: Path) -> None:
    bomb = zlib.compress(bytes(1 << 25))
    with pytest.raises(NotAModel, match="more than 16 MiB"):
        looked_into(bomb, tmp_path)


def verdict(content: bytes, folder: Path) -> str:
    try:
        looked_into(content, folder)
    except NotAModel as error:
        return f"{error.reason} {error.advice}"
    return "It can be read."


@given(content=st.binary(max_size=300))
@settings(deadline=None, max_examples=150)
def test_any_bytes_are_read_or_refused_in_words(
    content: bytes, tmp_path_factory: pytest.TempPathFactory
) -> None:
    assert verdict(content, tmp_path_factory.mktemp("any")).endswith(".")


@given(data=st.data())
@settings(deadline=None, max_examples=60)
def test_any_change_of_a_model_is_read_or_refused_in_words(
    data: st.DataObject, tmp_path_factory: pytest.TempPathFactory
) -> None:
    content = bytearray(joblibbed(MODEL))
    for _ in range(data.draw(st.integers(1, 5))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    assert verdict(bytes(content), tmp_path_factory.mktemp("changed")).endswith(".")
