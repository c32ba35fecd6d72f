"""Why a version is as it is: waiting, built, ready or failed. Pure."""

from dataclasses import dataclass
from typing import Any

from controlplane.engines.engine import Cause


@dataclass(frozen=True, slots=True)
class Queue:
    """What is before a version that waits: builds of its tenant, which may have `limit` at once."""

    ahead: int
    running: int
    limit: int


def cause(version: dict[str, Any], queue: Queue) -> Cause:
    """Explain a version's document."""
    which = f"{version['model']}:{version['number']}"
    match version["state"]:
        case "uploaded":
            return _waiting(which, queue)
        case "building":
            text = version["reason"] or f"{which} is being built."
            step = f"Wait for it: `kubeserve versions {version['model']}`."
            return Cause("Building", True, text, (f"version {which} is building",), step)
        case "failed":
            text = f"{which} cannot serve: {version['reason']}"
            step = version["advice"] or "Change the model and push it again: `kubeserve push`."
            return Cause("BuildFailed", False, text, _facts(version), step)
        case _:
            return _ready(which, version)


def _ready(which: str, version: dict[str, Any]) -> Cause:
    step = f"`kubeserve deploy {which}` puts it behind an endpoint."
    if version["backend"] == "fallback":
        text = f"{which} is served by scikit-learn itself: {version['fallback_because']}"
        return Cause("Fallback", True, text, _facts(version), step)
    text = f"{which} is served from a compiled plan, {version['exactness']}."
    return Cause("Ready", True, text, _facts(version), step)


def _waiting(which: str, queue: Queue) -> Cause:
    facts = (
        f"{queue.ahead} other versions of this tenant wait before it",
        f"{queue.running} of {queue.limit} builds that the tenant may have at a time run",
    )
    if queue.running >= queue.limit:
        text = f"{which} waits: the tenant has as many builds running as it may."
        step = "Wait, or ask the operator of this installation to raise the quota builds."
        return Cause("QuotaReached", True, text, facts, step)
    text = f"{which} waits for its turn to be built."
    step = "Wait. If it lasts for minutes, ask the operator for the control plane's log."
    return Cause("Waiting", True, text, facts, step)


def _facts(version: dict[str, Any]) -> tuple[str, ...]:
    told = {
        "estimator": version["estimator"],
        "scikit-learn": version["sklearn_version"],
        "imports": ", ".join(version["imports"] or ()),
        "sandbox": ", ".join(version["sandbox"] or ()),
    }
    seconds = version["build_seconds"]
    facts = [f"{name}: {value}" for name, value in told.items() if value]
    if seconds:
        facts.append("build: " + ", ".join(f"{name} {s:.2f} s" for name, s in seconds.items()))
    return tuple(facts)
