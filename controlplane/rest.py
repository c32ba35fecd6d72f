"""REST conventions: names, texts, times, cursor pages, ETag and If-Match."""

import base64
import binascii
import hashlib
import json
import re
import uuid
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Annotated, Any, Final

from fastapi import Request, Response
from pydantic import AfterValidator, AwareDatetime, BeforeValidator, Field

from controlplane.texts import REFUSAL, is_storable
from runtime.problems import InvalidInput, PreconditionFailed

NAME: Final = re.compile(r"[a-z]([a-z0-9-]{0,38}[a-z0-9])?")
CURSOR: Final = re.compile(r"[a-z0-9_-]{1,40}")
NUMBER: Final = re.compile(r"[0-9]{1,9}")  # fits the database's integers
MAX_PAGE: Final = 200
# RFC 3339, a space for the T too. What a number would be, seconds or milliseconds, is a guess.
TIME: Final = re.compile(
    r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d(:\d\d([.,]\d+)?)?([Zz]|[+-]\d\d:?\d\d)", re.ASCII
)


def is_name(value: str) -> bool:
    """Tell whether a value could name anything; what could not is never looked up."""
    return NAME.fullmatch(value) is not None


def whole_number(value: str) -> int | None:
    """Read a number as people write it in an address; None if it is none."""
    return int(value) if NUMBER.fullmatch(value) else None


def _storable(value: str) -> str:
    if not is_storable(value):
        raise ValueError(REFUSAL)
    return value


# A text of an address; those of documents and forms are held to it where these are read.
Text = Annotated[str, AfterValidator(_storable)]


def _written(value: object) -> object:
    if not isinstance(value, str) or not TIME.fullmatch(value):
        raise ValueError("a time has its zone, such as 2026-11-01T00:00:00Z")
    return value


# A year from both ends of the calendar: in any zone, and with a period added, it is a time still.
Moment = Annotated[
    AwareDatetime,
    Field(ge=datetime(2, 1, 1, tzinfo=UTC), lt=datetime(9999, 1, 1, tzinfo=UTC)),
    BeforeValidator(_written),
]


def check_name(kind: str, value: str) -> str:
    """Give a name back if it is one; raises InvalidInput with the rule and a name that would do."""
    if is_name(value):
        return value
    better = re.sub(r"[^a-z0-9]+", "-", value.lower()).strip("-")[:40].strip("-")
    hint = f" Try {better!r}." if is_name(better) else ""
    shown = value if len(value) <= 60 else f"{value[:60]}…"
    article = "an" if kind[0] in "aeiou" else "a"
    raise InvalidInput(
        f"{shown!r} cannot be the name of {article} {kind}: 1 to 40 lower-case letters, digits "
        f"and dashes, a letter first and no dash at the end.{hint}",
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
        key = base64.b64decode(padded, altchars=b"-_", validate=True).decode()
    except (binascii.Error, ValueError) as error:
        raise _foreign() from error
    if not CURSOR.fullmatch(key):
        raise _foreign()
    return key


def after_number(value: str | None) -> int | None:
    """Read a cursor of a list in order of number; raises InvalidInput."""
    key = after(value)
    number = None if key is None else whole_number(key)
    if key is not None and number is None:
        raise _foreign()
    return number


def after_id(value: str | None) -> uuid.UUID | None:
    """Read a cursor of a list in order of id; raises InvalidInput."""
    key = after(value)
    try:
        return None if key is None else uuid.UUID(key)
    except ValueError as error:
        raise _foreign() from error


def _foreign() -> InvalidInput:
    return InvalidInput("This cursor is not one of ours; start without it.")


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
