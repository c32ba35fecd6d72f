"""What the metrics of Knative's autoscaler and a Revision say of its decisions."""

import json

import pytest

from controlplane.autoscaler.recording import Recorder
from controlplane.autoscaler.replay import replay
from controlplane.engines.engine import Scaling
from controlplane.engines.knative import decisions
from controlplane.engines.knative.render import autoscaling
from controlplane.engines.policies import policy_of

OLD = """
# TYPE autoscaler_desired_pods gauge
autoscaler_desired_pods{configuration_name="iris",namespace_name="acme",revision_name="iris-1"} 3
autoscaler_desired_pods{configuration_name="iris",namespace_name="other",revision_name="iris-1"} 9
autoscaler_panic_mode{configuration_name="iris",namespace_name="acme",revision_name="iris-1"} 1
autoscaler_stable_request_concurrency{namespace_name="acme",revision_name="iris-1"} 2.5
autoscaler_panic_request_concurrency{namespace_name="acme",revision_name="iris-1"} 4.1
"""
NEW = """
kn_revision_pods_desired{k8s_namespace_name="acme",kn_revision_name="iris-1"} 3
kn_revision_panic_mode{k8s_namespace_name="acme",kn_revision_name="iris-1"} 1
kn_revision_concurrency_stable{k8s_namespace_name="acme",kn_revision_name="iris-1"} 2.5
kn_revision_concurrency_panic{k8s_namespace_name="acme",kn_revision_name="iris-1"} 4.1
"""


@pytest.mark.parametrize("text", [OLD, NEW], ids=["OpenCensus", "OpenTelemetry"])
def test_both_kinds_of_metrics_are_read_and_can_be_replayed(text: str) -> None:
    scaling = Scaling(target=2.0, max_scale=5, window_s=20, scale_down_delay_s=4)
    revision = {
        "metadata": {"annotations": autoscaling(scaling, routed=True)},
        "spec": {"containerConcurrency": 4},
        "status": {"actualReplicas": 1, "desiredReplicas": 3},
    }
    read = decisions.read(revision)
    assert read.policy == policy_of(scaling, 4)
    assert (read.least, read.most, read.ready, read.wanted) == (0, 5, 1, 3)
    found = decisions.gauges(text)["acme", "iris-1"]
    step = decisions.step(found, read, 10**18)
    assert step is not None
    assert (step.averages.stable, step.averages.panic) == (2.5, 4.1)
    assert (step.decision.desired_pods, step.decision.panicking) == (3, True)
    recorder = Recorder()
    recorder.add("iris-1", read.policy, step)
    (recording,) = recorder.to_json(0.0, sampled=True)
    assert replay(json.dumps(recording))[0]["desired_pods"] == 3


def test_of_another_revision_nothing_is_taken() -> None:
    found = decisions.gauges(OLD).get(("acme", "iris-2"), {})
    read = decisions.read({"metadata": {}, "spec": {}, "status": {}})
    assert decisions.step(found, read, 1) is None
