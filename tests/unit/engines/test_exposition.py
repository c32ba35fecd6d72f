"""What Prometheus is shown of endpoints: names, labels, and no more of them than is stated."""

import json
import re

import pytest
from prometheus_client import CollectorRegistry
from prometheus_client.exposition import generate_latest
from prometheus_client.parser import text_string_to_metric_families

from controlplane.engines.exposition import MOST_ENDPOINTS, Exposition
from controlplane.engines.metrics import (
    MOST_PHASES,
    START_S,
    Autoscaled,
    EndpointMetrics,
    Starts,
    metrics_from,
)
from runtime.families import BATCH, EndpointCounts, RevisionCounts
from runtime.latencies import BOUNDS_S, BUCKETS

FAST = BOUNDS_S.index(0.001)
NAME = re.compile(r"kubeserve_[a-z][a-z_]*[a-z]")


def revision(count: int) -> RevisionCounts:
    latency, batch = [0] * BUCKETS, [0] * (len(BATCH) + 1)
    latency[FAST], batch[1] = count, count // 2
    codes = {200: count, 422: 3}
    return RevisionCounts(
        "iris", 1, "plan", codes, {200: 1}, count, latency, 0.5, batch, float(count)
    )


def metrics(name: str = "iris", tenant: str = "acme", count: int = 10) -> EndpointMetrics:
    starts = Starts(wakes=2, starts=3, crashes=1)
    starts.add({"fork": 2.0, "load": 1.0}, 20.0)
    starts.add({"fork": 4.0, "load": 1.0}, 200.0)
    counts = EndpointCounts(
        tenant, name, {"iris-00001": revision(count)}, {401: 4}, 1, 2, 3, 4, 5, 1.5, 1 << 20,
        {"fork": 0.002, "total": 0.02}, {"taken": 7, "full": 2, "large": 0},
    )  # fmt: skip
    scaled = Autoscaled(2, 1, "concurrency", 70.0, 1.5, 2.5, True, 9)
    return EndpointMetrics(tenant, name, scaled, counts, starts, 6)


def shown(*told: EndpointMetrics, most: int = MOST_ENDPOINTS) -> dict[str, float]:
    registry = CollectorRegistry(auto_describe=False)
    registry.register(Exposition(told, most))
    text = generate_latest(registry).decode()
    return {
        f"{one.name}{json.dumps(one.labels, sort_keys=True)}": one.value
        for family in text_string_to_metric_families(text)
        for one in family.samples
    }


def value(found: dict[str, float], name: str, **labels: str) -> float:
    of = {"tenant": "acme", "endpoint": "iris", **labels}
    return found[f"{name}{json.dumps(of, sort_keys=True)}"]


