"""Writes Grafana's dashboards beside this file: `python manifests/grafana/dashboards.py`.

A test keeps the files current, and runs every query against a Prometheus that scraped a real run.
"""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final, NamedTuple

FOLDER: Final = Path(__file__).parent
SOURCE: Final = {"type": "prometheus", "uid": "${datasource}"}
WIDTH: Final = 24
OF: Final = 'tenant=~"$tenant", endpoint=~"$endpoint"'
REVISION: Final = f'{OF}, revision=~"$revision"'
WINDOW: Final = "$__rate_interval"


class Panel(NamedTuple):
    """A panel: its queries by what their lines are called.

    unit  of Grafana: reqps, percentunit, s, bytes, short, …
    said  what one sees in it, and what to do about it
    """

    title: str
    unit: str
    queries: Mapping[str, str]
    said: str = ""
    kind: str = "timeseries"
    width: int = 8
    stacked: bool = False


def a_second(metric: str, of: str, by: str = "tenant, endpoint") -> str:
    """Write what a counter grows by in a second."""
    return f"sum by ({by}) (rate({metric}{{{of}}}[{WINDOW}]))"


def grown(metric: str, of: str, by: str) -> str:
    """Write what a counter grew by between two points."""
    return f"sum by ({by}) (increase({metric}{{{of}}}[{WINDOW}]))"


def quantile(share: float, metric: str, of: str, by: str = "") -> str:
    """Write a quantile of a histogram, over all that `of` matches."""
    counted = f"sum by ({by}le) (rate({metric}_bucket{{{of}}}[{WINDOW}]))"
    return f"histogram_quantile({share}, {counted})"


def quantiles(metric: str, of: str) -> dict[str, str]:
    """Write the quantiles that people look at."""
    return {name: quantile(share, metric, of) for name, share in SHARES.items()}


