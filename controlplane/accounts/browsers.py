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
from controlplane.accounts import service, throttle
from controlplane.accounts.service import Person
from controlplane.audit import service as audit
from controlplane.callers import BROWSER, PLATFORM_TENANT, Caller, address_of
from controlplane.database import transaction

DEVICE_S: Final = 365 * 24 * 3600
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

    url      public address of this application; cookies are Secure where it is https
    devices  cookies that tell a browser somebody has signed in with before
    clock    seconds since 1970
    """

    url: str
    devices: throttle.Devices
    clock: Callable[[], float]

    @property
    def cookie(self) -> str:
        """Name of the session's cookie."""
        return self.named("kubeserve")

    @property
    def _secure(self) -> bool:
        return self.url.startswith("https:")

    def named(self, name: str) -> str:
        """Name a cookie: `__Host-` keeps other hosts of a domain from setting it."""
        return f"__Host-{name}" if self._secure else name

    def keep(self, response: Response, name: str, value: str, life_s: int) -> None:
        """Set a cookie that no script and no other site's form gets at."""
        response.set_cookie(
            self.named(name),
            value,
            max_age=life_s,
            secure=self._secure,
            httponly=True,
            samesite="lax",
        )

    def drop(self, response: Response, name: str) -> None:
        """Have the browser forget a cookie."""
        response.delete_cookie(self.named(name), secure=self._secure, httponly=True, samesite="lax")

    def now(self) -> datetime:
        return datetime.fromtimestamp(self.clock(), UTC)

    async def of(self, request: Request) -> Browser | None:
        """Give the browser of a request if somebody is signed in with it."""
        cookie = request.cookies.get(self.cookie)
        person = await service.signed_in(cookie, self.now())
        return None if person is None or cookie is None else Browser(person, cookie)

    def attempt(self, request: Request, email: str) -> throttle.Attempt:
        """Say what a password in this request counts for."""
        kept = email.strip().lower()
        device = self.devices.known(request.cookies.get(self.named("kubeserve-device")), kept)
        return throttle.attempt(kept, address_of(request), device, self.now())

    async def sign_in(
        self, person: Person, request: Request, response: Response, *, by: str
    ) -> None:
        """Start a session, always a new one: a cookie from before is worth nothing after it.

        by  what they signed in with, for the audit log
        """
        before = request.cookies.get(self.cookie)
        caller = caller_of(request, person)
        agent = request.headers.get("user-agent", "").replace("\0", "")
        async with transaction():
            if before is not None:
                await service.end_session(before)
            value = await service.start_session(person, caller.address, agent, self.now())
            await audit.record(caller, "session.start", person.subject, by=by)
        self.keep(response, "kubeserve", value, int(service.LIFE.total_seconds()))
        self.keep(response, "kubeserve-device", self.devices.cookie(person.email), DEVICE_S)

    async def sign_out(self, browser: Browser, response: Response) -> None:
        await service.end_session(browser.cookie)
        self.drop(response, "kubeserve")


def caller_of(request: Request, person: Person) -> Caller:
    """Name a person for the audit log; what concerns no one tenant is in the platform's."""
    return Caller(
        PLATFORM_TENANT,
        person.subject,
        BROWSER,
        frozenset(),
        address=address_of(request),
        request_id=request.state.request_id,
    )


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
