"""What every way to sign a person in asks of the authorization server."""

from typing import Any, Final

import httpx

from controlplane.client.errors import BadAnswer, Unreachable
from controlplane.client.login import FORM, Login, LoginFile
from controlplane.client.steps import Answer, members, refusal
from controlplane.client.transport import answer_of

METADATA: Final = "/.well-known/oauth-authorization-server"


def discover(http: httpx.Client, url: str) -> dict[str, Any]:
    """Read what the server says of itself; raises BadAnswer if it is another one's address."""
    told = read(send(http, "GET", f"{url}{METADATA}"), url)
    if told.get("issuer") != url:
        # Who answers for another address could be given what is meant for that one.
        raise BadAnswer(f"{url} calls itself {told.get('issuer')!r}; sign in at that address.")
    return told


def send(http: httpx.Client, method: str, url: str, form: dict[str, str] | None = None) -> Answer:
    """Make one request; raises Unreachable."""
    try:
        return answer_of(http.request(method, url, data=form, headers=FORM if form else None))
    except httpx.HTTPError as error:
        raise Unreachable(url, str(error) or type(error).__name__) from error


def read(answer: Answer, url: str) -> dict[str, Any]:
    """Give the members of an answer that is no refusal."""
    if answer.status != 200:
        raise refusal(answer, url)
    return members(answer, url)


def keep(file: LoginFile, url: str, found: dict[str, Any]) -> Login:
    """Keep what the token endpoint gave; whoever signed in here before is forgotten."""
    login = Login(url, "").after("", found, file.clock())
    with file.lock():
        file.write(login)
    return login
