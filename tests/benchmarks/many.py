"""Many endpoints from nothing, and many requests for one that sleeps."""

import asyncio
import re
import time
from collections import Counter
from urllib.parse import urlsplit

import httpx

from tests.benchmarks.cold import OURS, ZERO, X, deploy
from tests.benchmarks.watching import SELECTOR, Watch, conditions
from tests.cluster.kube import Cluster, Json
from tests.cluster.processes import Deadline
from tests.conformance.platform import Platform, rows

READS = ("GET", "DRY-RUN")
LINE = re.compile(r'kubeserve_kubernetes_requests_total\{kind="(.*)",method="(.*)"\} (.*)')
STEPS = re.compile(r'kubeserve_reconciles_total\{loop="endpoints",outcome="done"\} (.*)')
# Most of the time goes by while pods wait for room: a small node holds about a dozen at once.
WITHIN_S = 900.0


def endpoints(cluster: Cluster, platform: Platform, count: int) -> Json:
    """Make `count` endpoints of one model at once and wait for all; then for a look at each."""
    namespace = deploy(platform)
    ready: dict[str, float] = {}
    wanted = {f"many-{number:03d}" for number in range(count)}

    def seen(_: str, service: Json) -> None:
        if conditions(service).get("Ready") == "True":
            ready.setdefault(service["metadata"]["name"], time.monotonic())

    before = requests(platform)
    began = time.monotonic()
    with Watch(cluster, seen, "-n", namespace, "ksvc") as watch:
        for name in sorted(wanted):
            platform.client.deploy(OURS, endpoint=name, scaling=ZERO, wait=False)
        asked = time.monotonic()
        watch.until(lambda: wanted <= ready.keys(), f"{count} endpoints ready", WITHIN_S)
    spent = requests(platform) - before
    at_zero(cluster, namespace)
    took = sorted(ready[name] - began for name in wanted)
    return {
        "endpoints": count,
        "asked_for_within_s": round(asked - began, 1),
        "ready_s": {"first": round(took[0], 1), "half": round(took[count // 2], 1),
                    "all": round(took[-1], 1)},
        "requests_per_endpoint": per_endpoint(spent, count),
        "without_a_change": unchanged(platform, count),
    }  # fmt: skip


def at_zero(cluster: Cluster, namespace: str) -> None:
    """Wait until no pod of a service takes requests."""
    deadline = Deadline("The last pod's end", 300, pause_s=0.5)
    asked = ("-n", namespace, "pods", "-l", SELECTOR)
    while any("deletionTimestamp" not in pod["metadata"] for pod in cluster.get(*asked)["items"]):
        deadline.again()


def unchanged(platform: Platform, count: int) -> Json:
    """Count what is asked while every endpoint is looked at once more and nothing is to be done."""
    began, before = looks(platform), requests(platform)
    deadline = time.monotonic() + 180
    while (looked := looks(platform) - began) < count:
        if time.monotonic() > deadline:
            raise TimeoutError(f"only {looked} of {count} endpoints were looked at again")
        time.sleep(0.2)
    spent = requests(platform) - before
    return {
        "looks": looked,
        "writes": writes(spent),
        "requests_per_look": per_endpoint(spent, looked),
    }


def requests(platform: Platform) -> Counter[tuple[str, str]]:
    """Read how often the control plane asked the Kubernetes API, by method and kind.

    Without the lease, which is renewed by the clock.
    """
    found = LINE.findall(metrics(platform))
    return Counter({(how, kind): int(float(n)) for kind, how, n in found if kind != "leases"})


def looks(platform: Platform) -> int:
    """Read how many times an endpoint was reconciled."""
    found = STEPS.search(metrics(platform))
    return int(float(found[1])) if found else 0


def metrics(platform: Platform) -> str:
    """Read the control plane's metrics."""
    assert platform.home is not None, "its control plane runs on this machine"
    sent = {"authorization": f"Bearer {(platform.home / 'metrics-token').read_text()}"}
    url = f"{platform.client.url}/metrics"
    return httpx.get(url, headers=sent, trust_env=False).raise_for_status().text


def writes(spent: Counter[tuple[str, str]]) -> int:
    """Count what changed the cluster, or meant to."""
    return sum(count for (how, _), count in spent.items() if how not in READS)


def per_endpoint(spent: Counter[tuple[str, str]], count: int) -> Json:
    """Give requests divided by endpoints, all and by method and kind."""
    return {
        "writes": round(writes(spent) / count, 2),
        "reads": round((sum(spent.values()) - writes(spent)) / count, 2),
        **{f"{how} {kind}": round(n / count, 2) for (how, kind), n in spent.most_common() if n},
    }


def burst(cluster: Cluster, platform: Platform, count: int) -> Json:
    """Send `count` requests at once to a service at zero; each is sent once."""
    namespace = deploy(platform)
    at_zero(cluster, namespace)
    endpoint = platform.client.endpoint(OURS)
    headers = {
        "authorization": f"Bearer {platform.token(endpoint.audience)}",
        "host": urlsplit(endpoint.url).netloc,
    }
    began = time.monotonic()
    answers = asyncio.run(_at_once(f"{platform.ingress}/v1/models/{OURS}:predict", headers, count))
    times = sorted(seconds for _, seconds in answers)
    return {
        "requests": count,
        "answers": dict(Counter(said for said, _ in answers)),
        "p50_s": round(times[count // 2], 2),
        "worst_s": round(times[-1], 2),
        "took_s": round(time.monotonic() - began, 2),
    }


async def _at_once(url: str, headers: dict[str, str], count: int) -> list[tuple[str, float]]:
    body = rows(X[:1])
    limits = httpx.Limits(max_connections=None)
    async with httpx.AsyncClient(
        headers=headers, limits=limits, timeout=120, trust_env=False
    ) as client:

        async def one() -> tuple[str, float]:
            began = time.monotonic()
            try:
                said = str((await client.post(url, content=body)).status_code)
            except httpx.HTTPError as error:
                said = type(error).__name__
            return said, time.monotonic() - began

        return list(await asyncio.gather(*(one() for _ in range(count))))
