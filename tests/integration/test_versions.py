"""Models of other scikit-learn versions: fitted there, built here, and equal to what that one says.

A version's own Python fits the models of `fit_models.py` and writes down what it answers. By
default five versions and the models in which versions differ; TEST_VERSIONS=all takes every
release and every model, TEST_VERSIONS=1.4.0,1.8.0 every model of some; both then also take
every example of COVERAGE.md, a minute or two a version.
"""

import asyncio
import http.client
import json
import os
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, Final

import numpy as np
import psutil
import pytest
import pytest_asyncio
from numpy.typing import NDArray

from controlplane.builder.environments import Environments, installed
from controlplane.builder.job import Builder
from controlplane.builder.packages import Packages, Python
from controlplane.builder.releases import VERSIONS
from controlplane.builder.report import Limits, Outcome, Report
from controlplane.engines.embedded.host import EmbeddedEngine
from controlplane.engines.engine import BackendKind, DesiredEndpoint, DesiredRevision, Scaling
from runtime.fallback.front import start
from runtime.launch import Backend, Launch, RevisionLaunch
from runtime.plan import Frame, Inputs, load
from runtime.plan.signature import Kind, Signature
from tests.integration.runtime_rig import AUDIENCE, ISSUER
from tests.integration.test_embedded_engine import RealRig, running
from tests.integration.test_embedded_supervisor import ID, port_of

pytestmark = [pytest.mark.slow, pytest.mark.asyncio(loop_scope="module")]

FIT: Final = Path(__file__).with_name("fit_models.py")
EXAMPLES: Final = Path(__file__).with_name("fit_examples.py")
ASKED: Final = os.environ.get("TEST_VERSIONS", "")
FOREIGN: Final = [version for version in VERSIONS if version != installed()]
USUAL: Final = ["1.1.3", "1.2.2", "1.3.2", "1.5.2", "1.7.2"]
CHOSEN: Final = {"": USUAL, "all": FOREIGN}.get(ASKED, ASKED.split(","))
# Where versions differ in what a fitted model holds, or in what it does with it.
MODELS: Final = (
    *("logistic", "logistic liblinear", "sgd log", "poisson", "ridge classifier", "svc"),
    *("neighbours", "mlp", "gaussian nb", "lda", "k-means", "bisecting", "whitened pca"),
    *("max abs", "polynomial", "imputer", "imputed texts", "infrequent", "ordinal"),
    *("mixed table", "mixed forest", "elimination", "search", "tree", "forest"),
    *("weighted forest", "forest regressor", "isolation forest", "boosting", "boosting of two"),
    *("exponential boosting", "boosting huber", "histogram boosting"),
    *("histogram boosting categories", "mixture"),
    *("logistic newton", "calibrated", "calibrated by steps", "calibrated table"),
    *("one versus rest", "centroids", "centroids manhattan", "pls", "pls of one", "cca"),
    *("sketch", "dummy", "imputed holes", "hashing", "coder"),
)
# Trees end in no arithmetic that differs between versions of numpy.
BITWISE: Final = {
    *("tree", "extra tree", "forest", "weighted forest", "extra trees", "mixed forest"),
    *("tree regressor", "forest regressor", "extra trees regressor", "boosting regressor"),
    *("one hot", "infrequent", "ordinal", "imputer", "k-means", "boosting huber"),
}
# Of these, what multiplies matrices. The bits of a product are those of a kernel of OpenBLAS, of
# which an older release knows fewer than this processor may have: both take one that all have.
MULTIPLIED: Final = {"k-means"}
HAS_AVX2: Final = " avx2 " in Path("/proc/cpuinfo").read_text()
KERNEL: Final = {"OPENBLAS_CORETYPE": "Haswell" if HAS_AVX2 else "Nehalem"}
RUN: Final = """
import sys
import numpy as np
from runtime.plan import load
plan, method, rows, answer = sys.argv[1:]
np.save(answer, load(plan).run(method, np.load(rows)))
"""
CLOSE: Final = 1e-12
# Distances of support vector machines expand x² - 2xy + y²; the contract of their kernels.
FAR: Final = {"svc", "nu svc", "svr", "one class svm", "svc probability", "kernel ridge", "search"}
# What has no plan, in which versions, and the words it says so with.
WITHOUT_PLAN: Final = {
    "histogram boosting categories": (("1.1", "1.2", "1.3"), "before 1.4"),
    "function": (("1.1",), "how many columns"),
    "dummy": (("1.1", "1.2", "1.3", "1.4"), "how many columns"),
    "density": (("1.",), "walks its tree"),
}


