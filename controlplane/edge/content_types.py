"""A document is JSON and says so; anything else is told what to send."""

from email.message import Message

from fastapi import Request, params

from runtime.problems import UnsupportedMediaType


async def check_content_type(request: Request) -> None:
    """Run before every route: raises UnsupportedMediaType where a route reads JSON and gets none.

    A browser sends JSON to another origin only after asking (CORS); text it would just send.
    """
    body = getattr(request.scope["route"], "body_field", None)
    if body is None or isinstance(body.field_info, params.Form) or not await request.body():
        return
    said = request.headers.get("content-type")
    if said is None or not is_json(said):
        shown = f"not as {said[:100]}" if said else "and say so"
        raise UnsupportedMediaType(
            f"Send the body as Content-Type: application/json in UTF-8, {shown}.",
            accept=["application/json"],
        )


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
