"""Who is signed in with a browser: the session's cookie, and the dependency that pages use."""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Annotated, Final, cast
from urllib.parse import urlencode

from fastapi import Depends, FastAPI, Request, Response
from fastapi.responses import RedirectResponse

from controlplane import csrf, forms
from controlplane.accounts import service, throttle
from controlplane.accounts.service import Person
from controlplane.audit import service as audit
from controlplane.audit.denials import Sparing
from controlplane.callers import BROWSER, PLATFORM_TENANT, Caller, address_of
from controlplane.database import transaction

DEVICE_S: Final = 365 * 24 * 3600
ANONYMOUS: Final = "anonymous"
# Failed sign-ins in the audit log: some 10,000 rows a day at the most, however many there are.
KEPT_FAILURES: Final = 100
# What browsers could read as another host ("//host", "/\host", a tab between) is no path of ours.
PATH: Final = re.compile(r"/(?![/\\])[!-\[\]-~]{0,4000}")


@dataclass(frozen=True, slots=True)
class Browser(service.SignedIn):
    """A browser that somebody is signed in with. `since`: when they showed who they are."""

    cookie: str

    @property
    def form_token(self) -> str:
        """The value of the field `form_token` in each of its forms."""
        return csrf.form_token(self.cookie)


@dataclass(frozen=True, slots=True)
class Browsers:
    """Sessions in cookies.

    url       public address of this application; cookies are Secure where it is https
    devices   cookies that tell a browser somebody has signed in with before
    clock     seconds since 1970
    failures  chooses which failed sign-ins are in the audit log
    """

    url: str
    devices: throttle.Devices
    clock: Callable[[], float]
    failures: Sparing = field(
        default_factory=lambda: Sparing(every_s=throttle.WINDOW.total_seconds(), most=KEPT_FAILURES)
    )

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
        found = await service.signed_in(cookie, self.now())
        if not found or not cookie:
            return None
        return Browser(found.person, found.since, found.session, cookie)

    def attempt(self, request: Request, email: str) -> throttle.Attempt:
        """Say what a password in this request counts for."""
        kept = email.strip().lower()
        device = self.devices.known(request.cookies.get(self.named("kubeserve-device")), kept)
        return throttle.attempt(kept, address_of(request), device, self.now())

    def attempt_at(self, request: Request, what: str) -> throttle.Attempt:
        """Say what a try at something else counts for that tells who has an account."""
        return throttle.attempt_at(what, address_of(request), self.now())

    async def sign_in(
        self, person: Person, request: Request, response: Response, *, by: str
    ) -> bool:
        """Start a session, always a new one: a cookie from before is worth nothing after it.

        by       what they signed in with, for the audit log
        returns  False when that ended meanwhile, and they are to sign in again
        """
        before = request.cookies.get(self.cookie)
        caller = caller_of(request, person)
        agent = request.headers.get("user-agent", "").replace("\0", "")
        async with transaction():
            value = await service.start_session(person, caller.address, agent, self.now())
            if value is None:
                return False
            replaced = before is not None and await service.end_session(before)
            await audit.record(caller, "session.start", person.subject, by=by, replaced=replaced)
        self.keep(response, "kubeserve", value, int(service.LIFE.total_seconds()))
        self.keep(response, "kubeserve-device", self.devices.cookie(person.email), DEVICE_S)
        return True

    async def refused(self, request: Request, who: str, target: str, **why: str) -> None:
        """Keep that a sign-in failed: one of an account and an address in 15 minutes.

        who     they said they are: only told apart by it, since a password may be typed in there
        target  `user:UUID`, or `user:unknown`, for which as much is done as for somebody known
        """
        caller = _calling(request, ANONYMOUS)
        kind = (service.digest(who.strip().lower()), throttle.network(caller.address))
        more = self.failures.more(PLATFORM_TENANT, kind)
        if more is not None:
            await audit.record(caller, "session.deny", target, **why, more=more)

    async def sign_out(self, browser: Browser, request: Request, response: Response) -> None:
        """End this browser's session."""
        async with transaction():
            if await service.end_session(browser.cookie):
                caller = caller_of(request, browser.person)
                await audit.record(caller, "session.end", browser.person.subject, by="sign-out")
        self.drop(response, "kubeserve")


def caller_of(request: Request, person: Person) -> Caller:
    """Name a person for the audit log; what concerns no one tenant is in the platform's."""
    return _calling(request, person.subject)


def _calling(request: Request, subject: str) -> Caller:
    return Caller(
        PLATFORM_TENANT,
        subject,
        BROWSER,
        frozenset(),
        address=address_of(request),
        request_id=request.state.request_id,
    )


class SignInFirst(Exception):
    """The browser is sent to sign in, and from there back.

    again  also who is signed in, for they have to show once more who they are
    """

    def __init__(self, back: str, *, again: bool = False) -> None:
        super().__init__(back)
        self.back, self.again = back, again


def install(app: FastAPI) -> None:
    """Send browsers to sign in where that is needed."""

    @app.exception_handler(SignInFirst)
    async def of_nobody(_: Request, error: SignInFirst) -> RedirectResponse:
        query = {"next": error.back} | ({"again": "true"} if error.again else {})
        return RedirectResponse(f"/login?{urlencode(query)}", 303)


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