@pytest.fixture(scope="module")
def environments(tmp_path_factory: pytest.TempPathFactory) -> Environments:
    return Environments(tmp_path_factory.mktemp("environments"), kept=len(VERSIONS))


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def builder(environments: Environments) -> AsyncIterator[Builder]:
    before = set(psutil.Process().children(recursive=True))
    builder = Builder(Limits(wall_s=60), environments=environments)
    await builder.start()
    yield builder
    await builder.close()
    assert not set(psutil.Process().children(recursive=True)) - before


async def fitted(
    environments: Environments, version: str, folder: Path, *names: str, program: Path = FIT
) -> None:
    """Have the version's own Python fit models into a folder."""
    ours = version == installed()
    python = sys.executable if ours else await environments.interpreter(version)
    command = [python, "-I", str(program), str(folder), *names]
    done = await asyncio.to_thread(
        subprocess.run, command, capture_output=True, check=False, env={**os.environ, **KERNEL}
    )
    assert done.returncode == 0, done.stderr.decode()


def answered(name: str, path: Path, method: str, rows: Inputs) -> NDArray[Any]:
    """Give what a plan answers; of a product with the kernel that the model's own version had."""
    if name not in MULTIPLIED:
        return np.asarray(load(path).run(method, rows))
    given, answer = path.with_suffix(".rows.npy"), path.with_suffix(".answer.npy")
    np.save(given, np.asarray(rows))
    command = [sys.executable, "-c", RUN, str(path), method, str(given), str(answer)]
    subprocess.run(command, check=True, env={**os.environ, **KERNEL})
    found: NDArray[Any] = np.load(answer)
    return found


def models_in(folder: Path) -> list[Path]:
    return sorted(folder.glob("*.joblib"))


async def built(builder: Builder, source: Path) -> Report:
    work = source.with_suffix(".work")
    work.mkdir()
    return await builder.build(source, work)


def inputs(document: dict[str, Any], signature: Signature) -> Inputs:
    columns = []
    for cells, column in zip(document["columns"], signature.columns, strict=True):
        if column.kind is Kind.NUMBER:
            columns.append(np.array([np.nan if c is None else c for c in cells], np.float64))
        else:
            column_of_text = np.empty(len(cells), object)
            column_of_text[:] = cells
            columns.append(column_of_text)
    return np.column_stack(columns) if signature.numeric else Frame(tuple(columns))


def recorded(answer: dict[str, Any]) -> NDArray[Any]:
    values = answer["values"]
    if answer["kind"] == "f":
        values = [float.fromhex(value) for value in values]
    return np.array(values).reshape(answer["shape"])


def compare(name: str, ours: NDArray[Any], theirs: NDArray[Any]) -> None:
    if theirs.dtype.kind != "f":
        assert ours.tolist() == theirs.tolist()
    elif name in BITWISE:
        np.testing.assert_array_equal(ours, theirs)
    else:
        bound = 1e-10 if name in FAR else CLOSE
        np.testing.assert_allclose(ours, theirs, rtol=bound, atol=bound)


def check(name: str, version: str, report: Report, document: dict[str, Any]) -> None:
    assert report.sklearn_version == version, report
    assert {"rlimits", "no_new_privs", "seccomp"} <= set(report.sandbox)
    if report.outcome is Outcome.FALLBACK:
        because = report.fallback_because or ""
        versions, words = WITHOUT_PLAN.get(name, ((), "no plan yet"))
        assert words in because, report
        assert version.startswith(versions) or "no plan yet" in because
        assert name not in MODELS or version.startswith(versions), report
        return
    assert report.outcome is Outcome.PLAN, report
    assert report.plan_path is not None
    plan = load(report.plan_path)
    rows = inputs(document, plan.signature)
    given = [output.name for output in plan.signature.outputs]
    known = [method for method in given if method in document["answers"]]
    assert known
    for method in known:
        ours = answered(name, report.plan_path, method, rows)
        compare(name, ours, recorded(document["answers"][method]))


