"""Signing a person in without a browser here: the device authorization flow (RFC 8628)."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

import httpx

from controlplane.client.authorization import discover, keep, read, send
from controlplane.client.errors import SignInFailed
from controlplane.client.login import CLIENT_ID, Login, LoginFile
from controlplane.client.steps import members, refusal
from controlplane.client.transport import options

GRANT: Final = "urn:ietf:params:oauth:grant-type:device_code"
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
        told = discover(http, url)
        device, token = told["device_authorization_endpoint"], told["token_endpoint"]
        codes = read(send(http, "POST", device, {"client_id": CLIENT_ID}), url)
        shown(
            Code(codes["user_code"], codes["verification_uri"], codes["verification_uri_complete"])
        )
        found = _poll(http, token, codes, sleep)
    return keep(file, url, found)


def _poll(
    http: httpx.Client, url: str, codes: dict[str, Any], sleep: Callable[[float], None]
) -> dict[str, Any]:
    form = {"grant_type": GRANT, "client_id": CLIENT_ID, "device_code": codes["device_code"]}
    wait = float(codes.get("interval", 5))
    while True:
        sleep(wait)
        answer = send(http, "POST", url, form)
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
        answer = send(http, "POST", url, form)
    if answer.status not in (200, 400, 401):
        raise refusal(answer, url)
    return login.url
