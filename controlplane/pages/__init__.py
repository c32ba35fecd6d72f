"""Pages for people's browsers: templates, and the headers each of them carries."""

from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any, Final

from fastapi import Request, Response
from fastapi.responses import HTMLResponse
from fastapi.routing import APIRoute
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from typing_extensions import override

from runtime.problems import Problem

FOLDER: Final = Path(__file__).parent
# No script at all, and nothing of another origin; `edge/headers.py` adds what every answer says.
HEADERS: Final = {
    "content-security-policy": (
        "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; "
        "frame-ancestors 'none'; base-uri 'none'"
    ),
    # Not "no-referrer": with it browsers write "Origin: null" on our own forms.
    "referrer-policy": "same-origin",
}
ASSETS: Final = {path.name: path for path in (FOLDER / "assets").iterdir()}
OF_ASSETS: Final = {"cache-control": "public, max-age=300"}
_TEMPLATES: Final = Environment(
    loader=FileSystemLoader(FOLDER / "templates"), autoescape=True, undefined=StrictUndefined
)


def show(template: str, status: int = 200, **values: Any) -> HTMLResponse:
    """Give a page: `templates/NAME.html` with its values, all of them escaped."""
    text = _TEMPLATES.get_template(f"{template}.html").render(values)
    return HTMLResponse(text, status, HEADERS)


class PageRoute(APIRoute):
    """A route that people look at: a problem is a page, too."""

    @override
    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        handle = super().get_route_handler()

        async def shown(request: Request) -> Response:
            try:
                return await handle(request)
            except Problem as problem:
                page = show("problem", problem.status, title=problem.title, detail=problem.detail)
                page.headers.update(problem.headers())
                return page

        return shown
