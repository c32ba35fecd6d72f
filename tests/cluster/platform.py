"""KubeServe on the test cluster: its control plane on this machine, everything else in pods."""

import contextlib
import json
import uuid
from collections.abc import Iterator

from loadtests.benchmarks.installation import free_port, installation
from tests.cluster import minio
from tests.cluster.home import INGRESS_PORT, Home
from tests.cluster.kube import Cluster
from tests.conformance.platform import Platform

INGRESS = f"http://127.0.0.1:{INGRESS_PORT}"


@contextlib.contextmanager
def outside(cluster: Cluster, runtime: str, builder: str, **settings: str) -> Iterator[Platform]:
    """Run a control plane that reaches the cluster by a kubeconfig; its namespaces go with it."""
    prefix = f"t{uuid.uuid4().hex[:6]}-"
    port = free_port()
    wanted = {
        "engine": "knative",
        "listen": f"127.0.0.1:{port}",
        "issuer": f"http://127.0.0.1:{port}",
        "kubeconfig": str(Home.default().kubeconfig),
        "namespace": f"{prefix}system",  # of its leader's lease: several may run in one cluster
        "namespace_prefix": prefix,
        "runtime_image": runtime,
        "builder_image": builder,
        "store": f"s3://{minio.KEY}:{minio.SECRET}@{minio.host_address(cluster)}/{prefix}store?insecure",
        "fetch_url": f"http://{minio.IN_CLUSTER}",
        "ingress_url": INGRESS,
        **settings,
    }  # fmt: skip
    system = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": f"{prefix}system"}}
    cluster.apply(system)
    try:
        with installation(ingress=INGRESS, **wanted) as (client, home):
            kept = json.loads((home / "credentials.json").read_text())
            yield Platform(
                "knative", client, kept["client_id"], kept["client_secret"], INGRESS, home
            )
    finally:
        found = cluster.get("namespaces")["items"]
        for name in (one["metadata"]["name"] for one in found):
            if name.startswith(prefix):
                cluster.kubectl("delete", "namespace", name, "--wait=false")
