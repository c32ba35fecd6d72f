"""Signing a person in without a browser here: the device authorization flow (RFC 8628)."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

import httpx

from controlplane.client.errors import BadAnswer, SignInFailed, Unreachable
from controlplane.client.login import CLIENT_ID, FORM, Login, LoginFile
from controlplane.client.steps import Answer, members, refusal
from controlplane.client.transport import answer_of, options

GRANT: Final = "urn:ietf:params:oauth:grant-type:device_code"
METADATA: Final = "/.well-known/oauth-authorization-server"
SLOWER_S: Final = 5


@dataclass(frozen=True, slots=True)
class Code:
    """What a person types in where. `complete`: the address with the code in it."""

    user_code: str
    address: str
    complete: str


def sign_in(
    url: str,
    file: LoginFile,
    shown: Callable[[Code], None],
    sleep: Callable[[float], None] = time.sleep,
) -> Login:
    """Sign in at a KubeServe and keep it; `shown` is given the code to show.

    Raises Unreachable, BadAnswer, or SignInFailed when it was denied or took too long.
    """
    with httpx.Client(**options(url)) as http:
        told = _members(_send(http, "GET", f"{url}{METADATA}"), url)
        if told.get("issuer") != url:
            # Who answers for another address could be given what is meant for that one.
            raise BadAnswer(f"{url} calls itself {told.get('issuer')!r}; sign in at that address.")
        device, token = told["device_authorization_endpoint"], told["token_endpoint"]
        codes = _members(_send(http, "POST", device, {"client_id": CLIENT_ID}), url)
        shown(
            Code(codes["user_code"], codes["verification_uri"], codes["verification_uri_complete"])
        )
        found = _poll(http, token, codes, sleep)
    login = Login(url, "").after("", found, file.clock())
    with file.lock():
        file.write(login)
    return login


def _poll(
    http: httpx.Client, url: str, codes: dict[str, Any], sleep: Callable[[float], None]
) -> dict[str, Any]:
    form = {"grant_type": GRANT, "client_id": CLIENT_ID, "device_code": codes["device_code"]}
    wait = float(codes.get("interval", 5))
    while True:
        sleep(wait)
        answer = _send(http, "POST", url, form)
        if answer.status == 200:
            return members(answer, url)
        error = refusal(answer, url)
        if error.kind == "slow_down":
            wait += SLOWER_S
        elif error.kind != "authorization_pending":
            raise SignInFailed(error.problem)


def sign_out(file: LoginFile) -> str | None:
    """End the sign-in, at the server too; gives where it was, None if nobody was signed in."""
    with file.lock():
        login = file.read()
        if login is None:
            return None
        file.forget()
    form = {"client_id": CLIENT_ID, "token": login.refresh_token}
    with httpx.Client(**options(login.url)) as http:
        url = f"{login.url}/oauth2/revoke"
        answer = _send(http, "POST", url, form)
    if answer.status not in (200, 400, 401):
        raise refusal(answer, url)
    return login.url


def _send(http: httpx.Client, method: str, url: str, form: dict[str, str] | None = None) -> Answer:
    try:
        return answer_of(http.request(method, url, data=form, headers=FORM if form else None))
    except httpx.HTTPError as error:
        raise Unreachable(url, str(error) or type(error).__name__) from error


def _members(answer: Answer, url: str) -> dict[str, Any]:
    if answer.status != 200:
        raise refusal(answer, url)
    return members(answer, url)
