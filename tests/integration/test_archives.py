"""Environments for pods, from index to answer: made here, kept in MinIO, used by who has no index.

The builder and the model's process are the real ones, started as in their pods; only the pods are
processes of this machine.
"""

import asyncio
import json
import os
import platform
import subprocess
import sys
import uuid
from collections.abc import AsyncIterator, Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from controlplane.artifacts.exchange import Exchange
from controlplane.artifacts.s3 import object_name
from controlplane.artifacts.s3_shelf import S3Shelf
from controlplane.builder.archives import Archives
from controlplane.builder.environments import Environments, installed
from controlplane.builder.instructions import VARIABLE
from controlplane.builder.needs import recipe_of
from controlplane.builder.packages import Packages
from controlplane.builder.report import GIB, MIB, Limits, Outcome, Report
from controlplane.engines.jobs import BuildJob, JobSeen, Phase
from controlplane.models.service import VersionToBuild
from controlplane.reconciler.job_builds import WORK, JobBuilds, Pace, Site
from runtime.archive import interpreter
from runtime.fallback.front import start
from runtime.fetch import Fetch, NoArtifact, WrongArtifact, source_from
from runtime.launch import Backend, Launch, RevisionLaunch
from runtime.problems import EngineUnavailable
from tests.bundles import TRANSFORMER, bundle_of, fitted, wheel_of
from tests.bundles import X as ROWS
from tests.integration.minio_server import KEY, SECRET, MinioServer, running
from tests.integration.test_exchange import Rig
from tests.integration.test_versions import check, compare, inputs, recorded
from tests.integration.test_versions import fitted as fitted_by

LIMITS = Limits(memory_bytes=GIB, wall_s=60, work_bytes=GIB, file_bytes=256 * MIB)
TENANT = "acme"


@pytest.fixture(scope="module")
def minio_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MinioServer]:
    with running(tmp_path_factory.mktemp("minio")) as server:
        yield server


@pytest.fixture(scope="module")
def shelved(minio_server: MinioServer, tmp_path_factory: pytest.TempPathFactory) -> Rig:
    """Give a bucket for the whole module, since what is in it takes long to make."""
    return Rig(minio_server, tmp_path_factory.mktemp("scratch"))


@pytest.fixture(scope="module")
def elsewhere(tmp_path_factory: pytest.TempPathFactory) -> Environments:
    """Give the machine of whoever fits models."""
    return Environments(tmp_path_factory.mktemp("elsewhere"))


@dataclass
class Processes:
    """Runs builds as processes: nothing of ours in their environment but what a pod is told."""

    exchange: Exchange
    folder: Path
    started: dict[int, "subprocess.Popen[bytes]"] = field(default_factory=dict)

    async def run(self, job: BuildJob) -> None:
        told = job.environment[VARIABLE].replace(WORK, str(self.folder / str(job.attempt)))
        (self.folder / str(job.attempt)).mkdir()
        self.started[job.attempt] = await asyncio.to_thread(
            subprocess.Popen,
            [sys.executable, "-m", "controlplane.builder.remote"],
            env={"PATH": os.environ["PATH"], "HOME": "/nonexistent", VARIABLE: told},
        )

    async def assign(self, version: uuid.UUID, attempt: int, tenant: str) -> uuid.UUID | None:
        return None

    async def stand_by(self, job: Any) -> None: ...

    async def seen(self, version: uuid.UUID, tenant: str) -> tuple[JobSeen, ...]:
        return tuple(JobSeen(n, self._phase(one)) for n, one in self.started.items())

    def _phase(self, process: "subprocess.Popen[bytes]") -> Phase:
        codes = {None: Phase.RUNNING, 0: Phase.DONE}
        return codes.get(process.poll(), Phase.FAILED)

    async def remove(self, version: uuid.UUID, tenant: str) -> None:
        for process in self.started.values():
            await asyncio.to_thread(process.wait, 30)

    async def all(self) -> frozenset[tuple[uuid.UUID, str]]:
        return frozenset()

    async def changes(self) -> AsyncIterator[uuid.UUID]:
        await asyncio.Event().wait()
        yield uuid.UUID(int=0)