def test_everything_told_is_shown_with_tenant_and_endpoint() -> None:
    found = shown(metrics())
    of = {"revision": "iris-00001"}
    assert value(found, "kubeserve_requests_total", **of, code="200") == 10
    assert value(found, "kubeserve_requests_total", **of, code="500") == 0, "from the start"
    assert value(found, "kubeserve_requests_total", revision="", code="401") == 4
    assert value(found, "kubeserve_rows_total", **of) == 10
    assert value(found, "kubeserve_request_duration_seconds_bucket", **of, le="0.001") == 10
    assert value(found, "kubeserve_request_duration_seconds_count", **of) == 10
    assert value(found, "kubeserve_batch_requests_sum", **of) == 10
    assert value(found, "kubeserve_requests_in_flight") == 1
    assert value(found, "kubeserve_requests_queued") == 2
    assert value(found, "kubeserve_requests_shed_total") == 3
    assert value(found, "kubeserve_cpu_seconds_total") == 1.5
    assert value(found, "kubeserve_memory_bytes") == 1 << 20
    info = {**of, "model": "iris", "version": "1", "backend": "plan"}
    assert value(found, "kubeserve_revision_info", **info) == 1
    assert value(found, "kubeserve_replicas_desired") == 2
    assert value(found, "kubeserve_replicas_ready") == 1
    assert value(found, "kubeserve_autoscaler_panic_mode") == 1
    assert value(found, "kubeserve_autoscaler_stable", metric="concurrency") == 1.5
    assert value(found, "kubeserve_autoscaler_panic", metric="concurrency") == 2.5
    assert value(found, "kubeserve_autoscaler_target", metric="concurrency") == 70
    assert value(found, "kubeserve_autoscaler_decisions_total") == 9
    assert value(found, "kubeserve_replica_wakes_total") == 2
    assert value(found, "kubeserve_replica_starts_total") == 3
    assert value(found, "kubeserve_replica_crashes_total") == 1
    assert value(found, "kubeserve_cold_start_seconds_bucket", le="0.025") == 1
    assert value(found, "kubeserve_cold_start_seconds_sum") == pytest.approx(0.22)
    assert value(found, "kubeserve_cold_start_phase_seconds_count", phase="fork") == 2
    assert value(found, "kubeserve_cold_start_phase_seconds_sum", phase="fork") == 0.006
    assert value(found, "kubeserve_start_seconds", phase="total") == 0.02
    assert value(found, "kubeserve_parked_connections") == 6
    assert value(found, "kubeserve_payload_log_requests_total", outcome="full") == 2


def test_names_are_prometheus_own_way_of_naming() -> None:
    registry = CollectorRegistry(auto_describe=False)
    registry.register(Exposition([metrics()]))
    families = [*text_string_to_metric_families(generate_latest(registry).decode())]
    assert families
    for family in families:
        assert NAME.fullmatch(family.name), family.name
        assert family.documentation.endswith("."), family.name
        for one in family.samples:
            assert (family.type == "counter") == one.name.endswith("_total"), one.name
        assert not re.search(r"_(ms|millis|s|mb|kb|percent)(_|$)", family.name), family.name


def test_what_crosses_the_socket_comes_out_as_it_was() -> None:
    told = metrics()
    again = metrics_from(json.loads(json.dumps(told.to_json())))
    assert again == told
    bare = EndpointMetrics("acme", "iris", Autoscaled(1, 1))
    assert metrics_from(json.loads(json.dumps(bare.to_json()))) == bare


def test_an_endpoint_that_is_gone_has_no_series() -> None:
    both = shown(metrics("one"), metrics("two"))
    assert any('"two"' in key for key in both)
    assert not any('"two"' in key for key in shown(metrics("one")))


def test_series_are_bounded_and_what_is_left_out_is_counted() -> None:
    most = 50
    many = [metrics(f"e-{number}", f"t-{number % 7}") for number in range(most + 5)]
    found = shown(*many, most=most)
    assert found["kubeserve_endpoints{}"] == most + 5
    assert found["kubeserve_endpoints_omitted{}"] == 5
    told = {json.loads(key[key.index("{") :]).get("endpoint") for key in found} - {None}
    assert told == {f"e-{number}" for number in range(most)}
    # What the README states of one endpoint, and of how many are told.
    one = len(shown(metrics())) - 2
    assert one < 100
    assert len(found) - 2 == most * one
    assert MOST_ENDPOINTS == 1000


def test_phases_are_bounded() -> None:
    starts = Starts()
    for number in range(1000):
        starts.add({f"phase-{number}": 1.0}, 1.0)
    assert len(starts.phases) == MOST_PHASES
    assert sum(starts.cold) == 1000
    assert len(starts.cold) == len(START_S) + 1


def test_what_an_engine_cannot_tell_is_left_out_not_zero() -> None:
    found = shown(EndpointMetrics("acme", "iris", Autoscaled(1, 0)))
    assert value(found, "kubeserve_replicas_desired") == 1
    for name in ("autoscaler_stable", "autoscaler_panic_mode", "replica_wakes", "requests_total"):
        assert not [key for key in found if key.startswith(f"kubeserve_{name}")]
