"""From a desired endpoint to its Kubernetes objects. Pure: documents out, nothing asked.

The KService needs no feature flag that is off by default, routes by revision name only, and says
every setting itself where a cluster's default could differ (KNATIVE.md, section 2).
"""

import base64
import json
import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

from controlplane.engines.engine import BackendKind, DesiredEndpoint, DesiredRevision, Scaling
from controlplane.engines.knative import names
from controlplane.engines.knative.install import SECRET_LIMIT_BYTES, Install, ObjectStore
from controlplane.engines.knative.names import Document
from controlplane.engines.sizes import base_mib, requested
from runtime import handed
from runtime.archive import Part, interpreter
from runtime.launch import Backend, Launch, RevisionLaunch
from runtime.payload_log import PayloadLog
from runtime.problems import Conflict
from runtime.resource import issuer_of

MIB: Final = 1 << 20
USER: Final = 65532
ARTIFACTS, FETCHED, KEYS = "/kubeserve/artifact", "/kubeserve/fetched", "/kubeserve/keys"
ENVIRONMENT: Final = "/kubeserve/environment"
# By the name of a revision, what its pods unpack: the environment that its model is served in.
Parts = Mapping[str, tuple[Part, ...]]
NO_PARTS: Final[Parts] = {}
AUTOSCALING: Final = "autoscaling.knative.dev"
SIDECAR: Final = "queue.sidecar.serving.knative.dev"
# The pod's grace period too: queue-proxy alone waits 30 s for silence (KNATIVE.md 2.8).
LEAST_TIMEOUT_S, MOST_TIMEOUT_S = 60, 600
QUEUE_PROXY: Final = {
    f"{SIDECAR}/cpu-resource-request": "25m",
    f"{SIDECAR}/cpu-resource-limit": "1",
    f"{SIDECAR}/memory-resource-request": "50Mi",
    f"{SIDECAR}/memory-resource-limit": "256Mi",
}
RESTRICTED: Final[Document] = {
    "allowPrivilegeEscalation": False,
    "capabilities": {"drop": ["ALL"]},
    "readOnlyRootFilesystem": True,
    "runAsNonRoot": True,
    "runAsUser": USER,
    "seccompProfile": {"type": "RuntimeDefault"},
}


@dataclass(frozen=True, slots=True)
class RenderedRevision:
    """One routed revision: its Knative name, its template, what of the traffic it gets."""

    name: str
    template: Document
    percent: int
    tag: str | None
    artifact: DesiredRevision

    @property
    def target(self) -> Document:
        """Give its line of the traffic."""
        line: Document = {
            "revisionName": self.name,
            "latestRevision": False,
            "percent": self.percent,
        }
        return line if self.tag is None else {**line, "tag": self.tag}


def revisions(
    desired: DesiredEndpoint, install: Install, parts: Parts = NO_PARTS
) -> tuple[RenderedRevision, ...]:
    """Render every routed revision, oldest first."""
    return tuple(
        _revision(desired, revision, install, parts.get(revision.name, ()))
        for revision in desired.revisions
    )


def service(
    desired: DesiredEndpoint, rendered: tuple[RenderedRevision, ...], present: frozenset[str],
    routed: tuple[Document, ...], install: Install,
) -> Document:  # fmt: skip
    """Give the KService to apply next.

    present  names of this endpoint's Revisions that the cluster has
    routed   traffic that it has now
    A KService makes one Revision at a time, that of its template. While an older one than the last
    is missing, it is the template, traffic stays as it is, and the generation is not yet ours.
    """
    missing = [one for one in rendered[:-1] if one.name not in present]
    chosen = missing[0] if missing else rendered[-1]
    targets: list[Document] = [one.target for one in rendered]
    annotations = {names.GENERATION: str(desired.generation)}
    if missing:
        kept = [line for line in routed if line.get("revisionName") in present]
        targets = kept or [{**chosen.target, "percent": 100}]
        annotations = {names.GENERATION: "0"}
    return {
        "apiVersion": "serving.knative.dev/v1",
        "kind": "Service",
        "metadata": {
            "name": desired.name,
            "namespace": names.namespace(install.namespace_prefix, desired.tenant),
            "labels": names.endpoint_labels(desired, install.instance),
            "annotations": annotations,
        },
        "spec": {"template": chosen.template, "traffic": targets},
    }


def in_secret(revision: DesiredRevision) -> bool:
    """Tell whether an artifact travels in a Secret."""
    return revision.artifact_size_bytes <= SECRET_LIMIT_BYTES


