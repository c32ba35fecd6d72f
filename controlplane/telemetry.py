"""Request ids, JSON logs and metrics of the control plane."""

import json
import logging
import re
import secrets
import sys
import time
from datetime import UTC, datetime
from typing import Any, Final

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from typing_extensions import override

from controlplane import tracing

log = logging.getLogger("kubeserve")
REQUEST_ID: Final = re.compile(r"[A-Za-z0-9._-]{1,64}")
REGISTRY: Final = CollectorRegistry()
# Asked for by machines, every few seconds.
UNTRACED: Final = frozenset({"/healthz", "/readyz", "/metrics"})
CONTEXT: Final = frozenset({b"traceparent", b"tracestate"})
# Parts of an address that are names, and no secrets.
NAMED: Final = frozenset({"endpoint", "model", "version", "rollout", "loadtest", "webhook"})
REQUESTS: Final = Counter(
    "kubeserve_api_requests",
    "API requests answered.",
    ["method", "route", "code"],
    registry=REGISTRY,
)
DURATION: Final = Histogram(
    "kubeserve_api_request_duration_seconds", "Time to answer.", ["route"], registry=REGISTRY
)
# Whoever calls may invent methods; each would be a series.
METHODS: Final = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
BUILDS: Final = Counter("kubeserve_builds", "Builds ended.", ["outcome"], registry=REGISTRY)
BUILD_S: Final = Histogram(
    "kubeserve_build_duration_seconds",
    "From a build's begin to its end.",
    buckets=(0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 600, 1200),
    registry=REGISTRY,
)
RECONCILES: Final = Counter(
    "kubeserve_reconciles", "Reconcile steps.", ["loop", "outcome"], registry=REGISTRY
)
RECONCILE_S: Final = Histogram(
    "kubeserve_reconcile_duration_seconds", "Time of a step.", ["loop"], registry=REGISTRY
)
RECONCILE_BACKLOG: Final = Gauge(
    "kubeserve_reconcile_backlog",
    "Keys that are looked at, or wait for it.",
    ["loop"],
    registry=REGISTRY,
)
RECONCILE_FAILING: Final = Gauge(
    "kubeserve_reconcile_failing", "Keys whose last step failed.", ["loop"], registry=REGISTRY
)
DRIFT: Final = Counter(
    "kubeserve_drift_repaired",
    "Objects of the cluster that others had changed or removed, and that are as wanted again.",
    ["kind"],
    registry=REGISTRY,
)
DRIFT.labels("Service")  # there from the start, and where nothing can drift
LOADTESTS: Final = Counter("kubeserve_loadtests", "Load tests ended.", ["state"], registry=REGISTRY)
WEBHOOKS: Final = Counter(
    "kubeserve_webhook_attempts",
    "Attempts to deliver a message to a webhook.",
    ["outcome"],
    registry=REGISTRY,
)
KUBERNETES: Final = Counter(
    "kubeserve_kubernetes_requests",
    "Requests sent to the Kubernetes API; what only asks whether it may be written is DRY-RUN.",
    ["method", "kind"],
    registry=REGISTRY,
)


class JsonFormatter(logging.Formatter):
    """One JSON object a line."""

    @override
    def format(self, record: logging.LogRecord) -> str:
        """Write a record; exceptions with their trace."""
        line: dict[str, Any] = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        line.update(getattr(record, "members", {}))
        if record.exc_info:
            line["trace"] = self.formatException(record.exc_info)
        return json.dumps(line, default=str)


def configure_logging() -> None:
    """Send every log line to standard error as JSON."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonFormatter())
    logging.basicConfig(level=logging.INFO, handlers=[handler], force=True)
    logging.getLogger("uvicorn.access").disabled = True
    logging.getLogger("httpx").setLevel(logging.WARNING)


class RequestContext:
    """Gives every request an id, counts it, and logs it when it failed on our side."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one ASGI connection."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = dict(scope["headers"])
        given = headers.get(b"x-request-id", b"").decode("latin-1")
        request_id = given if REQUEST_ID.fullmatch(given) else secrets.token_hex(8)
        scope.setdefault("state", {})["request_id"] = request_id
        if scope["path"] in UNTRACED:
            await self._serve(scope, receive, send, request_id)
            return
        context = {
            name.decode(): headers[name].decode("latin-1") for name in CONTEXT & set(headers)
        }
        with tracing.served(scope["method"], context) as span:
            status = await self._serve(scope, receive, send, request_id)
            _note(span, scope, status)

    async def _serve(self, scope: Scope, receive: Receive, send: Send, request_id: str) -> int:
        """Answer a request; gives its status."""
        began, status = time.perf_counter(), 500

        async def tagged(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                more = {"x-request-id": request_id, **scope["state"].get("headers", {})}
                named = ((name.encode(), value.encode()) for name, value in more.items())
                message["headers"] = [*message["headers"], *named]
            await send(message)

        try:
            await self._app(scope, receive, tagged)
        finally:
            route = getattr(scope.get("route"), "path", "none")
            method = scope["method"] if scope["method"] in METHODS else "other"
            REQUESTS.labels(method, route, str(status)).inc()
            DURATION.labels(route).observe(time.perf_counter() - began)
        return status


def _note(span: tracing.Span, scope: Scope, status: int) -> None:
    """Say what a request was of: the route, never the address, which may hold a secret."""
    route = getattr(scope.get("route"), "path", None)
    caller, named = scope["state"].get("caller"), scope.get("path_params", {})
    span.rename(scope["method"] if route is None else f"{scope['method']} {route}")
    span.set({"http.route": route, "http.response.status_code": status})
    span.note(
        tenant=getattr(caller, "tenant", None),
        request_id=scope["state"]["request_id"],
        **{name: str(named[name]) for name in NAMED & set(named)},
    )
    if status >= 500:
        span.fail(str(status))