@dataclass
class Rigged:
    rig: Rig
    folder: Path
    shelf: S3Shelf
    archives: Archives
    told: list[str] = field(default_factory=list)

    async def built(self, content: bytes, *, off: bool = False) -> Report:
        sha256 = await self.rig.stored(content)
        version = VersionToBuild(uuid.uuid4(), TENANT, sha256, len(content), 1)
        pods = self.folder / version.id.hex
        pods.mkdir()

        async def tell(one: uuid.UUID, words: str) -> None:
            assert one == version.id
            self.told.append(words)

        builds = JobBuilds(
            Site(
                Processes(self.rig.exchange, pods),
                self.rig.exchange,
                LIMITS,
                pods / "checking",
                Pace(look_s=0.2),
                environments=None if off else self.archives,
                tell=tell,
            )
        )
        await builds.start()
        async with asyncio.timeout(300):
            report = (await builds.build(version)).report
        await builds.forget(version)
        if report.reason is not None and "package index cannot be reached" in report.reason:
            pytest.skip(report.reason)
        assert [path for path in pods.rglob("*") if path.is_file()] == []
        return report

    async def placed(self, report: Report, content: bytes) -> dict[str, str]:
        """Give the variables of a replica, as the engine would, with what they name in place."""
        upload = await self.rig.stored(content)
        parts = await self.archives.serving(
            report.sklearn_version, report.environment, TENANT, upload
        )
        for part in parts:
            await self.rig.exchange.place(part.archive.sha256, TENANT)
        into = self.folder / "environment"
        into.mkdir(exist_ok=True)
        where = {
            "url": self.rig.server.address, "bucket": self.rig.bucket, "region": "us-east-1",
            "prefix": f"tenants/{TENANT}/", "into": str(self.folder),
            "environment": {"into": str(into), "parts": [asdict(part) for part in parts]},
        }  # fmt: skip
        keys = {"AWS_ACCESS_KEY_ID": KEY, "AWS_SECRET_ACCESS_KEY": SECRET}
        return {"KUBESERVE_FETCH": json.dumps(where), **keys}

    async def answers(self, report: Report, content: bytes, method: str, rows: Any) -> Any:
        """Fetch an environment as a replica does, and ask the model in it."""
        source = source_from(await self.placed(report, content))
        fetch = Fetch(source, [])
        fetch.begin()
        await asyncio.to_thread(fetch.wait)
        assert report.signature is not None
        (self.folder / "artifact").write_bytes(content)
        (self.folder / "signature").write_text(json.dumps(report.signature.to_json()))
        folders = {part.python: part.folder(source.beside) for part in source.parts}
        revision = RevisionLaunch(
            *("m-00001", "m", 1, str(self.folder / "artifact"), ""),
            backend=Backend.FALLBACK,
            signature=str(self.folder / "signature"),
            sklearn=report.sklearn_version,
            interpreter=str(interpreter(folders[True])) if True in folders else None,
            packages=str(folders[False]) if False in folders else None,
        )
        front = await start(revision, Launch("t", "e", "i", "a", "k", (revision,), timeout_s=60))
        try:
            assert {"rlimits", "no_new_privs", "seccomp"} <= set(front.sandbox)
            return np.asarray(await front.run(method, rows))
        finally:
            await front.close()


@pytest.fixture
def site(shelved: Rig, tmp_path: Path) -> Rigged:
    folder = tmp_path / "work"
    machine = f"{platform.machine()}-manylinux_2_28"
    inside = Environments(folder / "uv", scratch=folder / "uv", machine=machine)
    shelf = S3Shelf(shelved.client, shelved.bucket, shelved.store)
    archives = Archives(Packages(inside), shelf, folder)
    return Rigged(shelved, tmp_path, shelf, archives)


async def test_a_model_of_another_version_is_compiled_where_there_is_no_index(
    site: Rigged, elsewhere: Environments, tmp_path: Path
) -> None:
    await fitted_by(elsewhere, "1.3.2", tmp_path, "forest", "mixed table")
    for name in ("forest", "mixed table"):
        content = (tmp_path / f"{name}.joblib").read_bytes()
        report = await site.built(content)
        assert report.outcome is Outcome.PLAN, report
        assert report.sklearn_version == "1.3.2"
        assert report.environment is None
    # Made for the first, found by the second; nothing is left where it was made.
    assert site.told == ["Preparing scikit-learn 1.3.2, once for all its models."]
    assert not (tmp_path / "work").exists()


async def test_a_model_without_a_plan_is_served_by_its_own_version(
    site: Rigged, elsewhere: Environments, tmp_path: Path
) -> None:
    await fitted_by(elsewhere, "1.3.2", tmp_path, "density")
    content = (tmp_path / "density.joblib").read_bytes()
    document = json.loads((tmp_path / "density.json").read_text())
    report = await site.built(content)
    assert report.outcome is Outcome.FALLBACK, report
    assert report.signature is not None
    check("density", "1.3.2", report, document)
    method = "score_samples"
    given = await site.answers(report, content, method, inputs(document, report.signature))
    compare("density", given, recorded(document["answers"][method]))
    # A container that starts again has it already.
    fetch = Fetch(source_from(await site.placed(report, content)), [])
    fetch.begin()
    fetch.wait()
    assert fetch.size == 0


