"""The Kubernetes API as documents in and out; the one importer of `kubernetes`.

Blocking: the engine calls it from threads. Objects that are not ours are never written.
"""

import json
import os
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import urllib3
from kubernetes import client, config

from controlplane.engines.knative import names
from controlplane.engines.knative.names import Document
from controlplane.telemetry import KUBERNETES
from runtime.problems import Conflict, EngineUnavailable, Problem

APPLY: Final = "application/apply-patch+yaml"
MERGE: Final = "application/merge-patch+json"
METADATA: Final = "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1,application/json"
TIMEOUT_S: Final = (3.0, 15.0)  # to connect, to answer
PAGE: Final = 500
FOLLOW_S: Final = 60.0  # of silence, after which whoever follows asks again


class Denied(Conflict):
    """The cluster refuses an object for what it says: admission, quota, schema, rights."""


@dataclass(frozen=True, slots=True)
class Kind:
    """Where objects of a kind live."""

    version: str
    kind: str
    plural: str
    namespaced: bool = True

    def path(self, namespace: str | None = None, name: str | None = None) -> str:
        """Give the address of a collection, or of one object."""
        root = f"/api/{self.version}" if "/" not in self.version else f"/apis/{self.version}"
        inside = f"/namespaces/{namespace}" if self.namespaced and namespace else ""
        return f"{root}{inside}/{self.plural}" + (f"/{name}" if name else "")


NAMESPACE: Final = Kind("v1", "Namespace", "namespaces", namespaced=False)
SERVICE: Final = Kind("serving.knative.dev/v1", "Service", "services")
REVISION: Final = Kind("serving.knative.dev/v1", "Revision", "revisions")
ROUTE: Final = Kind("serving.knative.dev/v1", "Route", "routes")
SECRET: Final = Kind("v1", "Secret", "secrets")
CONFIG_MAP: Final = Kind("v1", "ConfigMap", "configmaps")
POD: Final = Kind("v1", "Pod", "pods")
EVENT: Final = Kind("v1", "Event", "events")
JOB: Final = Kind("batch/v1", "Job", "jobs")
DEPLOYMENT: Final = Kind("apps/v1", "Deployment", "deployments")
LEASE: Final = Kind("coordination.k8s.io/v1", "Lease", "leases")
POD_AUTOSCALER: Final = Kind(
    "autoscaling.internal.knative.dev/v1alpha1", "PodAutoscaler", "podautoscalers"
)
QUOTA: Final = Kind("v1", "ResourceQuota", "resourcequotas")
KINDS: Final = {
    (kind.version, kind.kind): kind
    for kind in (
        NAMESPACE, SERVICE, REVISION, ROUTE, SECRET, CONFIG_MAP, POD, EVENT, JOB, DEPLOYMENT, LEASE,
        Kind("v1", "ServiceAccount", "serviceaccounts"),
        QUOTA,
        Kind("v1", "LimitRange", "limitranges"),
        Kind("networking.k8s.io/v1", "NetworkPolicy", "networkpolicies"),
        Kind("authorization.k8s.io/v1", "SelfSubjectAccessReview", "selfsubjectaccessreviews",
             namespaced=False),
    )
}  # fmt: skip


def kind_of(document: Document) -> Kind:
    """Find the kind of a document."""
    return KINDS[document["apiVersion"], document["kind"]]


