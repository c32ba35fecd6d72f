"""The chart as text: bad values are refused by name, rights are the code's, pods are locked."""

import json
import subprocess
from base64 import b64decode
from pathlib import Path
from typing import Any

import pytest
import yaml

from controlplane.engines.knative import names
from controlplane.engines.knative.preflight import RIGHTS
from controlplane.settings import METRICS_TOKEN, Settings
from tests.cluster.build import binary
from tests.cluster.processes import ClusterBroken

CHART = Path(__file__).parents[3] / "manifests" / "chart" / "kubeserve"
IMAGE = "registry.example/x@sha256:" + "0a" * 32
VALUES: dict[str, Any] = {
    "issuer": "https://kube.example.com",
    "images": {"controlplane": IMAGE, "runtime": IMAGE, "builder": IMAGE},
    "database": {"url": "postgres://u:p@db/kubeserve"},
    "store": {"url": "s3://k:s@s3.example/b"},
}


def helm() -> str:
    """Give helm; it is built with the test cluster."""
    try:
        return str(binary("helm"))
    except ClusterBroken as error:
        pytest.skip(str(error))


def render(tmp_path: Path, **changes: Any) -> subprocess.CompletedProcess[str]:
    file = tmp_path / "values.json"
    file.write_text(json.dumps({**VALUES, **changes}))
    return subprocess.run(
        [helm(), "template", "kubeserve", str(CHART), "-n", "ks", "-f", str(file)],
        capture_output=True, text=True, check=False,
    )  # fmt: skip


def documents(tmp_path: Path, **changes: Any) -> list[dict[str, Any]]:
    done = render(tmp_path, **changes)
    assert done.returncode == 0, done.stderr
    return [one for one in yaml.safe_load_all(done.stdout) if one]


def of(found: list[dict[str, Any]], kind: str) -> list[dict[str, Any]]:
    return [one for one in found if one["kind"] == kind]


EVERYTHING: dict[str, Any] = {
    "database": {"url": ""},
    "store": {"url": ""},
    "postgres": {"enabled": True},
    "minio": {"enabled": True},
    "prePull": {"enabled": True},
    "serviceMonitor": {"enabled": True},
    "prometheusRule": {"enabled": True, "labels": {"release": "prometheus"}},
    "grafanaDashboards": {"enabled": True},
    "ingress": {"enabled": True, "tlsSecret": "tls"},
    "networkPolicy": {"from": ["ingress"]},
}


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"replicsa": 3}, "replicsa"),
        ({"tenants": {"quota": {"cpu": 1}}}, "cpu"),
        ({"replicas": 0}, "replicas"),
        ({"issuer": "kube.example.com"}, "issuer"),
        ({"issuer": "http://kube.example.com"}, "issuer"),
        ({"issuer": ""}, "issuer must be set"),
        ({"database": {"url": ""}}, "database.url must be set"),
        ({"store": {"url": ""}}, "store.url must be set"),
        ({"store": {"url": "https://s3.example/b"}}, "store/url"),
        ({"images": {**VALUES["images"], "runtime": ""}}, "images.runtime must be set"),
        ({"images": {**VALUES["images"], "builder": "x:1"}}, "images.builder must name its image"),
        ({"settings": {"home": "x"}}, "home"),
        ({"tracing": {"variables": {"PATH": "x"}}}, "PATH"),
        ({"environments": {"index": "pypi.org"}}, "index"),
        ({"loadTests": {"workers": 3}}, "workers"),
        ({"prometheusRule": {"enable": True}}, "enable"),
        ({"grafanaDashboards": {"label": "x"}}, "label"),
        ({"loadTests": {"reach": ["10.0.0.0/x"]}}, "reach"),
        ({"proxies": ["ingress-nginx"]}, "proxies"),
        ({"proxies": "10.0.0.0/8"}, "proxies"),
        ({"environments": {"variables": {"LD_PRELOAD": "x"}}}, "LD_PRELOAD"),
    ],
)
def test_values_that_cannot_be_meant_are_refused_by_name(
    tmp_path: Path, changes: dict[str, Any], said: str
) -> None:
    done = render(tmp_path, **changes)
    assert done.returncode != 0
    assert said in done.stderr


def test_tags_are_taken_when_they_are_allowed(tmp_path: Path) -> None:
    images = {"controlplane": "x:1", "runtime": "x:1", "builder": "x:1", "byTag": True}
    (config,) = of(documents(tmp_path, images=images), "ConfigMap")
    assert config["data"]["KUBESERVE_IMAGES_BY_TAG"] == "true"


def test_the_rights_are_those_the_code_needs_and_no_wildcard(tmp_path: Path) -> None:
    found = documents(tmp_path, **EVERYTHING)
    (role,) = of(found, "ClusterRole")
    granted = [
        (group, resource, tuple(rule["verbs"]))
        for rule in role["rules"]
        for group in rule["apiGroups"]
        for resource in rule["resources"]
    ]
    assert sorted(granted) == sorted(RIGHTS)
    (own,) = of(found, "Role")
    words = {
        word
        for rule in (*role["rules"], *own["rules"])
        for word in (*rule["apiGroups"], *rule["resources"], *rule["verbs"])
    }
    assert not words & {"*", "escalate", "bind", "impersonate", "deletecollection", "pods/exec"}


