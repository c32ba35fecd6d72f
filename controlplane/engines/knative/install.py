"""What all endpoints of one installation have in common, as far as rendering needs it."""

from dataclasses import dataclass, field
from urllib.parse import urlsplit

from controlplane.engines.engine import TenantLimits

SECRET_LIMIT_BYTES = 512 * 1024  # of an artifact; a Secret holds 1 MiB after base64


@dataclass(frozen=True, slots=True)
class ObjectStore:
    """Where pods read artifacts that are too large for a Secret; addresses as pods see them.

    namespace  of a store inside the cluster; None: outside, every public address may be reached
    """

    url: str
    bucket: str
    region: str = "us-east-1"
    namespace: str | None = None

    @property
    def port(self) -> int:
        """Give the TCP port of the address."""
        parts = urlsplit(self.url)
        return parts.port or (443 if parts.scheme == "https" else 80)


@dataclass(frozen=True, slots=True)
class Loads:
    """Pods of load tests.

    image                   with `loadtests` in it
    cpu_millis, memory_mib  that each asks for
    reach                   namespaces or CIDR blocks that they may reach: where the ingress is
    """

    image: str
    cpu_millis: int = 500
    memory_mib: int = 384
    reach: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Install:
    """One installation.

    runtime_image, builder_image   by digest where the registry gives one
    instance                       what this installation's objects are told from others' by
    namespace_prefix               before a tenant's name
    limits                         of a tenant of which nothing else was said
    callers                        namespaces that may reach pods: Knative, its ingress, Prometheus
    start_deadline_s               within which a version's first replica must be ready
    loads                          None: no load tests are run here
    autoscaler_metrics             address of the metrics of Knative's autoscaler; None: not read
    """

    issuer: str
    runtime_image: str
    builder_image: str
    instance: str = "kubeserve"
    namespace_prefix: str = ""
    store: ObjectStore | None = None
    limits: TenantLimits = field(default_factory=TenantLimits)
    callers: tuple[str, ...] = ("knative-serving", "kourier-system", "monitoring")
    start_deadline_s: int = 600
    loads: Loads | None = None
    autoscaler_metrics: str | None = None