class Cluster:
    """One API server, reached from a pod, or by a kubeconfig file.

    owned  the selector of what this installation made; lists and watches take it by default
    """

    def __init__(self, kubeconfig: Path | None = None, instance: str = "kubeserve") -> None:
        self.instance, self.owned = instance, names.owned(instance)
        settings = client.Configuration()
        load: Any = config.load_kube_config
        if kubeconfig is not None:
            load(str(kubeconfig), client_configuration=settings)
        else:
            # In a pod its account, elsewhere what kubectl would take. The library's own choice
            # warns in every pod that there is no file.
            if "KUBERNETES_SERVICE_HOST" in os.environ:
                load = config.load_incluster_config
            load(client_configuration=settings)
        settings.retries = False
        self._api = client.ApiClient(settings)
        self.writes = 0

    def get(
        self, kind: Kind, namespace: str | None, name: str, *, metadata_only: bool = False
    ) -> Document | None:
        """Read one object; None when there is none."""
        accept = METADATA if metadata_only else None
        return self._send("GET", kind.path(namespace, name), accept=accept, missing=True)

    def apply(self, document: Document, *, dry_run: bool = False) -> Document:
        """Make it so by server-side apply, taking over fields that others changed.

        dry_run  only ask what the API server and its webhooks say to it
        Raises Conflict when an object of this name is there and not ours.
        """
        kind, metadata = kind_of(document), document["metadata"]
        path = kind.path(metadata.get("namespace"), metadata["name"])
        query = {"fieldManager": names.MANAGER, "force": "true"}
        if dry_run:
            query["dryRun"] = "All"
        return self._must("PATCH", path, document, query=query, content=APPLY)

    def annotate_pod(self, namespace: str, pod: str, annotations: dict[str, str]) -> None:
        """Write annotations of a pod that may be gone.

        By way of its status: whoever may patch that cannot change what runs.
        """
        body = {"metadata": {"annotations": annotations}}
        path = POD.path(namespace, pod) + "/status"
        query = {"fieldManager": names.MANAGER}
        self._send("PATCH", path, body, query=query, content=MERGE, missing=True)

    def annotate(self, kind: Kind, namespace: str, name: str, annotations: dict[str, str]) -> None:
        """Write annotations of an object that may be gone."""
        body, query = {"metadata": {"annotations": annotations}}, {"fieldManager": names.MANAGER}
        path = kind.path(namespace, name)
        self._send("PATCH", path, body, query=query, content=MERGE, missing=True)

    def create(self, document: Document) -> Document:
        """Make an object; raises Conflict when there is one."""
        kind = kind_of(document)
        return self._must("POST", kind.path(document["metadata"].get("namespace")), document)

    def replace(self, document: Document) -> Document:
        """Write a whole object; raises Conflict when it changed since it was read."""
        kind, metadata = kind_of(document), document["metadata"]
        path = kind.path(metadata.get("namespace"), metadata["name"])
        return self._must("PUT", path, document, query={"fieldManager": names.MANAGER})

    def delete(self, kind: Kind, namespace: str | None, name: str, uid: str | None = None) -> None:
        """Remove an object and what it owns; nothing there is success.

        uid  remove this very object, not another that took its name meanwhile
        """
        body: Document = {
            "apiVersion": "v1", "kind": "DeleteOptions", "propagationPolicy": "Background",
        }  # fmt: skip
        if uid is not None:
            body["preconditions"] = {"uid": uid}
        self._send("DELETE", kind.path(namespace, name), body, missing=True)

    def list(
        self,
        kind: Kind,
        namespace: str | None = None,
        selector: str | None = None,
        *,
        fields: str = "",
        metadata_only: bool = False,
    ) -> tuple[list[Document], str]:
        """Read all objects of a kind, and the version of the list to watch from."""
        items: list[Document] = []
        query = {
            "labelSelector": self.owned if selector is None else selector,
            "fieldSelector": fields,
            "limit": str(PAGE),
        }
        accept = METADATA.replace("PartialObjectMetadata;", "PartialObjectMetadataList;")
        while True:
            page = self._must(
                "GET", kind.path(namespace), query=query, accept=accept if metadata_only else None
            )
            items += page["items"] or []  # null for none, where only metadata is asked for
            more = page["metadata"].get("continue")
            if not more:
                return items, page["metadata"]["resourceVersion"]
            query["continue"] = more

    def watch(
        self,
        kind: Kind,
        since: str,
        namespace: str | None = None,
        selector: str | None = None,
        *,
        fields: str = "",
        seconds: int = 240,
        metadata_only: bool = False,
    ) -> Iterator[tuple[str, Document]]:
        """Yield (ADDED | MODIFIED | DELETED, object) until the server ends the stream.

        Raises Expired when `since` is too old: list again.
        """
        marked = self.owned if selector is None else selector
        query = {
            "watch": "true", "resourceVersion": since, "labelSelector": marked,
            "fieldSelector": fields, "timeoutSeconds": str(seconds),
        }  # fmt: skip
        accept = METADATA if metadata_only else None
        response = self._open(
            "GET", kind.path(namespace), None, query, accept=accept, timeout_s=(3.0, seconds + 10.0)
        )
        with closing(response):
            for line in lines(response):
                event = json.loads(line)
                if event["type"] == "ERROR":
                    raise Expired(event["object"].get("message", "the watch ended"))
                yield event["type"], event["object"]

    def logs(
        self,
        namespace: str,
        pod: str,
        container: str,
        *,
        tail: int | None = None,
        follow: bool = False,
        previous: bool = False,
    ) -> Iterator[str]:
        """Yield the lines a container wrote, each with its time in front."""
        query = {"container": container, "timestamps": "true"}
        if tail is not None:
            query["tailLines"] = str(tail)
        if follow:
            query["follow"] = "true"
        if previous:
            query["previous"] = "true"
        path = POD.path(namespace, pod) + "/log"
        response = self._open(
            "GET", path, None, query, timeout_s=(3.0, FOLLOW_S if follow else 15.0)
        )
        with closing(response):
            yield from (line.decode(errors="replace") for line in lines(response))

    def raw(self, path: str) -> Document | None:
        """Read any address, e.g. /version; None when there is nothing."""
        return self._send("GET", path, missing=True)

    # How it is sent

    def _must(self, method: str, path: str, body: Document | None = None, **how: Any) -> Document:
        answer = self._send(method, path, body, **how)
        if answer is None:
            raise EngineUnavailable(f"the cluster knows no {path}", retry_after_s=5)
        return answer

    def _send(
        self,
        method: str,
        path: str,
        body: Document | None = None,
        *,
        query: dict[str, str] | None = None,
        content: str = "application/json",
        accept: str | None = None,
        missing: bool = False,
    ) -> Document | None:
        self.writes += method != "GET" and "dryRun" not in (query or {})
        try:
            response = self._open(method, path, body, query or {}, content=content, accept=accept)
            with closing(response):
                answer: Document = json.loads(response.read())
                return answer
        except Missing:
            if missing:
                return None
            raise

    def _open(
        self,
        method: str,
        path: str,
        body: Document | None,
        query: dict[str, str],
        *,
        content: str = "application/json",
        accept: str | None = None,
        timeout_s: tuple[float, float] = TIMEOUT_S,
    ) -> Any:
        counted = "DRY-RUN" if "dryRun" in query else method
        KUBERNETES.labels(counted, plural(path)).inc()
        headers = {"Accept": accept or "application/json", "Content-Type": content}
        asked = [(key, value) for key, value in query.items() if value]
        try:
            _, url, sent, _, _ = self._api.param_serialize(
                method, path, query_params=asked, header_params=headers,
                auth_settings=["BearerToken"],
            )  # fmt: skip
            response = self._api.rest_client.pool_manager.request(
                method,
                url,
                body=None if body is None else json.dumps(body).encode(),
                headers=sent,
                timeout=urllib3.Timeout(*timeout_s),
                preload_content=False,
                retries=False,
            )
        except (urllib3.exceptions.HTTPError, OSError) as error:
            raise EngineUnavailable(
                f"the Kubernetes API does not answer: {error}", retry_after_s=2
            ) from error
        if response.status >= 400:
            with closing(response):
                raise _problem(response.status, method, path, response.read())
        return response