SHARES: Final = {"p50": 0.5, "p95": 0.95, "p99": 0.99}
ALL: Final = 'tenant=~"$tenant"'
OF_API: Final = "* on (instance, job) group_left () max by (instance, job) (kubeserve_info)"
LATENCY: Final = "kubeserve_request_duration_seconds"
PLATFORM: Final[Mapping[str, Sequence[Panel]]] = {
    "Now": (
        Panel("Requests", "reqps", {"": f"sum(rate(kubeserve_requests_total{{{ALL}}}[{WINDOW}]))"},
              kind="stat", width=4),
        Panel("Success rate", "percentunit", {"": (
            f'1 - sum(rate(kubeserve_requests_total{{{ALL}, code=~"5.."}}[{WINDOW}]))'
            f" / sum(rate(kubeserve_requests_total{{{ALL}}}[{WINDOW}]))")}, kind="stat", width=4),
        Panel("Endpoints", "short", {"": "max(kubeserve_endpoints)"}, kind="stat", width=4),
        Panel("Replicas", "short", {"": f"sum(kubeserve_replicas_ready{{{ALL}}})"},
              kind="stat", width=4),
        Panel("Leaders", "short", {"": "sum(kubeserve_leader)"}, "One, or nobody acts on rows.",
              kind="stat", width=4),
        Panel("Dependencies that answer", "short", {"{{dependency}}": (
            "min by (dependency) (kubeserve_dependency_up)")}, "1, or it did not answer.",
              kind="stat", width=4),
    ),
    "Traffic": (
        Panel("Request rate by tenant", "reqps", {
            "{{tenant}}": a_second("kubeserve_requests_total", ALL, "tenant")}, stacked=True),
        Panel("Error rate by tenant", "percentunit", {"{{tenant}}": (
            f'sum by (tenant) (rate(kubeserve_requests_total{{{ALL}, code=~"5.."}}[{WINDOW}]))'
            f" / sum by (tenant) (rate(kubeserve_requests_total{{{ALL}}}[{WINDOW}]))")},
              "Share of answers of 500 and above."),
        Panel("Latency of all endpoints", "s", quantiles(LATENCY, ALL)),
        Panel("Predictions (rows) by tenant", "rowsps", {
            "{{tenant}}": a_second("kubeserve_rows_total", ALL, "tenant")}, stacked=True),
        Panel("Busiest endpoints", "reqps", {"{{tenant}}/{{endpoint}}": (
            f"topk(10, {a_second('kubeserve_requests_total', ALL)})")}),
        Panel("Most errors", "reqps", {"{{tenant}}/{{endpoint}}": (
            "topk(10, " + a_second("kubeserve_requests_total", f'{ALL}, code=~"5.."') + ")")}),
    ),
    "Who uses what": (
        Panel("CPU by tenant", "short", {
            "{{tenant}}": a_second("kubeserve_cpu_seconds_total", ALL, "tenant")},
              "Processors in use.", stacked=True),
        Panel("Memory by tenant", "bytes", {
            "{{tenant}}": f"sum by (tenant) (kubeserve_memory_bytes{{{ALL}}})"}, stacked=True),
        Panel("Replicas by tenant", "short", {
            "{{tenant}}": f"sum by (tenant) (kubeserve_replicas_ready{{{ALL}}})"}, stacked=True),
        Panel("Busy replicas by tenant", "short", {
            "{{tenant}}": a_second("kubeserve_usage_busy_seconds_total", ALL, "tenant")},
              "Replicas that had a request in flight, as metered.", stacked=True),
        Panel("Idle replicas by tenant", "short", {"{{tenant}}": (
            "clamp_min(" + a_second("kubeserve_usage_ready_seconds_total", ALL, "tenant") + " - "
            + a_second("kubeserve_usage_busy_seconds_total", ALL, "tenant") + ", 0)")},
              "Ready and without a request: what scale to zero would save.", stacked=True),
        Panel("Wakes by tenant", "short", {
            "{{tenant}}": grown("kubeserve_usage_wakes_total", ALL, "tenant")}),
    ),
    "Scaling": (
        Panel("Replicas desired and ready", "short", {
            "desired": f"sum(kubeserve_replicas_desired{{{ALL}}})",
            "ready": f"sum(kubeserve_replicas_ready{{{ALL}}})"}),
        Panel("Endpoints in panic", "short", {
            "panic": f"sum(kubeserve_autoscaler_panic_mode{{{ALL}}})"}),
        Panel("Cold starts", "s", quantiles("kubeserve_cold_start_seconds", ALL),
              "From a request's first byte to its answer, where no replica ran."),
        Panel("Replicas started and crashed", "short", {
            "started": f"sum(increase(kubeserve_replica_starts_total{{{ALL}}}[{WINDOW}]))",
            "crashed": f"sum(increase(kubeserve_replica_crashes_total{{{ALL}}}[{WINDOW}]))"}),
        Panel("Requests that wait, and refused ones", "short", {
            "waiting": f"sum(kubeserve_requests_queued{{{ALL}}})",
            "refused a second": f"sum(rate(kubeserve_requests_shed_total{{{ALL}}}[{WINDOW}]))"}),
        Panel("Open and parked connections", "short", {
            "open": f"sum(kubeserve_connections{{{ALL}}})",
            "parked": f"sum(kubeserve_parked_connections{{{ALL}}})"}),
    ),
    "Control plane": (
        Panel("API requests", "reqps", {
            "{{code}}": f"sum by (code) (rate(kubeserve_api_requests_total[{WINDOW}]))"}),
        Panel("API latency", "s", {
            name: quantile(share, "kubeserve_api_request_duration_seconds", "")
            for name, share in SHARES.items()}),
        Panel("Builds", "short", {
            "{{outcome}}": f"sum by (outcome) (increase(kubeserve_builds_total[{WINDOW}]))"}),
        Panel("Duration of builds", "s", {
            "average": ("sum(rate(kubeserve_build_duration_seconds_sum[1h]))"
                        " / sum(rate(kubeserve_build_duration_seconds_count[1h]))")}),
        Panel("Queue of builds", "short", {
            "{{state}}": "max by (state) (kubeserve_build_queue)"}),
        Panel("Reconcile steps", "ops", {"{{loop}} {{outcome}}": (
            f"sum by (loop, outcome) (rate(kubeserve_reconciles_total[{WINDOW}]))")}),
        Panel("Duration of reconcile steps (p95)", "s", {
            "{{loop}}": quantile(0.95, "kubeserve_reconcile_duration_seconds", "", "loop, ")}),
        Panel("Reconcile backlog and failing", "short", {
            "{{loop}} waiting": "max by (loop) (kubeserve_reconcile_backlog)",
            "{{loop}} failing": "max by (loop) (kubeserve_reconcile_failing)"}),
        Panel("Drift repaired", "short", {
            "drift": "sum(increase(kubeserve_drift_repaired_total[1h]))"},
              "What others had changed in the cluster, by the hour."),
        Panel("Load tests ended", "short", {
            "tests": "sum(increase(kubeserve_loadtests_total[1h]))"}),
        Panel("Database connections", "short", {
            "{{state}}": "sum by (state) (kubeserve_database_connections)"}),
        Panel("CPU and memory of the API", "short", {
            "{{instance}} CPU": f"rate(process_cpu_seconds_total[{WINDOW}]) {OF_API}",
            "{{instance}} GiB": f"process_resident_memory_bytes / 1073741824 {OF_API}"}),
        Panel("Endpoints left out of metrics", "short", {
            "left out": "max(kubeserve_endpoints_omitted)"}, "More than 1,000 endpoints."),
    ),
}  # fmt: skip

