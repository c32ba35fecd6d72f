"""Spans of OpenTelemetry, where an installation sends them somewhere; else nothing, at no cost.

`OTEL_EXPORTER_OTLP_ENDPOINT` turns it on; all of OpenTelemetry's own variables count. We import
nothing of it before, so that nobody else needs it (`pip install 'kubeserve[tracing]'`).

A span has names and figures: no query, header or body, and of an error only its class, since texts
of errors may hold what nobody should see.
"""

import contextlib
import logging
import os
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal

log = logging.getLogger("kubeserve.tracing")
TURN_ON: Final = ("OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT")
NEEDED: Final = "tracing needs OpenTelemetry: pip install 'kubeserve[tracing]'"
SERVICE: Final = "kubeserve"
PREFIX: Final = "kubeserve."
SENT_WITHIN_S: Final = 2.0
Kind = Literal["INTERNAL", "SERVER", "CLIENT"]
Value = str | int | float | bool | None


@dataclass(frozen=True, slots=True)
class Span:
    """A span that is open; one that is not recorded takes everything and keeps nothing."""

    span: Any = None

    def note(self, **attributes: Value) -> None:
        """Add attributes of ours (`tenant` becomes `kubeserve.tenant`); those of None are none."""
        self.set({PREFIX + name: value for name, value in attributes.items()})

    def set(self, attributes: Mapping[str, Value]) -> None:
        """Add attributes by their whole names."""
        if self.span is not None:
            self.span.set_attributes({k: v for k, v in attributes.items() if v is not None})

    def rename(self, name: str) -> None:
        """Give it another name."""
        if self.span is not None:
            self.span.update_name(name)

    def fail(self, kind: str) -> None:
        """Say that it went wrong, and how in a word."""
        if self.span is not None:
            from opentelemetry.trace import Status, StatusCode

            self.span.set_attribute("error.type", kind)
            self.span.set_status(Status(StatusCode.ERROR))


NOTHING: Final = Span()


class _Tracing:
    """What is sent to the collector, by one provider of our own; nobody else's is touched."""

    def __init__(self) -> None:
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
        from opentelemetry.sdk.resources import SERVICE_NAME, OTELResourceDetector, Resource
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.export import BatchSpanProcessor
        from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

        named = Resource.create({SERVICE_NAME: SERVICE}).merge(OTELResourceDetector().detect())
        self.exporter = OTLPSpanExporter()
        self.provider = TracerProvider(resource=named)
        # A queue of a bounded length: what a collector does not take is dropped, and counted.
        self.provider.add_span_processor(BatchSpanProcessor(self.exporter))
        self.tracer = self.provider.get_tracer("kubeserve")
        self.propagator = TraceContextTextMapPropagator()

    @contextlib.contextmanager
    def span(
        self, name: str, parent: Mapping[str, str] | None, kind: Kind, attributes: Mapping[str, Any]
    ) -> Iterator[Span]:
        from opentelemetry.context import Context
        from opentelemetry.trace import SpanKind

        context = None if parent is None else self.propagator.extract(parent, Context())
        with self.tracer.start_as_current_span(
            name,
            context,
            kind=SpanKind[kind],
            record_exception=False,
            set_status_on_exception=False,
        ) as opened:
            found = Span(opened)
            found.note(**attributes)
            try:
                yield found
            except Exception as error:
                found.fail(type(error).__name__)
                raise

    def traceparent(self) -> str | None:
        carrier: dict[str, str] = {}
        self.propagator.inject(carrier)
        return carrier.get("traceparent")

    def close(self) -> None:
        # What is left is sent; a collector that does not answer is not waited for.
        late = threading.Timer(SENT_WITHIN_S, self.exporter.shutdown)
        late.start()
        self.provider.shutdown()
        late.cancel()


_on: _Tracing | None = None


def start() -> None:
    """Begin, if the environment asks for it; raises RuntimeError where it cannot be done."""
    global _on
    # Variables of OpenTelemetry, which its SDK reads by itself; a container's are often all set.
    if _on is not None or not any(os.environ.get(name) for name in TURN_ON):
        return
    try:
        _on = _Tracing()
    except ImportError as error:
        raise RuntimeError(f"{' or '.join(TURN_ON)} is set, and {NEEDED}") from error
    log.info("traces are sent by OTLP")


def stop() -> None:
    """Send what is left, for two seconds at the most, and end."""
    global _on
    if _on is not None:
        _on.close()
        _on = None


def is_on() -> bool:
    """Tell whether spans go anywhere."""
    return _on is not None


@contextlib.contextmanager
def span(name: str, *, kind: Kind = "INTERNAL", **attributes: Value) -> Iterator[Span]:
    """Open a span within the one that is open, or a trace of its own."""
    if _on is None:
        yield NOTHING
        return
    with _on.span(name, None, kind, attributes) as opened:
        yield opened


@contextlib.contextmanager
def continued(
    name: str, parent: str | None, *, kind: Kind = "INTERNAL", **attributes: Value
) -> Iterator[Span]:
    """Open a span in the trace that a row tells of, or a trace of its own; what is open is left.

    parent  what `traceparent` gave when the row was written
    """
    if _on is None:
        yield NOTHING
        return
    carrier = {} if parent is None else {"traceparent": parent}
    with _on.span(name, carrier, kind, attributes) as opened:
        yield opened


@contextlib.contextmanager
def served(method: str, headers: Mapping[str, str]) -> Iterator[Span]:
    """Open the span of a request, in its caller's trace if it names one."""
    if _on is None:
        yield NOTHING
        return
    named = {k: v for k in ("traceparent", "tracestate") if (v := headers.get(k)) is not None}
    with _on.span(method, named, "SERVER", {}) as opened:
        opened.set({"http.request.method": method})
        yield opened


def traceparent() -> str | None:
    """Give the open span as W3C Trace Context, to be kept in a row; None: there is none."""
    return None if _on is None else _on.traceparent()


def trace_id() -> str | None:
    """Give the id of the trace that is open; None: there is none."""
    found = traceparent()
    return None if found is None else found.split("-")[1]
