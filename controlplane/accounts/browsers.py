"""Who is signed in with a browser: the session's cookie, and the dependency that pages use."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated, Final, cast
from urllib.parse import urlencode

from fastapi import Depends, FastAPI, Request, Response
from fastapi.responses import RedirectResponse

from controlplane import csrf, forms
from controlplane.accounts import service
from controlplane.accounts.service import Person

# What browsers could read as another host ("//host", "/\host", a tab between) is no path of ours.
PATH: Final = re.compile(r"/(?![/\\])[!-\[\]-~]{0,4000}")


@dataclass(frozen=True, slots=True)
class Browser:
    """A browser that somebody is signed in with."""

    person: Person
    cookie: str

    @property
    def form_token(self) -> str:
        """The value of the field `form_token` in each of its forms."""
        return csrf.form_token(self.cookie)


@dataclass(frozen=True, slots=True)
class Browsers:
    """Sessions in cookies.

    url    public address of this application; cookies are Secure where it is https
    clock  seconds since 1970
    """

    url: str
    clock: Callable[[], float]

    @property
    def cookie(self) -> str:
        """Name of the cookie: `__Host-` keeps other hosts of a domain from setting it."""
        return "__Host-kubeserve" if self._secure else "kubeserve"

    @property
    def _secure(self) -> bool:
        return self.url.startswith("https:")

    def now(self) -> datetime:
        return datetime.fromtimestamp(self.clock(), UTC)

    async def of(self, request: Request) -> Browser | None:
        """Give the browser of a request if somebody is signed in with it."""
        cookie = request.cookies.get(self.cookie)
        person = await service.signed_in(cookie, self.now())
        return None if person is None or cookie is None else Browser(person, cookie)

    async def sign_in(self, person: Person, request: Request, response: Response) -> None:
        """Start a session, always a new one: a cookie from before is worth nothing after it."""
        before = request.cookies.get(self.cookie)
        if before is not None:
            await service.end_session(before)
        address = request.client.host if request.client else ""
        agent = request.headers.get("user-agent", "").replace("\0", "")
        value = await service.start_session(person, address, agent, self.now())
        response.set_cookie(
            self.cookie,
            value,
            max_age=int(service.LIFE.total_seconds()),
            secure=self._secure,
            httponly=True,
            samesite="lax",
        )

    async def sign_out(self, browser: Browser, response: Response) -> None:
        await service.end_session(browser.cookie)
        response.delete_cookie(self.cookie, secure=self._secure, httponly=True, samesite="lax")


class SignInFirst(Exception):
    """Nobody is signed in; the browser is sent to the page for it, and from there back."""

    def __init__(self, back: str) -> None:
        super().__init__(back)
        self.back = back


def install(app: FastAPI) -> None:
    """Send browsers to sign in where that is needed."""

    @app.exception_handler(SignInFirst)
    async def of_nobody(_: Request, error: SignInFirst) -> RedirectResponse:
        return RedirectResponse(f"/login?{urlencode({'next': error.back})}", 303)


def path_of_ours(value: str | None, otherwise: str = "/account") -> str:
    """Give where to go next, if it is a path of this application: no open redirect."""
    return value if value is not None and PATH.fullmatch(value) else otherwise


def browsers(request: Request) -> Browsers:
    return cast("Browsers", request.app.state.browsers)


async def signed_in(request: Request) -> Browser | None:
    """Give who is signed in, if anybody; a form is checked to be one of theirs."""
    ours = browsers(request)
    csrf.check_origin(request, ours.url)
    browser = await ours.of(request)
    if browser is not None and request.method not in csrf.SAFE:
        csrf.check_form_token(await forms.read(request), browser.cookie)
    return browser


async def _required(request: Request) -> Browser:
    browser = await signed_in(request)
    if browser is None:
        query = f"?{request.url.query}" if request.method == "GET" and request.url.query else ""
        raise SignInFirst(request.url.path + query)
    return browser


SignedIn = Annotated[Browser, Depends(_required)]
MaybeSignedIn = Annotated[Browser | None, Depends(signed_in)]
