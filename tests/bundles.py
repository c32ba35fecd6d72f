"""Models with classes of their own, as bundles: fitted here, whose modules nobody else has."""

import contextlib
import importlib
import io
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import joblib
import numpy as np

from controlplane.client.bundle import Extras, bundled
from controlplane.client.upload import of_source

TRANSFORMER = '''
"""Keeps numbers within the range that was seen."""

import numpy as np
from sklearn.base import BaseEstimator, TransformerMixin


class Winsorizer(TransformerMixin, BaseEstimator):
    def fit(self, x, y=None):
        self.low_, self.high_ = np.min(x, axis=0), np.max(x, axis=0)
        self.n_features_in_ = x.shape[1]
        return self

    def transform(self, x):
        return np.clip(x, self.low_, self.high_)
'''
X = np.arange(40.0).reshape(20, 2) / 7
Y = np.arange(20) % 2


@contextlib.contextmanager
def importable(place: Path) -> Iterator[None]:
    """Import from a folder for a while; what was imported from there is forgotten afterwards."""
    before = set(sys.modules)
    sys.path.insert(0, str(place))
    importlib.invalidate_caches()
    try:
        yield
    finally:
        sys.path.remove(str(place))
        for name in set(sys.modules) - before:
            if str(getattr(sys.modules[name], "__file__", "")).startswith(str(place)):
                del sys.modules[name]


def fitted(place: Path, module: str, name: str, steps: Any = ()) -> tuple[bytes, Any]:
    """Fit a pipeline that begins with a class of a module; gives its file and its predictions."""
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline

    with importable(place):
        first = getattr(importlib.import_module(module), name)()
        model = make_pipeline(first, *steps, LogisticRegression()).fit(X, Y)
        file = io.BytesIO()
        joblib.dump(model, file)
        return file.getvalue(), model.predict_proba(X)


def bundle_of(model: bytes, **extras: Any) -> bytes:
    """Give the bytes of a bundle as the SDK makes it."""
    with bundled(model, Extras(**extras)) as source:
        return b"".join(of_source(source))


def wheel_of(folder: Path, name: str, files: dict[str, str], needs: tuple[str, ...] = ()) -> Path:
    """Build a wheel of a package with these files by `uv build`."""
    project = folder / f"project-{name}"
    for path, text in files.items():
        (project / path).parent.mkdir(parents=True, exist_ok=True)
        (project / path).write_text(text)
    listed = ", ".join(f'"{need}"' for need in needs)
    included = ", ".join(f'"{path}"' for path in files)
    (project / "pyproject.toml").write_text(
        f'[project]\nname = "{name}"\nversion = "1.0"\ndependencies = [{listed}]\n'
        '[build-system]\nrequires = ["hatchling"]\nbuild-backend = "hatchling.build"\n'
        f"[tool.hatch.build.targets.wheel]\ninclude = [{included}]\n"
    )
    uv = shutil.which("uv") or os.path.join(os.path.dirname(sys.executable), "uv")
    done = subprocess.run(
        [uv, "build", "--wheel", "--quiet", "--out-dir", str(folder), str(project)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return next(folder.glob(f"{name.replace('-', '_')}-1.0-*.whl"))
