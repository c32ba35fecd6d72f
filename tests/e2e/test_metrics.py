"""A real Prometheus scrapes a real run; every query of every dashboard finds numbers in it."""

import contextlib
import http.client
import json
import math
import re
import shutil
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest
import yaml
from sklearn.datasets import load_iris
from sklearn.linear_model import LogisticRegression

from controlplane.client import Client
from loadtests.benchmarks.installation import free_port, installation
from tests import waiting
from tests.e2e.test_rollouts import push

MANIFESTS = Path(__file__).parents[2] / "manifests"
DASHBOARDS = sorted((MANIFESTS / "grafana").glob("*.json"))
SHORT = {"window_s": 6, "scale_to_zero_grace_period_s": 0, "max_scale": 2}
X, Y = load_iris(return_X_y=True)
until = partial(waiting.until, within_s=120.0)
ANSWERED, LATE, REFUSED = 60, 7, 5
# What Grafana puts in place of its variables; a window of some scrapes, as it chooses it.
VARIABLES = {"tenant": ".*", "endpoint": ".*", "revision": ".*", "__rate_interval": "15s"}


@dataclass
class Prometheus:
    """A server of its own; `began`: when it did."""

    url: str
    began: float

    def ask(self, path: str, **query: Any) -> Any:
        answer = httpx.get(f"{self.url}/api/v1/{path}", params=query, trust_env=False, timeout=30)
        assert answer.status_code == 200, answer.text
        return answer.json()["data"]

    def now(self, query: str) -> list[tuple[dict[str, str], float]]:
        found = self.ask("query", query=query)["result"]
        return [(one["metric"], float(one["value"][1])) for one in found]

    def value(self, query: str) -> float:
        found = self.now(query)
        assert len(found) == 1, (query, found)
        return found[0][1]

    def finite(self, query: str) -> int:
        """Count the numbers that a query gives over the whole run."""
        end = time.time()  # noqa: TID251  (Prometheus' clock is the wall's)
        found = self.ask("query_range", query=query, start=self.began, end=end, step="1")
        values = (float(v) for one in found["result"] for _, v in one["values"])
        return sum(map(math.isfinite, values))


@pytest.fixture(scope="module")
def place() -> Iterator[tuple[Client, Path]]:
    if shutil.which("prometheus") is None:
        pytest.skip("needs Debian's package prometheus")
    with installation(20) as (client, home):
        yield client, home


@pytest.fixture(scope="module")
def prometheus(
    place: tuple[Client, Path], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Prometheus]:
    client, home = place
    folder, port = tmp_path_factory.mktemp("prometheus"), free_port()
    config = {
        "global": {"scrape_interval": "1s", "evaluation_interval": "2s"},
        "rule_files": [str(MANIFESTS / "prometheus" / "kubeserve.rules.yaml")],
        "scrape_configs": [
            {
                "job_name": "kubeserve",
                "authorization": {"credentials_file": str(home / "metrics-token")},
                "static_configs": [{"targets": [urlsplit(client.url).netloc]}],
            }
        ],
    }
    (folder / "prometheus.yml").write_text(yaml.safe_dump(config))
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            ["prometheus", f"--config.file={folder}/prometheus.yml",
             f"--storage.tsdb.path={folder}/data", f"--web.listen-address=127.0.0.1:{port}"],
            stdout=log, stderr=log,
        )  # fmt: skip
    began = time.time()  # noqa: TID251
    server = Prometheus(f"http://127.0.0.1:{port}", began)

    def scrapes() -> bool:
        assert process.poll() is None, (folder / "log").read_text()
        try:
            ready = httpx.get(f"{server.url}/-/ready", trust_env=False).is_success
        except httpx.TransportError:
            return False
        return ready and bool(server.now("up == 1"))

    try:
        until(scrapes)
        yield server
    finally:
        process.terminate()
        process.wait()


class Caller:
    """Somebody with a token for an endpoint, over one connection."""

    def __init__(self, client: Client, name: str) -> None:
        endpoint = client.endpoint(name)
        parts = urlsplit(str(endpoint.url))
        self.connection = http.client.HTTPConnection(str(parts.hostname), parts.port, timeout=60)
        self._headers = {"authorization": f"Bearer {client.token(name)}"}

    def close(self) -> None:
        self.connection.close()

    def ask(self, rows: Any, **headers: str) -> int:
        body = json.dumps({"instances": rows})
        self.connection.request("POST", "/predict", body, {**self._headers, **headers})
        answer = self.connection.getresponse()
        answer.read()
        return answer.status


