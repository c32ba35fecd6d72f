"""HEAD and OPTIONS for every address, and which methods an address takes."""

from collections.abc import Iterable
from typing import Final

from fastapi import FastAPI, Request, Response
from fastapi.responses import JSONResponse
from starlette.routing import BaseRoute, Match
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from controlplane.problems import answer
from runtime.problems import MethodNotAllowed

METHODS: Final = ("GET", "POST", "PUT", "PATCH", "DELETE")


def allowed(routes: Iterable[BaseRoute], scope: Scope) -> list[str]:
    """Give the methods that an address takes; none if there is no such address."""
    routes = list(routes)
    found = [
        method
        for method in METHODS
        if any(route.matches({**scope, "method": method})[0] is Match.FULL for route in routes)
    ]
    return [*found, *(["HEAD"] if "GET" in found else []), "OPTIONS"] if found else []


def not_allowed(request: Request, _: Exception) -> JSONResponse:
    """Refuse a method, naming all that would do."""
    app: FastAPI = request.app
    methods = allowed(app.router.routes, request.scope)
    problem = MethodNotAllowed(
        f"{request.method} is not for {request.url.path}; it takes {', '.join(methods)}.",
        allow=methods,
    )
    response = answer(problem, request)
    response.headers["allow"] = ", ".join(methods)
    return response


class Methods:
    """Answers HEAD as GET without its body, and OPTIONS with what an address takes."""

    def __init__(self, app: ASGIApp, routes: Iterable[BaseRoute]) -> None:
        self._app, self._routes = app, routes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one ASGI connection."""
        if scope["type"] == "http" and scope["method"] == "HEAD":
            await self._app({**scope, "method": "GET"}, receive, _without_body(send))
            return
        if scope["type"] == "http" and scope["method"] == "OPTIONS":
            methods = allowed(self._routes, scope)
            if methods:
                response = Response(status_code=204, headers={"allow": ", ".join(methods)})
                await response(scope, receive, send)
                return
        await self._app(scope, receive, send)


def _without_body(send: Send) -> Send:
    ended = False

    async def heads_only(message: Message) -> None:
        nonlocal ended
        if message["type"] == "http.response.start":
            await send(message)
        elif not ended:  # at once: what streams without end would never come to it
            ended = True
            await send({"type": "http.response.body", "body": b"", "more_body": False})

    return heads_only
