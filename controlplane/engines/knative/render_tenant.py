"""From a tenant to its namespace and what keeps it in shape. Pure."""

from ipaddress import ip_network
from typing import Any, Final

from controlplane.engines.engine import TenantLimits
from controlplane.engines.jobs import COORDINATOR_PORT
from controlplane.engines.knative import names
from controlplane.engines.knative.install import Install, Loads, ObjectStore
from controlplane.engines.knative.names import Document

# Queue-proxy: requests, metrics of it and of the user's container. 8080 is the container itself,
# which Prometheus asks past the queue-proxy: there it would count as a request.
POD_PORTS: Final = (8012, 8013, 8112, 9090, 9091, 8080)
EVERYWHERE_PRIVATE: Final = (
    "10.0.0.0/8",
    "100.64.0.0/10",
    "127.0.0.0/8",
    "169.254.0.0/16",  # the cloud's metadata address too
    "172.16.0.0/12",
    "192.168.0.0/16",
)


def tenant(
    name: str, keys: bytes, install: Install, limits: TenantLimits | None = None
) -> tuple[Document, ...]:
    """Render the namespace first, then what is in it.

    keys    the keys file (`runtime/tokens.py`), public keys and revocations only
    limits  of this tenant; None: the installation's
    """
    namespace = names.namespace(install.namespace_prefix, name)
    rendered = _Namespace(name, namespace, install)
    limits = limits or install.limits
    hard = {
        "requests.cpu": f"{limits.cpu_millis}m",
        "requests.memory": f"{limits.memory_mib}Mi",
        "pods": str(limits.replicas),
    }
    egress = [("dns", _DNS)]
    if install.store is not None:
        egress.append(("object-store", _store(install.store)))
    loads = () if install.loads is None else (_load_policy(rendered, install.loads),)
    return (
        rendered.namespace(),
        rendered.object("v1", "ServiceAccount", names.ACCOUNT, automountServiceAccountToken=False),
        rendered.object("v1", "ResourceQuota", names.QUOTA, spec={"hard": hard}),
        rendered.object("v1", "LimitRange", "kubeserve", spec={"limits": [_DEFAULTS]}),
        rendered.policy("deny-by-default", policyTypes=["Ingress", "Egress"]),
        rendered.policy("callers", policyTypes=["Ingress"], ingress=_callers(install)),
        *(rendered.policy(what, policyTypes=["Egress"], egress=[to]) for what, to in egress),
        *loads,
        rendered.object("v1", "ConfigMap", names.KEYS, data={"keys.json": keys.decode()}),
    )


def store_secret(name: str, access_key: str, secret_key: str, install: Install) -> Document:
    """Render a tenant's read-only credentials for its own prefix of the object store."""
    rendered = _Namespace(name, names.namespace(install.namespace_prefix, name), install)
    data = {"AWS_ACCESS_KEY_ID": access_key, "AWS_SECRET_ACCESS_KEY": secret_key}
    return rendered.object("v1", "Secret", names.STORE, type="Opaque", stringData=data)


class _Namespace:
    def __init__(self, tenant_name: str, name: str, install: Install) -> None:
        self._name, self._labels = name, names.tenant_labels(tenant_name, install.instance)

    def namespace(self) -> Document:
        security = {
            f"pod-security.kubernetes.io/{mode}": "restricted" for mode in ("enforce", "warn")
        }
        metadata = {"name": self._name, "labels": {**self._labels, **security}}
        return {"apiVersion": "v1", "kind": "Namespace", "metadata": metadata}

    def object(self, version: str, kind: str, name: str, **fields: Any) -> Document:
        metadata = {"name": name, "namespace": self._name, "labels": self._labels}
        return {"apiVersion": version, "kind": kind, "metadata": metadata, **fields}

    def policy(self, name: str, **spec: Any) -> Document:
        every_pod = {"podSelector": {}, **spec}
        return self.object("networking.k8s.io/v1", "NetworkPolicy", name, spec=every_pod)


# What a container without own figures gets; ours and the queue-proxy have theirs.
_DEFAULTS: Final[Document] = {
    "type": "Container",
    "default": {"cpu": "1", "memory": "512Mi"},
    "defaultRequest": {"cpu": "25m", "memory": "64Mi"},
}
_DNS: Final[Document] = {
    "to": [{"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "kube-system"}}}],
    "ports": [{"protocol": protocol, "port": 53} for protocol in ("UDP", "TCP")],
}


def _callers(install: Install) -> list[Document]:
    from_namespaces = {
        "namespaceSelector": {
            "matchExpressions": [
                {
                    "key": "kubernetes.io/metadata.name",
                    "operator": "In",
                    "values": list(install.callers),
                }
            ]
        }
    }
    ports = [{"protocol": "TCP", "port": port} for port in POD_PORTS]
    return [{"from": [from_namespaces], "ports": ports}]


def _store(store: ObjectStore) -> Document:
    ports = [{"protocol": "TCP", "port": store.port}]
    if store.namespace is not None:
        labels = {"kubernetes.io/metadata.name": store.namespace}
        return {"to": [{"namespaceSelector": {"matchLabels": labels}}], "ports": ports}
    anywhere = {"cidr": "0.0.0.0/0", "except": list(EVERYWHERE_PRIVATE)}
    return {"to": [{"ipBlock": anywhere}], "ports": ports}


def _load_policy(rendered: _Namespace, loads: Loads) -> Document:
    """Let pods of load tests reach each other and the ingress; nobody else's pods change."""
    pods: Document = {"matchExpressions": [{"key": names.LOADTEST, "operator": "Exists"}]}
    each_other = [{"podSelector": pods}]
    port = [{"protocol": "TCP", "port": COORDINATOR_PORT}]
    return rendered.policy(
        "loadtests",
        podSelector=pods,
        policyTypes=["Ingress", "Egress"],
        ingress=[{"from": each_other, "ports": port}],
        egress=[
            {"to": each_other, "ports": port},
            {"to": [_place(one) for one in loads.reach], "ports": [{"protocol": "TCP"}]},
        ],
    )


def _place(where: str) -> Document:
    """Name a place of the ingress: a CIDR block, else a namespace."""
    try:
        return {"ipBlock": {"cidr": str(ip_network(where))}}
    except ValueError:
        return {"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": where}}}