@dataclass
class Run:
    """What was done: requests sent to acme's endpoint by the status they were answered with."""

    acme: Client
    rival: Client
    sent: dict[int, int]


@pytest.fixture(scope="module")
def run(place: tuple[Client, Path], prometheus: Prometheus) -> Iterator[Run]:
    operator, _ = place
    made = {name: tenant(operator, name) for name in ("acme", "rival")}
    acme, rival = made["acme"], made["rival"]
    with contextlib.ExitStack() as stack:
        for client in made.values():
            stack.callback(client.close)
        model = LogisticRegression(max_iter=500)
        for client in (acme, rival):
            push(client, model.fit(X, Y), "iris")
            client.deploy("iris", scaling=SHORT)
        second = push(acme, model.set_params(C=0.5).fit(X, Y), "iris")
        acme.set_slo("iris", p99="200ms", error_rate="1%")
        # A canary has a fifth of the requests.
        acme.deploy("iris", version=second, wait=True)
        acme.traffic("iris", [{"version": 1, "percent": 80}, {"version": second, "percent": 20}])
        acme.set_payload_log("iris", sample=1.0)
        acme.wait_for_endpoint("iris")
        sent: dict[int, int] = {}
        asking = stack.enter_context(contextlib.closing(Caller(acme, "iris")))
        for number in range(ANSWERED):
            count(sent, asking.ask(X[number : number + 3].tolist()))
        while sent.get(504, 0) < LATE:  # one that finds a turn at once is answered all the same
            count(sent, asking.ask(X[:1].tolist(), **{"request-timeout": "0.000001"}))
        for _ in range(REFUSED):
            count(sent, asking.ask([["no", "number", "at", "all"]]))
        with contextlib.closing(Caller(rival, "iris")) as theirs:
            assert theirs.ask(X[:2].tolist()) == 200
        for client in (acme, rival):
            until(lambda one=client: one.endpoint("iris").replicas == 0)
        until(lambda: prometheus.value("sum(kubeserve_replicas_ready)") == 0)
        # The connection is open all the while; a request in it starts a worker.
        count(sent, asking.ask(X[:1].tolist()))
        yield Run(acme, rival, sent)


def tenant(operator: Client, name: str) -> Client:
    """Make a tenant, and a client of it that may do all."""
    headers = {"authorization": f"Bearer {api_token(operator)}"}
    with httpx.Client(base_url=operator.url, headers=headers, trust_env=False) as api:
        api.post("/v1/tenants", json={"name": name}).raise_for_status()
        body = {"name": "all", "tenant": name}
        made = api.post("/v1/clients", json=body).raise_for_status().json()
    return Client(operator.url, made["id"], made["secret"])


def api_token(client: Client) -> str:
    account = client._core.account
    answer = httpx.post(
        f"{client.url}/oauth2/token",
        data={"grant_type": "client_credentials"},
        auth=(str(account.client_id), str(account.client_secret)),
        trust_env=False,
    )
    return str(answer.raise_for_status().json()["access_token"])


def count(sent: dict[int, int], status: int) -> None:
    sent[status] = sent.get(status, 0) + 1


def substituted(query: str) -> str:
    found = re.sub(r"\$(\w+)", lambda name: VARIABLES[name[1]], query)
    assert "$" not in found
    return found


def queries() -> list[tuple[str, str, str]]:
    return [
        (path.stem, panel["title"], target["expr"])
        for path in DASHBOARDS
        for panel in json.loads(path.read_text())["panels"]
        for target in panel.get("targets", ())
    ]


