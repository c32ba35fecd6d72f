"""Asks the two revisions of a rollout for the same rows, one request after the other, and compares.

A caller like others, with a token of its own: what it is answered is what callers would be. One
request is under way at a time, so it takes no more of a replica than one slow caller does.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

import httpx

from controlplane.endpoints.trying import TokenFor, TooMuch, post, way
from controlplane.engines.engine import Compared
from controlplane.rollouts.proving import Questions, Replayed
from runtime.codecs import v1
from runtime.comparing import Comparison
from runtime.compute import Results
from runtime.heads import UNLOGGED
from runtime.plan.signature import Signature, from_json
from runtime.problems import InvalidInput, Malformed

if TYPE_CHECKING:
    from ssl import SSLContext

ROWS: Final = 100  # of a request
TIMEOUT_S: Final = 30.0
FOR_S: Final = 0.5  # of a look, which comes each second
MOST_ANSWER_BYTES: Final = 16 << 20
REFUSED: Final = (400, 413, 422)


class Away(Exception):
    """There is no answer now; later there may be one."""


class Refuses(Exception):
    """Not a request that it takes."""


class Fails(Exception):
    """It broke on the request."""


class Replayer:
    """Implements `controlplane.rollouts.asking.Asks`.

    ingress  where endpoints are reached if their names do not resolve here
    """

    def __init__(self, token_for: TokenFor, ingress: str | None = None) -> None:
        self._token_for, self._ingress = token_for, ingress
        self._tls: SSLContext | None = None

    async def __call__(self, questions: Questions) -> tuple[Replayed, str | None]:
        """Ask for rows from the first on until the moment is over."""
        token = await self._token_for(questions.by, questions.tenant, questions.endpoint_id)
        if self._tls is None:  # read from files, for 30 ms
            self._tls = await asyncio.to_thread(httpx.create_ssl_context, trust_env=False)
        # A client for each look, since what one tenant's endpoint sets is nothing to another's.
        async with httpx.AsyncClient(timeout=TIMEOUT_S, trust_env=False, verify=self._tls) as http:
            return await _Replay(http, token, questions, self._ingress).run()


@dataclass(frozen=True, slots=True)
class _Side:
    """Where a revision answers."""

    name: str
    url: str
    headers: dict[str, str]


class _Replay:
    def __init__(
        self, http: httpx.AsyncClient, token: str, questions: Questions, ingress: str | None
    ) -> None:
        self._http, self._rows = http, questions.rows
        self._signature: Signature = from_json(dict(questions.running))
        self._comparison = Comparison(self._signature, from_json(dict(questions.candidate)))
        path = f"/v1/models/{questions.endpoint}:predict"
        auth = {
            "authorization": f"Bearer {token}",
            "content-type": "application/json",
            "accept-encoding": "identity",  # what unpacks to more than it was is not read
            **UNLOGGED,
        }
        tag = {"knative-serving-tag": questions.tag}
        self._running = _Side("the running revision", *way(questions.url + path, auth, ingress))
        self._candidate = _Side(
            "the candidate", *way(questions.tag_url + path, auth | tag, ingress)
        )
        self._at = self._unanswered = 0

    async def run(self) -> tuple[Replayed, str | None]:
        """Ask until all is asked, the moment is over, or somebody is away."""
        loop = asyncio.get_running_loop()
        until, away = loop.time() + FOR_S, None
        try:
            while self._at < len(self._rows) and loop.time() < until:
                await self._ask(self._rows[self._at : self._at + ROWS])
        except Away as error:
            away = str(error)
        ended = datetime.now(UTC).isoformat() if self._at == len(self._rows) else None
        told = self._comparison.to_json()
        compared = Compared("replay", **{**told, "worst": tuple(told["worst"])})
        return Replayed(self._at, self._unanswered, ended, compared), away

    async def _ask(self, rows: Sequence[Any]) -> None:
        """Compare the answers to some rows; where one is refused, row by row, to know which."""
        try:
            usual = await self._answer(self._running, rows)
            other = await self._answer(self._candidate, rows)
        except (Refuses, Fails) as error:
            if len(rows) > 1:
                for row in rows:
                    await self._ask([row])
                return
            self._note_unanswered(error)
        else:
            call = v1.decode(v1.encode_call(list(rows)), self._signature, max_rows=len(rows))
            self._comparison.add(call.inputs, usual, other)
        self._at += len(rows)

    def _note_unanswered(self, error: Refuses | Fails) -> None:
        if str(error) == self._running.name:
            self._unanswered += 1
        else:
            self._comparison.unanswered(1, refused=isinstance(error, Refuses))

    async def _answer(self, side: _Side, rows: Sequence[Any]) -> Results:
        """Give a revision's outputs that are compared; raises Away, Refuses, Fails."""
        outputs = self._comparison.outputs
        status, body = await self._post(side, v1.encode_call(list(rows), outputs))
        if status in REFUSED:
            raise Refuses(side.name)
        if status == httpx.codes.INTERNAL_SERVER_ERROR:
            raise Fails(side.name)
        if status != httpx.codes.OK:
            raise Away(f"{side.name} answers {status}")
        try:
            found = v1.decode_answer(body, outputs)
        except (Malformed, InvalidInput) as error:
            raise Fails(side.name) from error
        results = found if isinstance(found, dict) else {outputs[0]: found}
        if any(len(array) != len(rows) for array in results.values()):
            raise Fails(side.name)
        return results

    async def _post(self, side: _Side, body: bytes) -> tuple[int, bytes]:
        """Send a request; what answers may be anybody's code, and is read up to a bound."""
        try:
            answer, content = await post(
                self._http,
                side.url,
                side.headers,
                body,
                within_s=TIMEOUT_S,
                most=MOST_ANSWER_BYTES,
            )
            return answer.status_code, content
        except TooMuch as error:
            raise Fails(side.name) from error
        except (httpx.HTTPError, TimeoutError) as error:
            raise Away(f"{side.name} does not answer ({type(error).__name__})") from error
