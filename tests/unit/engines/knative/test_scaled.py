"""How Prometheus is told that endpoints on Knative are scaled, and of drift that was repaired."""

import copy
from pathlib import Path
from typing import Any

from controlplane.artifacts.folder import FolderStore
from controlplane.engines.engine import Scaling
from controlplane.engines.knative import cluster as kube
from controlplane.engines.knative import decisions, names
from controlplane.engines.knative.engine import KnativeEngine
from controlplane.engines.knative.names import Document
from controlplane.engines.knative.render import autoscaling
from controlplane.engines.knative.scaled import scaled
from controlplane.telemetry import REGISTRY
from tests.unit.engines.knative.desired import INSTALL

TOLD = """
kn_revision_pods_desired{k8s_namespace_name="acme",kn_revision_name="iris-1"} 3
kn_revision_panic_mode{k8s_namespace_name="acme",kn_revision_name="iris-1"} 1
kn_revision_concurrency_stable{k8s_namespace_name="acme",kn_revision_name="iris-1"} 2.5
kn_revision_concurrency_panic{k8s_namespace_name="acme",kn_revision_name="iris-1"} 4.5
kn_revision_panic_mode{k8s_namespace_name="acme",kn_revision_name="iris-2"} 0
kn_revision_concurrency_stable{k8s_namespace_name="acme",kn_revision_name="iris-2"} 1.5
kn_revision_concurrency_panic{k8s_namespace_name="acme",kn_revision_name="iris-2"} 0.5
"""


def service() -> Document:
    routed = [{"revisionName": "iris-1", "percent": 90}, {"revisionName": "iris-2", "percent": 10}]
    return {
        "metadata": {
            "name": "iris", "namespace": "acme", "generation": 1,
            "labels": {names.TENANT: "acme", names.ENDPOINT: "e-1"},
            "annotations": {names.GENERATION: "1"},
        },
        "spec": {"traffic": routed},
        "status": {"observedGeneration": 1, "url": "http://iris", "traffic": routed},
    }  # fmt: skip


def revision(name: str, ready: int, scaling: Scaling) -> Document:
    return {
        "metadata": {"name": name, "namespace": "acme",
                     "annotations": autoscaling(scaling, routed=True)},
        "spec": {},
        "status": {"actualReplicas": ready, "desiredReplicas": ready + 1},
    }  # fmt: skip


def test_revisions_of_an_endpoint_are_added_up() -> None:
    by = Scaling(target=2.0)
    revisions = [revision("iris-1", 2, by), revision("iris-2", 1, by)]
    found = scaled(service(), revisions, decisions.gauges(TOLD))
    assert (found.tenant, found.endpoint) == ("acme", "iris")
    of = found.scaled
    assert (of.desired, of.ready) == (5, 3)
    assert (of.stable, of.panic, of.panicking) == (4.0, 5.0, True)
    assert (of.metric, of.target) == (
        "concurrency",
        decisions.read(revisions[0]).policy.target_value,
    )
    assert (found.counts, found.starts, found.parked) == (None, None, None), "pods tell that"


def test_what_the_autoscaler_does_not_tell_is_not_told() -> None:
    mixed = [revision("iris-1", 1, Scaling()), revision("iris-2", 1, Scaling(metric="rps"))]
    for told, revisions in (("", mixed[:1]), (TOLD, mixed)):
        of = scaled(service(), revisions, decisions.gauges(told)).scaled
        assert (of.stable, of.panic, of.decisions) == (None, None, None)


class Objects:
    """Objects by kind and name, as an API server keeps them."""

    owned = "app=ours"

    def __init__(self) -> None:
        self.live: dict[tuple[str, str], Any] = {}

    def get(self, kind: kube.Kind, _: str | None, name: str, **__: Any) -> Any:
        return self.live.get((kind.kind, name))

    def apply(self, document: Document) -> Document:
        kept = copy.deepcopy(document)
        self.live[document["kind"], document["metadata"]["name"]] = kept
        return kept


def repaired() -> float:
    return (
        REGISTRY.get_sample_value("kubeserve_drift_repaired_total", {"kind": "LimitRange"}) or 0.0
    )


async def test_drift_is_what_others_changed_and_no_change_of_ours(tmp_path: Path) -> None:
    objects = Objects()
    engine = KnativeEngine(objects, FolderStore(tmp_path), None, INSTALL)  # type: ignore[arg-type]  # a stand-in
    labels = names.tenant_labels("acme", INSTALL.instance)
    wanted = {"apiVersion": "v1", "kind": "LimitRange", "spec": {"limits": [1]},
              "metadata": {"name": "kubeserve", "namespace": "acme", "labels": labels}}  # fmt: skip
    before = repaired()
    for _ in range(3):
        await engine._ensure(wanted)
    assert repaired() == before, "made, and as it was"
    await engine._ensure({**wanted, "spec": {"limits": [2]}})
    assert repaired() == before, "we want it otherwise"
    wanted = {**wanted, "spec": {"limits": [2]}}
    objects.live["LimitRange", "kubeserve"]["spec"] = {"limits": []}
    await engine._ensure(wanted)
    assert repaired() == before + 1, "somebody changed it"
    del objects.live["LimitRange", "kubeserve"]
    await engine._ensure(wanted)
    assert repaired() == before + 2, "somebody removed it"
    assert objects.live["LimitRange", "kubeserve"]["spec"] == {"limits": [2]}