def test_what_was_answered_is_counted_once_by_status_and_outlives_the_workers(
    run: Run, prometheus: Prometheus
) -> None:
    assert run.sent.keys() == {200, 504, 422}
    of = 'tenant="acme", endpoint="iris"'

    def counted() -> dict[int, float]:
        rows = prometheus.now(f"sum by (code) (kubeserve_requests_total{{{of}}}) > 0")
        return {int(labels["code"]): value for labels, value in rows}

    until(lambda: counted() == run.sent)
    revisions = prometheus.now(f'sum by (revision) (kubeserve_requests_total{{{of}, code="200"}})')
    assert len(revisions) == 2
    assert all(value > 0 for _, value in revisions)
    assert prometheus.value(f"sum(kubeserve_rows_total{{{of}}})") >= 3 * ANSWERED + 1
    assert prometheus.value(f"kubeserve_replica_wakes_total{{{of}}}") >= 1
    assert prometheus.value(f"sum(kubeserve_cold_start_seconds_count{{{of}}})") >= 1
    assert prometheus.value(f"min_over_time(kubeserve_replicas_ready{{{of}}}[5m])") == 0
    assert prometheus.value(f"max_over_time(kubeserve_memory_bytes{{{of}}}[5m])") > 1 << 20
    assert prometheus.value(f"kubeserve_cpu_seconds_total{{{of}}}") > 0
    assert prometheus.value(f"sum(kubeserve_payload_log_requests_total{{{of}}})") >= ANSWERED
    assert prometheus.value(f'kubeserve_slo_latency_seconds{{{of}, quantile="0.99"}}') == 0.2
    # While nothing runs it is told all the same, and nothing of it falls.
    assert prometheus.value(f"max(resets(kubeserve_requests_total{{{of}}}[5m]))") == 0
    until(lambda: run.acme.endpoint("iris").replicas == 0)
    assert counted() == run.sent


def test_every_query_of_every_dashboard_finds_numbers(run: Run, prometheus: Prometheus) -> None:
    assert len(queries()) > 60
    # Usage is metered each 15 s.
    usage = 'kubeserve_usage_busy_seconds_total{tenant="acme"}'
    until(lambda: prometheus.finite(f"rate({usage}[15s])") > 0)
    empty = [one for one in queries() if not prometheus.finite(substituted(one[2]))]
    assert not empty
    for path in DASHBOARDS:
        for variable in json.loads(path.read_text())["templating"]["list"]:
            if variable["type"] == "query":
                label, series = variable["name"], 'kubeserve_revision_info{tenant="acme"}'
                found = prometheus.ask(f"label/{label}/values", **{"match[]": series})
                assert found, label


def test_every_rule_is_evaluated_and_recorded_ones_give_numbers(
    run: Run, prometheus: Prometheus
) -> None:
    groups = prometheus.ask("rules")["groups"]
    rules = [rule for group in groups for rule in group["rules"]]
    assert len(rules) == 41
    assert [rule for rule in rules if rule["health"] != "ok"] == []
    recorded = {rule["name"] for rule in rules if rule["type"] == "recording"}
    assert [name for name in sorted(recorded) if not prometheus.finite(name)] == []
    firing = [rule["name"] for rule in rules if rule.get("state") == "firing"]
    assert firing == []


def test_series_for_the_dashboard_tell_the_same_run(run: Run) -> None:
    def at_rest() -> bool:  # which a step shows once it is over
        return run.acme.series("iris", 5).values["replicas_ready"][-1] == 0

    until(at_rest)
    found = run.acme.series("iris", 5)
    answered = sum(rate for rate in found.values["rate"] if rate) * found.every_s
    assert round(answered) >= sum(run.sent.values()) - 1
    assert sum(value or 0 for value in found.values["errors"]) > 0
    assert sum(value or 0 for value in found.values["refusals"]) > 0
    assert 1 in found.values["replicas_ready"]
    assert sum(value or 0 for value in found.values["cold_starts"]) >= 1


def test_only_the_token_of_metrics_reads_them(run: Run, place: tuple[Client, Path]) -> None:
    operator, home = place
    for token in (api_token(operator), api_token(run.acme), run.acme.token("iris"), "x"):
        headers = {"authorization": f"Bearer {token}"}
        answer = httpx.get(f"{operator.url}/metrics", headers=headers, trust_env=False)
        assert answer.status_code == 401
    headers = {"authorization": f"Bearer {(home / 'metrics-token').read_text()}"}
    url = f"{operator.url}/metrics"
    assert httpx.get(url, headers=headers, trust_env=False).status_code == 200


def test_an_endpoint_that_is_deleted_is_gone_at_the_next_scrape(
    run: Run, prometheus: Prometheus
) -> None:
    # The last of all: it takes an endpoint of the others away.
    assert prometheus.now('kubeserve_replicas_desired{tenant="rival"}')
    run.rival.delete_endpoint("iris")
    until(lambda: not prometheus.now('{__name__=~"kubeserve_.*", tenant="rival", endpoint="iris"}'))
    assert prometheus.now('kubeserve_replicas_desired{tenant="acme"}')
