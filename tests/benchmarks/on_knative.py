"""What KubeServe costs on Knative, measured on the test cluster.

    python -m tests.benchmarks.on_knative [--only cold,push,many,burst] [--starts 10] …

Uses the cluster that is up (`task cluster:up`), or brings one up that goes with the run. The
control plane runs on this machine, models and builds in pods. Prints JSON, then a short table.
"""

import argparse
import contextlib
import json
import os
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

from tests.benchmarks import cold, many, pushing
from tests.cluster import lifecycle, product
from tests.cluster.home import Home
from tests.cluster.kube import Cluster, Json
from tests.cluster.platform import outside
from tests.cluster.processes import Deadline

SETTINGS = {
    # Room for all that is asked for at once; the node's own room is what limits it.
    "tenant_pods": "240",
    "tenant_cpu_millis": "100000",
    "tenant_memory_mib": "100000",
    "predict_token_s": "3600",  # one token for all cold starts: fetching one is not measured
}


def main() -> None:
    """Run the parts that were asked for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", default="cold,push,many,burst", help="parts, by commas")
    parser.add_argument("--starts", type=int, default=15, help="cold starts of each server")
    parser.add_argument("--pushes", type=int, default=10)
    parser.add_argument("--endpoints", type=int, default=100)
    parser.add_argument("--burst", type=int, default=500, help="requests at once")
    given = parser.parse_args()
    with running() as cluster:
        runtime, builder = product.build("runtime"), product.build("builder")
        parts: dict[str, Callable[[], Json]] = {}

        def part(name: str, run: Callable[..., Json], count: int) -> None:
            def alone() -> Json:
                with outside(cluster, runtime, builder, **SETTINGS) as platform:
                    return run(cluster, platform, count)

            parts[name] = alone

        part("cold", cold.starts, given.starts)
        part("push", pushing.pushes, given.pushes)
        part("many", many.endpoints, given.endpoints)
        part("burst", many.burst, given.burst)
        found: Json = {}
        for name in given.only.split(","):
            swept(cluster)
            loaded = os.getloadavg()[0]
            found[name] = {"load_before": round(loaded, 2), **parts[name]()}
            print(f"{name}: {json.dumps(found[name])}", file=sys.stderr)
    print(json.dumps(found, indent=2))
    print(table(found))


def swept(cluster: Cluster) -> None:
    """Wait until what the part before left behind is gone: it takes the processors' time."""
    deadline = Deadline("The end of the namespaces before", 300, pause_s=1)
    while any(one["status"]["phase"] != "Active" for one in cluster.get("namespaces")["items"]):
        deadline.again()


@contextlib.contextmanager
def running() -> Iterator[Cluster]:
    """Give the cluster that is up, or one for this run."""
    home = Home.default()
    if all(lifecycle.status(home).values()):
        yield Cluster(home)
        return
    with tempfile.TemporaryDirectory(prefix="ks-cluster-") as folder:
        home = Home(Path(folder, "home"))
        os.environ["TEST_CLUSTER_HOME"] = str(home.root)  # for all that take the default
        try:
            yield lifecycle.up(home, held=True)
        finally:
            lifecycle.down(home)


def table(found: Json) -> str:
    """Say the figures that the README states."""
    lines = []
    if one := found.get("cold"):
        lines.append(
            f"cold start, p50 of {one['starts_each']} each: {one['kubeserve_ms']['p50']:.0f} ms, a "
            f"static server {one['static_ms']['p50']:.0f} ms: {one['ratio_p50']:.2f} times"
        )
    if one := found.get("push"):
        p50 = one["p50_s"]
        lines.append(
            f"push to ready, p50 of {one['pushes']}: {p50['whole']:.2f} s (upload "
            f"{p50['upload']:.2f}, build {p50['build']:.2f}, deploy {p50['deploy']:.2f}, a "
            f"static server's {one['static_deploy_p50_s']:.2f}); the tenant's first: "
            f"{one['first_s']['whole']:.2f} s"
        )
    if one := found.get("many"):
        each, same = one["requests_per_endpoint"], one["without_a_change"]
        lines.append(
            f"{one['endpoints']} endpoints ready after {one['ready_s']['all']} s; each took "
            f"{each['writes']} writes and {each['reads']} reads; {same['looks']} looks without a "
            f"change: {same['writes']} writes"
        )
    if one := found.get("burst"):
        lines.append(f"{one['requests']} requests to zero: {one['answers']}, p50 {one['p50_s']} s")
    return "\n".join(lines)


if __name__ == "__main__":
    main()