@pytest.mark.parametrize("version", CHOSEN)
async def test_models_answer_as_in_their_own_version(
    version: str, environments: Environments, builder: Builder, tmp_path: Path
) -> None:
    await fitted(environments, version, tmp_path, *(() if ASKED else MODELS))
    sources = models_in(tmp_path)
    assert len(sources) >= len(MODELS)
    faults = []
    for source in sources:
        document = json.loads(source.with_suffix(".json").read_text())
        report = await built(builder, source)
        try:
            check(source.stem, version, report, document)
        except AssertionError as fault:
            faults.append(f"{source.stem}: {fault}")
    assert not faults, "\n".join(faults)


# Examples of today's plans that another version has none for, and the words it says so with.
NO_PLAN_THERE: Final = {
    "DummyClassifier as most people use it": "how many columns",
    "DummyRegressor as most people use it": "how many columns",
    "FunctionTransformer as most people use it": "how many columns",
    "FunctionTransformer arguments of the function": "how many columns",
}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def today(
    environments: Environments, builder: Builder, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, Report]:
    """Build the examples of this installation's own version."""
    folder = tmp_path_factory.mktemp("today")
    await fitted(environments, installed(), folder, program=EXAMPLES)
    return {source.stem: await built(builder, source) for source in models_in(folder)}


def check_promise(report: Report, document: dict[str, Any]) -> None:
    """Hold a plan against its own version's answers, as closely as the plan says it is."""
    assert report.plan_path is not None
    plan = load(report.plan_path)
    rows = inputs(document, plan.signature)
    for output in plan.signature.outputs:
        if output.name not in document["answers"]:
            continue
        theirs = recorded(document["answers"][output.name])
        ours = np.asarray(plan.run(output.name, rows)).reshape(theirs.shape)
        if theirs.dtype.kind != "f":
            assert ours.tolist() == theirs.tolist()
            continue
        bound = 0.0 if report.exactness == "bitwise" else max(CLOSE, plan.node.tolerance)
        scale = max(1.0, float(np.abs(theirs[np.isfinite(theirs)]).max(initial=0.0)))
        np.testing.assert_allclose(ours, theirs, rtol=bound, atol=bound * scale)


@pytest.mark.parametrize("version", CHOSEN if ASKED else [])
async def test_what_has_a_plan_today_has_one_in_every_version(
    version: str,
    environments: Environments,
    builder: Builder,
    today: dict[str, Report],
    tmp_path: Path,
) -> None:
    await fitted(environments, version, tmp_path, program=EXAMPLES)
    faults = []
    for source in models_in(tmp_path):
        report = await built(builder, source)
        words = NO_PLAN_THERE.get(source.stem)
        if report.outcome is Outcome.PLAN:
            try:
                check_promise(report, json.loads(source.with_suffix(".json").read_text()))
            except AssertionError as fault:
                faults.append(f"{source.stem}: {fault}")
        elif source.stem not in today or today[source.stem].outcome is not Outcome.PLAN:
            continue
        elif words is None or words not in (report.fallback_because or ""):
            faults.append(f"{source.stem}: {report.fallback_because or report.reason}")
    assert not faults, "\n".join(faults)


async def test_a_forest_that_would_load_and_answer_wrongly_answers_rightly(
    environments: Environments, builder: Builder, tmp_path: Path
) -> None:
    await fitted(environments, "1.3.2", tmp_path, "forest")
    wrong = (
        "import joblib, json, sys, warnings; warnings.simplefilter('ignore');"
        "import numpy as np;"
        "rows = np.array(json.load(open(sys.argv[2]))['columns']).T;"
        "print(float(joblib.load(sys.argv[1]).predict_proba(rows).sum(axis=1).max()))"
    )
    files = [str(tmp_path / f"forest{suffix}") for suffix in (".joblib", ".json")]
    here = await asyncio.to_thread(
        subprocess.run, [sys.executable, "-I", "-c", wrong, *files], capture_output=True, check=True
    )
    assert float(here.stdout) > 2.0, "our version loads it rightly; the test has lost its point"
    report = await built(builder, tmp_path / "forest.joblib")
    document = json.loads((tmp_path / "forest.json").read_text())
    check("forest", "1.3.2", report, document)
    assert report.exactness == "bitwise"


