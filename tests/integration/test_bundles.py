"""Bundles through the whole build and behind an endpoint: code, wheels, packages of the index."""

import asyncio
import http.client
import json
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import joblib
import numpy as np
import psutil
import pytest
import pytest_asyncio
import sklearn
from sklearn.linear_model import LogisticRegression

from controlplane.builder.environments import Environments, installed
from controlplane.builder.job import Builder, Order
from controlplane.builder.needs import recipe_of
from controlplane.builder.packages import Packages
from controlplane.builder.report import Limits, Outcome, Report
from controlplane.engines.embedded.host import EmbeddedEngine
from controlplane.engines.engine import BackendKind, DesiredEndpoint, DesiredRevision, Scaling
from runtime.fallback.front import start
from runtime.launch import Backend, Launch, RevisionLaunch
from tests.bundles import TRANSFORMER, Y, bundle_of, fitted, wheel_of
from tests.bundles import X as ROWS
from tests.integration.runtime_rig import AUDIENCE, ISSUER
from tests.integration.test_embedded_engine import RealRig, running
from tests.integration.test_embedded_supervisor import ID, port_of

pytestmark = pytest.mark.asyncio(loop_scope="module")

ACME = Order("acme")
USES_PACKAGE = TRANSFORMER + """

class Encoding(Winsorizer):
    def transform(self, x):
        from category_encoders import OrdinalEncoder

        codes = OrdinalEncoder(cols=[0]).fit_transform(np.round(x[:, :1]).astype(int).astype(str))
        return np.column_stack([np.asarray(codes, float), super().transform(x)[:, 1]])
"""

STAND_IN = """
class OrdinalEncoder:
    def __init__(self, cols):
        pass

    def fit_transform(self, x):
        return [[1]] * len(x)
"""


@pytest.fixture(scope="module")
def environments(tmp_path_factory: pytest.TempPathFactory) -> Environments:
    return Environments(tmp_path_factory.mktemp("environments"))


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def builder(environments: Environments) -> AsyncIterator[Builder]:
    before = set(psutil.Process().children(recursive=True))
    builder = Builder(Limits(wall_s=60), environments=environments)
    await builder.start()
    yield builder
    await builder.close()
    assert not set(psutil.Process().children(recursive=True)) - before


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def bare() -> AsyncIterator[Builder]:
    """As in a pod of Knative: no environments."""
    builder = Builder(Limits(wall_s=60), pandas=False)
    yield builder
    await builder.close()


@pytest.fixture
def source(tmp_path: Path) -> Path:
    place = tmp_path / "src"
    place.mkdir()
    (place / "my_transformers.py").write_text(TRANSFORMER)
    return place


async def built(builder: Builder, content: bytes, folder: Path, order: Order = ACME) -> Report:
    (folder / "upload").write_bytes(content)
    work = folder / "work"
    work.mkdir(exist_ok=True)
    try:
        return await builder.build(folder / "upload", work, None, order)
    finally:
        assert [path.name for path in work.iterdir()] in ([], ["plan"])
        (work / "plan").unlink(missing_ok=True)


async def answers(
    content: bytes, report: Report, folder: Path, rows: Any = ROWS, **launch: Any
) -> Any:
    """Serve a bundle by the fallback and ask for probabilities."""
    assert report.signature is not None
    (folder / "artifact").write_bytes(content)
    (folder / "signature").write_text(json.dumps(report.signature.to_json()))
    revision = RevisionLaunch(
        *("m-00001", "m", 1, str(folder / "artifact"), ""),
        backend=Backend.FALLBACK,
        signature=str(folder / "signature"),
        sklearn=report.sklearn_version,
        **launch,
    )
    front = await start(revision, Launch("t", "e", "i", "a", "k", (revision,), timeout_s=60))
    try:
        assert {"rlimits", "no_new_privs", "seccomp"} <= set(front.sandbox)
        return await front.run("predict_proba", rows)
    finally:
        await front.close()


def needs_index(report: Report) -> None:
    if report.reason is not None and "package index cannot be reached" in report.reason:
        pytest.skip(report.reason)


async def test_code_is_loaded_and_served_and_the_reason_named(
    builder: Builder, source: Path, tmp_path: Path
) -> None:
    model, expected = fitted(source, "my_transformers", "Winsorizer")
    content = bundle_of(model, code=source)
    report = await built(builder, content, tmp_path)
    assert report.outcome is Outcome.FALLBACK, report
    assert "my_transformers.Winsorizer has no plan yet" in (report.fallback_because or "")
    assert report.environment is None
    assert "my_transformers.Winsorizer" in report.imports
    np.testing.assert_array_equal(await answers(content, report, tmp_path), expected)


async def test_code_alone_needs_no_environments(
    bare: Builder, source: Path, tmp_path: Path
) -> None:
    model, _ = fitted(source, "my_transformers", "Winsorizer")
    content = bundle_of(model, code=source, requirements=["numpy", f"scikit-learn=={installed()}"])
    report = await built(bare, content, tmp_path)
    assert report.outcome is Outcome.FALLBACK, report


