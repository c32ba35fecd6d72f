"""One request to an endpoint, made here for whoever asks from where its token must not be."""

import asyncio
import json
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import urlsplit
from uuid import UUID

import httpx

from runtime.problems import (
    Conflict,
    DeadlinePassed,
    EngineUnavailable,
    InvalidInput,
    RateLimited,
    TooLarge,
)

LONGEST_S: Final = 60.0
START_S: Final = 30.0  # that a replica may take to be there, besides what the request may take
MOST_ANSWER_BYTES: Final = 4 << 20
AT_ONCE: Final = 8  # of a tenant, in each process
# Makes a token for (subject and client, tenant, endpoint); raises Forbidden.
TokenFor = Callable[[tuple[str, str], str, UUID], Awaitable[str]]


class TooMuch(Exception):
    """The answer is larger than what is read."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where an endpoint, or a tag of it, answers."""

    url: str
    tag: str | None = None
    timeout_s: float = LONGEST_S


def place_of(document: Mapping[str, Any], tag: str | None) -> Place:
    """Give where an endpoint answers. Raises Conflict without an address yet, InvalidInput."""
    url = document["url"]
    if tag is not None:
        tags = {one["tag"]: one["tag_url"] for one in document["revisions"] if one["tag"]}
        if tag not in tags:
            known = ", ".join(sorted(tags)) or "none"
            raise InvalidInput(f"There is no tag {tag!r}; the endpoint has: {known}.", field="tag")
        url = tags[tag]
    if not url:
        raise Conflict("It has no address yet; its status says why.", retry_after_s=1)
    return Place(url, tag, document["timeout_s"])


@dataclass(frozen=True, slots=True)
class Answered:
    """What an endpoint said. `took_ms`: from the request's first byte to the answer's last."""

    status: int
    body: Any
    revision: str | None
    took_ms: float


@dataclass(slots=True)
class Trier:
    """Asks endpoints on behalf of callers of the API.

    ingress  where endpoints are reached if their names do not resolve here
    """

    token_for: TokenFor
    ingress: str | None = None
    _under_way: Counter[str] = field(default_factory=Counter)
    _tls: Any = None

    async def ask(
        self, by: tuple[str, str], tenant: str, endpoint: UUID, place: Place, body: Any
    ) -> Answered:
        """Send a body to /predict and give the answer, a refusal too.

        Raises Forbidden, RateLimited, EngineUnavailable, DeadlinePassed or TooLarge.
        """
        if self._under_way[tenant] >= AT_ONCE:
            raise RateLimited(
                f"{AT_ONCE} requests of this tenant are being tried already; wait for their "
                "answers, or call the endpoint itself with a token of its own.",
                retry_after_s=1,
            )
        self._under_way[tenant] += 1
        try:
            token = await self.token_for(by, tenant, endpoint)
            return await self._ask(place, token, json.dumps(body).encode())
        finally:
            self._under_way[tenant] -= 1
            if not self._under_way[tenant]:
                del self._under_way[tenant]

    async def _ask(self, place: Place, token: str, body: bytes) -> Answered:
        if self._tls is None:  # read from files, for 30 ms
            self._tls = await asyncio.to_thread(httpx.create_ssl_context, trust_env=False)
        headers = {
            "authorization": f"Bearer {token}",
            "content-type": "application/json",
            "accept-encoding": "identity",  # what unpacks to more than it was is not read
        }
        if place.tag is not None:
            headers["knative-serving-tag"] = place.tag
        url, headers = way(place.url.rstrip("/") + "/predict", headers, self.ingress)
        within = min(place.timeout_s, LONGEST_S) + START_S
        loop = asyncio.get_running_loop()
        began = loop.time()
        # A client for each, since what one tenant's endpoint sets is nothing to another's.
        async with httpx.AsyncClient(timeout=within, trust_env=False, verify=self._tls) as http:
            try:
                answer, content = await post(
                    http, url, headers, body, within_s=within, most=MOST_ANSWER_BYTES
                )
            except TimeoutError as error:
                raise DeadlinePassed(f"The endpoint did not answer within {within:g} s.") from error
            except httpx.HTTPError as error:
                raise EngineUnavailable(
                    f"The endpoint cannot be reached ({type(error).__name__}); see why.",
                    retry_after_s=1,
                ) from error
            except TooMuch as error:
                raise TooLarge(
                    f"The answer has more than {MOST_ANSWER_BYTES >> 20} MiB; send fewer rows, or "
                    "call the endpoint itself."
                ) from error
        took_ms = round((loop.time() - began) * 1000, 2)
        return Answered(
            answer.status_code, _read(content), answer.headers.get("k-revision"), took_ms
        )


def _read(content: bytes) -> Any:
    """Give the document of an answer; text where it is none, as a proxy's is."""
    try:
        return json.loads(content)
    except ValueError:
        return content.decode(errors="replace")[:10_000]


async def post(
    http: httpx.AsyncClient,
    url: str,
    headers: Mapping[str, str],
    body: bytes,
    *,
    within_s: float,
    most: int,
) -> tuple[httpx.Response, bytes]:
    """Send a request; what answers may be anybody's code, and is read up to a bound.

    Raises TooMuch, TimeoutError or httpx.HTTPError.
    """
    asked = http.stream("POST", url, content=body, headers=dict(headers))
    read = bytearray()
    async with asyncio.timeout(within_s), asked as answer:
        async for piece in answer.aiter_raw():
            read += piece
            if len(read) > most:
                raise TooMuch
        return answer, bytes(read)


def way(url: str, headers: dict[str, str], ingress: str | None) -> tuple[str, dict[str, str]]:
    """Give the address to ask at, and the headers that say who is asked."""
    if ingress is None:
        return url, headers
    parts = urlsplit(url)
    return ingress.rstrip("/") + parts.path, headers | {"host": parts.netloc}
