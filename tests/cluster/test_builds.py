"""Builds as Jobs on the real cluster: namespace, policies, limits and object store as shipped."""

import asyncio
import json
import os
import pickle
import time
import uuid
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import joblib
import pytest
from sklearn.datasets import load_iris
from sklearn.ensemble import RandomForestClassifier

from controlplane.artifacts.s3 import S3Store, open_client
from controlplane.artifacts.s3_exchange import S3Exchange
from controlplane.builder.report import GIB, MIB, Limits, Outcome
from controlplane.engines.knative import render_tenant
from controlplane.engines.knative.builds import KnativeJobs
from controlplane.engines.knative.cluster import Cluster as Api
from controlplane.engines.knative.install import Install, ObjectStore
from controlplane.models.service import VersionToBuild
from controlplane.reconciler.builds import Built
from controlplane.reconciler.job_builds import JobBuilds, Pace, Site
from tests.cluster import minio
from tests.cluster.home import Home
from tests.cluster.kube import Cluster

WITHIN_S = 120.0
X, Y = load_iris(return_X_y=True)
LIMITS = Limits(memory_bytes=GIB, wall_s=30, work_bytes=GIB, file_bytes=256 * MIB)


class Rig:
    """One tenant with its namespace, and what builds in it."""

    def __init__(self, cluster: Cluster, image: str, folder: Path) -> None:
        self.cluster, self.folder = cluster, folder
        self.tenant = f"build-{os.urandom(3).hex()}"
        self.bucket = f"b{uuid.uuid4().hex[:20]}"
        url = (
            f"s3://{minio.KEY}:{minio.SECRET}@{minio.host_address(cluster)}/{self.bucket}?insecure"
        )
        inside = f"http://{minio.IN_CLUSTER}"
        self.store = S3Store.from_url(url, folder / "scratch")
        client, _ = open_client(url)
        outside, _ = open_client(url, address=inside, region="us-east-1")
        self.exchange = S3Exchange(client, outside, self.bucket, inside)
        self.api = Api(Home.default().pki / "admin.kubeconfig")
        store = ObjectStore(inside, self.bucket, namespace=minio.NAMESPACE)
        self.install = Install("https://kube.example", "none", image, store=store)

    async def ensure_tenant(self, tenant: str) -> None:
        for document in render_tenant.tenant(tenant, b'{"keys": []}', self.install):
            await asyncio.to_thread(self.api.apply, document)

    async def builds(
        self, install: Install | None = None, standby_s: float = 0, **pace: float
    ) -> JobBuilds:
        """Make what a control plane that starts anew makes."""
        jobs = KnativeJobs(self.api, install or self.install, self.ensure_tenant)
        checking = self.folder / "checking"
        site = Site(jobs, self.exchange, LIMITS, checking, Pace(**pace), standby_s)
        made = JobBuilds(site)
        await made.start()
        return made

    async def version(self, raw: bytes) -> VersionToBuild:
        async def chunks() -> AsyncIterator[bytes]:
            yield raw

        blob = await self.store.put(chunks(), max_bytes=len(raw))
        return VersionToBuild(uuid.uuid4(), self.tenant, blob.sha256, blob.size_bytes, 1)

    def live(self, kind: str) -> list[dict[str, Any]]:
        return self.labelled(kind, "kubeserve.dev/version")

    def labelled(self, kind: str, selector: str) -> list[dict[str, Any]]:
        return list(self.cluster.get("-n", self.tenant, kind, "-l", selector)["items"])

    def ready(self) -> bool:
        jobs = self.labelled("jobs", "kubeserve.dev/standby,!kubeserve.dev/version")
        return any(job.get("status", {}).get("ready") for job in jobs)

    async def until(self, holds: Callable[[], Any]) -> Any:
        deadline = time.monotonic() + WITHIN_S
        while not (found := await asyncio.to_thread(holds)):
            assert time.monotonic() < deadline
            await asyncio.sleep(0.1)
        return found