async def test_other_packages_need_environments(
    bare: Builder, source: Path, tmp_path: Path
) -> None:
    model, _ = fitted(source, "my_transformers", "Winsorizer")
    content = bundle_of(model, code=source, requirements=["category-encoders>=2"])
    report = await built(bare, content, tmp_path)
    assert report.outcome is Outcome.FAILED, report
    assert "asks for packages (category-encoders>=2)" in (report.reason or "")
    assert f"scikit-learn {installed()}" in (report.advice or "")


@pytest.mark.parametrize("compress", [0, 3])
async def test_a_bundle_without_classes_of_its_own_becomes_a_plan(
    compress: int, builder: Builder, source: Path, tmp_path: Path
) -> None:
    path = tmp_path / "model.joblib"
    joblib.dump(LogisticRegression().fit(ROWS, Y), path, compress=compress)
    lines = [f"scikit-learn=={sklearn.__version__}", "pandas", "joblib>=1"]
    report = await built(builder, bundle_of(path, code=source, requirements=lines), tmp_path)
    assert report.outcome is Outcome.PLAN, report
    assert report.environment is None


class Notebook(LogisticRegression):
    """What a notebook would hold in its `__main__`."""


async def test_a_class_of_a_notebook_is_told_what_to_do(builder: Builder, tmp_path: Path) -> None:
    import sys

    Notebook.__module__ = "__main__"
    sys.modules["__main__"].Notebook = Notebook  # type: ignore[attr-defined]
    try:
        joblib.dump(Notebook().fit(ROWS, Y), tmp_path / "model.joblib")
    finally:
        del sys.modules["__main__"].Notebook  # type: ignore[attr-defined]
        Notebook.__module__ = __name__
    report = await built(builder, (tmp_path / "model.joblib").read_bytes(), tmp_path)
    assert report.outcome is Outcome.FAILED
    assert report.reason is not None
    assert report.reason.startswith("The model needs __main__.Notebook, which was defined in a")
    assert "--code my_transformers.py" in (report.advice or "")


@pytest.mark.parametrize(
    ("files", "reason", "advice"),
    [
        ({}, "needs my_transformers.Winsorizer, which is not installed", "--code"),
        ({"other.py": ""}, "needs my_transformers.Winsorizer, which is not", "--code"),
        (
            {"my_transformers.py": "import nowhere_at_all\n"},
            "The code of the model imports nowhere_at_all",
            "--requirements",
        ),
        ({"my_transformers.py": "X = 1\n"}, "does not give my_transformers.Winsorizer", "code"),
        (
            {"my_transformers.py": "import os\nopen(os.path.dirname(__file__) + '/w')\n"},
            "opens code/w as a file",
            "importlib.resources",
        ),
        ({"my_transformers.py": "raise OSError('odd')\n"}, "OSError: odd", "joblib.dump"),
    ],
)
async def test_code_that_does_not_fit_is_told(
    files: dict[str, str],
    reason: str,
    advice: str,
    builder: Builder,
    source: Path,
    tmp_path: Path,
) -> None:
    model, _ = fitted(source, "my_transformers", "Winsorizer")
    (source / "my_transformers.py").unlink()
    for name, text in files.items():
        (source / name).write_text(text)
    content = bundle_of(model, code=source) if files else model
    report = await built(builder, content, tmp_path)
    assert report.outcome is Outcome.FAILED
    assert reason in (report.reason or "")
    assert advice in (report.advice or "")


