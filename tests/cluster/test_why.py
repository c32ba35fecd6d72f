"""Injected faults: each is named by its cause once the cluster shows it, and never by another."""

import asyncio
import hashlib
import io
import os
import subprocess
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest

from controlplane.artifacts.s3 import open_client
from controlplane.engines.engine import (
    BackendKind,
    Cause,
    Condition,
    DesiredEndpoint,
    DesiredRevision,
    EndpointId,
    Scaling,
    TenantLimits,
)
from controlplane.engines.knative import render
from controlplane.engines.knative.cluster import Cluster as Kubernetes
from controlplane.engines.knative.engine import Keys, KnativeEngine
from controlplane.engines.knative.install import Install, ObjectStore
from runtime.problems import Conflict, Problem
from tests.cluster import images, minio
from tests.cluster.kube import Cluster

ISSUER = "https://kubeserve.example"
PROGRAMS = Path(__file__).parent / "programs"
GIB = 1 << 30


class Blobs:
    """Artifacts as they were stored, or something else; a place for large ones."""

    def __init__(self, *contents: bytes, keys: tuple[str, str] = ("access", "secret-of-nobody")):
        self._contents = {hashlib.sha256(one).hexdigest(): one for one in contents}
        self._keys = keys

    async def fetch_to(self, sha256: str, path: Path) -> None:
        content = self._contents.get(sha256, b"something else")
        await asyncio.to_thread(path.write_bytes, content)

    async def place(self, sha256: str, tenant: str) -> None:
        return None

    async def reader(self, tenant: str) -> tuple[str, str]:
        return self._keys


@dataclass
class Rig:
    """An engine on the cluster with namespaces of its own."""

    cluster: Cluster
    install: Install
    wanted: list[tuple[KnativeEngine, EndpointId]] = field(default_factory=list)

    async def engine(self, blobs: Blobs | None = None, **changes: Any) -> KnativeEngine:
        kubernetes, blobs = Kubernetes(self.cluster.home.kubeconfig), blobs or Blobs()
        engine = KnativeEngine(kubernetes, blobs, blobs, replace(self.install, **changes))
        engine._keys = Keys(b'{"keys": []}', {})
        return engine

    async def apply(self, engine: KnativeEngine, wanted: DesiredEndpoint) -> DesiredEndpoint:
        """Apply until the test ends: the node is small."""
        self.wanted.append((engine, wanted.id))
        await engine.apply(wanted)
        return wanted

    def namespace(self, tenant: str) -> str:
        return self.install.namespace_prefix + tenant


@pytest.fixture(scope="module")
def image(cluster: Cluster, tmp_path_factory: pytest.TempPathFactory) -> str:
    folder = tmp_path_factory.mktemp("standin")
    program = folder / "python3"
    flags = ("-static", "-Os", "-Wall", "-Werror")
    subprocess.run(["gcc", *flags, "-o", str(program), str(PROGRAMS / "standin.c")], check=True)
    steps = ("FROM scratch", "COPY python3 /usr/bin/python3", "USER 65532")
    (folder / "Containerfile").write_text("\n".join(steps))
    return images.build(folder, "standin", home=cluster.home)


@pytest.fixture(scope="module")
def rig(cluster: Cluster, image: str) -> Iterator[Rig]:
    prefix = f"why-{os.urandom(3).hex()}-"
    store = ObjectStore("http://minio.minio.svc:9000", "none", namespace="minio")
    limits = TenantLimits(10**6, 10**7, 100)
    install = Install(ISSUER, image, image, namespace_prefix=prefix, store=store, limits=limits)
    made = Rig(cluster, install)
    try:
        yield made
    finally:
        names = cluster.kubectl("get", "namespaces", "-o", "name").split()
        ours = [name for name in names if name.startswith(f"namespace/{prefix}")]
        if ours:
            cluster.kubectl("delete", "--wait=false", *ours)


@pytest.fixture(autouse=True)
async def tidy(rig: Rig) -> AsyncIterator[None]:
    """Leave nothing running behind a test."""
    yield
    while rig.wanted:
        engine, key = rig.wanted.pop()
        await engine.delete(key)


