"""Pages for people's browsers: templates, and the headers each of them carries."""

from pathlib import Path
from typing import Any, Final

from fastapi.responses import HTMLResponse
from jinja2 import Environment, FileSystemLoader, StrictUndefined

FOLDER: Final = Path(__file__).parent
# No script at all, and nothing of another origin; no page may be framed.
HEADERS: Final = {
    "cache-control": "no-store",
    "content-security-policy": (
        "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; "
        "frame-ancestors 'none'; base-uri 'none'"
    ),
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
}
ASSETS: Final = {path.name: path for path in (FOLDER / "assets").iterdir()}
OF_ASSETS: Final = {"cache-control": "public, max-age=300", "x-content-type-options": "nosniff"}
_TEMPLATES: Final = Environment(
    loader=FileSystemLoader(FOLDER / "templates"), autoescape=True, undefined=StrictUndefined
)


def show(template: str, status: int = 200, **values: Any) -> HTMLResponse:
    """Give a page: `templates/NAME.html` with its values, all of them escaped."""
    text = _TEMPLATES.get_template(f"{template}.html").render(values)
    return HTMLResponse(text, status, HEADERS)
