"""A document is JSON, says so, and holds texts that can be kept; else it is told what to send."""

from email.message import Message

from fastapi import Request, params

from controlplane.texts import REFUSAL, unstorable
from runtime.problems import InvalidInput, UnsupportedMediaType


async def check_content_type(request: Request) -> None:
    """Run before every route: raises UnsupportedMediaType where a route reads JSON and gets none.

    A browser sends JSON to another origin only after asking (CORS); text it would just send.
    """
    if not await _has_document(request):
        return
    said = request.headers.get("content-type")
    if said is None or not is_json(said):
        shown = f"not as {said[:100]}" if said else "and say so"
        raise UnsupportedMediaType(
            f"Send the body as Content-Type: application/json in UTF-8, {shown}.",
            accept=["application/json"],
        )


async def check_texts(request: Request) -> None:
    """Run before every route: raises InvalidInput for a text that the database could not take.

    Forms are held to the same where they are read, texts of an address by their types.
    """
    # Only an escape can name such a character; without one, there is nothing to look through.
    if await _has_document(request) and b"\\u" in await request.body():
        fault = unstorable(await request.json())
        if fault is not None:
            raise InvalidInput(f"{fault[:100] or 'body'}: {REFUSAL}.", field=fault[:100])


async def _has_document(request: Request) -> bool:
    body = getattr(request.scope["route"], "body_field", None)
    reads = body is not None and not isinstance(body.field_info, params.Form)
    return reads and bool(await request.body())


def is_json(content_type: str) -> bool:
    """Tell whether a Content-Type is JSON in UTF-8."""
    read = Message()
    read["content-type"] = content_type
    charset = read.get_param("charset", "utf-8")
    return (
        read.get_content_type() == "application/json"
        and isinstance(charset, str)
        and charset.lower() in ("utf-8", "utf8")
    )