async def test_a_wheel_and_a_package_of_the_index_come_along(site: Rigged, tmp_path: Path) -> None:
    wheel = wheel_of(tmp_path, "my-transformers", {"my_transformers.py": TRANSFORMER}, ("toolz",))
    (tmp_path / "src").mkdir()
    (tmp_path / "src/my_transformers.py").write_text(TRANSFORMER)
    model, expected = fitted(tmp_path / "src", "my_transformers", "Winsorizer")
    content = bundle_of(model, wheels=[wheel], requirements=["toolz"])
    report = await site.built(content)
    assert report.outcome is Outcome.FALLBACK, report
    assert report.environment is not None
    assert report.sklearn_version == installed()
    assert "toolz" in recipe_of(report.environment).versions()
    given = await site.answers(report, content, "predict_proba", ROWS)
    np.testing.assert_array_equal(given, expected)
    assert (tmp_path / "environment/packages/toolz/__init__.py").exists()
    assert not (tmp_path / "environment/python").exists(), "our own scikit-learn does"


async def test_code_alone_asks_for_nothing(site: Rigged, tmp_path: Path) -> None:
    (tmp_path / "src").mkdir()
    (tmp_path / "src/my_transformers.py").write_text(TRANSFORMER)
    model, expected = fitted(tmp_path / "src", "my_transformers", "Winsorizer")
    content = bundle_of(model, code=tmp_path / "src")
    report = await site.built(content, off=True)
    assert report.outcome is Outcome.FALLBACK, report
    given = await site.answers(report, content, "predict_proba", ROWS)
    np.testing.assert_array_equal(given, expected)
    assert site.told == []


async def test_where_there_are_none_it_is_said_what_there_is(
    site: Rigged, elsewhere: Environments, tmp_path: Path
) -> None:
    await fitted_by(elsewhere, "1.3.2", tmp_path, "tree")
    report = await site.built((tmp_path / "tree.joblib").read_bytes(), off=True)
    assert report.outcome is Outcome.FAILED
    assert f"this installation has {installed()} and builds no other" in (report.reason or "")
    assert f"scikit-learn=={installed()}" in (report.advice or "")


async def test_what_is_gone_or_damaged_is_named_and_made_again(
    site: Rigged, elsewhere: Environments, tmp_path: Path
) -> None:
    await fitted_by(elsewhere, "1.3.2", tmp_path, "density")
    content = (tmp_path / "density.joblib").read_bytes()
    report = await site.built(content)
    client, bucket = site.rig.client, site.rig.bucket
    settings = await site.placed(report, content)
    (part,) = source_from(settings).parts
    copy = f"tenants/{TENANT}/{part.archive.sha256}"

    def fails(how: type[Exception], *says: str) -> None:
        fetch = Fetch(source_from(settings), [])
        fetch.begin()
        with pytest.raises(how) as caught:
            fetch.wait()
        words = str(caught.value)
        assert all(word in words for word in ("the environment of scikit-learn 1.3.2", *says))
        assert list((tmp_path / "environment").rglob("*.py")) == []

    client.remove_object(bucket, copy)
    fails(NoArtifact, "is not there (404)", "made again")
    (tmp_path / "bad").write_bytes(b"PK not the archive")
    client.fput_object(bucket, copy, str(tmp_path / "bad"))
    fails(WrongArtifact, "digest", "made again")

    # The blob itself: whoever asks next finds nothing, and has it made. Bytecode need not come out
    # the same, so neither does the digest.
    client.fput_object(bucket, object_name(part.archive.sha256), str(tmp_path / "bad"))
    with pytest.raises(EngineUnavailable, match="is not in the object store"):
        await site.archives.serving("1.3.2", None, TENANT, "", make=False)
    (again,) = await site.archives.serving("1.3.2", None, TENANT, "")
    assert again.what == part.what
    assert await site.archives.serving("1.3.2", None, TENANT, "", make=False) == (again,)
    assert again.archive.sha256 in await site.shelf.sweep()


async def test_an_index_that_is_away_is_named(
    site: Rigged, elsewhere: Environments, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    await fitted_by(elsewhere, "1.2.2", tmp_path, "tree")
    monkeypatch.setenv("UV_DEFAULT_INDEX", "http://127.0.0.1:9/simple")
    with pytest.raises(EngineUnavailable, match="index cannot be reached"):
        await site.archives.serving("1.2.2", None, TENANT, "")
    with pytest.raises(pytest.skip.Exception, match="index cannot be reached"):
        await site.built((tmp_path / "tree.joblib").read_bytes())
