"""Request ids, JSON logs and metrics of the control plane."""

import json
import logging
import re
import secrets
import sys
import time
from collections.abc import Mapping
from contextvars import ContextVar
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Any, Final

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from typing_extensions import override

from controlplane import tracing
from controlplane.redaction import redacted

log = logging.getLogger("kubeserve")
REQUEST_ID: Final = re.compile(r"[A-Za-z0-9._-]{1,64}")
REGISTRY: Final = CollectorRegistry()
ProcessCollector(registry=REGISTRY)  # memory, processor time and descriptors of the API
MOST_TEXT: Final = 20_000
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


# The request that is answered, or what the leader is at: members of each line of a log.
_about: ContextVar[Mapping[str, Any]] = ContextVar("about", default=MappingProxyType({}))


def about(**members: Any) -> None:
    """Say what is done from here on in this task: members of every line, in place of the former."""
    _about.set(members)


def _members() -> dict[str, Any]:
    found = dict(_about.get())
    scope = found.pop("scope", None)
    if scope is not None:
        caller, named = scope["state"].get("caller"), scope.get("path_params", {})
        found["tenant"] = getattr(caller, "tenant", None)
        found["endpoint"] = named.get("endpoint")
    found["trace_id"] = tracing.trace_id()
    return {name: value for name, value in found.items() if value is not None}


class JsonFormatter(logging.Formatter):
    """One JSON object a line, with the member names of `runtime.lines`; credentials are hidden."""

    @override
    def format(self, record: logging.LogRecord) -> str:
        """Write a record; exceptions with their trace."""
        line: dict[str, Any] = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": redacted(record.getMessage(), MOST_TEXT),
            **_members(),
        }
        line.update(getattr(record, "members", {}))
        if record.exc_info:
            line["exception"] = redacted(self.formatException(record.exc_info), MOST_TEXT)
        return json.dumps(line, default=str)


def configure_logging() -> None:
    """Send every log line to standard error as JSON."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonFormatter())
    logging.basicConfig(level=logging.INFO, handlers=[handler], force=True)
    logging.getLogger("uvicorn.access").disabled = True
    logging.getLogger("httpx").setLevel(logging.WARNING)


class RequestContext:
    """Gives every request an id, counts and traces it; writes a line of each where asked to."""

    def __init__(self, app: ASGIApp, access: bool = False) -> None:
        self._app, self._access = app, access

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one ASGI connection."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = dict(scope["headers"])
        given = headers.get(b"x-request-id", b"").decode("latin-1")
        request_id = given if REQUEST_ID.fullmatch(given) else secrets.token_hex(8)
        scope.setdefault("state", {})["request_id"] = request_id
        about(request_id=request_id, scope=scope)
        if scope["path"] in UNTRACED:
            await self._serve(scope, receive, send, request_id)
            return
        context = {
            name.decode(): headers[name].decode("latin-1") for name in CONTEXT & set(headers)
        }
        method = scope["method"] if scope["method"] in METHODS else "_OTHER"
        with tracing.served(method, context) as span:
            status = await self._serve(scope, receive, send, request_id)
            _note(span, method, scope, status)

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
            took_s = time.perf_counter() - began
            DURATION.labels(route).observe(took_s)
            if self._access:
                members = {"method": scope["method"], "route": route, "status": status}
                members["duration_ms"] = round(took_s * 1000, 1)
                log.info("request", extra={"members": members})
        return status


def _note(span: tracing.Span, method: str, scope: Scope, status: int) -> None:
    """Say what a request was of: the route, never the address, which may hold a secret."""
    route = getattr(scope.get("route"), "path", None)
    caller, named = scope["state"].get("caller"), scope.get("path_params", {})
    span.rename(method if route is None else f"{method} {route}")
    span.set({"http.route": route, "http.response.status_code": status})
    span.note(
        tenant=getattr(caller, "tenant", None),
        request_id=scope["state"]["request_id"],
        **{name: str(named[name]) for name in NAMED & set(named)},
    )
    if status >= 500:
        span.fail(str(status))
