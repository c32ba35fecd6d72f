"""Ordinary models through the whole build, and the fallback that serves what has no plan."""

import asyncio
import json
import os
import pickle
import signal
import zlib
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import joblib
import numpy as np
import pandas as pd
import psutil
import pytest
import pytest_asyncio
import sklearn
from sklearn.cluster import KMeans
from sklearn.compose import make_column_transformer
from sklearn.datasets import load_iris
from sklearn.decomposition import TruncatedSVD
from sklearn.ensemble import GradientBoostingRegressor, RandomForestClassifier
from sklearn.experimental import enable_iterative_imputer  # noqa: F401
from sklearn.feature_extraction.text import (
    CountVectorizer,
    HashingVectorizer,
    TfidfVectorizer,
)
from sklearn.gaussian_process import GaussianProcessClassifier
from sklearn.gaussian_process.kernels import Matern
from sklearn.impute import IterativeImputer, SimpleImputer
from sklearn.linear_model import LogisticRegression, Ridge, SGDClassifier
from sklearn.model_selection import GridSearchCV
from sklearn.naive_bayes import MultinomialNB
from sklearn.neighbors import KernelDensity, LocalOutlierFactor
from sklearn.pipeline import FeatureUnion, make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler
from sklearn.svm import LinearSVC
from sklearn.tree import DecisionTreeClassifier

from controlplane.builder.job import Builder, build
from controlplane.builder.report import Limits, Outcome, Report
from runtime.fallback.front import Front, start
from runtime.launch import Backend, Launch, RevisionLaunch
from runtime.plan import Frame, load
from runtime.plan.signature import Kind
from runtime.problems import DeadlinePassed, EngineUnavailable, InvalidInput

pytestmark = pytest.mark.asyncio(loop_scope="module")

X, Y = load_iris(return_X_y=True)
NAMES = np.array(["setosa", "versicolor", "virginica"])[Y]
TABLE = pd.DataFrame(
    {"size": X[:, 0], "colour": np.where(X[:, 1] > 3, "red", "blue"), "weight": X[:, 2]}
)
TEXTS = ["good day", "bad night", "good night", "bad day"]


class Custom(Ridge):
    """A class that only this test knows."""


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def builder() -> AsyncIterator[Builder]:
    before = set(psutil.Process().children(recursive=True))
    builder = Builder(Limits(wall_s=30))
    await builder.start()
    yield builder
    await builder.close()
    assert not set(psutil.Process().children(recursive=True)) - before


async def built(builder: Builder, model: Any, folder: Path, **options: Any) -> Report:
    source, work = folder / "model.joblib", folder / "work"
    joblib.dump(model, source, **options)
    work.mkdir()
    return await builder.build(source, work)


PLANNED = {
    "logistic regression": LogisticRegression(max_iter=300).fit(X, Y),
    "labels in words": LogisticRegression(max_iter=300).fit(X, NAMES),
    "pipeline": make_pipeline(StandardScaler(), LogisticRegression()).fit(X, Y),
    "tree": DecisionTreeClassifier().fit(X, NAMES),
    "forest": RandomForestClassifier(10, random_state=0).fit(X, Y),
    "boosting": GradientBoostingRegressor(n_estimators=10).fit(X, Y),
    "k-means": KMeans(3, n_init=2, random_state=0).fit(X),
}


@pytest.mark.parametrize("name", PLANNED)
async def test_ordinary_model_gets_a_plan(name: str, builder: Builder, tmp_path: Path) -> None:
    model = PLANNED[name]
    report = await built(builder, model, tmp_path)
    assert report.outcome is Outcome.PLAN, report
    assert report.plan_path is not None
    plan = load(report.plan_path)
    assert plan.signature == report.signature
    np.testing.assert_array_equal(plan.run("predict", X), model.predict(X))
    assert report.cost is not None
    assert report.cost.c0_us > 0
    assert report.exactness in ("bitwise", "batch", "tolerance")
    assert report.families
    assert report.estimator == f"{type(model).__module__}.{type(model).__qualname__}"
    assert report.estimator in report.imports
    assert report.sklearn_version
    assert {"rlimits", "no_new_privs", "seccomp"} <= set(report.sandbox)
    assert [entry.name for entry in (tmp_path / "work").iterdir()] == ["plan"]


