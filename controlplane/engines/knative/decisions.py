"""From a Revision and the metrics of Knative's autoscaler to what it saw and decided. Pure.

The metrics are those of its last tick; which tick that was they do not say.
"""

from collections.abc import Iterable
from typing import Any, Final, NamedTuple

from prometheus_client.parser import text_string_to_metric_families

from controlplane.autoscaler.decider import Decision, Panic
from controlplane.autoscaler.policy import RPS, ScalePolicy
from controlplane.autoscaler.recording import Step
from controlplane.autoscaler.windows import Averages
from controlplane.engines.engine import Scaling
from controlplane.engines.knative.names import Document
from controlplane.engines.knative.render import AUTOSCALING
from controlplane.engines.policies import policy_of

# Names of Knative up to 1.18 (OpenCensus), and from 1.19 on (OpenTelemetry).
GAUGES: Final = {
    "autoscaler_desired_pods": "desired",
    # As the autoscaler itself saw them; newer ones do not tell, and the Revision's status is taken.
    "autoscaler_actual_pods": "ready",
    "autoscaler_requested_pods": "wanted",
    "autoscaler_panic_mode": "panicking",
    "autoscaler_stable_request_concurrency": "stable",
    "autoscaler_panic_request_concurrency": "panic",
    "autoscaler_stable_requests_per_second": "stable_rps",
    "autoscaler_panic_requests_per_second": "panic_rps",
    "kn_revision_pods_desired": "desired",
    "kn_revision_panic_mode": "panicking",
    "kn_revision_concurrency_stable": "stable",
    "kn_revision_concurrency_panic": "panic",
    "kn_revision_rps_stable": "stable_rps",
    "kn_revision_rps_panic": "panic_rps",
}
# By namespace and name of a Revision.
Gauges = dict[tuple[str | None, str | None], dict[str, float]]
NAMESPACES: Final = ("namespace_name", "k8s_namespace_name")
REVISIONS: Final = ("revision_name", "kn_revision_name")


class Read(NamedTuple):
    """The settings of a Revision as it runs. `most`: 0 is no bound."""

    policy: ScalePolicy
    least: int
    most: int
    ready: int
    wanted: int


def gauges(text: str) -> Gauges:
    """Read what the autoscaler tells of each Revision, once; raises ValueError."""
    found: Gauges = {}
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            what = GAUGES.get(sample.name)
            if what is not None:
                of = _one(sample.labels, NAMESPACES), _one(sample.labels, REVISIONS)
                found.setdefault(of, {})[what] = float(sample.value)
    return found


def _one(labels: dict[str, str], names: Iterable[str]) -> str | None:
    return next((labels[name] for name in names if name in labels), None)


def read(revision: Document) -> Read:
    """Read the settings that a Revision is scaled by; what it does not say is the default."""
    annotations = revision["metadata"].get("annotations") or {}
    said = {key.removeprefix(f"{AUTOSCALING}/"): value for key, value in annotations.items()}
    usual, status = Scaling(), revision.get("status") or {}
    scaling = Scaling(
        metric=said.get("metric", usual.metric),
        target=float(said["target"]) if "target" in said else None,
        target_utilization_percentage=_number(
            said, "target-utilization-percentage", usual.target_utilization_percentage
        ),
        target_burst_capacity=_number(said, "target-burst-capacity", usual.target_burst_capacity),
        window_s=_seconds(said, "window", usual.window_s),
        panic_window_percentage=_number(
            said, "panic-window-percentage", usual.panic_window_percentage
        ),
        panic_threshold_percentage=_number(
            said, "panic-threshold-percentage", usual.panic_threshold_percentage
        ),
        scale_down_delay_s=_seconds(said, "scale-down-delay", usual.scale_down_delay_s),
        activation_scale=int(said.get("activation-scale", 1)),
    )
    concurrency = int(revision["spec"].get("containerConcurrency") or 0)
    return Read(
        policy_of(scaling, concurrency),
        int(said.get("min-scale", 0)),
        int(said.get("max-scale", 0)),
        int(status.get("actualReplicas") or 0),
        int(status.get("desiredReplicas") or 0),
    )


def step(found: dict[str, float], of: Read, now_ns: int) -> Step | None:
    """Put together what was decided; None: the autoscaler has decided nothing of it yet."""
    by = "_rps" if of.policy.scaling_metric == RPS else ""
    if "desired" not in found or f"stable{by}" not in found:
        return None
    desired, panicking = int(found["desired"]), found.get("panicking", 0) > 0
    return Step(
        now_ns,
        int(found.get("ready", of.ready)),
        Averages(found[f"stable{by}"], found.get(f"panic{by}", found[f"stable{by}"])),
        # Since when is not told; a panic that is seen first goes on for a stable window from now.
        Panic(now_ns, desired) if panicking else Panic(None, 0),
        Decision(valid=True, desired_pods=desired, panicking=panicking),
        of.least,
        of.most,
        int(found.get("wanted", of.wanted)),
    )


def _number(said: dict[str, Any], name: str, usual: float) -> float:
    return float(said.get(name, usual))


def _seconds(said: dict[str, Any], name: str, usual: float) -> float:
    """Read a duration of Go, of which we write whole seconds."""
    text = said.get(name)
    return usual if text is None else float(str(text).removesuffix("s"))
