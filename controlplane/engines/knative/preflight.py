"""Is this cluster as KubeServe needs it? Facts in, findings out; pure."""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

from controlplane.engines.preflight import Finding, Verdict

KNATIVE: Final = "knative-serving"
CONFIGS: Final = (
    "config-network", "config-features", "config-autoscaler", "config-deployment",
    "config-defaults", "config-domain",
)  # fmt: skip
PARTS: Final = ("activator", "autoscaler", "controller", "webhook")
INGRESSES: Final = {
    "kourier.ingress.networking.knative.dev": "net-kourier-controller",
    "istio.ingress.networking.knative.dev": "net-istio-controller",
    "contour.ingress.networking.knative.dev": "net-contour-controller",
    "gateway-api.ingress.networking.knative.dev": "net-gateway-api-controller",
}
LEAST_KUBERNETES: Final = (1, 30)  # sleep as a preStop hook, ValidatingAdmissionPolicy
LEAST_KNATIVE: Final = (1, 15)  # the oldest that is tested
MOST_TIMEOUT_S: Final = 600
WRITE: Final = ("get", "create", "patch", "update")

# What our account has to be allowed: (API group, resource, verbs). The chart's ClusterRole is this,
# and a test compares them.
RIGHTS: Final[tuple[tuple[str, str, tuple[str, ...]], ...]] = (
    ("", "namespaces", ("get", "list", "create", "patch", "update")),
    ("", "configmaps", WRITE),
    ("", "serviceaccounts", WRITE),
    ("", "limitranges", WRITE),
    ("", "resourcequotas", ("get", "list", "create", "patch", "update")),
    ("networking.k8s.io", "networkpolicies", WRITE),
    ("", "secrets", ("get", "list", "create", "patch", "delete")),
    ("serving.knative.dev", "services",
     ("get", "list", "watch", "create", "patch", "update", "delete")),
    ("serving.knative.dev", "revisions", ("get", "list", "delete")),
    ("serving.knative.dev", "routes", ("get", "list")),
    ("autoscaling.internal.knative.dev", "podautoscalers", ("get", "patch")),
    ("batch", "jobs", ("get", "list", "create", "patch", "delete")),
    ("apps", "deployments", ("get", "list")),
    ("", "pods", ("get", "list", "watch")),
    ("", "pods/log", ("get",)),
    ("", "events", ("list",)),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Facts:
    """What was read.

    kubernetes, knative   versions as they name themselves; None: not found
    configs               Knative's ConfigMaps by name; missing where they could not be read
    deployments           of Knative's namespace: is it available
    routed                whether any endpoint of ours gets its traffic; None: there is none
    denied                rights that our account does not have
    unread                what could not be read, and why
    """

    kubernetes: str | None = None
    knative: str | None = None
    configs: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    deployments: Mapping[str, bool] = field(default_factory=dict)
    routed: bool | None = None
    denied: tuple[str, ...] = ()
    unread: tuple[str, ...] = ()


def findings(facts: Facts) -> tuple[Finding, ...]:
    """Judge all facts, in the order in which somebody would mend them."""
    checks: tuple[tuple[str, Callable[[Facts], Iterator[Finding]]], ...] = (
        ("cluster", _unread),
        ("kubernetes", _kubernetes),
        ("knative", _knative),
        ("rbac", _rights),
        ("config-network", _network),
        ("ingress", _ingress),
        ("config-features", _features),
        ("config-autoscaler", _autoscaler),
        ("config-deployment", _deployment),
        ("config-defaults", _defaults),
        ("config-domain", _domain),
    )
    found: list[Finding] = []
    for name, check in checks:
        if name.startswith("config-") and name not in facts.configs:
            if facts.knative is not None:
                found.append(_missing(name))
            continue
        found += check(facts)
    return tuple(found)


def _ok(name: str, message: str) -> Finding:
    return Finding(name, Verdict.OK, message)


def _patch(config: str, key: str, value: str) -> str:
    data = f'{{"data":{{"{key}":"{value}"}}}}'
    return f"kubectl -n {KNATIVE} patch configmap {config} --type merge -p '{data}'"


def _missing(name: str) -> Finding:
    return Finding(
        name, Verdict.FAIL, f"ConfigMap {name} of {KNATIVE} is missing or cannot be read.",
        "Install Knative Serving again; every one of its ConfigMaps must exist.",
    )  # fmt: skip


def _unread(facts: Facts) -> Iterator[Finding]:
    for what in facts.unread:
        yield Finding("cluster", Verdict.FAIL, what, "The control plane must reach the API server.")


def _version(text: str) -> tuple[int, int] | None:
    found = re.match(r"v?(\d+)\.(\d+)", text)
    return (int(found[1]), int(found[2])) if found else None


def _kubernetes(facts: Facts) -> Iterator[Finding]:
    if facts.kubernetes is None:
        return
    version = _version(facts.kubernetes)
    if version is not None and version >= LEAST_KUBERNETES:
        yield _ok("kubernetes", f"Kubernetes {facts.kubernetes}; Pod Security admission is in it.")
        return
    least = ".".join(map(str, LEAST_KUBERNETES))
    yield Finding(
        "kubernetes", Verdict.FAIL, f"Kubernetes {facts.kubernetes} is older than {least}.",
        f"Upgrade the cluster to {least} or newer.",
    )  # fmt: skip


def _knative(facts: Facts) -> Iterator[Finding]:
    if facts.knative is None:
        if not facts.unread:
            yield Finding(
                "knative", Verdict.FAIL, f"There is no Knative Serving in {KNATIVE}.",
                "Install it: https://knative.dev/docs/install/",
            )  # fmt: skip
        return
    version, least = _version(facts.knative), ".".join(map(str, LEAST_KNATIVE))
    if version is None:
        yield Finding(
            "knative", Verdict.WARN, f"Knative calls itself {facts.knative!r}, which says nothing.",
            f"Make sure that it is {least} or newer.",
        )  # fmt: skip
    elif version < LEAST_KNATIVE:
        yield Finding(
            "knative", Verdict.WARN, f"Knative {facts.knative} is older than what is tested.",
            f"Upgrade Knative Serving to {least} or newer.",
        )  # fmt: skip
    else:
        yield _ok("knative", f"Knative Serving {facts.knative}.")
    down = [part for part in PARTS if not facts.deployments.get(part)]
    if down:
        yield Finding(
            "knative", Verdict.FAIL, f"Not available: {', '.join(down)}.",
            f"kubectl -n {KNATIVE} get pods",
        )  # fmt: skip


def _rights(facts: Facts) -> Iterator[Finding]:
    if facts.denied:
        yield Finding(
            "rbac", Verdict.FAIL, f"Our account may not {'; '.join(facts.denied)}.",
            "Give it the chart's ClusterRole: helm upgrade with the chart of this version.",
        )  # fmt: skip
    elif not facts.unread:
        yield _ok("rbac", "Our account has every right it needs.")


def _network(facts: Facts) -> Iterator[Finding]:
    network = facts.configs["config-network"]
    if network.get("mesh-compatibility-mode", "auto") == "disabled":
        yield _ok("config-network", "The activator reaches pods directly.")
        return
    yield Finding(
        "config-network", Verdict.WARN,
        "mesh-compatibility-mode is not disabled: at times a cold start takes 2 to 10 s more, "
        "when the activator falls back from pods to the cluster's address.",
        _patch("config-network", "mesh-compatibility-mode", "disabled") + " unless there is a mesh",
    )  # fmt: skip


def _ingress(facts: Facts) -> Iterator[Finding]:
    if "config-network" not in facts.configs:
        return
    network = facts.configs["config-network"]
    chosen = network.get("ingress-class") or network.get("ingress.class")
    name = chosen or "istio.ingress.networking.knative.dev"
    controller = INGRESSES.get(name)
    default = "" if chosen else " (the default, none is set)"
    if controller is not None and facts.deployments.get(controller):
        yield _ok("ingress", f"{controller} serves {name}.")
    elif facts.routed:
        yield _ok("ingress", f"{name} routes endpoints.")
    elif controller is not None:
        yield Finding(
            "ingress", Verdict.FAIL, f"Knative wants {name}{default}; {controller} is not there.",
            "Install that ingress, or name the one you have, e.g. "
            + _patch("config-network", "ingress-class", next(iter(INGRESSES))),
        )  # fmt: skip
    else:
        yield Finding(
            "ingress", Verdict.WARN, f"{name} is none we know, and no endpoint is routed yet.",
            "Deploy an endpoint; `kubeserve why` tells when the ingress does not route it.",
        )  # fmt: skip


def _features(facts: Facts) -> Iterator[Finding]:
    key = "kubernetes.podspec-volumes-emptydir"
    if facts.configs["config-features"].get(key, "enabled").lower() == "disabled":
        yield Finding(
            "config-features", Verdict.FAIL, f"{key} is disabled; pods cannot fetch large models.",
            _patch("config-features", key, "enabled"),
        )  # fmt: skip
    else:
        yield _ok("config-features", "No feature that we need is disabled.")


def _autoscaler(facts: Facts) -> Iterator[Finding]:
    autoscaler = facts.configs["config-autoscaler"]
    good = True
    if autoscaler.get("enable-scale-to-zero", "true").lower() == "false":
        good = False
        yield Finding(
            "config-autoscaler", Verdict.WARN, "Endpoints do not scale to zero here.",
            _patch("config-autoscaler", "enable-scale-to-zero", "true"),
        )  # fmt: skip
    limit = autoscaler.get("max-scale-limit", "0")
    if limit != "0":
        good = False
        yield Finding(
            "config-autoscaler", Verdict.WARN, f"A max_scale above {limit} will be refused.",
            _patch("config-autoscaler", "max-scale-limit", "0"),
        )  # fmt: skip
    if good:
        yield _ok("config-autoscaler", "Scale to zero is on.")


def _deployment(facts: Facts) -> Iterator[Finding]:
    if facts.configs["config-deployment"].get("queue-sidecar-image"):
        yield _ok("config-deployment", "The queue-proxy has its image.")
    else:
        yield Finding(
            "config-deployment", Verdict.FAIL, "queue-sidecar-image is missing.",
            "Install Knative Serving again, or set it to the queue image of its release.",
        )  # fmt: skip


def _defaults(facts: Facts) -> Iterator[Finding]:
    most = facts.configs["config-defaults"].get("max-revision-timeout-seconds", "600")
    if most.isdigit() and int(most) < MOST_TIMEOUT_S:
        yield Finding(
            "config-defaults", Verdict.WARN, f"A --timeout above {most} s will be refused.",
            _patch("config-defaults", "max-revision-timeout-seconds", str(MOST_TIMEOUT_S)),
        )  # fmt: skip
    else:
        yield _ok("config-defaults", "Timeouts are not cut.")


def _domain(facts: Facts) -> Iterator[Finding]:
    domains = [key for key in facts.configs["config-domain"] if key != "_example"]
    if any(domain != "svc.cluster.local" for domain in domains):
        yield _ok("config-domain", f"Endpoints are below {', '.join(sorted(domains))}.")
        return
    yield Finding(
        "config-domain", Verdict.WARN, "No domain is set: endpoints have names nobody resolves.",
        _patch("config-domain", "models.example.com", "") + ", with your own domain",
    )  # fmt: skip
