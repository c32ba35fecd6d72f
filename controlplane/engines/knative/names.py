"""What our objects are called and marked with: the same name is the same thing."""

import hashlib
import json
from typing import Any, Final

from controlplane.engines.engine import DesiredEndpoint

Document = dict[str, Any]

MANAGER: Final = "kubeserve"
MANAGED: Final = "app.kubernetes.io/managed-by"
INSTANCE: Final = "app.kubernetes.io/instance"
TENANT: Final = "kubeserve.dev/tenant"
ENDPOINT: Final = "kubeserve.dev/endpoint"
REVISION: Final = "kubeserve.dev/revision"
LOADTEST: Final = "kubeserve.dev/loadtest"
GENERATION: Final = "kubeserve.dev/generation"

KEYS_AT: Final = "kubeserve.dev/keys-at"

KEYS: Final = "kubeserve-keys"
STORE: Final = "kubeserve-store"
ACCOUNT: Final = "kubeserve-runtime"
QUOTA: Final = "kubeserve"


def namespace(prefix: str, tenant: str) -> str:
    """Give the namespace of a tenant."""
    return f"{prefix}{tenant}"


def owned(instance: str) -> str:
    """Give the selector of what an installation made: one cluster may hold several."""
    return f"{MANAGED}={MANAGER},{INSTANCE}={instance}"


def tenant_labels(tenant: str, instance: str) -> dict[str, str]:
    """Mark what belongs to a tenant of an installation."""
    return {MANAGED: MANAGER, INSTANCE: instance, TENANT: tenant}


def endpoint_labels(desired: DesiredEndpoint, instance: str) -> dict[str, str]:
    """Mark what belongs to an endpoint."""
    return {**tenant_labels(desired.tenant, instance), ENDPOINT: desired.id}


def is_ours(document: Document, instance: str) -> bool:
    """Tell whether an object is one that this installation made."""
    labels = document.get("metadata", {}).get("labels") or {}
    return bool(labels.get(MANAGED) == MANAGER and labels.get(INSTANCE) == instance)


def revision(name: str, content: Document) -> str:
    """Give the name of a Knative Revision: other content is another name."""
    text = json.dumps(content, sort_keys=True, separators=(",", ":"))
    return f"{name}-{hashlib.sha256(text.encode()).hexdigest()[:8]}"


def of_revision(name: str) -> str:
    """Give our name of a Knative Revision."""
    return name.rpartition("-")[0]


def artifact(desired: DesiredEndpoint, sha256: str) -> str:
    """Give the name of the Secret that holds an artifact for an endpoint."""
    return f"{desired.name}-artifact-{sha256[:16]}"