class Missing(Problem):
    """There is no such object."""


class Expired(Problem):
    """A watch began too long ago."""


def plural(path: str) -> str:
    """Give the kind of objects an address is about, as addresses name kinds."""
    parts = path.strip("/").split("/")
    # Behind the version; a namespace, where there is one, is where its objects are.
    rest = parts[2 if parts[0] == "api" else 3 :] if parts[0] in ("api", "apis") else parts
    return (rest[2:] if rest[0:1] == ["namespaces"] and len(rest) > 2 else rest or parts)[0]


def lines(response: Any) -> Iterator[bytes]:
    """Split a stream into lines as they come."""
    rest = b""
    try:
        for block in response.stream(amt=None, decode_content=True):
            *whole, rest = (rest + block).split(b"\n")
            yield from (line for line in whole if line)
    except (urllib3.exceptions.HTTPError, OSError) as error:
        raise EngineUnavailable(f"the stream broke off: {error}", retry_after_s=1) from error
    if rest:
        yield rest


def _problem(status: int, method: str, path: str, body: bytes) -> Problem:
    try:
        document = json.loads(body)
        message, reason = str(document.get("message", "")), str(document.get("reason", ""))
    except ValueError:
        message, reason = body[:500].decode(errors="replace"), ""
    text = f"{method} {path}: {message or status}"
    if status == 404:
        return Missing(text)
    if status == 410 or reason == "Expired":
        return Expired(text)
    if status == 409:
        return Conflict(text)
    if status in (400, 403, 413, 422) or "denied the request" in message:
        return Denied(text)
    return EngineUnavailable(text, retry_after_s=2)