async def test_k_means_of_float32_is_served_alone_and_behind_a_scaler(
    builder: Builder, tmp_path: Path
) -> None:
    single, outcomes = X.astype(np.float32), []
    for model in (
        KMeans(3, n_init=2, random_state=0).fit(single),
        make_pipeline(StandardScaler(), KMeans(3, n_init=2, random_state=0)).fit(single),
    ):
        folder = tmp_path / type(model).__name__
        folder.mkdir()
        report = await built(builder, model, folder)
        outcomes.append(report.outcome)
        if report.plan_path is not None:
            plan = load(report.plan_path)
            np.testing.assert_array_equal(plan.run("predict", X), model.predict(single))
    assert outcomes == [Outcome.PLAN, Outcome.FALLBACK]


async def test_texts_that_are_filled_get_a_plan(builder: Builder, tmp_path: Path) -> None:
    texts = np.array([["a", "x"], ["b", np.nan], [np.nan, "x"], ["a", "y"]], dtype=object)
    report = await built(builder, SimpleImputer(strategy="most_frequent").fit(texts), tmp_path)
    assert report.outcome is Outcome.PLAN, report
    assert report.plan_path is not None
    asked = Frame((np.array([None, "c"], object), np.array(["y", None], object)))
    answer = load(report.plan_path).run("transform", asked)
    assert answer.tolist() == [["a", "y"], ["c", "x"]]


async def test_a_model_that_landmarks_cannot_be_read_of_is_served_by_the_fallback(
    builder: Builder, tmp_path: Path
) -> None:
    model = Ridge().fit(X, Y)
    model.transformers_ = [("name", "passthrough")]
    report = await built(builder, model, tmp_path)
    assert report.outcome is Outcome.FALLBACK, report
    assert report.fallback_because is not None
    assert report.fallback_because.startswith("compiling it raised ValueError")


async def test_a_model_that_cannot_be_looked_into_is_not_called_a_broken_file(
    builder: Builder, tmp_path: Path
) -> None:
    model = Ridge().fit(X, Y)
    model.transformers_ = [3]
    report = await built(builder, model, tmp_path)
    assert report.outcome is Outcome.FAILED, report
    assert report.reason is not None
    assert report.advice is not None
    assert report.reason.startswith("What the Ridge takes could not be found out: TypeError")
    assert report.advice.startswith("The file itself is fine")


@pytest.mark.parametrize("compress", [("zlib", 3), ("gzip", 3), ("bz2", 3), ("xz", 3)], ids=str)
async def test_compressed_model_gets_a_plan(
    compress: tuple[str, int], builder: Builder, tmp_path: Path
) -> None:
    report = await built(builder, PLANNED["forest"], tmp_path, compress=compress)
    assert report.outcome is Outcome.PLAN, report


async def test_data_frame_of_mixed_columns(builder: Builder, tmp_path: Path) -> None:
    model = make_pipeline(
        make_column_transformer(
            (OneHotEncoder(handle_unknown="ignore"), ["colour"]),
            (StandardScaler(), ["size", "weight"]),
        ),
        LogisticRegression(),
    ).fit(TABLE, NAMES)
    report = await built(builder, model, tmp_path)
    assert report.outcome is not Outcome.FAILED, report
    assert report.signature is not None
    assert report.signature.named
    assert [c.name for c in report.signature.columns] == ["size", "colour", "weight"]
    columns = tuple(TABLE[name].to_numpy() for name in TABLE)
    if report.outcome is Outcome.PLAN:
        assert report.plan_path is not None
        frame = Frame((columns[0], columns[1].astype(object), columns[2]))
        answer = load(report.plan_path).run("predict", frame)
        assert answer.tolist() == model.predict(TABLE).tolist()


async def test_builds_run_together(builder: Builder, tmp_path: Path) -> None:
    folders = [tmp_path / str(i) for i in range(4)]
    for folder in folders:
        folder.mkdir()
    reports = await asyncio.gather(*(built(builder, PLANNED["tree"], f) for f in folders))
    assert [report.outcome for report in reports] == [Outcome.PLAN] * 4


async def test_own_class_is_refused_in_words(builder: Builder, tmp_path: Path) -> None:
    report = await built(builder, Custom().fit(X, Y), tmp_path)
    assert report.outcome is Outcome.FAILED
    assert "test_builder" in (report.reason or "")
    assert "not installed" in (report.reason or "")