ENDPOINT: Final[Mapping[str, Sequence[Panel]]] = {
    "Answers": (
        Panel("Request rate by revision", "reqps", {"{{endpoint}} {{revision}}": a_second(
            "kubeserve_requests_total", REVISION, "endpoint, revision")}),
        Panel("Answers by status", "reqps", {
            "{{code}}": a_second("kubeserve_requests_total", REVISION, "code")}, stacked=True),
        Panel("Success rate", "percentunit", {"{{endpoint}} {{revision}}": (
            "1 - " + a_second("kubeserve_requests_total", f'{REVISION}, code=~"5.."',
                              "endpoint, revision")
            + " / " + a_second("kubeserve_requests_total", REVISION, "endpoint, revision"))}),
        Panel("Error rate", "percentunit", {
            "errors": (f'sum(rate(kubeserve_requests_total{{{REVISION}, code=~"5.."}}[{WINDOW}]))'
                       f" / sum(rate(kubeserve_requests_total{{{REVISION}}}[{WINDOW}]))"),
            "budget": f"min(tenant_endpoint:kubeserve_errors:budget{{{OF}}})"},
              "Share of 5xx, against what is promised (0.1 % without a promise)."),
        Panel("Latency", "s", quantiles(LATENCY, REVISION)),
        Panel("p95 by revision", "s", {
            "{{revision}}": quantile(0.95, LATENCY, REVISION, "revision, ")},
              "A canary beside what runs."),
        Panel("Predictions (rows)", "rowsps", {
            "{{revision}}": a_second("kubeserve_rows_total", REVISION, "revision")}),
        Panel("Batch size", "short", {
            "average": (f"sum(rate(kubeserve_batch_requests_sum{{{REVISION}}}[{WINDOW}]))"
                        f" / sum(rate(kubeserve_batch_requests_count{{{REVISION}}}[{WINDOW}]))"),
            "p95": quantile(0.95, "kubeserve_batch_requests", REVISION)},
              "Requests that were predicted in one call."),
        Panel("Revisions", "short", {"{{revision}}: {{model}}:{{version}} ({{backend}})": (
            "max by (revision, model, version, backend)"
            f" (kubeserve_revision_info{{{REVISION}}})")}),
    ),
    "Scaling": (
        Panel("Replicas desired and ready", "short", {
            "{{endpoint}} desired": f"sum by (endpoint) (kubeserve_replicas_desired{{{OF}}})",
            "{{endpoint}} ready": f"sum by (endpoint) (kubeserve_replicas_ready{{{OF}}})"}),
        Panel("Concurrency against target", "short", {
            "stable window": f"sum(kubeserve_autoscaler_stable{{{OF}}})",
            "panic window": f"sum(kubeserve_autoscaler_panic{{{OF}}})",
            "target of all replicas": (
                f"sum(kubeserve_autoscaler_target{{{OF}}} * on (tenant, endpoint) group_left ()"
                f" kubeserve_replicas_ready{{{OF}}})")},
              "In flight, or requests a second where an endpoint scales by them."),
        Panel("Panic", "short", {
            "{{endpoint}}": f"max by (endpoint) (kubeserve_autoscaler_panic_mode{{{OF}}})"}),
        Panel("Requests in flight and waiting", "short", {
            "in flight": f"sum(kubeserve_requests_in_flight{{{OF}}})",
            "waiting": f"sum(kubeserve_requests_queued{{{OF}}})"}),
        Panel("Refused for want of capacity", "reqps", {
            "{{endpoint}}": a_second("kubeserve_requests_shed_total", OF, "endpoint")}),
        Panel("Decisions of the autoscaler", "ops", {
            "{{endpoint}}": a_second("kubeserve_autoscaler_decisions_total", OF, "endpoint")}),
    ),
    "Cold starts": (
        Panel("Cold starts", "short", {
            "{{endpoint}}": grown("kubeserve_replica_wakes_total", OF, "endpoint")}),
        Panel("Duration of cold starts", "s", quantiles("kubeserve_cold_start_seconds", OF)),
        Panel("Phases of cold starts (average of an hour)", "s", {"{{phase}}": (
            f"sum by (phase) (rate(kubeserve_cold_start_phase_seconds_sum{{{OF}}}[1h]))"
            f" / sum by (phase) (rate(kubeserve_cold_start_phase_seconds_count{{{OF}}}[1h]))")},
              stacked=True),
        Panel("Phases of the newest start", "s", {
            "{{phase}}": f'max by (phase) (kubeserve_start_seconds{{{OF}, phase!="total"}})'},
              kind="bargauge"),
        Panel("Replicas started and crashed", "short", {
            "started": f"sum(increase(kubeserve_replica_starts_total{{{OF}}}[{WINDOW}]))",
            "crashed": f"sum(increase(kubeserve_replica_crashes_total{{{OF}}}[{WINDOW}]))"}),
        Panel("Open and parked connections", "short", {
            "open": f"sum(kubeserve_connections{{{OF}}})",
            "parked": f"sum(kubeserve_parked_connections{{{OF}}})"}),
    ),
    "Cost": (
        Panel("CPU", "short", {
            "{{endpoint}}": a_second("kubeserve_cpu_seconds_total", OF, "endpoint")},
              "Processors in use."),
        Panel("Memory", "bytes", {
            "{{endpoint}}": f"sum by (endpoint) (kubeserve_memory_bytes{{{OF}}})"}),
        Panel("Payload log", "reqps", {"{{outcome}}": a_second(
            "kubeserve_payload_log_requests_total", OF, "outcome")},
              "Requests chosen for it: taken, or dropped (full, large)."),
        Panel("Busy, idle and starting replicas", "short", {
            "busy": a_second("kubeserve_usage_busy_seconds_total", OF, ""),
            "idle": ("clamp_min(" + a_second("kubeserve_usage_ready_seconds_total", OF, "") + " - "
                     + a_second("kubeserve_usage_busy_seconds_total", OF, "") + ", 0)"),
            "starting": a_second("kubeserve_usage_starting_seconds_total", OF, "")},
              "As metered, each 15 s.", stacked=True),
    ),
}  # fmt: skip


