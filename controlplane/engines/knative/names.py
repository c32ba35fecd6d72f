"""What our objects are called and marked with: the same name is the same thing."""

import hashlib
import json
from typing import Any, Final

from controlplane.engines.engine import DesiredEndpoint

Document = dict[str, Any]

MANAGER: Final = "kubeserve"
MANAGED: Final = "app.kubernetes.io/managed-by"
TENANT: Final = "kubeserve.dev/tenant"
ENDPOINT: Final = "kubeserve.dev/endpoint"
REVISION: Final = "kubeserve.dev/revision"
GENERATION: Final = "kubeserve.dev/generation"
OWNED: Final = f"{MANAGED}={MANAGER}"

KEYS: Final = "kubeserve-keys"
STORE: Final = "kubeserve-store"
ACCOUNT: Final = "kubeserve-runtime"


def namespace(prefix: str, tenant: str) -> str:
    """Give the namespace of a tenant."""
    return f"{prefix}{tenant}"


def tenant_labels(tenant: str) -> dict[str, str]:
    """Mark what belongs to a tenant."""
    return {MANAGED: MANAGER, TENANT: tenant}


def endpoint_labels(desired: DesiredEndpoint) -> dict[str, str]:
    """Mark what belongs to an endpoint."""
    return {**tenant_labels(desired.tenant), ENDPOINT: desired.id}


def is_ours(document: Document) -> bool:
    """Tell whether an object is one that we made."""
    labels = document.get("metadata", {}).get("labels") or {}
    return bool(labels.get(MANAGED) == MANAGER)


def revision(name: str, template: Document) -> str:
    """Give the name of a Knative Revision: another template is another name."""
    text = json.dumps(template, sort_keys=True, separators=(",", ":"))
    return f"{name}-{hashlib.sha256(text.encode()).hexdigest()[:8]}"


def artifact(desired: DesiredEndpoint, sha256: str) -> str:
    """Give the name of the Secret that holds an artifact for an endpoint."""
    return f"{desired.name}-artifact-{sha256[:16]}"
