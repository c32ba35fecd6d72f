"""How a request of the API is made, signed, sent again and read: the part under every method."""

import math
import time
import uuid
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import quote, urlencode

import orjson

from controlplane.client import context
from controlplane.client.errors import BadAnswer
from controlplane.client.home import Account
from controlplane.client.retries import Budget, RetryPolicy, send
from controlplane.client.steps import (
    Answer,
    Flow,
    Send,
    SignIn,
    Upload,
    members,
    refusal,
)
from controlplane.client.tokens import Tokens

PAGE = 100


class Core:
    """Signs, sends and reads. `clock` is monotonic seconds."""

    def __init__(
        self,
        account: Account,
        policy: RetryPolicy,
        timeout_s: float,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.account, self.policy, self.timeout_s, self.clock = account, policy, timeout_s, clock
        self.budget = Budget(policy)
        self.tokens = Tokens(account, clock, policy, self.budget)

    def url(self, *parts: str, **query: str | int | None) -> str:
        """Give an address below /v1; every part is quoted, members that are None are left out."""
        if not all(part.strip("./ ") for part in parts):
            raise ValueError(f"{parts[-1]!r} is not a name")
        path = "/".join(quote(part, safe="") for part in parts)
        asked = urlencode({name: value for name, value in query.items() if value is not None})
        return f"{self.account.url}/v1/{path}" + (f"?{asked}" if asked else "")

    def signed(
        self, request: Callable[[dict[str, str]], Send], audience: str | None = None
    ) -> Flow[Answer]:
        """Send with a token; a refused token is replaced once. Raises ApiError for refusals."""
        token: str = yield SignIn(audience)
        for last in (False, True):
            asked = request({"authorization": f"Bearer {token}", **context.headers()})
            answer = yield from send(asked, self.policy, self.budget)
            if answer.status == 401 and not last:
                token = yield SignIn(audience, refused=token)
                continue
            if answer.status >= 400:
                raise refusal(answer, asked.url)
            if not 200 <= answer.status < 300:
                raise BadAnswer(f"{asked.url} answered {answer.status}; redirects are not followed")
            return answer
        raise AssertionError("the second answer returns or raises")

    def call(
        self,
        method: str,
        url: str,
        body: Mapping[str, Any] | Upload | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Flow[Answer]:
        """Make one request of the API; a POST gets an Idempotency-Key that its retries share.

        Raises ValueError for a number in the body that is not finite: JSON has none, and orjson
        would write null, which takes a promise or a bound away.
        """
        own = {"accept": "application/json, application/problem+json", **(headers or {})}
        if method == "POST":
            own["idempotency-key"] = str(uuid.uuid4())
        sent: bytes | Upload = b""
        if isinstance(body, Upload):
            sent = body
            own["content-type"] = "application/octet-stream"
            own["content-length"] = str(body.size)
        elif body is not None:
            _check_numbers(body, ())
            sent = orjson.dumps(body)
            own["content-type"] = "application/json"
        return (
            yield from self.signed(lambda auth: Send(method, url, own | auth, sent, self.timeout_s))
        )

    def get(self, url: str) -> Flow[dict[str, Any]]:
        """Read one resource."""
        answer = yield from self.call("GET", url)
        return members(answer, url)

    def post(self, url: str, body: Mapping[str, Any]) -> Flow[dict[str, Any]]:
        """Create or change something."""
        answer = yield from self.call("POST", url, body)
        return members(answer, url)

    def delete(self, url: str) -> Flow[None]:
        """Delete something; that it is gone already after a lost answer counts as done."""
        yield from self.call("DELETE", url)

    def listed(self, *parts: str, **query: str | None) -> Flow[list[dict[str, Any]]]:
        """Read all pages of a list."""
        found: list[dict[str, Any]] = []
        cursor: str | None = None
        while True:
            url = self.url(*parts, **query, limit=PAGE, cursor=cursor)
            page = yield from self.get(url)
            items, following = page.get("items"), page.get("next")
            if not isinstance(items, list) or not all(isinstance(i, dict) for i in items):
                raise BadAnswer(f"{url} answered no list of items")
            found += items
            if following is None:
                return found
            if not isinstance(following, str) or following == cursor:
                raise BadAnswer(f"{url} answered a page without end")
            cursor = following


def _check_numbers(value: Any, place: tuple[str, ...]) -> None:
    if isinstance(value, float) and not math.isfinite(value):
        raise ValueError(f"{'.'.join(place)} must be a finite number, not {value}")
    if isinstance(value, Mapping):
        for name, one in value.items():
            _check_numbers(one, (*place, str(name)))
    if isinstance(value, list | tuple):
        for at, one in enumerate(value):
            _check_numbers(one, (*place, str(at)))