def test_every_setting_in_the_chart_is_one_of_the_programs(tmp_path: Path) -> None:
    found = documents(tmp_path, settings={"BUILDS_AT_ONCE": 3})
    (config,) = of(found, "ConfigMap")
    (deployment,) = of(found, "Deployment")
    (container,) = deployment["spec"]["template"]["spec"]["containers"]
    named = {*config["data"], *(one["name"] for one in container["env"])}
    known = {f"KUBESERVE_{name.upper()}" for name in Settings.model_fields}
    assert named <= known | {"UV_DEFAULT_INDEX"}
    assert all(isinstance(value, str) for value in config["data"].values())


def test_what_the_chart_gives_is_taken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found = documents(tmp_path)
    (config,) = of(found, "ConfigMap")
    for name, value in config["data"].items():
        if name != "KUBESERVE_SIGNING_SECRET_FILE":
            monkeypatch.setenv(name, value)
    settings = Settings()
    assert (settings.engine, settings.instance, settings.namespace) == ("knative", "ks", "ks")


def test_only_a_proxy_that_is_named_is_believed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (config,) = of(documents(tmp_path), "ConfigMap")
    assert "KUBESERVE_PROXIES" not in config["data"]
    found = documents(tmp_path, proxies=["10.244.0.0/16", "fd00::/8", "10.0.0.7"])
    (config,) = of(found, "ConfigMap")
    monkeypatch.setenv("KUBESERVE_PROXIES", config["data"]["KUBESERVE_PROXIES"])
    assert Settings().proxies == "10.244.0.0/16,fd00::/8,10.0.0.7"


def test_load_tests_run_in_the_image_of_the_control_plane_unless_they_are_off(
    tmp_path: Path,
) -> None:
    images = {**VALUES["images"], "controlplane": IMAGE.replace("0a", "0b")}
    (config,) = of(documents(tmp_path, images=images), "ConfigMap")
    assert config["data"]["KUBESERVE_LOADTEST_IMAGE"] == images["controlplane"]
    wanted = {"enabled": False, "reach": ["istio-system", "10.1.0.0/16"]}
    (config,) = of(documents(tmp_path, loadTests=wanted), "ConfigMap")
    assert "KUBESERVE_LOADTEST_IMAGE" not in config["data"]
    assert config["data"]["KUBESERVE_LOADTEST_REACH"] == "istio-system,10.1.0.0/16"


def test_environments_are_switched_off_or_come_from_an_index_of_ones_own(tmp_path: Path) -> None:
    (config,) = of(documents(tmp_path), "ConfigMap")
    assert config["data"]["KUBESERVE_ENVIRONMENTS"] == "8"
    (config,) = of(documents(tmp_path, environments={"enabled": False}), "ConfigMap")
    assert config["data"]["KUBESERVE_ENVIRONMENTS"] == "off"
    variables = {"HTTPS_PROXY": "http://proxy:3128", "UV_CONCURRENT_DOWNLOADS": "4"}
    own = {"index": "https://index.example/simple", "variables": variables}
    (config,) = of(documents(tmp_path, environments=own), "ConfigMap")
    assert config["data"]["UV_DEFAULT_INDEX"] == own["index"]
    assert variables.items() <= config["data"].items()


def test_traces_are_sent_where_a_collector_is_named(tmp_path: Path) -> None:
    (config,) = of(documents(tmp_path), "ConfigMap")
    assert not [name for name in config["data"] if name.startswith("OTEL_")]
    wanted = {"endpoint": "http://otel:4318", "variables": {"OTEL_TRACES_SAMPLER_ARG": "0.1"}}
    (config,) = of(documents(tmp_path, tracing=wanted), "ConfigMap")
    assert config["data"]["OTEL_EXPORTER_OTLP_ENDPOINT"] == "http://otel:4318"
    assert config["data"]["OTEL_TRACES_SAMPLER_ARG"] == "0.1"


def pods(found: list[dict[str, Any]]) -> list[tuple[str, dict[str, Any]]]:
    kinds = ("Deployment", "StatefulSet", "DaemonSet", "Job")
    return [
        (one["metadata"]["name"], one["spec"]["template"]["spec"])
        for kind in kinds
        for one in of(found, kind)
    ]


