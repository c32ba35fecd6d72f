"""Forms as browsers send them."""

from typing import Final
from urllib.parse import parse_qsl

from starlette.requests import Request

from runtime.problems import Malformed, UnsupportedMediaType

TYPE: Final = "application/x-www-form-urlencoded"
MOST_FIELDS: Final = 50


async def read(request: Request) -> dict[str, str]:
    """Read the form of a request; raises Malformed for a field twice, UnsupportedMediaType."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != TYPE:
        raise UnsupportedMediaType(f"Send a form: content-type {TYPE}.")
    try:
        text = (await request.body()).decode("utf-8")
        pairs = parse_qsl(
            text, keep_blank_values=True, strict_parsing=bool(text), max_num_fields=MOST_FIELDS
        )
    except ValueError as error:
        raise Malformed("The body is not a form.") from error
    form = dict(pairs)
    if len(form) != len(pairs):
        raise Malformed("A field of the form is there twice.")
    if any("\0" in value for value in form.values()):
        raise Malformed("A field of the form has the character NUL in it.")
    return form