def endpoint(tenant: str, model: str = "iris", **changes: Any) -> DesiredEndpoint:
    """Want an endpoint whose stand-in acts as its model is called."""
    key = os.urandom(16).hex()
    name = f"e-{key[:6]}"
    size, sha256 = changes.pop("size", 1000), changes.pop("sha256", key * 2)
    revision = DesiredRevision(
        f"{name}-00001", model, 1, BackendKind.PLAN, sha256, size, {"columns": []}
    )
    wanted = DesiredEndpoint(
        EndpointId(f"{key[:8]}-0000-4000-8000-{key[8:20]}"),
        tenant,
        name,
        1,
        f"{ISSUER}/endpoints/{key}",
        (revision,),
        Scaling(window_s=6),
    )
    return replace(wanted, **changes)


async def named(engine: KnativeEngine, wanted: DesiredEndpoint, reason: str) -> Cause:
    """Ask until this cause is named; no other fault may ever be."""
    async with asyncio.timeout(90):
        while True:
            found = await engine.explain(wanted)
            if found.reason == reason:
                return found
            # On a small node a pod may have to wait until that of another test has gone.
            assert found.ok or found.reason == "Unschedulable", found
            await asyncio.sleep(0.1)


# Replicas that do not come to serve

CRASHES = [
    ("exit-1-error", "CrashLoop", "ValueError"),
    ("exit-65-digest", "DigestMismatch", "sha256 is 00ff"),
    ("exit-65-plan", "BadPlan", "tensor 3 ends behind the file"),
    ("exit-64", "ConfigurationError", "cannot start"),
    ("exit-66-denied", "CredentialsExpired", "AccessDenied"),
    ("exit-66-gone", "ArtifactMissing", "NoSuchKey"),
    ("oom", "OutOfMemory", "its limit is 260Mi, and oom:1 (0.0 MiB) needs about"),
]


@pytest.mark.parametrize(("model", "reason", "said"), CRASHES)
async def test_a_replica_that_ends_is_named_by_its_end(
    rig: Rig, model: str, reason: str, said: str
) -> None:
    engine = await rig.engine()
    found = await named(engine, await rig.apply(engine, endpoint("ends", model)), reason)
    assert not found.ok
    assert said in found.message
    assert any("exit code" in fact for fact in found.evidence)
    assert found.next_step
    assert "hunter2" not in str(found)


async def test_the_real_runtime_refuses_what_is_not_what_was_deployed(
    rig: Rig, runtime_image: str
) -> None:
    junk = b"neither a plan nor anything else"
    engine = await rig.engine(Blobs(junk), runtime_image=runtime_image)
    other = await rig.apply(engine, endpoint("real"))
    sha256 = hashlib.sha256(junk).hexdigest()
    unreadable = await rig.apply(engine, endpoint("real", sha256=sha256))
    assert "deploy" in (await named(engine, other, "DigestMismatch")).message
    assert (await named(engine, unreadable, "BadPlan")).message


async def test_the_real_store_refuses_or_has_lost_or_changed_an_artifact(
    rig: Rig, runtime_image: str
) -> None:
    bucket = f"b{os.urandom(8).hex()}"
    place = minio.host_address(rig.cluster)
    client, _ = open_client(f"s3://{minio.KEY}:{minio.SECRET}@{place}/{bucket}?insecure")
    await asyncio.to_thread(client.make_bucket, bucket)
    store = ObjectStore(f"http://{minio.IN_CLUSTER}", bucket, namespace=minio.NAMESPACE)
    changes = {"runtime_image": runtime_image, "store": store}
    changed, lost, refused = (endpoint(one, size=1 << 20) for one in ("store", "store", "keys"))
    key = f"tenants/store/{changed.revisions[0].artifact_sha256}"
    body = b"changed after it was stored"
    await asyncio.to_thread(client.put_object, bucket, key, io.BytesIO(body), len(body))

    allowed = await rig.engine(Blobs(keys=(minio.KEY, minio.SECRET)), **changes)
    stranger = await rig.engine(**changes)
    await rig.apply(allowed, changed)
    await rig.apply(allowed, lost)
    await rig.apply(stranger, refused)
    assert "digest" in (await named(allowed, changed, "DigestMismatch")).message
    assert "404" in (await named(allowed, lost, "ArtifactMissing")).message
    found = await named(stranger, refused, "CredentialsExpired")
    assert "403" in found.message
    assert "secret-of-nobody" not in str(found)