def is_handed(revision: DesiredRevision, install: Install) -> bool:
    """Tell whether its pods get all they need in variables, and so start without a volume.

    Newer keys then come from the object store (`runtime/renewal.py`), so there has to be one.
    """
    plan = revision.backend is BackendKind.PLAN
    return plan and in_secret(revision) and install.store is not None


def secret_name(desired: DesiredEndpoint, revision: DesiredRevision, install: Install) -> str:
    """Name the Secret of an artifact; what is handed in pieces has another than what is mounted."""
    name = names.artifact(desired, revision.artifact_sha256)
    return f"{name}-pieces" if is_handed(revision, install) else name


def needs_secret(revision: DesiredRevision) -> bool:
    """Tell whether there is a Secret at all: a fallback's signature travels in one always."""
    return in_secret(revision) or revision.backend is BackendKind.FALLBACK


def artifact_secret(
    desired: DesiredEndpoint, revision: DesiredRevision, content: bytes, install: Install
) -> Document:
    """Give the Secret of a small artifact; immutable, since its name says its digest."""
    data = _signature_file(revision)
    if is_handed(revision, install):
        data = {str(n): piece.encode() for n, piece in enumerate(handed.pieces(content))}
    elif in_secret(revision):
        data[revision.artifact_sha256] = content
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {
            "name": secret_name(desired, revision, install),
            "namespace": names.namespace(install.namespace_prefix, desired.tenant),
            "labels": names.endpoint_labels(desired, install.instance),
        },
        "immutable": True,
        "type": "Opaque",
        "data": {key: base64.b64encode(value).decode() for key, value in data.items()},
    }


def _signature_file(revision: DesiredRevision) -> dict[str, bytes]:
    if revision.backend is BackendKind.PLAN:
        return {}
    return {"signature.json": json.dumps(revision.signature, sort_keys=True).encode()}


def _revision(
    desired: DesiredEndpoint, revision: DesiredRevision, install: Install, parts: tuple[Part, ...]
) -> RenderedRevision:
    spec = _pod(desired, revision, install, parts)
    template: Document = {
        "metadata": {
            "labels": {
                **names.endpoint_labels(desired, install.instance),
                names.REVISION: revision.name,
            },
            "annotations": {
                **autoscaling(desired.scaling, routed=revision.percent > 0),
                **QUEUE_PROXY,
                "serving.knative.dev/progress-deadline": f"{install.start_deadline_s}s",
            },
        },
        "spec": spec,
    }
    # Its name is a digest of all that it says, but for what it says of its name.
    told = [*_launch(desired, revision, revision.name, install, parts).items()]
    name = names.revision(revision.name, {"template": template, "launch": told})
    template["metadata"]["name"] = name
    env = _launch(desired, revision, name, install, parts)
    spec["containers"][0]["env"] += [{"name": key, "value": value} for key, value in env.items()]
    return RenderedRevision(name, template, revision.percent, revision.tag, revision)


def _launch(
    desired: DesiredEndpoint,
    revision: DesiredRevision,
    name: str,
    install: Install,
    parts: tuple[Part, ...],
) -> dict[str, str]:
    folder = ARTIFACTS if in_secret(revision) else FETCHED
    artifact, keys = f"{folder}/{revision.artifact_sha256}", f"{KEYS}/keys.json"
    if is_handed(revision, install):
        artifact, keys = handed.ARTIFACT_FILE, handed.KEYS_FILE
    fallback = revision.backend is BackendKind.FALLBACK
    folders = {part.python: part.folder(Path(ENVIRONMENT)) for part in parts}
    launch = Launch(
        tenant=desired.tenant,
        endpoint=desired.name,
        issuer=issuer_of(desired.audience),
        audience=desired.audience,
        keys_file=keys,
        keys_from=json.dumps(_place(desired, install.store)) if install.store else "",
        revisions=(
            RevisionLaunch(
                name=name,
                model=revision.model,
                version=revision.version,
                artifact=artifact,
                sha256=revision.artifact_sha256,
                backend=Backend(revision.backend.value),
                signature=f"{ARTIFACTS}/signature.json" if fallback else None,
                sklearn=revision.sklearn_version if fallback else None,
                interpreter=str(interpreter(folders[True])) if True in folders else None,
                packages=str(folders[False]) if False in folders else None,
            ),
        ),
        chosen_before=True,
        container_concurrency=desired.container_concurrency,
        timeout_s=desired.timeout_s,
        payloads=_payloads(desired, install),
    )
    env = launch.to_env()
    del env["PORT"]  # Knative sets it
    return env


