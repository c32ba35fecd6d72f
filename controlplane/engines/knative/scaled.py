"""How an endpoint on Knative is scaled: from its KService, Revisions and the autoscaler. Pure."""

from collections.abc import Sequence

from controlplane.engines.knative import decisions, names, status
from controlplane.engines.knative.decisions import Gauges
from controlplane.engines.knative.names import Document
from controlplane.engines.metrics import Autoscaled, EndpointMetrics


def scaled(service: Document, revisions: Sequence[Document], told: Gauges) -> EndpointMetrics:
    """Add up the Revisions of an endpoint, each of which is scaled by itself.

    told  by Knative's autoscaler; what it does not tell of any Revision is None
    """
    seen = status.observed(service, revisions)
    each = [(decisions.read(one), told.get(_key(one), {})) for one in revisions]
    # Concurrency and requests a second cannot be added up: then only replicas are told.
    metrics = {read.policy.scaling_metric for read, _ in each} or {"concurrency"}
    by = "" if metrics == {"concurrency"} else "_rps"
    known = [found for _, found in each if f"stable{by}" in found] if len(metrics) == 1 else []
    targets = {read.policy.target_value for read, _ in each}
    panics = [found["panicking"] for _, found in each if "panicking" in found]
    metadata = service["metadata"]
    return EndpointMetrics(
        tenant=metadata["labels"][names.TENANT],
        endpoint=metadata["name"],
        scaled=Autoscaled(
            desired=seen.desired_replicas,
            ready=seen.replicas,
            metric=min(metrics),
            target=max(targets, default=None),
            stable=sum(one[f"stable{by}"] for one in known) if known else None,
            panic=sum(one.get(f"panic{by}", 0.0) for one in known) if known else None,
            panicking=any(panics) if panics else None,
        ),
    )


def _key(revision: Document) -> tuple[str | None, str | None]:
    metadata = revision["metadata"]
    return metadata["namespace"], metadata["name"]
