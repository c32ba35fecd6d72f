"""Traces: one of a push, its build, its deploy and its webhooks, at a real collector."""

import asyncio
import os
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

import pytest

from controlplane import tracing
from controlplane.client import context
from tests.integration.api import Api, running_api
from tests.integration.collector import Collector, collector
from tests.integration.quick_builds import QuickBuilder
from tests.integration.receiver import receiver
from tests.integration.test_api_endpoints import until as until_ready
from tests.integration.test_api_registry import OCTETS, until_built
from tests.integration.test_webhooks import HERE, PATH, PICKLE, must

TRACE = "0af7651916cd43dd8448eb211c80319c"
PARENT = {"traceparent": f"00-{TRACE}-b7ad6b7169203331-01"}
CANARY = "canary-5d41402abc4b"


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> Iterator[Collector]:
    with collector() as found:
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", found.url)
        monkeypatch.setenv("OTEL_BSP_SCHEDULE_DELAY", "50")
        yield found


@pytest.fixture
async def api(sent: Collector, postgres_server: str, tmp_path: Path) -> AsyncIterator[Api]:
    given = {"webhook_networks": HERE}
    async with running_api(postgres_server, tmp_path, QuickBuilder(), **given) as running:
        yield running


async def until(holds: Callable[[], object]) -> None:
    async with asyncio.timeout(20):
        while not holds():
            await asyncio.sleep(0.02)


async def test_push_build_deploy_and_webhook_are_one_trace_without_secrets(
    api: Api, sent: Collector
) -> None:
    with receiver() as hook:
        made = await must(api, "POST", PATH, {"url": hook.url(path=f"/{CANARY}")}, 201)
        push = await api.http.post(
            f"/v1/models/iris/versions?note={CANARY}", content=PICKLE, headers=OCTETS | PARENT
        )
        assert push.status_code == 201
        await until_built(api, "iris", 1)
        body = {"model": "iris"}
        path = "/v1/endpoints/iris/releases"
        deployed = await api.http.post(path, json=body, headers=PARENT)
        assert deployed.status_code == 201
        await until_ready(api, "iris")
        await api.http.get("/v1/models/none", headers={"x-canary": CANARY})
        names = {
            "POST /v1/models/{model}/versions", "build", "webhook.deliver", "reconcile",
            "POST /v1/endpoints/{endpoint}/releases", "engine.apply",
        }  # fmt: skip
        await until(lambda: names <= set(sent.of(TRACE)))
    spans = sent.of(TRACE)
    pushed, built = spans["POST /v1/models/{model}/versions"], spans["build"]
    assert pushed.parent == "b7ad6b7169203331"
    assert built.parent == pushed.id
    released = spans["POST /v1/endpoints/{endpoint}/releases"]
    assert spans["reconcile"].parent == released.id
    assert spans["engine.apply"].parent == spans["reconcile"].id
    told = [one for one in sent.spans if one.name == "webhook.deliver" and one.trace == TRACE]
    assert {one.parent for one in told} <= {built.id, released.id}
    assert pushed.attributes["kubeserve.tenant"] == "default"
    assert pushed.attributes["kubeserve.model"] == "iris"
    assert pushed.attributes["http.response.status_code"] == 201
    assert pushed.attributes["kubeserve.request_id"] == push.headers["x-request-id"]
    assert built.attributes["kubeserve.version"] == "iris:1"
    assert spans["reconcile"].attributes["kubeserve.endpoint"] == "iris"
    assert {one.service for one in sent.spans} == {"kubeserve"}
    everything = b"".join(sent.raw)
    token = api.http.headers["authorization"].removeprefix("Bearer ")
    for secret in (CANARY, token, api.client_secret, made["secret"].removeprefix("whsec_")):
        assert secret.encode() not in everything
    assert not any(one.name.startswith("GET /healthz") for one in sent.spans)


async def test_a_request_without_a_trace_begins_one_and_a_build_that_failed_says_so(
    api: Api, sent: Collector
) -> None:
    async def broken(*_: object) -> None:
        raise ValueError(CANARY)

    api.app.state.parts.builder.build = broken
    api.app.state.parts.work.duties.builds.attempts = 1
    await api.http.post("/v1/models/iris/versions", content=PICKLE, headers=OCTETS)
    assert (await until_built(api, "iris", 1))["state"] == "failed"
    await until(lambda: any(one.name == "build" for one in sent.spans))
    build = next(one for one in sent.spans if one.name == "build")
    (push,) = [one for one in sent.spans if one.name.endswith("/versions")]
    assert (build.trace, build.parent, push.parent) == (push.trace, push.id, "")
    assert (build.failed, build.attributes["error.type"]) == (True, "ValueError")
    assert CANARY.encode() not in b"".join(sent.raw)


def test_where_no_collector_is_named_nothing_that_records_is_imported() -> None:
    # OpenTelemetry's interface alone comes with FastAPI, where it is installed.
    program = (
        "import sys, controlplane.app; from controlplane import tracing; tracing.start()\n"
        "with tracing.continued('x', None) as span: span.note(a=1)\n"
        "found = [m for m in sys.modules if m.startswith('opentelemetry.')]\n"
        "assert not [m for m in found if m.split('.')[1] in ('sdk', 'exporter')], found\n"
        "assert tracing.traceparent() is None and not tracing.is_on()"
    )
    env = {k: v for k, v in os.environ.items() if not k.startswith("OTEL_")}
    subprocess.run([sys.executable, "-c", program], check=True, env=env)


def test_a_collector_that_is_away_ends_nothing_and_is_not_waited_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:9")
    tracing.start()
    try:
        with tracing.served("GET", {}) as span:
            span.set({"http.route": "/x"})
            assert tracing.traceparent() is not None
    finally:
        began = time.monotonic()
        tracing.stop()
    assert time.monotonic() - began < 60  # not for ever
    assert not tracing.is_on()


def test_without_the_extra_the_start_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:9")
    monkeypatch.setitem(sys.modules, "opentelemetry.exporter.otlp.proto.http.trace_exporter", None)
    with pytest.raises(RuntimeError, match=r"pip install 'kubeserve\[tracing\]'"):
        tracing.start()


def test_the_sdk_sends_the_trace_it_is_called_in(sent: Collector) -> None:
    assert context.headers() == {}
    tracing.start()
    try:
        with tracing.continued("mine", PARENT["traceparent"]):
            found = context.headers()["traceparent"]
            assert found == tracing.traceparent()
            assert found.split("-")[1] == TRACE
        assert context.headers() == {}
    finally:
        tracing.stop()