async def test_an_image_that_is_not_there(rig: Rig) -> None:
    engine = await rig.engine(runtime_image=f"dev.local/none@sha256:{'0' * 64}")
    found = await named(engine, await rig.apply(engine, endpoint("images")), "ImageMissing")
    assert "dev.local/none" in str(found.evidence)


async def test_a_replica_that_no_node_has_room_for(rig: Rig) -> None:
    engine = await rig.engine()
    wanted = await rig.apply(engine, endpoint("room", size=500 * GIB))
    found = await named(engine, wanted, "Unschedulable")
    assert "Insufficient memory" in found.message


async def test_a_replica_that_is_not_ready_in_time(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    rendered = render._revision

    def impatient(*arguments: Any) -> Any:
        one = rendered(*arguments)
        deadline = {"serving.knative.dev/progress-deadline": "8s"}
        one.template["metadata"]["annotations"].update(deadline)
        return one

    monkeypatch.setattr(render, "_revision", impatient)
    engine = await rig.engine()
    wanted = await rig.apply(engine, endpoint("slow", "deaf"))
    starting = await named(engine, wanted, "Starting")
    assert starting.ok
    found = await named(engine, wanted, "ReadinessTimeout")
    assert "within 8s" in found.message


# Pods that are not even made


async def test_a_quota_that_is_used_up(rig: Rig) -> None:
    engine = await rig.engine(limits=TenantLimits(16_000, 10, 3))
    found = await named(engine, await rig.apply(engine, endpoint("quota")), "QuotaExceeded")
    (figures,) = [fact for fact in found.evidence if fact.startswith("requests.memory:")]
    assert figures.endswith("used 0, limit 10Mi")
    assert "requested " in figures


async def test_a_pod_that_pod_security_refuses(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(render, "RESTRICTED", {**render.RESTRICTED, "runAsNonRoot": False})
    engine = await rig.engine()
    found = await named(engine, await rig.apply(engine, endpoint("security")), "PodSecurityDenied")
    assert "runAsNonRoot" in found.message


# Objects that the cluster does not take


async def refused(engine: KnativeEngine, other: KnativeEngine, wanted: DesiredEndpoint) -> Cause:
    """Give the cause that a replica names which has never tried."""
    with pytest.raises(Conflict):
        await engine.apply(wanted)
    seen = await engine.observe(wanted.id)
    assert seen is not None
    ready = seen.condition("Ready")
    cause = await other.explain(wanted)
    assert ready is not None
    assert (ready.status, ready.reason) == (Condition.FALSE, cause.reason)
    assert seen.observed_generation == wanted.generation
    return cause


async def test_what_knatives_own_webhook_refuses(rig: Rig) -> None:
    engine = await rig.engine()
    wanted = endpoint("webhook", scaling=Scaling(window_s=1))
    found = await refused(engine, await rig.engine(), wanted)
    assert found.reason == "WebhookDenied"
    assert "Knative's own validation" in found.message
    assert "window" in found.message


async def test_what_a_rule_of_the_cluster_refuses(rig: Rig) -> None:
    tenant = "ruled"
    name = rig.namespace(tenant)
    rule = {
        "apiVersion": "admissionregistration.k8s.io/v1",
        "kind": "ValidatingAdmissionPolicy",
        "metadata": {"name": name},
        "spec": {
            "failurePolicy": "Fail",
            "matchConstraints": {
                "resourceRules": [
                    {
                        "apiGroups": ["serving.knative.dev"],
                        "apiVersions": ["*"],
                        "operations": ["CREATE", "UPDATE"],
                        "resources": ["services"],
                    }
                ]
            },
            "validations": [{"expression": "false", "message": "no services on Fridays"}],
        },
    }
    selector = {"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": name}}}
    binding = {
        "apiVersion": "admissionregistration.k8s.io/v1",
        "kind": "ValidatingAdmissionPolicyBinding",
        "metadata": {"name": name},
        "spec": {"policyName": name, "validationActions": ["Deny"], "matchResources": selector},
    }
    engine, other = await rig.engine(), await rig.engine()
    await engine.ensure_tenant(tenant)
    rig.cluster.apply(rule, binding)
    try:
        async with asyncio.timeout(30):  # the API server takes a rule up some time later
            while (found := await other.explain(wanted := endpoint(tenant))).reason == "NotTaken":
                await asyncio.sleep(0.2)
        assert await refused(engine, other, wanted) == found
    finally:
        rig.cluster.delete(f"validatingadmissionpolicybinding/{name}")
        rig.cluster.delete(f"validatingadmissionpolicy/{name}")
    assert found.reason == "WebhookDenied"
    assert "no services on Fridays" in found.message
    async with asyncio.timeout(30):
        while (await other.explain(wanted)).reason != "NotTaken":
            await asyncio.sleep(0.2)
    await rig.apply(engine, wanted)
    assert (await named(engine, wanted, "Serving")).ok


