"""Forms as browsers and OAuth clients send them, and queries, which are written the same way."""

from collections.abc import Mapping
from typing import Final
from urllib.parse import parse_qsl

from starlette.requests import Request

from controlplane.texts import REFUSAL, is_storable
from runtime.problems import Malformed, UnsupportedMediaType

TYPE: Final = "application/x-www-form-urlencoded"
MOST_FIELDS: Final = 50


class NotAForm(ValueError):
    """A text that is no form, or one that two readers could read differently."""


def parse(text: str | bytes) -> dict[str, str]:
    """Read a form or a query; raises NotAForm, for a field twice too."""
    try:
        text = text.decode("utf-8") if isinstance(text, bytes) else text
        pairs = parse_qsl(
            text, keep_blank_values=True, strict_parsing=bool(text), max_num_fields=MOST_FIELDS
        )
    except ValueError as error:
        raise NotAForm("This is not a form.") from error
    form = dict(pairs)
    if len(form) != len(pairs):
        raise NotAForm("A field of the form is there twice.")
    if not all(is_storable(part) for pair in pairs for part in pair):
        raise NotAForm(f"A field of the form cannot be kept: {REFUSAL}.")
    return form


def is_form(headers: Mapping[str, str]) -> bool:
    """Tell whether a body says it is a form."""
    return headers.get("content-type", "").partition(";")[0].strip().lower() == TYPE


async def read(request: Request) -> dict[str, str]:
    """Read the form of a page; raises Malformed or UnsupportedMediaType."""
    if not is_form(request.headers):
        raise UnsupportedMediaType(f"Send a form: content-type {TYPE}.")
    try:
        return parse(await request.body())
    except NotAForm as error:
        raise Malformed(str(error)) from error
