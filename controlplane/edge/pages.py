"""The page of the API's reference: Swagger UI from this server, without a script inside."""

from collections.abc import Awaitable, Callable
from importlib import resources
from pathlib import Path
from typing import Final

from fastapi import FastAPI
from fastapi.responses import FileResponse, HTMLResponse, Response

FOLDER: Final = Path(str(resources.files("fastapi_offline"))) / "static"
ASSETS: Final = ("swagger-ui-bundle.js", "swagger-ui.css", "favicon.png")
PAGE: Final = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<title>KubeServe API</title>
<link rel="stylesheet" href="/docs/assets/swagger-ui.css">
<link rel="icon" href="/docs/assets/favicon.png">
</head>
<body>
<div id="swagger-ui"></div>
<script src="/docs/assets/swagger-ui-bundle.js"></script>
<script src="/docs/assets/start.js"></script>
</body>
</html>
"""
START: Final = """SwaggerUIBundle({
  url: "/openapi.json",
  dom_id: "#swagger-ui",
  deepLinking: true,
  validatorUrl: null,
});
"""
# Swagger UI writes styles into its elements; a style runs nothing.
POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data:; connect-src 'self'; frame-ancestors 'none'; base-uri 'none'; "
    "form-action 'none'"
)
CACHED: Final = {"cache-control": "public, max-age=3600"}


def add_pages(app: FastAPI) -> None:
    """Add /docs and what it loads."""

    async def docs(_: object) -> Response:
        return HTMLResponse(PAGE, headers={"content-security-policy": POLICY, **CACHED})

    async def start(_: object) -> Response:
        return Response(START, media_type="text/javascript", headers=CACHED)

    app.add_route("/docs", docs)
    app.add_route("/docs/assets/start.js", start)
    for name in ASSETS:
        app.add_route(f"/docs/assets/{name}", _asset(FOLDER / name))


def _asset(path: Path) -> Callable[[object], Awaitable[Response]]:
    async def asset(_: object) -> Response:
        return FileResponse(path, headers=CACHED)

    return asset
