"""Preflight: every fault of a cluster is found by name, with what to change; a good one is ok."""

from dataclasses import replace
from typing import Any

import pytest

from controlplane.engines.knative import cluster as kube
from controlplane.engines.knative import looking
from controlplane.engines.knative.preflight import CONFIGS, INGRESSES, RIGHTS, Facts, findings
from controlplane.engines.preflight import Verdict
from runtime.problems import EngineUnavailable

GOOD = Facts(
    kubernetes="v1.34.4",
    knative="1.15.2",
    configs={
        **{name: {} for name in CONFIGS},
        "config-network": {
            "ingress-class": "kourier.ingress.networking.knative.dev",
            "mesh-compatibility-mode": "disabled",
        },
        "config-deployment": {"queue-sidecar-image": "queue"},
        "config-domain": {"models.example.com": ""},
    },
    deployments=dict.fromkeys(
        ("activator", "autoscaler", "controller", "webhook", "net-kourier-controller"), True
    ),
)


def with_config(name: str, **data: str) -> Facts:
    found = {key.replace("__", ".").replace("_", "-"): value for key, value in data.items()}
    return replace(GOOD, configs={**GOOD.configs, name: found})


def bad(facts: Facts) -> list[tuple[str, Verdict]]:
    return [(one.name, one.verdict) for one in findings(facts) if one.verdict is not Verdict.OK]


def test_a_good_cluster_is_good() -> None:
    found = findings(GOOD)
    assert bad(GOOD) == []
    assert {one.name for one in found} >= {"kubernetes", "knative", "rbac", "ingress", *CONFIGS}
    assert not any(one.advice for one in found)


@pytest.mark.parametrize(
    ("facts", "name", "verdict"),
    [
        (replace(GOOD, kubernetes="v1.27.3"), "kubernetes", Verdict.FAIL),
        (replace(GOOD, knative="devel"), "knative", Verdict.WARN),
        (replace(GOOD, knative="v1.9.0"), "knative", Verdict.WARN),
        (replace(GOOD, denied=("create jobs.batch",)), "rbac", Verdict.FAIL),
        (with_config("config-features", **{"kubernetes.podspec-volumes-emptydir": "Disabled"}),
         "config-features", Verdict.FAIL),
        (with_config("config-autoscaler", enable_scale_to_zero="false"),
         "config-autoscaler", Verdict.WARN),
        (with_config("config-autoscaler", max_scale_limit="3"),
         "config-autoscaler", Verdict.WARN),
        (with_config("config-deployment"), "config-deployment", Verdict.FAIL),
        (with_config("config-defaults", max_revision_timeout_seconds="300"),
         "config-defaults", Verdict.WARN),
        (replace(GOOD, configs={**GOOD.configs, "config-domain": {"_example": "x"}}),
         "config-domain", Verdict.WARN),
        (with_config("config-domain", svc__cluster__local=""), "config-domain", Verdict.WARN),
        (with_config("config-network",
                     ingress_class="kourier.ingress.networking.knative.dev"),
         "config-network", Verdict.WARN),
        (with_config("config-network", mesh_compatibility_mode="disabled"),
         "ingress", Verdict.FAIL),
        (with_config("config-network", mesh_compatibility_mode="disabled",
                     ingress_class="own.example"), "ingress", Verdict.WARN),
        (replace(GOOD, deployments={**GOOD.deployments, "webhook": False}),
         "knative", Verdict.FAIL),
    ],
)  # fmt: skip
def test_each_fault_is_found_alone_with_what_to_change(
    facts: Facts, name: str, verdict: Verdict
) -> None:
    assert bad(facts) == [(name, verdict)]
    assert all(one.advice for one in findings(facts) if one.verdict is not Verdict.OK)


def test_an_ingress_nobody_knows_is_good_once_it_routes() -> None:
    facts = with_config(
        "config-network", mesh_compatibility_mode="disabled", ingress_class="own.example"
    )
    assert bad(replace(facts, routed=True)) == []


def test_a_missing_config_map_is_found() -> None:
    without = {key: value for key, value in GOOD.configs.items() if key != "config-network"}
    assert bad(replace(GOOD, configs=without)) == [("config-network", Verdict.FAIL)]


def test_without_knative_there_is_one_finding() -> None:
    assert bad(Facts(kubernetes="v1.34.0")) == [("knative", Verdict.FAIL)]


class Answers:
    """A cluster in memory that has nothing and forbids `denied`."""

    def __init__(self, *, away: bool = False, denied: str | None = None) -> None:
        self._away, self._denied = away, denied

    def raw(self, path: str) -> Any:
        if self._away:
            raise EngineUnavailable("the Kubernetes API does not answer: refused")
        return {"gitVersion": "v1.34.4"}

    def get(self, kind: kube.Kind, namespace: str | None, name: str) -> Any:
        return {"data": dict(GOOD.configs[name])}

    def create(self, document: Any) -> Any:
        asked = document["spec"]["resourceAttributes"]
        return {"status": {"allowed": asked["subresource"] != self._denied}}

    def list(
        self, kind: kube.Kind, namespace: str | None = None, selector: str | None = None
    ) -> Any:
        if kind is kube.SERVICE:
            return [], "1"
        available = {"conditions": [{"type": "Available", "status": "True"}]}
        version = {"app.kubernetes.io/version": "1.15.2"}
        return [
            {"metadata": {"name": name, "labels": version}, "status": available}
            for name in GOOD.deployments
        ], "1"


def test_what_is_read_is_what_is_judged() -> None:
    assert looking.facts(Answers()) == GOOD
    assert looking.facts(Answers(denied="log")).denied == ("get pods/log",)
    (unread,) = looking.facts(Answers(away=True)).unread
    assert "does not answer" in unread
    assert bad(looking.facts(Answers(away=True))) == [("cluster", Verdict.FAIL)]


def test_the_table_of_rights_names_each_resource_once() -> None:
    named = [(group, resource) for group, resource, _ in RIGHTS]
    assert len(named) == len(set(named))
    assert all(controller.startswith("net-") for controller in INGRESSES.values())