def variable(name: str, metric: str, of: str, label: str) -> dict[str, Any]:
    """Describe a variable that is chosen among a label's values."""
    return {
        "name": name, "label": name, "type": "query", "datasource": SOURCE, "refresh": 2,
        "query": {"query": f"label_values({metric}{of}, {label})", "refId": name},
        "definition": f"label_values({metric}{of}, {label})",
        "includeAll": True, "allValue": ".*", "multi": True, "sort": 1,
        "current": {"selected": True, "text": ["All"], "value": ["$__all"]},
    }  # fmt: skip


TENANT_OF: Final = variable("tenant", "kubeserve_replicas_desired", "", "tenant")
ENDPOINT_OF: Final = variable(
    "endpoint", "kubeserve_replicas_desired", '{tenant=~"$tenant"}', "endpoint"
)
REVISION_OF: Final = variable("revision", "kubeserve_revision_info", f"{{{OF}}}", "revision")
DATASOURCE: Final = {"name": "datasource", "label": "Prometheus", "type": "datasource",
                     "query": "prometheus", "refresh": 1, "hide": 0}  # fmt: skip


def drawn(panel: Panel, number: int, x: int, y: int) -> dict[str, Any]:
    """Describe a panel as Grafana does."""
    custom: dict[str, Any] = {"lineWidth": 1, "fillOpacity": 20 if panel.stacked else 0,
                              "showPoints": "never"}  # fmt: skip
    if panel.stacked:
        custom["stacking"] = {"mode": "normal", "group": "A"}
    defaults: dict[str, Any] = {"unit": panel.unit, "min": 0}
    if panel.kind == "timeseries":
        defaults["custom"] = custom
    if panel.unit == "percentunit":
        defaults["max"] = 1
    shown: dict[str, Any] = {"reduceOptions": {"calcs": ["lastNotNull"]}}
    if panel.kind == "timeseries":
        shown = {"legend": {"displayMode": "list", "placement": "bottom"},
                 "tooltip": {"mode": "multi", "sort": "desc"}}  # fmt: skip
    return {
        "id": number,
        "type": panel.kind,
        "title": panel.title,
        "description": panel.said,
        "datasource": SOURCE,
        "gridPos": {"x": x, "y": y, "w": panel.width, "h": 4 if panel.kind == "stat" else 8},
        "fieldConfig": {"defaults": defaults, "overrides": []},
        "options": shown,
        "targets": [
            {"refId": chr(ord("A") + at), "datasource": SOURCE, "expr": query,
             "legendFormat": legend or "__auto"}
            for at, (legend, query) in enumerate(panel.queries.items())
        ],
    }  # fmt: skip