async def test_a_module_that_is_hidden_by_one_of_pythons_is_told(
    builder: Builder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delitem(sys.modules, "colorsys", raising=False)  # some tools of ours import it
    (tmp_path / "src").mkdir()
    (tmp_path / "src/colorsys.py").write_text(TRANSFORMER)
    model, _ = fitted(tmp_path / "src", "colorsys", "Winsorizer")
    report = await built(builder, bundle_of(model, code=tmp_path / "src"), tmp_path)
    assert report.outcome is Outcome.FAILED
    assert "the colorsys in code/ is hidden by an installed module" in (report.reason or "")
    assert "Rename yours" in (report.advice or "")


async def test_requirements_that_nothing_fulfils_are_told_in_uvs_words(
    builder: Builder, source: Path, tmp_path: Path
) -> None:
    model, _ = fitted(source, "my_transformers", "Winsorizer")
    lines = ["threadpoolctl==0.0.1"]
    report = await built(builder, bundle_of(model, code=source, requirements=lines), tmp_path)
    needs_index(report)
    assert report.outcome is Outcome.FAILED
    assert "No versions fulfil what the model asks for: because" in (report.reason or "")
    assert "threadpoolctl" in (report.reason or "")


async def test_a_package_of_the_index_is_locked_and_served(
    builder: Builder, environments: Environments, tmp_path: Path
) -> None:
    (tmp_path / "src").mkdir()
    (tmp_path / "src/encoding.py").write_text(USES_PACKAGE)
    # Nobody has the package here; a stand-in does for fitting, and is not pushed.
    (tmp_path / "src/category_encoders.py").write_text(STAND_IN)
    model, _ = fitted(tmp_path / "src", "encoding", "Encoding")
    content = bundle_of(
        model, code=tmp_path / "src/encoding.py", requirements=["category-encoders"]
    )
    report = await built(builder, content, tmp_path)
    needs_index(report)
    assert report.outcome is Outcome.FALLBACK, report
    assert report.environment is not None
    recipe = recipe_of(report.environment)
    assert {"category-encoders", "scikit-learn", "numpy"} <= set(recipe.versions())
    assert recipe.sklearn == installed()

    again = await built(builder, content, tmp_path, Order("acme", recipe))
    assert again.environment == report.environment

    python = await Packages(environments).serving(installed(), report.environment, "acme", refuse)
    assert python.packages is not None
    assert python.interpreter is None, "the versions that are here were preferred"
    given = await answers(content, report, tmp_path, packages=python.packages)
    assert given.shape == (20, 2)
    with pytest.raises(Exception, match="category_encoders"):
        await answers(content, report, tmp_path)


@pytest.mark.slow
async def test_another_numpy_gets_an_environment_of_its_own(
    builder: Builder, environments: Environments, source: Path, tmp_path: Path
) -> None:
    joblib.dump(LogisticRegression().fit(ROWS, Y), tmp_path / "model.joblib")
    plain = (tmp_path / "model.joblib").read_bytes()
    report = await built(builder, bundle_of(plain, requirements=["numpy==2.3.5"]), tmp_path)
    needs_index(report)
    assert report.outcome is Outcome.PLAN, report
    assert report.environment is not None
    assert recipe_of(report.environment).versions()["numpy"] == "2.3.5"
    assert len(list(environments.folder.glob(f"scikit-learn-{installed()}-*"))) == 1

    model, expected = fitted(source, "my_transformers", "Winsorizer")
    content = bundle_of(model, code=source, requirements=["numpy==2.3.5"])
    report = await built(builder, content, tmp_path)
    assert report.outcome is Outcome.FALLBACK, report
    python = await Packages(environments).serving(installed(), report.environment, "acme", refuse)
    assert python.interpreter is not None
    assert python.interpreter.startswith(str(environments.folder))
    launch = {"interpreter": python.interpreter, "packages": python.packages}
    given = await answers(content, report, tmp_path, **launch)
    np.testing.assert_allclose(given, expected, rtol=1e-12)


async def refuse(path: Path) -> None:
    raise AssertionError(f"{path} is not needed: it is there")


@pytest_asyncio.fixture(loop_scope="module")
async def rig(tmp_path: Path) -> AsyncIterator[RealRig]:
    async with running(tmp_path) as rig:
        yield rig


async def test_a_wheel_and_code_behind_an_endpoint(
    builder: Builder, environments: Environments, rig: RealRig, tmp_path: Path
) -> None:
    """The whole way: a wheel built here, used by code, built, deployed by the engine, asked."""
    wheel = wheel_of(tmp_path, "ks-own", {"ks_own/__init__.py": TRANSFORMER})
    (tmp_path / "src").mkdir()
    (tmp_path / "src/ks_own").mkdir()
    (tmp_path / "src/ks_own/__init__.py").write_text(TRANSFORMER)
    (tmp_path / "src/derived.py").write_text("import ks_own\nclass Mine(ks_own.Winsorizer): pass\n")
    model, _ = fitted(tmp_path / "src", "derived", "Mine")
    content = bundle_of(model, code=tmp_path / "src/derived.py", wheels=[wheel])
    report = await built(builder, content, tmp_path)
    needs_index(report)
    assert report.outcome is Outcome.FALLBACK, report
    assert report.signature is not None
    assert report.environment is not None
    # Made anew where it is served, from the bundle: the folder of the build is gone.
    key = recipe_of(report.environment).key("acme")
    await environments.packages.discard(key)
    revision = DesiredRevision(
        *("iris-00001", "iris", 1, BackendKind.FALLBACK, rig.store.put(content), len(content)),
        report.signature.to_json(),
        sklearn_version=report.sklearn_version,
        environment=report.environment,
    )
    engine = rig.engine = EmbeddedEngine(rig.home, rig.store, ISSUER, Packages(environments))
    await engine.apply(
        DesiredEndpoint(ID, "acme", "iris", 1, AUDIENCE, (revision,), Scaling(), 0, 60.0)
    )
    folder = str(environments.packages.place(key))
    assert folder in await engine.files()
    connection = http.client.HTTPConnection("127.0.0.1", port_of(await rig.ready()), timeout=120)
    status, answer, _ = await asyncio.to_thread(rig.ask, connection, ROWS[0].tolist())
    connection.close()
    assert status == 200, answer
    assert json.loads(answer)["predictions"][0] in (0, 1)
    await engine.delete(ID)
    assert folder not in await engine.files()
