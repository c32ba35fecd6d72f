"""`/metrics`: who may read it, and what it is made of when it is read."""

import asyncio
import secrets
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from hmac import compare_digest
from importlib.metadata import version
from typing import Final, NoReturn, Protocol, TypeVar

from fastapi import Request
from prometheus_client import CollectorRegistry, Gauge
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.exposition import generate_latest
from prometheus_client.registry import Collector
from typing_extensions import override

from controlplane import database
from controlplane.endpoints import service as endpoints
from controlplane.endpoints.service import Promise
from controlplane.engines.engine import EndpointId, Engine
from controlplane.engines.exposition import MOST_ENDPOINTS, Exposition
from controlplane.files import write_durably
from controlplane.models import service as models
from controlplane.settings import Settings
from controlplane.telemetry import REGISTRY, log
from runtime.families import ENDPOINT
from runtime.problems import Unauthenticated

TEXT: Final = "text/plain; version=0.0.4; charset=utf-8"
WATCH_EVERY_S: Final = 15.0
ANSWER_S: Final = 5.0
KEPT_IN: Final = "metrics-token"

# Of no endpoint: what an engine is asked for to learn whether it answers.
NOBODY: Final = EndpointId("00000000-0000-4000-8000-000000000000")

UP: Final = Gauge(
    "kubeserve_dependency_up",
    "1 if it answered when it was asked last, each 15 s.",
    ["dependency"],
    registry=REGISTRY,
)
INFO: Final = Gauge(
    "kubeserve_info", "Version and engine of the control plane.", ["version", "engine"],
    registry=REGISTRY,
)  # fmt: skip
PARTS: Final = Gauge(
    "kubeserve_scrape_part_up",
    "1 if this part of the metrics could be read for this scrape.",
    ["part"],
    registry=REGISTRY,
)


Found = TypeVar("Found")


class Store(Protocol):
    """Where artifacts are."""

    async def ping(self) -> None:
        """Raise if it does not answer."""


def token_of(settings: Settings) -> str | None:
    """Give what a Prometheus sends; where HOME has the credentials it is made beside them."""
    if settings.metrics_token is not None:
        return settings.metrics_token.get_secret_value()
    if settings.admin_client_id is not None:
        return None  # a Secret gives what HOME would hold, and of several replicas each has a home
    path = settings.home / KEPT_IN
    if not path.exists():
        settings.home.mkdir(mode=0o700, parents=True, exist_ok=True)
        write_durably(path, secrets.token_urlsafe(32).encode())
    return path.read_text().strip()


class Scraping:
    """What Prometheus is told.

    leads  tells whether this replica leads: it alone tells of what there is once
    """

    def __init__(
        self, settings: Settings, engine: Engine, store: Store, leads: Callable[[], bool]
    ) -> None:
        self._engine, self._store, self._leads = engine, store, leads
        self.token = token_of(settings)
        self._one = asyncio.Lock()
        INFO.labels(version("kubeserve"), str(settings.engine)).set(1)

    def check(self, request: Request) -> None:
        """Refuse who may not read of all tenants; raises Unauthenticated."""
        scheme, _, sent = request.headers.get("authorization", "").partition(" ")
        token = self.token
        if token is None:
            raise Unauthenticated(
                "Metrics tell of all tenants: set KUBESERVE_METRICS_TOKEN, and have Prometheus "
                "send it as a bearer token."
            )
        if scheme.lower() != "bearer" or not compare_digest(sent.encode(), token.encode()):
            raise Unauthenticated(
                "Metrics tell of all tenants: send KUBESERVE_METRICS_TOKEN, or what is in "
                f"HOME/{KEPT_IN}: `Authorization: Bearer TOKEN`."
            )

    async def text(self) -> bytes:
        """Write it all, the parts that can be read now; one scrape at a time."""
        async with self._one:
            registry = CollectorRegistry(auto_describe=False)
            if (rows := await self._read("database", self._rows())) is not None:
                registry.register(rows)
            if self._leads():
                told = await self._read("engine", self._engine.metrics())
                registry.register(Exposition(told or ()))
            # In a thread: the text of a thousand endpoints takes half a second.
            return await asyncio.to_thread(
                lambda: generate_latest(REGISTRY) + generate_latest(registry)
            )

    async def _read(self, part: str, reading: Awaitable[Found]) -> Found | None:
        """Read a part; what cannot be read is left out, and said to be."""
        try:
            async with asyncio.timeout(ANSWER_S):
                found = await reading
        except Exception as error:  # noqa: BLE001  (a scrape tells what there is, and what failed)
            log.warning("metrics of the %s could not be read: %s", part, error)
            PARTS.labels(part).set(0)
            return None
        PARTS.labels(part).set(1)
        return found

    async def _rows(self) -> "_Rows":
        if not self._leads():
            return _Rows(database.pool(), {}, ())
        promised = await endpoints.promises(MOST_ENDPOINTS)
        return _Rows(database.pool(), await models.queue(), promised)

    async def watch(self) -> NoReturn:
        """Ask what the control plane stands on whether it answers, again and again."""
        while True:
            checks: dict[str, Callable[[], Awaitable[object]]] = {
                "database": database.ping,
                "store": self._store.ping,
            }
            if self._leads():
                checks["engine"] = lambda: self._engine.observe(NOBODY)
            await asyncio.gather(*(self._ask(name, check) for name, check in checks.items()))
            await asyncio.sleep(WATCH_EVERY_S)

    async def _ask(self, name: str, check: Callable[[], Awaitable[object]]) -> None:
        try:
            async with asyncio.timeout(ANSWER_S):
                await check()
        except Exception as error:  # noqa: BLE001  (whatever it is, it does not answer)
            log.warning("the %s does not answer: %s", name, error)
            UP.labels(name).set(0)
        else:
            UP.labels(name).set(1)


class _Rows(Collector):
    """What the database says, and its pool."""

    def __init__(
        self,
        pool: Mapping[str, int],
        queue: Mapping[str, int],
        promised: Sequence[Promise],
    ) -> None:
        self._pool, self._queue, self._promised = pool, queue, promised

    @override
    def collect(self) -> Iterator[Metric]:
        """Give the pool of the database, and the queue of builds."""
        for name, counted, said in (
            ("kubeserve_database_connections", self._pool, "Connections to the database."),
            ("kubeserve_build_queue", self._queue, "Builds that wait, and that run."),
        ):
            family = GaugeMetricFamily(name, said, labels=["state"])
            for state, count in counted.items():
                family.add_metric([state], count)
            yield family
        errors = GaugeMetricFamily(
            "kubeserve_slo_error_ratio", "Share of errors that is promised at most.",
            labels=ENDPOINT,
        )  # fmt: skip
        latency = GaugeMetricFamily(
            "kubeserve_slo_latency_seconds", "Latency that is promised at most.",
            labels=[*ENDPOINT, "quantile"],
        )  # fmt: skip
        for one in self._promised:
            of = [one.tenant, one.endpoint]
            if one.error_rate is not None:
                errors.add_metric(of, one.error_rate)
            for quantile, seconds in one.latencies_s.items():
                latency.add_metric([*of, str(quantile)], seconds)
        yield from (errors, latency)