@pytest.mark.parametrize("compress", [0, 3], ids=["plain", "compressed"])
async def test_another_version_is_refused_where_it_cannot_be_had(
    compress: int, builder: Builder, tmp_path: Path
) -> None:
    plain = pickle.dumps(PLANNED["tree"])
    other = plain.replace(sklearn.__version__.encode(), b"1.3.2".ljust(len(sklearn.__version__)))
    source, work = tmp_path / "model", tmp_path / "work"
    source.write_bytes(zlib.compress(other, compress) if compress else other)
    work.mkdir()
    report = await builder.build(source, work)
    assert report.outcome is Outcome.FAILED
    assert report.sklearn_version == "1.3.2"
    reason = report.reason or ""
    assert f"saved with scikit-learn 1.3.2; this installation has {sklearn.__version__}" in reason
    assert f"scikit-learn=={sklearn.__version__}" in (report.advice or "")
    assert list(work.iterdir()) == []


async def test_warm_process_comes_back_after_its_death(tmp_path: Path) -> None:
    builder = Builder(Limits())
    before = set(psutil.Process().children())
    await builder.start()
    [zygote] = set(psutil.Process().children()) - before
    zygote.kill()
    (tmp_path / "first").mkdir()
    (tmp_path / "second").mkdir()
    try:
        report = await built(builder, PLANNED["tree"], tmp_path / "first")
        assert report.outcome is Outcome.PLAN, report
        report = await built(builder, PLANNED["tree"], tmp_path / "second")
        assert report.outcome is Outcome.PLAN, report
    finally:
        await builder.close()


READ = {
    "tf-idf and logistic regression": make_pipeline(
        TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True), LogisticRegression()
    ),
    "characters and naive Bayes": make_pipeline(
        CountVectorizer(analyzer="char_wb", ngram_range=(2, 4)), MultinomialNB()
    ),
    "hashes and a support vector machine": make_pipeline(HashingVectorizer(), LinearSVC()),
    "latent semantics": make_pipeline(
        TfidfVectorizer(), TruncatedSVD(2, random_state=0), LogisticRegression()
    ),
    "two vectorizers": make_pipeline(
        FeatureUnion([("w", TfidfVectorizer()), ("c", CountVectorizer(analyzer="char"))]),
        SGDClassifier(loss="log_loss", random_state=0),
    ),
    "search": GridSearchCV(
        make_pipeline(CountVectorizer(), LogisticRegression()), {"countvectorizer__binary": [True]}
    ),
    "weights alone": TfidfVectorizer(),
}


@pytest.mark.parametrize("name", READ)
async def test_model_of_text_gets_a_plan(name: str, builder: Builder, tmp_path: Path) -> None:
    texts = [f"{text} no {number}" for number, text in enumerate(TEXTS * 10)]
    model = READ[name].fit(texts, np.array(["up", "down", "up", "down"] * 10))
    report = await built(builder, model, tmp_path)
    assert report.outcome is Outcome.PLAN, report
    assert report.plan_path is not None
    plan = load(report.plan_path)
    assert [(c.name, c.kind, c.missing) for c in plan.signature.columns] == [
        ("x0", Kind.STRING, False)
    ]
    asked = [*texts, "", "never seen before", "GOOD, good day!\n\u732b"]
    for output in plan.signature.outputs:
        ours = plan.run(output.name, Frame((np.array(asked, object),)))
        theirs = getattr(model, output.name)(asked)
        theirs = theirs.toarray() if output.name == "transform" else theirs
        if theirs.dtype.kind == "f":
            np.testing.assert_allclose(ours, theirs, rtol=1e-12, atol=1e-12)
        else:
            assert ours.tolist() == theirs.tolist()
    assert report.families


async def test_texts_in_a_data_frame_get_a_plan(builder: Builder, tmp_path: Path) -> None:
    table = TABLE.assign(text=[f"{name} in the garden" for name in NAMES])
    model = make_pipeline(
        make_column_transformer(
            (TfidfVectorizer(), "text"),
            (OneHotEncoder(handle_unknown="ignore"), ["colour"]),
            (StandardScaler(), ["size"]),
        ),
        LogisticRegression(),
    ).fit(table, NAMES)
    report = await built(builder, model, tmp_path)
    assert report.outcome is Outcome.PLAN, report
    assert report.signature is not None
    assert [(c.name, c.missing) for c in report.signature.columns] == [
        ("size", False),
        ("colour", True),
        ("weight", True),
        ("text", False),
    ]


async def test_one_build_alone(tmp_path: Path) -> None:
    joblib.dump(PLANNED["tree"], tmp_path / "m")
    (tmp_path / "work").mkdir()
    report = await build(tmp_path / "m", tmp_path / "work", Limits())
    assert report.outcome is Outcome.PLAN


