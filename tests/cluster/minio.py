"""MinIO as a pod behind a Service, so that what pods may reach is as real as in production."""

from typing import Final

from tests.cluster import images
from tests.cluster.build import binary
from tests.cluster.home import Home
from tests.cluster.kube import Cluster

NAMESPACE: Final = "minio"
IN_CLUSTER: Final = "minio.minio.svc.cluster.local:9000"
KEY: Final = "rootroot"
SECRET: Final = "rootrootroot"  # of a server that lives as long as a test run
LABELS: Final = {"app.kubernetes.io/name": "minio"}


def install(home: Home) -> None:
    """Start MinIO and wait until it is ready."""
    image = images.scratch("minio", binary("minio"), home=home)
    probe = {"httpGet": {"path": "/minio/health/ready", "port": 9000}, "periodSeconds": 1}
    container = {
        "name": "minio",
        "image": image,
        "imagePullPolicy": "Never",
        "args": ["server", "/data", "--address=:9000", "--config-dir=/data/config"],
        "env": [
            {"name": "MINIO_ROOT_USER", "value": KEY},
            {"name": "MINIO_ROOT_PASSWORD", "value": SECRET},
        ],
        "ports": [{"containerPort": 9000}],
        "readinessProbe": probe,
        "volumeMounts": [{"name": "data", "mountPath": "/data"}],
    }
    pod = {
        "securityContext": {"fsGroup": 65532},
        "automountServiceAccountToken": False,
        "containers": [container],
        "volumes": [{"name": "data", "emptyDir": {}}],
    }
    named = {"name": "minio", "namespace": NAMESPACE, "labels": LABELS}
    cluster = Cluster(home)
    cluster.apply(
        {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE}},
        {
            "apiVersion": "apps/v1", "kind": "Deployment", "metadata": named,
            "spec": {
                "selector": {"matchLabels": LABELS},
                "strategy": {"type": "Recreate"},
                "template": {"metadata": {"labels": LABELS}, "spec": pod},
            },
        },
        {
            "apiVersion": "v1", "kind": "Service", "metadata": named,
            "spec": {"selector": LABELS, "ports": [{"name": "http", "port": 9000}]},
        },
    )  # fmt: skip
    cluster.kubectl("-n", NAMESPACE, "rollout", "status", "deploy/minio", "--timeout=120s")


def host_address(cluster: Cluster) -> str:
    """Give the address by which this host reaches the Service."""
    service = cluster.get("-n", NAMESPACE, "service/minio")
    return f"{service['spec']['clusterIP']}:9000"


def pod_address(cluster: Cluster) -> str:
    """Give the address of the pod itself."""
    (pod,) = cluster.get("-n", NAMESPACE, "pods")["items"]
    return str(pod["status"]["podIP"])
