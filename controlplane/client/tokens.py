"""Access tokens: asked for once per audience, kept until shortly before they expire."""

import base64
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final
from urllib.parse import quote, urlencode

from controlplane.client.errors import BadAnswer
from controlplane.client.home import Account
from controlplane.client.login import LoginFile, Renewing
from controlplane.client.retries import Budget, RetryPolicy, send
from controlplane.client.steps import Flow, Send, members, refusal

EARLY_S: Final = 30.0
MAX_KEPT: Final = 1_000


@dataclass(frozen=True, slots=True)
class Token:
    """A token and the moment, on our clock, from which a new one is asked for."""

    text: str
    until: float


class Tokens:
    """Tokens in hand, by audience; None is the API."""

    def __init__(
        self, account: Account, clock: Callable[[], float], policy: RetryPolicy, budget: Budget
    ) -> None:
        self._account, self._clock = account, clock
        self._policy, self._budget = policy, budget
        self._kept: dict[str | None, Token] = {}

    def fresh(self, audience: str | None, refused: str | None = None) -> str | None:
        """Give the token in hand, if there is one that is not the refused one."""
        kept = self._kept.get(audience)
        if kept is None or kept.text == refused or self._clock() >= kept.until:
            return None
        return kept.text

    def fetch(self, audience: str | None, refused: str | None = None) -> Flow[str]:
        """Ask for a token and keep it; raises SignInFailed."""
        if len(self._kept) >= MAX_KEPT:
            self._kept.clear()
        if self._account.login is None:
            return (yield from self._by_secret(audience))
        file = LoginFile(self._account.login)
        renewing = Renewing(file, self._account.url, self._policy, self._budget)
        kept = yield from renewing.token(audience, refused)
        lasts = kept.expires_at - file.clock()
        self._kept[audience] = Token(kept.text, self._clock() + max(lasts - EARLY_S, lasts / 2))
        return kept.text

    def _by_secret(self, audience: str | None) -> Flow[str]:
        account, asked = self._account, self._clock()
        form = {"grant_type": "client_credentials"}
        if audience is not None:
            form |= {"resource": audience, "scope": "predict"}
        # RFC 6749 2.3.1: both are form-encoded before they are joined.
        pair = f"{quote(account.client_id, safe='')}:{quote(account.client_secret, safe='')}"
        request = Send(
            "POST",
            f"{account.url}/oauth2/token",
            {
                "authorization": "Basic " + base64.b64encode(pair.encode()).decode(),
                "content-type": "application/x-www-form-urlencoded",
                "accept": "application/json",
            },
            urlencode(form).encode(),
        )
        answer = yield from send(request, self._policy, self._budget)
        if answer.status != 200:
            raise refusal(answer, request.url)
        found = members(answer, request.url)
        text, lasts = found.get("access_token"), found.get("expires_in", 60)
        if not isinstance(text, str) or not isinstance(lasts, int | float):
            raise BadAnswer(f"{request.url} gave no access token.")
        # A token that lives for less than a minute is used for half of its life.
        self._kept[audience] = Token(text, asked + max(lasts - EARLY_S, lasts / 2))
        return text