@pytest.fixture
def rig(cluster: Cluster, builder_image: str, tmp_path: Path) -> Any:
    made = Rig(cluster, builder_image, tmp_path)
    try:
        yield made
    finally:
        cluster.kubectl("delete", "namespace", made.tenant, "--wait=false", "--ignore-not-found")


def dumped(model: Any, folder: Path) -> bytes:
    path = folder / "model.joblib"
    joblib.dump(model, path)
    return path.read_bytes()


class Calls:
    """Calls a function with arguments when it is loaded."""

    def __init__(self, function: Any, *arguments: Any) -> None:
        self.what = function, arguments

    def __reduce__(self) -> Any:
        return self.what


async def built(builds: JobBuilds, version: VersionToBuild) -> Built:
    async with asyncio.timeout(WITHIN_S):
        return await builds.build(version)


async def test_a_model_is_built_in_a_pod_of_its_tenant(rig: Rig, tmp_path: Path) -> None:
    version = await rig.version(dumped(RandomForestClassifier(5).fit(X, Y), tmp_path))
    builds = await rig.builds()
    found = await built(builds, version)
    report = found.report
    assert report.outcome is Outcome.PLAN, report
    assert found.plan is not None
    plan = tmp_path / "plan"
    await rig.store.fetch_to(found.plan.sha256, plan)
    assert {"rlimits", "no_new_privs", "seccomp"} <= set(report.sandbox)
    assert any(layer.startswith("landlock") for layer in report.sandbox)
    assert "namespaces" not in report.sandbox
    (job,) = rig.live("jobs")
    assert job["metadata"]["name"] == f"build-{version.id.hex}-1"

    # What a second control plane finds: the result, and nothing to start.
    again = await built(await rig.builds(), version)
    assert again.plan is not None
    assert again.plan.sha256 == found.plan.sha256
    assert len(rig.live("jobs")) == 1

    await builds.forget(version)
    await rig.until(lambda: not rig.live("jobs") and not rig.live("pods"))
    assert await rig.exchange.builds_older_than(-60) == []


async def test_the_next_push_is_built_by_a_builder_that_waits(rig: Rig, tmp_path: Path) -> None:
    builds = await rig.builds(standby_s=300)
    first = await rig.version(dumped(RandomForestClassifier(5).fit(X, Y), tmp_path))
    assert (await built(builds, first)).report.outcome is Outcome.PLAN
    await builds.forget(first)
    await rig.until(rig.ready)
    (waits,) = rig.labelled("jobs", "kubeserve.dev/standby")

    second = await rig.version(dumped(RandomForestClassifier(6).fit(X, Y), tmp_path))
    report = (await built(builds, second)).report
    assert report.outcome is Outcome.PLAN, report
    assert {"rlimits", "no_new_privs", "seccomp"} <= set(report.sandbox)
    (job,) = rig.live("jobs")
    assert job["metadata"]["uid"] == waits["metadata"]["uid"]
    await builds.forget(second)
    await rig.until(lambda: not rig.live("jobs"))
    # It took one build and no more: who waits now is another.
    await rig.until(rig.ready)
    (other,) = rig.labelled("jobs", "kubeserve.dev/standby")
    assert other["metadata"]["uid"] != waits["metadata"]["uid"]
    await builds.close()
    assert await rig.exchange.builds_older_than(-60) == []


async def test_code_in_a_model_that_a_waiting_builder_loads_is_held_and_named(rig: Rig) -> None:
    builds = await rig.builds(standby_s=300)
    first = await rig.version(pickle.dumps({"not": "a model"}))
    await built(builds, first)
    await builds.forget(first)
    await rig.until(rig.ready)
    eats = "x = bytearray(1 << 40)"
    for code, says in ((eats, "memory"), ("import os; os._exit(9)", "")):
        found = await built(builds, await rig.version(pickle.dumps(Calls(exec, code))))
        assert found.report.outcome is Outcome.FAILED
        assert found.report.reason is not None
        assert says in found.report.reason
        await rig.until(lambda: rig.live("jobs"))
    await builds.close()