@pytest.mark.parametrize("version", ["1.1.3", "1.5.2"])
async def test_a_model_without_a_plan_is_served_by_its_own_version(
    version: str, environments: Environments, builder: Builder, tmp_path: Path
) -> None:
    await fitted(environments, version, tmp_path, "density")
    report = await built(builder, tmp_path / "density.joblib")
    assert report.outcome is Outcome.FALLBACK, report
    assert report.signature is not None
    (tmp_path / "signature").write_text(json.dumps(report.signature.to_json()))

    def revision(interpreter: str | None) -> RevisionLaunch:
        return RevisionLaunch(
            "m-00001",
            "m",
            1,
            str(tmp_path / "density.joblib"),
            "",
            backend=Backend.FALLBACK,
            signature=str(tmp_path / "signature"),
            sklearn=version,
            interpreter=interpreter,
        )

    def launch(one: RevisionLaunch) -> Launch:
        return Launch("t", "e", "i", "a", "k", (one,), timeout_s=60)

    ours = revision(None)
    with pytest.raises(ValueError, match=f"saved with scikit-learn {version}, not"):
        await start(ours, launch(ours))
    theirs = revision(await environments.interpreter(version))
    front = await start(theirs, launch(theirs))
    try:
        document = json.loads((tmp_path / "density.json").read_text())
        rows = inputs(document, report.signature)
        for output in report.signature.outputs:
            if output.name in document["answers"]:
                answer = recorded(document["answers"][output.name])
                compare("density", np.asarray(await front.run(output.name, rows)), answer)
        assert {"rlimits", "no_new_privs", "seccomp"} <= set(front.sandbox)
    finally:
        await front.close()


@pytest_asyncio.fixture(loop_scope="module")
async def rig(tmp_path: Path) -> AsyncIterator[RealRig]:
    async with running(tmp_path) as rig:
        yield rig


async def test_an_endpoint_of_another_version_keeps_and_starts_that_python(
    environments: Environments, builder: Builder, rig: RealRig, tmp_path: Path
) -> None:
    await fitted(environments, "1.3.2", tmp_path, "mixture")
    report = await built(builder, tmp_path / "mixture.joblib")
    assert report.signature is not None
    content = (tmp_path / "mixture.joblib").read_bytes()
    revision = DesiredRevision(
        "iris-00001",
        "iris",
        1,
        BackendKind.FALLBACK,
        rig.store.put(content),
        len(content),
        report.signature.to_json(),
        sklearn_version="1.3.2",
    )
    engine = rig.engine = EmbeddedEngine(rig.home, rig.store, ISSUER, Packages(environments))
    await engine.apply(
        DesiredEndpoint(ID, "acme", "iris", 1, AUDIENCE, (revision,), Scaling(), 0, 60.0)
    )
    python = await environments.interpreter("1.3.2")
    assert python in await engine.files()
    connection = http.client.HTTPConnection("127.0.0.1", port_of(await rig.ready()), timeout=60)
    status, body, _ = await asyncio.to_thread(rig.ask, connection)
    connection.close()
    assert status == 200, body
    assert json.loads(body)["predictions"][0] in (0, 1)
    children = psutil.Process(rig.process.pid).children(recursive=True)
    workers = [c.cmdline() for c in children if "runtime.fallback.confined" in c.cmdline()]
    assert {command[0] for command in workers} == {python}
    await engine.delete(ID)
    assert python not in await engine.files()


async def test_the_python_of_our_own_version_is_ours(environments: Environments) -> None:
    async def fetch(path: Path) -> None:
        raise AssertionError("no bundle is needed")

    assert await Packages(environments).serving(installed(), None, "acme", fetch) == Python()
