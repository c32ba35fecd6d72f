"""REST conventions: names, cursor pages, ETag and If-Match."""

import base64
import binascii
import hashlib
import json
import re
from collections.abc import Callable, Sequence
from typing import Any, Final

from fastapi import Request, Response

from runtime.problems import InvalidInput, PreconditionFailed

NAME: Final = re.compile(r"[a-z]([a-z0-9-]{0,38}[a-z0-9])?")
MAX_PAGE: Final = 200


def check_name(kind: str, value: str) -> str:
    """Give a name back if it is one; raises InvalidInput with the rule and a name that would do."""
    if NAME.fullmatch(value):
        return value
    better = re.sub(r"[^a-z0-9]+", "-", value.lower()).strip("-")[:40].strip("-")
    hint = f" Try {better!r}." if NAME.fullmatch(better) else ""
    raise InvalidInput(
        f"{value!r} is not a name for a {kind}: 1 to 40 lower-case letters, digits and dashes, "
        f"a letter first and no dash at the end.{hint}",
        field="name",
    )


def page(
    rows: Sequence[Any],
    limit: int,
    show: Callable[[Any], dict[str, Any]],
    key: Callable[[Any], str],
) -> dict[str, Any]:
    """Make a page of at most `limit` rows from limit + 1 of them."""
    more = len(rows) > limit
    shown = rows[:limit]
    return {
        "items": [show(row) for row in shown],
        "next": cursor(key(shown[-1])) if more else None,
    }


def cursor(key: str) -> str:
    """Hide the key of a page's last row."""
    return base64.urlsafe_b64encode(key.encode()).decode().rstrip("=")


def after(value: str | None) -> str | None:
    """Read a cursor; raises InvalidInput."""
    if value is None:
        return None
    try:
        padded = value + "=" * (-len(value) % 4)
        return base64.b64decode(padded, altchars=b"-_", validate=True).decode()
    except (binascii.Error, ValueError) as error:
        raise InvalidInput("This cursor is not one of ours; start without it.") from error


def etag(document: dict[str, Any]) -> str:
    """Give the entity tag of a document."""
    raw = json.dumps(document, sort_keys=True, default=str).encode()
    return f'"{hashlib.sha256(raw).hexdigest()[:24]}"'


def check_match(request: Request, document: dict[str, Any]) -> None:
    """Refuse a change of something that is no longer what the caller read."""
    wanted = request.headers.get("if-match")
    if wanted not in (None, "*", etag(document)):
        raise PreconditionFailed("It has changed since you read it; read it again.")


def tagged(response: Response, document: dict[str, Any]) -> dict[str, Any]:
    """Give a document back with its ETag on the response."""
    response.headers["etag"] = etag(document)
    return document