def _payloads(desired: DesiredEndpoint, install: Install) -> str:
    """Say what is logged; nothing where there is no object store to send it to."""
    log = desired.payload_log
    if log is None or install.store is None:
        return ""
    return PayloadLog(desired.id, **asdict(log)).write()


def autoscaling(scaling: Scaling, *, routed: bool) -> dict[str, str]:
    """Give the annotations; rates and the grace period are the cluster's, not an endpoint's."""
    values: dict[str, Any] = {
        "class": "kpa.autoscaling.knative.dev",
        "metric": scaling.metric,
        "min-scale": scaling.min_scale if routed else 0,
        "max-scale": scaling.max_scale,
        "initial-scale": max(1, scaling.initial_scale),
        "target-utilization-percentage": scaling.target_utilization_percentage,
        "target-burst-capacity": scaling.target_burst_capacity,
        "window": f"{math.ceil(scaling.window_s)}s",
        "panic-window-percentage": scaling.panic_window_percentage,
        "panic-threshold-percentage": scaling.panic_threshold_percentage,
        "scale-down-delay": f"{math.ceil(scaling.scale_down_delay_s)}s",
        "scale-to-zero-pod-retention-period": (
            f"{math.ceil(scaling.scale_to_zero_pod_retention_period_s)}s"
        ),
    }
    if scaling.target is not None:
        values["target"] = scaling.target
    if scaling.activation_scale > 1:
        values["activation-scale"] = scaling.activation_scale
    return {f"{AUTOSCALING}/{key}": _number(value) for key, value in values.items()}


def least(desired: DesiredEndpoint, revision: RenderedRevision) -> dict[str, str]:
    """Give the annotation of the replicas that a revision keeps now; see `DesiredEndpoint.warm`.

    A window's are those of the revision that has most of the traffic, `max_scale` at most.
    """
    main = max(desired.revisions, key=lambda one: one.percent)
    kept = desired.scaling.min_scale if revision.percent > 0 else 0
    if revision.artifact.name == main.name:
        kept = max(kept, min(desired.warm or 0, desired.scaling.max_scale))
    return {f"{AUTOSCALING}/min-scale": str(kept)}


def _number(value: object) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)


def _pod(
    desired: DesiredEndpoint, revision: DesiredRevision, install: Install, parts: tuple[Part, ...]
) -> Document:
    fallback = revision.backend is BackendKind.FALLBACK
    timeout_s = min(MOST_TIMEOUT_S, max(LEAST_TIMEOUT_S, math.ceil(desired.timeout_s)))
    volumes, mounts = _volumes(desired, revision, install, parts)
    container: Document = {
        "name": "runtime",
        "image": install.builder_image if fallback else install.runtime_image,
        "command": ["python3", "-m", "runtime"],
        "ports": [{"containerPort": 8080, "protocol": "TCP"}],
        # Without a period queue-proxy looks every 50 ms, and the kubelet every 10 s, which now and
        # then misses its first look at a new container. With one of a second both ask once, and the
        # runtime, which listens before it imports, answers when it is ready. What Knative would
        # fill in is said here: applied again without it, it would change under the same name.
        "readinessProbe": {
            "httpGet": {"path": "/readyz", "port": 0},
            "periodSeconds": 1,
            "timeoutSeconds": 1,
            "failureThreshold": 3,
            "successThreshold": 1,
        },
        "resources": _resources(revision, parts),
        "securityContext": RESTRICTED,
        "env": [*_handed(desired, revision, install), *_fetch(desired, revision, install, parts)],
    }
    if mounts:
        container["volumeMounts"] = mounts
    pod: Document = {
        "containerConcurrency": desired.container_concurrency,
        "timeoutSeconds": timeout_s,
        "responseStartTimeoutSeconds": timeout_s,
        "serviceAccountName": names.ACCOUNT,
        "automountServiceAccountToken": False,
        "enableServiceLinks": False,
        "containers": [container],
    }
    return {**pod, "volumes": volumes} if volumes else pod


def _handed(
    desired: DesiredEndpoint, revision: DesiredRevision, install: Install
) -> list[Document]:
    """Give the variables that stand in for volumes."""
    if not is_handed(revision, install):
        return []
    keys = {"name": names.KEYS, "key": "keys.json"}
    count = math.ceil(revision.artifact_size_bytes / handed.PIECE_BYTES)
    secret = secret_name(desired, revision, install)
    return [
        {"name": handed.KEYS, "valueFrom": {"configMapKeyRef": keys}},
        *(
            {
                "name": f"{handed.PIECES}{number}",
                "valueFrom": {"secretKeyRef": {"name": secret, "key": str(number)}},
            }
            for number in range(count)
        ),
    ]


