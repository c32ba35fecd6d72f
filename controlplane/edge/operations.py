"""What a route says of itself in the API's reference, beside what its signature says.

Answers are not validated on their way out: a fault there would be ours alone. That they are what
the reference says is tested over the whole API (`tests/fuzz`).
"""

from typing import Annotated, Any, Generic, TypeVar

from pydantic import BaseModel, ConfigDict, Field

Item = TypeVar("Item")
Timestamp = Annotated[str, Field(json_schema_extra={"format": "date-time"})]


class Document(BaseModel):
    """An answer: all of its members, and no other."""

    model_config = ConfigDict(extra="forbid")


class Page(Document, Generic[Item]):
    """Some of a list; `next` goes into `cursor` for those behind, null at the end."""

    items: list[Item]
    next: str | None


class Why(Document):
    """Why something is as it is, and what to do. `ok`: nothing is wrong, also where it waits.

    about  such as `endpoint:iris`, `version:iris:7`, `rollout:iris:3`
    """

    about: str
    reason: str
    ok: bool
    message: str
    evidence: list[str]
    next_step: str


IDEMPOTENCY_KEY = {
    "name": "Idempotency-Key",
    "in": "header",
    "description": "The same request with the same key happens once and is answered alike.",
    "schema": {"type": "string", "minLength": 1, "maxLength": 255},
}
IF_MATCH = {
    "name": "If-Match",
    "in": "header",
    "description": "The ETag of what was read; 412 if it has changed since.",
    "schema": {"type": "string"},
}
ETAG = {"ETag": {"required": True, "schema": {"type": "string"}}}


def gives(
    answer: Any,
    *statuses: int,
    etag: bool = False,
    once: bool = False,
    if_match: bool = False,
    extra: dict[str, Any] | None = None,
) -> dict[str, Any]:
    """Give a route's keyword arguments.

    answer    model of its JSON
    statuses  it is answered with; 200 if none is named
    etag      it carries one
    once      the route takes Idempotency-Key
    if_match  the route takes If-Match
    extra     more of the operation's OpenAPI object
    """
    headers = {"headers": ETAG} if etag else {}
    return {
        "response_model": None,
        "responses": {status: {"model": answer, **headers} for status in statuses or (200,)},
        "openapi_extra": taking(once=once, if_match=if_match, extra=extra),
    }


def taking(
    *, once: bool = False, if_match: bool = False, extra: dict[str, Any] | None = None
) -> dict[str, Any]:
    """Give the part of an operation that tells of headers it takes."""
    parameters = [*([IDEMPOTENCY_KEY] if once else []), *([IF_MATCH] if if_match else [])]
    return {"parameters": parameters, **(extra or {})}


def file(*media_types: str, schema: dict[str, Any] | None = None) -> dict[str, Any]:
    """Give a body, of a request or an answer, that is no JSON document of ours."""
    return {"content": {kind: {"schema": schema or {"type": "string"}} for kind in media_types}}
