"""Cross-site requests: with our cookie, only what a page of ours asked for counts."""

import hmac
from typing import Final
from urllib.parse import urlsplit

from starlette.requests import Request

from runtime.problems import Forbidden

SAFE: Final = {"GET", "HEAD", "OPTIONS"}
OURS: Final = {"same-origin", "none"}
PORTS: Final = {"http": 80, "https": 443}
FIELD: Final = "form_token"


def check_origin(request: Request, url: str) -> None:
    """Refuse what changes something unless a page of ours, or the person, asked for it.

    url  public address of this application
    Browsers say where a request comes from in Sec-Fetch-Site, older ones in Origin; scripts can
    set neither. Raises Forbidden, also when there is none of the two.
    """
    if request.method in SAFE:
        return
    site = request.headers.get("sec-fetch-site")
    ours = request.headers.get("origin") == origin(url) if site is None else site in OURS
    if not ours:
        raise Forbidden(
            f"This request did not come from a page of {origin(url)}. Open that address yourself "
            "and try again; a program sends an access token, no cookie."
        )


def origin(url: str) -> str:
    """Give the origin of an address as browsers write it."""
    parts = urlsplit(url)
    host = f"[{parts.hostname}]" if ":" in (parts.hostname or "") else parts.hostname
    port = "" if parts.port in (None, PORTS.get(parts.scheme)) else f":{parts.port}"
    return f"{parts.scheme}://{host}{port}"


def form_token(cookie: str) -> str:
    """Give what every form of a session carries; only who has the cookie can know it."""
    return hmac.digest(cookie.encode(), b"form token", "sha256").hex()


def check_form_token(form: dict[str, str], cookie: str) -> None:
    """Refuse a form of another session; raises Forbidden."""
    if not hmac.compare_digest(form.get(FIELD, "").encode(), form_token(cookie).encode()):
        raise Forbidden("This page is of an earlier session; reload it and try again.")