FALLEN = {
    "gaussian process": (GaussianProcessClassifier(Matern(nu=2)).fit(X, NAMES), X),
    "density": (KernelDensity().fit(X), X),
    "outliers": (LocalOutlierFactor(novelty=True, metric="correlation").fit(X), X),
    # It would draw at random; there is nothing to fill here.
    "imputer": (make_pipeline(IterativeImputer(sample_posterior=True), Ridge()).fit(X, Y), X),
    "texts": (
        make_pipeline(
            # It could take very long on texts made for it.
            TfidfVectorizer(token_pattern=r"\w+(?:-\w+)*"),
            MultinomialNB(),
        ).fit(TEXTS, [1, 0, 1, 0]),
        TEXTS,
    ),
}


async def served(builder: Builder, model: Any, folder: Path, timeout_s: float = 20) -> Front:
    report = await built(builder, model, folder)
    assert report.outcome is Outcome.FALLBACK, report
    assert report.fallback_because
    assert report.signature is not None
    (folder / "signature").write_text(json.dumps(report.signature.to_json()))
    revision = RevisionLaunch(
        "m-00001",
        "m",
        1,
        str(folder / "model.joblib"),
        "",
        backend=Backend.FALLBACK,
        signature=str(folder / "signature"),
    )
    return await start(revision, Launch("t", "e", "i", "a", "k", (revision,), timeout_s=timeout_s))


@pytest.mark.parametrize("name", FALLEN)
async def test_fallback_answers_as_scikit_learn_does(
    name: str, builder: Builder, tmp_path: Path
) -> None:
    model, rows = FALLEN[name]
    front = await served(builder, model, tmp_path)
    try:
        inputs = Frame((np.array(rows, object),)) if isinstance(rows, list) else rows
        for output in front.signature.outputs:
            ours, theirs = await front.run(output.name, inputs), getattr(model, output.name)(rows)
            if theirs.dtype.kind == "f":
                np.testing.assert_allclose(ours, theirs, rtol=1e-9, atol=1e-9)
            else:
                assert ours.tolist() == theirs.tolist()
        assert {"rlimits", "no_new_privs", "seccomp"} <= set(front.sandbox)
    finally:
        await front.close()
    assert front.pid is None


async def test_fallback_comes_back_and_rests_after_five_crashes(
    builder: Builder, tmp_path: Path
) -> None:
    front = await served(builder, FALLEN["outliers"][0], tmp_path)
    try:
        with pytest.raises(InvalidInput, match="refused the input"):
            await front.run("predict", np.zeros((2, 9)))
        for crash in range(5):
            pid = front.pid
            assert pid is not None
            os.kill(pid, signal.SIGSTOP)
            call = asyncio.ensure_future(front.run("predict", X))
            await asyncio.sleep(0)
            os.kill(pid, signal.SIGKILL)
            with pytest.raises(EngineUnavailable):
                await call
            if crash < 4:
                assert (await front.run("predict", X)).shape == (150,)
        with pytest.raises(EngineUnavailable, match="crashed 5 times"):
            await front.run("predict", X)
    finally:
        await front.close()


async def test_call_past_its_deadline_costs_the_process(builder: Builder, tmp_path: Path) -> None:
    front = await served(builder, FALLEN["outliers"][0], tmp_path, timeout_s=3)
    try:
        pid = front.pid
        assert pid is not None
        os.kill(pid, signal.SIGSTOP)
        with pytest.raises(DeadlinePassed):
            await front.run("predict", X)
        assert not psutil.pid_exists(pid)
    finally:
        await front.close()


async def test_file_that_is_no_model_is_refused_at_start(tmp_path: Path) -> None:
    (tmp_path / "m").write_bytes(b"\x80\x04garbage")
    (tmp_path / "s").write_text(
        json.dumps(
            {
                "columns": [{"name": "a", "kind": "number", "missing": False}],
                "outputs": [{"name": "predict", "datatype": "FP64", "width": None, "columns": []}],
                "named": False,
            }
        )
    )
    revision = RevisionLaunch(
        "r",
        "m",
        1,
        str(tmp_path / "m"),
        "",
        backend=Backend.FALLBACK,
        signature=str(tmp_path / "s"),
    )
    with pytest.raises(ValueError, match="does not load"):
        await start(revision, Launch("t", "e", "i", "a", "k", (revision,)))