async def test_code_in_a_model_reaches_nothing_and_is_named(rig: Rig) -> None:
    connect = "import socket; socket.create_connection(('1.1.1.1', 53), 2)"
    found = await built(await rig.builds(), await rig.version(pickle.dumps(Calls(exec, connect))))
    assert found.report.outcome is Outcome.FAILED
    assert found.report.reason is not None
    assert "sandbox" in found.report.reason
    assert found.plan is None


async def test_a_control_plane_that_dies_goes_on_with_its_job(rig: Rig) -> None:
    version = await rig.version(pickle.dumps(Calls(exec, "import time; time.sleep(5)")))
    first = asyncio.create_task((await rig.builds()).build(version))
    (job,) = await rig.until(lambda: rig.live("jobs"))
    first.cancel()
    with pytest.raises(asyncio.CancelledError):
        await first
    found = await built(await rig.builds(), version)
    assert found.report.outcome is Outcome.FAILED
    assert [one["metadata"]["uid"] for one in rig.live("jobs")] == [job["metadata"]["uid"]]


async def test_a_pod_that_is_lost_is_tried_again(rig: Rig, tmp_path: Path) -> None:
    version = await rig.version(dumped(RandomForestClassifier(5).fit(X, Y), tmp_path))
    building = asyncio.create_task(built(await rig.builds(), version))
    (pod,) = await rig.until(lambda: rig.live("pods"))
    await asyncio.to_thread(
        rig.cluster.kubectl,
        *(
            "-n",
            rig.tenant,
            "delete",
            "pod",
            pod["metadata"]["name"],
            "--grace-period=0",
            "--force",
        ),
    )
    assert (await building).report.outcome is Outcome.PLAN
    assert [job["metadata"]["name"][-2:] for job in rig.live("jobs")] == ["-1", "-2"]


async def test_an_image_that_is_missing_is_named(rig: Rig) -> None:
    missing = Install(
        rig.install.issuer, "none", "dev.local/none@sha256:" + "0" * 64, store=rig.install.store
    )
    found = await built(await rig.builds(missing, patience_s=1.0), await rig.version(b"any"))
    assert found.report.reason is not None
    assert "image cannot be pulled" in found.report.reason


async def test_a_used_up_quota_is_waited_for_and_named(rig: Rig) -> None:
    await rig.ensure_tenant(rig.tenant)
    none = {"spec": {"hard": {"pods": "0"}}}
    quota = {"apiVersion": "v1", "kind": "ResourceQuota", "metadata": {"name": "none"}, **none}
    await asyncio.to_thread(
        rig.cluster.kubectl, "-n", rig.tenant, "apply", "-f", "-", stdin=json.dumps(quota)
    )
    version = await rig.version(pickle.dumps({"not": "a model"}))
    building = asyncio.create_task(built(await rig.builds(), version))
    jobs = KnativeJobs(rig.api, rig.install, rig.ensure_tenant)

    def used_up() -> bool:
        seen = asyncio.run(jobs.seen(version.id, rig.tenant))
        return any("quota of the namespace is used up" in one.reason for one in seen)

    await rig.until(used_up)
    assert not building.done()
    await asyncio.to_thread(
        rig.cluster.kubectl, "-n", rig.tenant, "delete", "resourcequota", "none"
    )
    assert (await building).report.outcome is Outcome.FAILED


async def test_asking_about_what_is_not_there_is_no_error(rig: Rig) -> None:
    jobs = KnativeJobs(rig.api, rig.install, rig.ensure_tenant)
    assert await jobs.seen(uuid.uuid4(), rig.tenant) == ()
    await jobs.remove(uuid.uuid4(), rig.tenant)
