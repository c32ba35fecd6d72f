"""An error that nobody expected: the log gets all of it, the caller gets the request's id."""

import logging

from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from controlplane.problems import answer
from runtime.problems import Internal

log = logging.getLogger("kubeserve.problems")


class Failures:
    """Turns what escapes the application into a problem, where other middleware still sees it."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one ASGI connection."""
        began = False

        async def noting(message: Message) -> None:
            nonlocal began
            began = began or message["type"] == "http.response.start"
            await send(message)

        try:
            await self._app(scope, receive, noting)
        except Exception as error:
            if scope["type"] != "http":
                raise
            request = Request(scope)
            request_id = getattr(request.state, "request_id", None)
            path = scope["path"]
            members = {"request_id": request_id, "method": scope["method"], "path": path}
            log.error("unexpected error", exc_info=error, extra={"members": members})
            if began:
                raise  # an answer that stops in the middle must not look like a whole one
            failure = Internal("Something failed on our side; the log has the request id.")
            await answer(failure, request)(scope, receive, send)
