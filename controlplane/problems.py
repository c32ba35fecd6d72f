"""Problems as HTTP answers: the one place where an exception becomes a response."""

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect

from controlplane.faults import faults_of, sentence
from runtime.problems import (
    Forbidden,
    InvalidInput,
    Malformed,
    NotFound,
    Problem,
    Unauthenticated,
)
from runtime.resource import challenge

MEDIA_TYPE = "application/problem+json"


def answer(problem: Problem, request: Request) -> JSONResponse:
    """Give the response of a problem, with the request's id."""
    headers = problem.headers()
    if isinstance(problem, Unauthenticated):
        headers["www-authenticate"] = _challenge(request)
    if isinstance(problem, Forbidden) and "scope" in problem.members:
        scope = problem.members["scope"]
        headers["www-authenticate"] = f'Bearer error="insufficient_scope", scope="{scope}"'
    body = problem.body()
    body["request_id"] = getattr(request.state, "request_id", None)
    return JSONResponse(body, problem.status, headers, media_type=MEDIA_TYPE)


def _challenge(request: Request) -> str:
    """Say what is missing, and where a client learns how to get it (RFC 6750, RFC 9728)."""
    issuer = request.app.state.settings.public_url
    return challenge(
        issuer, issuer, "invalid_token" if "authorization" in request.headers else None
    )


def install(app: FastAPI) -> None:
    """Answer every error of the application as a problem."""

    @app.exception_handler(Problem)
    async def of_problem(request: Request, error: Problem) -> JSONResponse:
        return answer(error, request)

    @app.exception_handler(RequestValidationError)
    async def of_validation(request: Request, error: RequestValidationError) -> JSONResponse:
        if any(fault["type"] == "json_invalid" for fault in error.errors()):
            return answer(Malformed("The body is not JSON."), request)
        faults = faults_of(error.errors(), error.body)
        return answer(InvalidInput(sentence(faults[0]), errors=faults), request)

    @app.exception_handler(ClientDisconnect)
    async def of_disconnect(request: Request, _: ClientDisconnect) -> JSONResponse:
        # Nobody reads this; it is here so that a lost client is no error of ours.
        return answer(Malformed("The client went away before the end of its request."), request)

    @app.exception_handler(HTTPException)
    async def of_http(request: Request, error: HTTPException) -> JSONResponse:
        kind = NotFound if error.status_code == 404 else Malformed
        path, hint = request.url.path, ""
        if kind is NotFound and path.endswith("/"):
            hint = f" No address here ends with a slash: {path.rstrip('/') or '/'}"
        response = answer(kind(f"{request.method} {path}: {error.detail}.{hint}"), request)
        response.status_code = error.status_code
        return response