async def test_a_webhook_that_does_not_answer(rig: Rig) -> None:
    tenant = "unanswered"
    name = rig.namespace(tenant)
    rules = {
        "apiGroups": ["serving.knative.dev"], "apiVersions": ["*"],
        "operations": ["CREATE", "UPDATE"], "resources": ["services"],
    }  # fmt: skip
    webhook = {
        "apiVersion": "admissionregistration.k8s.io/v1",
        "kind": "ValidatingWebhookConfiguration",
        "metadata": {"name": name},
        "webhooks": [
            {
                "name": "gate.example.test",
                "clientConfig": {"url": "https://127.0.0.1:1/"},
                "rules": [rules],
                "namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": name}},
                "sideEffects": "None",
                "admissionReviewVersions": ["v1"],
                "timeoutSeconds": 2,
            }
        ],
    }
    engine, other = await rig.engine(), await rig.engine()
    await engine.ensure_tenant(tenant)
    rig.cluster.apply(webhook)
    wanted = endpoint(tenant)
    try:
        async with asyncio.timeout(30):
            while (found := await other.explain(wanted)).reason == "NotTaken":
                await asyncio.sleep(0.2)
        with pytest.raises(Problem):
            await engine.apply(wanted)
    finally:
        rig.cluster.delete(f"validatingwebhookconfiguration/{name}")
    assert (found.reason, found.ok) == ("WebhookUnavailable", False)
    assert "gate.example.test" in found.message


async def test_names_that_others_have(rig: Rig) -> None:
    engine, other = await rig.engine(), await rig.engine()
    rig.cluster.kubectl("create", "namespace", rig.namespace("theirs"))
    found = await refused(engine, other, endpoint("theirs"))
    assert (found.reason, found.ok) == ("NameTaken", False)

    wanted = endpoint("taken")
    await engine.ensure_tenant("taken")
    foreign: dict[str, Any] = {
        "apiVersion": "serving.knative.dev/v1",
        "kind": "Service",
        "metadata": {"name": wanted.name, "namespace": rig.namespace("taken")},
        "spec": {"template": {"spec": {"containers": [{"image": rig.install.runtime_image}]}}},
    }
    rig.cluster.apply(foreign)
    found = await refused(engine, other, wanted)
    assert found.reason == "NameTaken"
    assert wanted.name in found.message


# What is ours to do, and what is no fault


async def test_from_not_taken_over_to_idle_and_what_is_lost_meanwhile(rig: Rig) -> None:
    engine, wanted = await rig.engine(), endpoint("well")
    nothing = await engine.explain(wanted)
    assert (nothing.reason, nothing.ok) == ("NotTaken", False)
    await rig.apply(engine, wanted)
    assert (await named(engine, wanted, "Serving")).ok
    newer = replace(wanted, generation=2)
    assert (await engine.explain(newer)).reason == "NotTaken"

    idle = await named(engine, wanted, "Idle")
    assert "next request starts one" in idle.message
    rig.cluster.delete("-n", rig.namespace("well"), "configmap/kubeserve-keys")
    found = await named(engine, wanted, "ConfigurationError")
    assert "the keys that tokens are checked with" in found.message
    await engine.apply(wanted)
    secrets = rig.cluster.get("-n", rig.namespace("well"), "secrets")["items"]
    (artifact,) = [
        one["metadata"]["name"] for one in secrets if "artifact" in one["metadata"]["name"]
    ]
    rig.cluster.delete("-n", rig.namespace("well"), f"secret/{artifact}")
    found = await named(engine, wanted, "ArtifactMissing")
    assert artifact in found.message
    await engine.apply(wanted)
    assert (await named(engine, wanted, "Idle")).ok