def _volumes(
    desired: DesiredEndpoint,
    revision: DesiredRevision,
    install: Install,
    parts: tuple[Part, ...],
) -> tuple[list[Document], list[Document]]:
    if is_handed(revision, install):
        return [], []
    volumes: list[Document] = [{"name": "keys", "configMap": {"name": names.KEYS}}]
    mounts: list[Document] = [{"name": "keys", "mountPath": KEYS, "readOnly": True}]
    fallback = revision.backend is BackendKind.FALLBACK
    if needs_secret(revision):
        secret = secret_name(desired, revision, install)
        volumes.append({"name": "artifact", "secret": {"secretName": secret}})
        mounts.append({"name": "artifact", "mountPath": ARTIFACTS, "readOnly": True})
    if not in_secret(revision):
        limit = f"{math.ceil(revision.artifact_size_bytes / MIB) + 16}Mi"
        volumes.append({"name": "fetched", "emptyDir": {"sizeLimit": limit}})
        mounts.append({"name": "fetched", "mountPath": FETCHED})
    if parts:
        limit = f"{_unpacked_mib(parts)}Mi"
        volumes.append({"name": "environment", "emptyDir": {"sizeLimit": limit}})
        mounts.append({"name": "environment", "mountPath": ENVIRONMENT})
    if fallback:
        volumes.append({"name": "tmp", "emptyDir": {"sizeLimit": "256Mi"}})
        mounts.append({"name": "tmp", "mountPath": "/tmp"})  # noqa: S108  (the pod's own)
    return volumes, mounts


def _unpacked_mib(parts: tuple[Part, ...]) -> int:
    """Give the disk that parts take: files on whole blocks, and one archive that is unpacked."""
    archives = [part.archive for part in parts]
    files = sum(one.unpacked_bytes for one in archives) * 1.15
    return math.ceil((files + max(one.size_bytes for one in archives)) / MIB) + 64


def _resources(revision: DesiredRevision, parts: tuple[Part, ...]) -> Document:
    """Give requests small enough to pack idle models, and limits that a start does not hit."""
    asked = requested(revision.backend, revision.artifact_size_bytes)
    model, base = math.ceil(revision.artifact_size_bytes / MIB), base_mib(revision.backend)
    requests = {"cpu": f"{asked.cpu_millis}m", "memory": f"{asked.memory_mib}Mi"}
    if parts:  # so that it goes to a node that has the disk
        requests["ephemeral-storage"] = f"{_unpacked_mib(parts)}Mi"
    return {"requests": requests, "limits": {"cpu": "2", "memory": f"{4 * base + 4 * model}Mi"}}


def needs_store(revision: DesiredRevision, parts: tuple[Part, ...]) -> bool:
    """Tell whether a pod reads the object store, and so needs its tenant's credentials."""
    return bool(parts) or not in_secret(revision)


def _fetch(
    desired: DesiredEndpoint, revision: DesiredRevision, install: Install, parts: tuple[Part, ...]
) -> list[Document]:
    """Give what a pod reads the object store with: artifacts perhaps, and newer keys."""
    needed = needs_store(revision, parts)
    if install.store is None:
        if not needed:
            return []
        what = "it is served in" if parts else f"({revision.artifact_size_bytes} bytes) it has"
        raise Conflict(
            f"{revision.model}:{revision.version} cannot be served from Secrets, which take"
            f" {SECRET_LIMIT_BYTES} bytes, with what {what}: set KUBESERVE_STORE to an object store"
        )
    # Without them a pod that has its artifact serves all the same, with the keys it has.
    optional = {} if needed else {"optional": True}
    credentials = [
        {
            "name": name,
            "valueFrom": {"secretKeyRef": {"name": names.STORE, "key": name, **optional}},
        }
        for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")
    ]
    if not needed:
        return credentials
    where = {**_place(desired, install.store), "into": FETCHED}
    if parts:
        where["environment"] = {"into": ENVIRONMENT, "parts": [asdict(part) for part in parts]}
    return [{"name": "KUBESERVE_FETCH", "value": json.dumps(where, sort_keys=True)}, *credentials]


def _place(desired: DesiredEndpoint, store: ObjectStore) -> Document:
    """Give where a tenant's pods read the object store."""
    return {
        "url": store.url,
        "bucket": store.bucket,
        "prefix": f"tenants/{desired.tenant}/",
        "region": store.region,
    }
