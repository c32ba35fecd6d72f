"""Install CoreDNS and stock Knative Serving 1.15, with the test ingress in Kourier's place."""

import json
import re
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from tests.cluster import images
from tests.cluster.build import binary, module_folder
from tests.cluster.home import DOMAIN, Home
from tests.cluster.ingress import CLASS, SERVICE, admin
from tests.cluster.kube import Cluster
from tests.cluster.processes import Deadline, must_live, start

SYSTEM: Final = "knative-serving"
DEPLOYMENTS: Final = ("controller", "webhook", "autoscaler", "activator")
CONFIG: Final = {
    "config-network": {"ingress-class": CLASS, "mesh-compatibility-mode": "disabled"},
    "config-domain": {DOMAIN: ""},
}


def install(home: Home) -> None:
    """Install everything and wait until it is rolled out."""
    cluster = Cluster(home)
    built = {
        name: images.scratch(name, binary(name), home=home) for name in (*DEPLOYMENTS, "queue")
    }
    coredns = images.scratch("coredns", binary("coredns"), user=0, home=home)
    text = (Path(__file__).parent / "coredns.yaml").read_text()
    cluster.apply_text(text.replace("dev.local/coredns:1", coredns))

    serving = module_folder("knative", "knative.dev/serving") / "config" / "core"
    networking = module_folder("knative", "knative.dev/networking") / "config"
    caching = module_folder("knative", "knative.dev/caching") / "config"

    def apply(*files: Path) -> None:
        cluster.apply_text("\n---\n".join(_with_images(files, built)))

    definitions = ("certificate", "domain-claim", "ingress", "serverlessservice")
    apply(
        serving / "100-namespace.yaml",
        *(networking / f"{name}.yaml" for name in definitions),
        caching / "image.yaml",
        *sorted((serving / "300-resources").glob("*.yaml")),
    )
    cluster.wait("condition=Established", "crd", "--all")
    apply(
        *sorted((serving / "200-roles").glob("*.yaml")),
        serving / "200-serviceaccount.yaml",
        *sorted((serving / "configmaps").glob("*.yaml")),
        networking / "config-network.yaml",
    )
    deployment = {
        "queue-sidecar-image": built["queue"],
        "registries-skipping-tag-resolving": images.REGISTRY,
    }
    for name, data in {**CONFIG, "config-deployment": deployment}.items():
        patch = json.dumps({"data": data})
        cluster.kubectl("-n", SYSTEM, "patch", "configmap", name, "--type=merge", "-p", patch)
    apply(
        *sorted((serving / "webhooks").glob("*.yaml")),
        *(serving / "deployments" / f"{name}.yaml" for name in DEPLOYMENTS),
    )
    start_ingress(home)
    for name in DEPLOYMENTS:
        cluster.kubectl("-n", SYSTEM, "rollout", "status", f"deploy/{name}", "--timeout=180s")
    cluster.kubectl("-n", "kube-system", "rollout", "status", "deploy/coredns", "--timeout=60s")


def start_ingress(home: Home) -> None:
    """Start the translator, which starts Envoy."""
    Cluster(home).apply(*SERVICE)
    command = [sys.executable, "-m", "tests.cluster.ingress", str(home.root)]
    # The Kubernetes client puts keys into temporary files.
    start(home.run, "ingress", command, {"TMPDIR": str(home.run)})
    deadline = Deadline("The ingress", 30)
    while not admin("/ready"):
        must_live(home.run, "ingress")
        deadline.again()


def _with_images(files: Iterable[Path], built: dict[str, str]) -> Iterable[str]:
    """Put our images where Knative's manifests name the program to be built."""
    program = re.compile(r"ko://knative\.dev/serving/cmd/([a-z]+)")
    for file in files:
        yield program.sub(lambda found: built[found[1]], file.read_text())
