"""From a new model's bytes to a Knative Service that is ready.

The first push of a tenant starts a pod that builds it. Each further one comes a while after a
builder waits for it, as a person's would: what is measured is one push, not a stream of them. In
turn with them a static server's KService is made, which is what the deploy cannot be faster than.
"""

import io
import statistics
import time
from datetime import UTC, datetime
from typing import Final
from urllib.parse import urlsplit

import joblib
import numpy as np
from sklearn.linear_model import LogisticRegression

from tests.benchmarks.cold import ZERO, X, Y, medians, static
from tests.cluster.kube import Cluster, Json
from tests.cluster.processes import Deadline
from tests.conformance.platform import Platform

WAITED_S: Final = 10.0


def pushes(cluster: Cluster, platform: Platform, times: int) -> Json:
    """Push and deploy small models that the installation has not seen."""
    first = once(platform, "push-first", 0)
    namespace = urlsplit(platform.client.endpoint("push-first").url).netloc.split(".")[1]
    found, static_s = [], []
    for number in range(1, times + 1):
        builder_waits(cluster)
        found.append(once(platform, f"push-{number}", number))
        static_s.append(static(cluster, namespace, "push-first", f"static-{number}"))
    return {
        "first_s": {part: round(seconds, 2) for part, seconds in first.items()},
        "pushes": times,
        "p50_s": medians(found),
        "static_deploy_p50_s": round(statistics.median(static_s), 2),
        "worst_s": round(max(one["whole"] for one in found), 2),
        "whole_s": [round(one["whole"], 2) for one in found],
    }


def builder_waits(cluster: Cluster) -> None:
    """Wait until a builder has been waiting for a while."""
    deadline = Deadline("A builder that waits", 120, pause_s=0.5)
    while True:
        found = cluster.get("jobs", "-A", "-l", "kubeserve.dev/standby,!kubeserve.dev/version")
        for status in (one.get("status", {}) for one in found["items"]):
            began = datetime.fromisoformat(status.get("startTime") or "9999-01-01T00:00:00Z")
            waited = (datetime.now(UTC) - began).total_seconds()
            if status.get("ready") and waited > WAITED_S:
                return
        deadline.again()


def once(platform: Platform, name: str, seed: int) -> dict[str, float]:
    """Give the seconds of one push, by part."""
    noise = np.random.default_rng(seed).normal(0, 0.05, X.shape)
    file = io.BytesIO()
    joblib.dump(LogisticRegression(max_iter=500).fit(X + noise, Y), file)
    file.seek(0)
    began = time.monotonic()
    version = platform.client.push(file, name, wait=False)
    uploaded = time.monotonic()
    platform.client.wait_for_version(name, version.number)
    built = time.monotonic()
    platform.client.deploy(name, scaling=ZERO)
    ready = time.monotonic()
    return {
        "whole": ready - began,
        "upload": uploaded - began,
        "build": built - uploaded,
        "deploy": ready - built,
    }
