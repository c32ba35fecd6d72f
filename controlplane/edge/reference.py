"""The API's reference: what FastAPI writes, and what is true of every route."""

from typing import Any, Final

from fastapi import FastAPI

from controlplane.permissions import Public, rule
from controlplane.problems import MEDIA_TYPE
from runtime import problems

PROBLEM: Final = {
    "type": "object",
    "description": "RFC 9457; `type` is an address that explains it. Some kinds have more members.",
    "required": ["type", "title", "status", "detail", "request_id"],
    "properties": {
        "type": {"type": "string", "pattern": "^/problems/[a-z-]+$"},
        "title": {"type": "string"},
        "status": {"type": "integer", "minimum": 400, "maximum": 599},
        "detail": {"type": "string"},
        "request_id": {"type": ["string", "null"]},
    },
}
# Of every request; the first two come of its head, the others where a part of us is away.
ANY: Final = (
    problems.TargetTooLong,
    problems.HeadTooLarge,
    problems.Internal,
    problems.Overloaded,
)
OF_BODIES: Final = (
    problems.Malformed,
    problems.TooSlow,
    problems.TooLarge,
    problems.UnsupportedMediaType,
)
OF_CALLERS: Final = (problems.Unauthenticated, problems.Forbidden, problems.RateLimited)
NAME: Final = "[a-z]([a-z0-9-]{0,38}[a-z0-9])?"
# Words in addresses; what does not look like this names nothing and is 404.
WORDS: Final = {
    "model": f"^{NAME}$",
    "endpoint": f"^{NAME}$",
    "tenant": f"^{NAME}$",
    "alias": f"^{NAME}$",
    "version": f"^([0-9]{{1,9}}|{NAME})$",
    "client": "^ks-[0-9a-f]{16}$",
    "loadtest": "^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$",
    "name": "^[a-z][a-z.-]{0,39}$",
}
# A page says in HTML what it refuses, or as a problem where that is found before it is asked.
OF_PAGES: Final = (200, 400, 401, 403, 404, 409, 422, 429, 502)
OF_FORMS: Final = tuple(kind.status for kind in OF_BODIES)
# Public in the table of permissions, since a token of whatever scope will do; it reads it itself.
READS_TOKENS: Final = ("/oauth2/userinfo",)
CHALLENGED: Final = {"WWW-Authenticate": {"required": True, "schema": {"type": "string"}}}


def describe(app: FastAPI, issuer: str) -> None:
    """Complete the reference once all routes are there; `app.openapi()` gives it from then on."""
    document = app.openapi()
    components = document.setdefault("components", {})
    schemas = components.setdefault("schemas", {})
    for name in ("HTTPValidationError", "ValidationError"):
        schemas.pop(name, None)
    schemas["Problem"] = PROBLEM
    components["securitySchemes"] = {
        "oauth2": {
            "type": "oauth2",
            "flows": {"clientCredentials": {"tokenUrl": f"{issuer}/oauth2/token", "scopes": {}}},
        },
        "metrics": {
            "type": "http",
            "scheme": "bearer",
            "description": "KUBESERVE_METRICS_TOKEN, or what is in HOME/metrics-token.",
        },
    }
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            _complete(operation, method.upper(), path)


def _complete(operation: dict[str, Any], method: str, path: str) -> None:
    responses = operation.setdefault("responses", {})
    responses.pop("422", None)
    needed = rule(method, path)
    if not isinstance(needed, Public):
        operation["security"] = [{"oauth2": []}]
        operation["description"] = _with_scope(operation.get("description"), str(needed))
    if needed is Public.METRICS:
        operation["security"] = [{"metrics": []}]
    for parameter in operation.get("parameters", ()):
        if parameter["in"] == "path" and parameter["name"] in WORDS:
            parameter["schema"]["pattern"] = WORDS[parameter["name"]]
    if needed is Public.PAGE:
        shown = OF_PAGES if method == "GET" else (*OF_PAGES, *OF_FORMS)
        responses |= {str(status): _page() for status in shown}
        responses["303"] = {"description": "Another page."}
    for kind in _refusals(operation, method, path):
        responses.setdefault(str(kind.status), _refusal(kind))
    operation["responses"] = dict(sorted(responses.items()))


def _refusals(
    operation: dict[str, Any], method: str, path: str
) -> tuple[type[problems.Problem], ...]:
    """Give the problems that follow from what a route takes and who may call it."""
    named = {parameter["name"] for parameter in operation.get("parameters", ())}
    has_body, changes = "requestBody" in operation, method != "GET"
    is_open = isinstance(rule(method, path), Public) and path not in READS_TOKENS
    return (
        *ANY,
        *(() if is_open else OF_CALLERS),
        *((problems.Unauthenticated,) if rule(method, path) is Public.METRICS else ()),
        *(OF_BODIES if has_body else ()),
        *((problems.InvalidInput,) if has_body or named else ()),
        *((problems.NotFound,) if changes or "{" in path else ()),
        *((problems.Conflict,) if changes else ()),
        *((problems.PreconditionFailed,) if "If-Match" in named else ()),
    )


def _with_scope(description: str | None, scope: str) -> str:
    return f"{description or ''}\n\nNeeds the scope `{scope}`, or `admin`.".strip()


def _page() -> dict[str, Any]:
    content = {"text/html": {"schema": {"type": "string"}}, **_problem()}
    return {"description": "A page.", "content": content}


def _refusal(kind: type[problems.Problem]) -> dict[str, Any]:
    headers = {"headers": CHALLENGED} if kind is problems.Unauthenticated else {}
    return {"description": kind.title, "content": _problem(), **headers}


def _problem() -> dict[str, Any]:
    return {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}}
