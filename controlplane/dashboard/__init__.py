"""The dashboard: its index for every address below /dashboard, and the files it loads."""

import re
from collections.abc import Mapping
from html import escape
from pathlib import Path
from typing import Final
from urllib.parse import quote

from fastapi import FastAPI, Request, Response
from fastapi.responses import FileResponse, HTMLResponse, PlainTextResponse, RedirectResponse

from controlplane import pages
from controlplane.accounts.browsers import browsers

BUILT: Final = Path(__file__).parent / "dist"
NAME: Final = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,99}")
TYPES: Final = {
    ".js": "text/javascript; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".svg": "image/svg+xml",
    ".woff2": "font/woff2",
}
# Names of assets have a hash of what is in them; everything else may change with a release.
FOR_EVER: Final = "public, max-age=31536000, immutable"
CODINGS: Final = (("br", ".br"), ("gzip", ".gz"))
# Scripts and styles of ours alone, and nobody but the API to talk to.
HEADERS: Final = {
    **pages.HEADERS,
    "content-security-policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
        "font-src 'self'; connect-src 'self'; form-action 'self'; frame-ancestors 'none'; "
        "base-uri 'none'"
    ),
}
# The place in the built page for the token that the form for signing out has.
FORM_TOKEN: Final = "%FORM_TOKEN%"  # noqa: S105  (no secret)


def add_pages(app: FastAPI, built: Path = BUILT) -> None:
    """Add /dashboard, what it loads, and the way to it from /.

    built  the folder that Vite wrote; where it is missing, a page says how it is made
    """

    async def index(request: Request) -> Response:
        browser = await browsers(request).of(request)
        if browser is None:
            query = f"?{request.url.query}" if request.url.query else ""
            back = quote(request.url.path + query, safe="")
            return RedirectResponse(f"/login?next={back}", 303)
        try:
            text = (built / "index.html").read_text()  # 1 kB
        except FileNotFoundError:
            return pages.show("dashboard_missing", 503)
        return HTMLResponse(text.replace(FORM_TOKEN, escape(browser.form_token)), headers=HEADERS)

    async def asset(request: Request) -> Response:
        return _file(built / "assets", request.path_params["name"], request, FOR_EVER)

    async def theme(request: Request) -> Response:
        return _file(built, "theme.js", request, "no-cache")

    async def home(_: object) -> Response:
        return RedirectResponse("/dashboard", 303)

    app.add_route("/", home)
    app.add_route("/dashboard/assets/{name}", asset)
    app.add_route("/dashboard/theme.js", theme)
    app.add_route("/dashboard", index)
    app.add_route("/dashboard/{path:path}", index)


def _file(folder: Path, name: str, request: Request, cached: str) -> Response:
    kind = TYPES.get(Path(name).suffix)
    if NAME.fullmatch(name) is None or kind is None or not (folder / name).is_file():
        return PlainTextResponse("There is no such file of the dashboard.\n", 404)
    coding, path = _coded(folder / name, request.headers)
    headers = {"cache-control": cached, "vary": "Accept-Encoding"}
    if coding is not None:
        headers["content-encoding"] = coding
    return FileResponse(path, headers=headers, media_type=kind)


def _coded(path: Path, headers: Mapping[str, str]) -> tuple[str | None, Path]:
    """Choose the smallest form that a browser takes."""
    taken = {part.split(";")[0].strip() for part in headers.get("accept-encoding", "").split(",")}
    for coding, suffix in CODINGS:
        other = path.with_name(path.name + suffix)
        if coding in taken and other.is_file():
            return coding, other
    return None, path
