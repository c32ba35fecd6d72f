"""People with browsers, who sign in and press buttons of pages."""

from urllib.parse import parse_qs, urlsplit

import httpx

from controlplane.accounts import service as accounts
from controlplane.accounts.passwords import HASHER
from controlplane.permissions import Role
from controlplane.tenants import service as tenants
from tests.integration.api import Api
from tests.pages import pressed

PASSWORD = "four words of mine"
HASH = HASHER.hash(PASSWORD)


async def person(email: str, **roles: Role) -> accounts.Person:
    """Make a person who has these roles in these tenants."""
    made = await accounts.create(email, email.partition("@")[0].title(), HASH)
    for name, role in roles.items():
        tenant = await tenants.find(name) or await tenants.create(name)
        await tenants.add_member(tenant.id, made.id, role)
    return made


class Browser:
    """A browser with cookies of its own; it follows no redirect by itself."""

    def __init__(self, api: Api) -> None:
        self.http = httpx.AsyncClient(
            transport=api.http._transport,
            base_url=api.http.base_url,
            headers={"sec-fetch-site": "same-origin"},
        )

    async def sign_in(self, email: str) -> None:
        answer = await self.http.post("/login", data={"email": email, "password": PASSWORD})
        assert answer.status_code == 303, answer.text

    async def press(self, page: httpx.Response, **fields: str) -> httpx.Response:
        """Send a page's form with its hidden fields, and what the person filled in."""
        assert page.status_code == 200, page.text
        action, form = pressed(page, **fields)
        return await self.http.post(action, data=form)

    async def allow(self, address: str, **fields: str) -> dict[str, str]:
        """Allow what an address of ours asks for; gives the parameters sent to the client."""
        page = await self.http.get(address)
        return sent(await self.press(page, decision="allow", **fields))

    async def decide(self, code: str, decision: str = "allow", **fields: str) -> httpx.Response:
        """Type a device's code in and decide."""
        page = await self.http.get("/device")
        shown = await self.press(page, user_code=code)
        return await self.press(shown, decision=decision, **fields)


def sent(answer: httpx.Response) -> dict[str, str]:
    """Give the parameters of the address a browser is sent to."""
    assert answer.status_code == 303, answer.text
    query = urlsplit(answer.headers["location"]).query
    return {name: values[0] for name, values in parse_qs(query).items()}
