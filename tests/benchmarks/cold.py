"""Cold starts through the ingress: ours and a static server's, in turn, everything else alike."""

import copy
import re
import statistics
import time
from urllib.parse import urlsplit

import httpx
from sklearn.datasets import load_iris
from sklearn.linear_model import LogisticRegression

from tests.benchmarks.watching import SELECTOR, Pods, Watch
from tests.cluster import programs
from tests.cluster.kube import Cluster, Json
from tests.conformance.platform import Platform, rows

OURS, STATIC = "bench-iris", "bench-static"
STEPS = ("created", "scheduled", "started", "ready", "answered")
X, Y = load_iris(return_X_y=True)
# Requests pass the activator always, and a pod goes as soon as Knative allows.
ZERO = {"window_s": 6, "scale_to_zero_grace_period_s": 0, "target_burst_capacity": -1}
READY = re.compile(r"ready after ([0-9.]+) ms \((.*)\)")


def deploy(platform: Platform) -> str:
    """Serve iris by KubeServe; gives the namespace it is in."""
    platform.push(LogisticRegression(max_iter=500).fit(X, Y), OURS)
    endpoint = platform.client.deploy(OURS, scaling=ZERO)
    return urlsplit(endpoint.url).netloc.split(".")[1]


def static(cluster: Cluster, namespace: str, like: str = OURS, name: str = STATIC) -> float:
    """Make ours anew with a server that does nothing: without files, keys and a model.

    Gives the seconds until it is Ready.
    """
    ours = cluster.get("-n", namespace, f"ksvc/{like}")
    template = copy.deepcopy(ours["spec"]["template"])
    template["metadata"] = {"annotations": template["metadata"]["annotations"]}
    template["spec"].pop("volumes", None)
    (container,) = template["spec"]["containers"]
    for member in ("command", "env", "volumeMounts"):
        container.pop(member, None)
    container["image"] = programs.image("hello", cluster.home)
    metadata = {"name": name, "namespace": namespace}
    document = {"apiVersion": ours["apiVersion"], "kind": ours["kind"], "metadata": metadata}
    began = time.monotonic()
    cluster.apply({**document, "spec": {"template": template}})
    cluster.wait("condition=Ready", "-n", namespace, f"ksvc/{name}")
    return time.monotonic() - began


def starts(cluster: Cluster, platform: Platform, times: int) -> Json:
    """Wake both from zero in turn, `times` each."""
    namespace = deploy(platform)
    static(cluster, namespace)
    pods = Pods()
    found: dict[str, list[dict[str, float]]] = {OURS: [], STATIC: []}
    inside: list[dict[str, float]] = []
    watch = Watch(cluster, pods.seen, "-n", namespace, "pods", "-l", SELECTOR)
    with platform.caller(OURS) as ours, httpx.Client(trust_env=False, timeout=60) as other, watch:
        host = ours.headers["host"].replace(OURS, STATIC, 1)
        body = rows(X[:1])
        calls = {
            OURS: lambda: ours.post(f"/v1/models/{OURS}:predict", content=body),
            STATIC: lambda: other.post(
                f"{platform.ingress}/", content=body, headers={"host": host}
            ),
        }
        for turn in range(2 * times):
            name = (OURS, STATIC)[turn % 2]
            watch.until(lambda: bool(pods.steps) and not pods.alive, "no pods left", 180)
            began = time.monotonic()
            answer = calls[name]()
            answered = time.monotonic()
            answer.raise_for_status()
            (pod,) = pods.of(name)
            # The answer may be here before the watch says why it could be.
            watch.until(lambda: "ready" in pods.steps[pod], f"{pod} ready", 30)  # noqa: B023
            steps = {**pods.steps[pod], "answered": answered}
            found[name].append({step: 1000 * (steps[step] - began) for step in STEPS})
            if name == OURS:
                inside.append(phases(cluster, namespace, pod))
    return report(found[OURS], found[STATIC], inside)


def phases(cluster: Cluster, namespace: str, pod: str) -> dict[str, float]:
    """Read what our container says of its own start."""
    said = READY.search(cluster.kubectl("-n", namespace, "logs", pod, "-c", "runtime"))
    assert said is not None
    parts = (part.rsplit(" ", 1) for part in said[2].split(", "))
    return {"all": float(said[1]), **{name: float(ms) for name, ms in parts}}


def report(
    ours: list[dict[str, float]], static: list[dict[str, float]], inside: list[dict[str, float]]
) -> Json:
    """Give medians in milliseconds and their ratio."""
    middle, other = medians(ours), medians(static)
    return {
        "starts_each": len(ours),
        "ratio_p50": round(middle["answered"] / other["answered"], 3),
        "kubeserve_ms": {
            "p50": middle["answered"],
            "worst": round(max(one["answered"] for one in ours)),
            "reached_after": middle,
            "in_the_container": medians(inside),
        },
        "static_ms": {
            "p50": other["answered"],
            "worst": round(max(one["answered"] for one in static)),
            "reached_after": other,
        },
        "each_ms": {
            name: [{step: round(one[step]) for step in STEPS} for one in found]
            for name, found in (("kubeserve", ours), ("static", static))
        },
    }


def medians(found: list[dict[str, float]]) -> dict[str, float]:
    """Give the median of each figure."""
    return {name: round(statistics.median(one[name] for one in found), 2) for name in found[0]}
