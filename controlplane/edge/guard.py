"""Everything that stands before the routes, in its order."""

from fastapi import FastAPI
from starlette.middleware.cors import CORSMiddleware

from controlplane import telemetry
from controlplane.edge.bodies import BodyLimits
from controlplane.edge.failures import Failures
from controlplane.edge.headers import SecurityHeaders
from controlplane.edge.methods import METHODS, Methods, not_allowed
from controlplane.edge.pages import add_pages
from controlplane.settings import Settings

SENT = ("authorization", "content-type", "content-digest", "idempotency-key", "if-match")
READ = ("etag", "location", "retry-after", "www-authenticate", "x-request-id")


def guard(app: FastAPI, settings: Settings) -> None:
    """Add the middleware, innermost first, and the pages; called once all routes are there."""
    add_pages(app)
    app.add_exception_handler(405, not_allowed)
    app.add_middleware(BodyLimits)
    app.add_middleware(Methods, routes=app.router.routes)
    app.add_middleware(Failures)
    if settings.origins:
        app.add_middleware(
            CORSMiddleware,
            allow_origins=settings.origins,
            allow_methods=METHODS,
            allow_headers=[*SENT, "x-request-id"],
            expose_headers=READ,
        )
    app.add_middleware(telemetry.RequestContext, access=settings.access_log)
    app.add_middleware(SecurityHeaders, https=settings.public_url.startswith("https://"))