def dashboard(
    uid: str, title: str, rows: Mapping[str, Sequence[Panel]], *variables: dict[str, Any]
) -> dict[str, Any]:
    """Describe a dashboard: rows of panels, from left to right and then below."""
    panels: list[dict[str, Any]] = []
    y = 0
    for row, held in rows.items():
        panels.append({"id": len(panels) + 1, "type": "row", "title": row, "collapsed": False,
                       "gridPos": {"x": 0, "y": y, "w": WIDTH, "h": 1}, "panels": []})  # fmt: skip
        x, y, high = 0, y + 1, 0
        for panel in held:
            if x + panel.width > WIDTH:
                x, y, high = 0, y + high, 0
            panels.append(drawn(panel, len(panels) + 1, x, y))
            x, high = x + panel.width, panels[-1]["gridPos"]["h"]
        y += high
    return {
        "uid": uid, "title": title, "tags": ["kubeserve"], "schemaVersion": 39, "version": 1,
        "editable": True, "graphTooltip": 1, "refresh": "30s", "timezone": "browser",
        "time": {"from": "now-1h", "to": "now"},
        "templating": {"list": [DATASOURCE, *variables]},
        "links": [{"type": "dashboards", "tags": ["kubeserve"], "title": "KubeServe",
                   "asDropdown": False, "includeVars": True, "keepTime": True}],
        "annotations": {"list": []},
        "panels": panels,
    }  # fmt: skip


def dashboards() -> dict[str, str]:
    """Give the files by their names."""
    made = {
        "platform.json": dashboard(
            "kubeserve-platform", "KubeServe: platform", PLATFORM, TENANT_OF
        ),
        "endpoint.json": dashboard(
            "kubeserve-endpoint", "KubeServe: endpoint", ENDPOINT,
            TENANT_OF, ENDPOINT_OF, REVISION_OF,
        ),
    }  # fmt: skip
    return {
        name: json.dumps(one, indent=1, ensure_ascii=False) + "\n" for name, one in made.items()
    }


if __name__ == "__main__":
    for file, text in dashboards().items():
        (FOLDER / file).write_text(text, "utf-8")
