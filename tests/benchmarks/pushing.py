"""From a new model's bytes to a Knative Service that is ready."""

import io
import time

import joblib
import numpy as np
from sklearn.linear_model import LogisticRegression

from tests.benchmarks.cold import ZERO, X, Y, medians
from tests.cluster.kube import Cluster, Json
from tests.conformance.platform import Platform


def pushes(cluster: Cluster, platform: Platform, times: int) -> Json:
    """Push and deploy small models that the installation has not seen."""
    found = [once(platform, f"push-{number}", number) for number in range(times)]
    return {
        "pushes": times,
        "p50_s": medians(found),
        "worst_s": round(max(one["whole"] for one in found), 2),
        "whole_s": [round(one["whole"], 2) for one in found],
    }


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