def test_every_pod_is_restricted_and_only_the_api_has_an_account(tmp_path: Path) -> None:
    found = pods(documents(tmp_path, **EVERYTHING))
    assert len(found) == 5
    for name, pod in found:
        security = pod["securityContext"]
        assert security["runAsNonRoot"] is True, name
        assert security["seccompProfile"] == {"type": "RuntimeDefault"}
        assert pod["enableServiceLinks"] is False
        assert ("serviceAccountName" in pod) == (name == "kubeserve")
        assert pod.get("automountServiceAccountToken", True) == (name == "kubeserve")
        for container in pod["containers"]:
            locked = container["securityContext"]
            assert locked["readOnlyRootFilesystem"] is True, name
            assert locked["allowPrivilegeEscalation"] is False
            assert locked["capabilities"] == {"drop": ["ALL"]}
            assert "memory" in container["resources"]["limits"]


def test_secrets_are_in_secrets_only(tmp_path: Path) -> None:
    found = documents(tmp_path)
    text = json.dumps([one for one in found if one["kind"] != "Secret"])
    assert "u:p@db" not in text
    assert "k:s@s3" not in text
    kept, migrating = sorted(of(found, "Secret"), key=lambda one: len(one["metadata"]["name"]))
    assert kept["metadata"]["annotations"]["helm.sh/resource-policy"] == "keep"
    assert list(migrating["data"]) == ["database-url"]


def test_with_a_secret_of_ones_own_none_is_made(tmp_path: Path) -> None:
    given = {"existingSecret": "mine", "database": {"url": ""}, "store": {"url": ""}}
    found = documents(tmp_path, **given)
    assert of(found, "Secret") == []
    (deployment,) = of(found, "Deployment")
    assert "mine" in json.dumps(deployment)
    (job,) = of(found, "Job")
    (container,) = job["spec"]["template"]["spec"]["containers"]
    assert container["env"][1]["valueFrom"]["secretKeyRef"]["name"] == "mine"


def test_nothing_of_the_chart_looks_like_the_engines_own(tmp_path: Path) -> None:
    """Else the sweep of orphans could take it."""
    for one in documents(tmp_path, **EVERYTHING):
        assert one["metadata"]["labels"]["app.kubernetes.io/managed-by"] == "Helm"


def test_it_passes_helms_own_check(tmp_path: Path) -> None:
    file = tmp_path / "values.json"
    file.write_text(json.dumps({**VALUES, **EVERYTHING}))
    done = subprocess.run(
        [helm(), "lint", "--strict", str(CHART), "-f", str(file)],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout


def test_monitors_send_the_token_and_keep_our_labels(tmp_path: Path) -> None:
    found = documents(tmp_path, **EVERYTHING)
    (of_api,) = of(found, "ServiceMonitor")
    (of_pods,) = of(found, "PodMonitor")
    (secret,) = [one for one in of(found, "Secret") if "metrics-token" in one["data"]]
    key = {"name": secret["metadata"]["name"], "key": "metrics-token"}
    for asked in (*of_api["spec"]["endpoints"], *of_pods["spec"]["podMetricsEndpoints"]):
        assert asked["authorization"] == {"type": "Bearer", "credentials": key}
        assert asked["honorLabels"] is True
        assert asked["path"] == "/metrics"
    # The labels that the engine gives to pods, and the port of Knative's that is not queue-proxy's.
    chosen = of_pods["spec"]["selector"]
    assert chosen["matchLabels"] == {names.MANAGED: names.MANAGER, names.INSTANCE: "ks"}
    assert chosen["matchExpressions"] == [{"key": names.ENDPOINT, "operator": "Exists"}]
    assert of_pods["spec"]["podMetricsEndpoints"][0]["port"] == "user-port"
    (deployment,) = of(found, "Deployment")
    (container,) = deployment["spec"]["template"]["spec"]["containers"]
    (given,) = [one for one in container["env"] if one["name"] == "KUBESERVE_METRICS_TOKEN"]
    assert given["valueFrom"]["secretKeyRef"] == {**key, "optional": True}


def test_the_token_of_metrics_is_one_that_the_program_takes(tmp_path: Path) -> None:
    (secret,) = [
        one for one in of(documents(tmp_path), "Secret") if "metrics-token" in one.get("data", {})
    ]
    token = b64decode(secret["data"]["metrics-token"]).decode()
    assert METRICS_TOKEN.fullmatch(token)


def test_rules_and_dashboards_are_the_files_beside_the_chart(tmp_path: Path) -> None:
    found = documents(tmp_path, **EVERYTHING)
    (rule,) = of(found, "PrometheusRule")
    rules = CHART.parents[1] / "prometheus" / "kubeserve.rules.yaml"
    assert rule["spec"] == yaml.safe_load(rules.read_text())
    assert rule["metadata"]["labels"]["release"] == "prometheus"
    maps = [one for one in of(found, "ConfigMap") if "-dashboard-" in one["metadata"]["name"]]
    assert len(maps) == 2
    for one in maps:
        assert one["metadata"]["labels"]["grafana_dashboard"] == "1"
        ((name, text),) = one["data"].items()
        file = CHART.parents[1] / "grafana" / name.removeprefix("kubeserve-")
        assert json.loads(text) == json.loads(file.read_text("utf-8"))
    assert not of(documents(tmp_path), "PrometheusRule")
