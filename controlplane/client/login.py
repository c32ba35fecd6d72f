"""The sign-in of `kubeserve login`: kept in one file that only its owner reads, renewed in turn."""

import json
import os
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlencode

from filelock import FileLock, Timeout

from controlplane.client.errors import BadAnswer, NotConfigured, TimedOut
from controlplane.client.retries import Budget, RetryPolicy, send
from controlplane.client.steps import Answer, Flow, Pause, Send, members, refusal

CLIENT_ID: Final = "kubeserve-cli"
EARLY_S: Final = 30.0
LOCK_AGAIN_S: Final = 0.02
LOCKED_S: Final = 30.0
FORM: Final = {"content-type": "application/x-www-form-urlencoded", "accept": "application/json"}
SIGN_IN: Final = "Sign in again: kubeserve login"


@dataclass(frozen=True, slots=True)
class KeptToken:
    """An access token and when it ends, in seconds since 1970."""

    text: str = field(repr=False)
    expires_at: float


@dataclass(frozen=True, slots=True)
class Login:
    """Who is signed in, where. `tokens`: by audience, "" for the API."""

    url: str
    refresh_token: str = field(repr=False)
    tokens: dict[str, KeptToken] = field(default_factory=dict)

    def fresh(self, audience: str, now: float) -> KeptToken | None:
        """Give a token that is good for a while."""
        kept = self.tokens.get(audience)
        return kept if kept is not None and now < kept.expires_at - EARLY_S else None

    def after(self, audience: str, found: dict[str, Any], now: float) -> "Login":
        """Give the sign-in with what the token endpoint answered; raises BadAnswer."""
        text, lasts, refresh = (
            found.get(name) for name in ("access_token", "expires_in", "refresh_token")
        )
        if not (isinstance(text, str) and isinstance(lasts, int) and isinstance(refresh, str)):
            raise BadAnswer(f"{self.url} gave no access token and refresh token.")
        live = {name: kept for name, kept in self.tokens.items() if now < kept.expires_at}
        return replace(
            self,
            refresh_token=refresh,
            tokens={**live, audience: KeptToken(text, now + lasts)},
        )


def wall_clock() -> float:
    """Give the seconds since 1970."""
    return datetime.now(UTC).timestamp()


class LoginFile:
    """`login.json`. Whoever renews the sign-in holds the lock: a refresh token is used once."""

    def __init__(self, path: Path, clock: Callable[[], float] = wall_clock) -> None:
        self.path, self.clock = path, clock

    def read(self) -> Login | None:
        """Give the sign-in, if there is one; raises NotConfigured for a file that is none."""
        try:
            found = json.loads(self.path.read_text("utf-8"))
            tokens = {
                audience: KeptToken(kept["text"], float(kept["expires_at"]))
                for audience, kept in found["tokens"].items()
            }
            return Login(str(found["url"]), str(found["refresh_token"]), tokens)
        except FileNotFoundError:
            return None
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
            raise NotConfigured(f"{self.path} cannot be read: {error}. {SIGN_IN}") from error

    def write(self, login: Login) -> None:
        """Keep a sign-in, whole or not at all."""
        tokens = {
            audience: {"text": kept.text, "expires_at": kept.expires_at}
            for audience, kept in login.tokens.items()
        }
        document = {"url": login.url, "refresh_token": login.refresh_token, "tokens": tokens}
        self.path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        part = self.path.with_name(f".{self.path.name}.{os.getpid()}")
        descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            json.dump(document, file, indent=2)
            file.flush()
            os.fsync(file.fileno())
        part.replace(self.path)

    def forget(self) -> None:
        """Delete the sign-in."""
        self.path.unlink(missing_ok=True)

    def lock(self) -> FileLock:
        """Give the lock, not yet taken; every holder makes one of its own."""
        self.path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        return FileLock(self.path.with_name(f"{self.path.name}.lock"), mode=0o600)


@dataclass(frozen=True, slots=True)
class Renewing:
    """Gets tokens with a sign-in."""

    file: LoginFile
    url: str
    policy: RetryPolicy
    budget: Budget

    def token(self, audience: str | None, refused: str | None) -> Flow[KeptToken]:
        """Give a token for an audience (None: the API) that is not the refused one.

        Raises NotConfigured when nobody is signed in any more, SignInFailed, TimedOut.
        """
        lock = self.file.lock()
        yield from _take(lock)
        try:
            login = self.file.read()
            if login is None or login.url != self.url:
                raise NotConfigured(f"Nobody is signed in at {self.url} any more. {SIGN_IN}")
            kept = login.fresh(audience or "", self.file.clock())
            if kept is not None and kept.text != refused:
                return kept
            return (yield from self._renew(login, audience))
        finally:
            lock.release()

    def _renew(self, login: Login, audience: str | None) -> Flow[KeptToken]:
        form = {
            "grant_type": "refresh_token",
            "client_id": CLIENT_ID,
            "refresh_token": login.refresh_token,
        }
        if audience is not None:
            form |= {"resource": audience, "scope": "predict"}
        asked = self.file.clock()
        request = Send("POST", f"{self.url}/oauth2/token", FORM, urlencode(form).encode())
        # Sent again when an answer was lost: within some seconds the server gives the same one.
        answer: Answer = yield from send(request, self.policy, self.budget)
        if answer.status != 200:
            error = refusal(answer, request.url)
            if error.kind == "invalid_grant":
                self.file.forget()
                raise NotConfigured(f"{error.detail} {SIGN_IN}") from error
            raise error
        renewed = login.after(audience or "", members(answer, request.url), asked)
        self.file.write(renewed)
        return renewed.tokens[audience or ""]


def _take(lock: FileLock) -> Flow[None]:
    """Wait for a lock without standing in anybody's way."""
    for _ in range(int(LOCKED_S / LOCK_AGAIN_S)):
        try:
            lock.acquire(blocking=False)
        except Timeout:
            yield Pause(LOCK_AGAIN_S)
        else:
            return
    raise TimedOut(f"Another process has held {lock.lock_file} for {LOCKED_S:g} s.")
