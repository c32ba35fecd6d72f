"""Read what preflight judges; what cannot be read is a fact too."""

from typing import Protocol

from controlplane.engines.knative import cluster as kube
from controlplane.engines.knative.names import Document
from controlplane.engines.knative.preflight import CONFIGS, KNATIVE, RIGHTS, Facts
from runtime.problems import Problem

VERSION = "app.kubernetes.io/version"


class Reader(Protocol):
    """What this needs of `cluster.Cluster`."""

    def raw(self, path: str) -> Document | None:
        """Read any address."""

    def get(self, kind: kube.Kind, namespace: str | None, name: str) -> Document | None:
        """Read one object."""

    def create(self, document: Document) -> Document:
        """Ask a review."""

    def list(
        self, kind: kube.Kind, namespace: str | None = None, selector: str | None = None
    ) -> tuple[list[Document], str]:
        """Read all of a kind."""


def facts(cluster: Reader) -> Facts:
    """Look at everything; blocking, about seventy requests."""
    try:
        version = (cluster.raw("/version") or {}).get("gitVersion")
        denied = tuple(_denied(cluster))
    except Problem as error:
        return Facts(unread=(error.detail,))
    unread: list[str] = []
    deployments: dict[str, Document] = {}
    configs: dict[str, dict[str, str]] = {}
    routed: bool | None = None
    try:
        found, _ = cluster.list(kube.DEPLOYMENT, KNATIVE, selector="")
        deployments = {one["metadata"]["name"]: one for one in found}
        for name in CONFIGS:
            config = cluster.get(kube.CONFIG_MAP, KNATIVE, name)
            if config is not None:
                configs[name] = config.get("data") or {}
        if "controller" in deployments:
            routed = _routed(cluster.list(kube.SERVICE)[0])
    except Problem as error:
        unread.append(error.detail)
    controller = deployments.get("controller")
    return Facts(
        kubernetes=version,
        knative=None if controller is None else _labels(controller).get(VERSION, "nothing"),
        configs=configs,
        deployments={name: _available(one) for name, one in deployments.items()},
        routed=routed,
        denied=denied,
        unread=tuple(unread),
    )


def _denied(cluster: Reader) -> list[str]:
    denied = []
    for group, resource, verbs in RIGHTS:
        missing = [verb for verb in verbs if not _may(cluster, group, resource, verb)]
        if missing:
            what = f"{resource}.{group}" if group else resource
            denied.append(f"{', '.join(missing)} {what}")
    return denied


def _may(cluster: Reader, group: str, resource: str, verb: str) -> bool:
    plural, _, sub = resource.partition("/")
    attributes = {"group": group, "resource": plural, "subresource": sub, "verb": verb}
    review = cluster.create(
        {
            "apiVersion": "authorization.k8s.io/v1",
            "kind": "SelfSubjectAccessReview",
            "metadata": {},
            "spec": {"resourceAttributes": attributes},
        }
    )
    return bool(review.get("status", {}).get("allowed"))


def _labels(document: Document) -> dict[str, str]:
    return document["metadata"].get("labels") or {}


def _available(deployment: Document) -> bool:
    conditions = (deployment.get("status") or {}).get("conditions") or ()
    return any(one["type"] == "Available" and one["status"] == "True" for one in conditions)


def _routed(services: list[Document]) -> bool | None:
    """Tell whether the ingress routes any endpoint."""
    if not services:
        return None
    conditions = [
        one for service in services for one in (service.get("status") or {}).get("conditions") or ()
    ]
    return any(one["type"] == "RoutesReady" and one["status"] == "True" for one in conditions)
