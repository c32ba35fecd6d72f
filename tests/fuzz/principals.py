"""Everybody who can call the API: one more kind is one more line of PRINCIPALS."""

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from urllib.parse import parse_qs, urlsplit

import httpx

from controlplane.client.device import GRANT
from controlplane.client.login import CLIENT_ID
from controlplane.permissions import ALL_SCOPES, Role
from tests.pages import pressed

Headers = dict[str, str]
PASSWORD = "four words of mine"


@dataclass(frozen=True)
class Platform:
    """A running installation, as its administrator; `people` are signed in, by their role."""

    url: str
    client_id: str
    client_secret: str
    people: dict[Role, httpx.Client] = field(default_factory=dict, compare=False)

    def close(self) -> None:
        """Close the people's browsers."""
        for browser in self.people.values():
            browser.close()

    def token(self, client_id: str, client_secret: str) -> Headers:
        """Give the headers of a program that is signed in."""
        answer = httpx.post(
            f"{self.url}/oauth2/token",
            data={"grant_type": "client_credentials"},
            auth=(client_id, client_secret),
        )
        return {"Authorization": f"Bearer {answer.raise_for_status().json()['access_token']}"}

    @property
    def administrator(self) -> Headers:
        return self.token(self.client_id, self.client_secret)

    def program(self, *scopes: str, tenant: str = "default") -> Headers:
        """Make a client of a tenant and sign it in."""
        with httpx.Client(base_url=self.url, headers=self.administrator) as http:
            known = [one["name"] for one in http.get("/v1/tenants").json()["items"]]
            if tenant not in known:
                http.post("/v1/tenants", json={"name": tenant}).raise_for_status()
            asked = {"name": "fuzz", "scopes": list(scopes), "tenant": tenant}
            made = http.post("/v1/clients", json=asked).raise_for_status().json()
        return self.token(made["id"], made["secret"])

    def key(self, **asked: object) -> str:
        """Make an API key."""
        body = {"name": "fuzz", **asked}
        made = httpx.post(f"{self.url}/v1/keys", json=body, headers=self.administrator)
        return str(made.raise_for_status().json()["key"])

    def exchanged(self, *scopes: str) -> Headers:
        """Make an account-wide key and sign in with it."""
        key = self.key(scopes=list(scopes))
        return self.token(key.rpartition("_")[0], key)

    def person(self, role: Role) -> httpx.Client:
        """Give the browser of somebody of this role, who joined by a link."""
        if role not in self.people:
            invited = {"email": f"{role}@example.com", "role": role}
            made = httpx.post(
                f"{self.url}/v1/invitations", json=invited, headers=self.administrator
            )
            link = made.raise_for_status().json()["link"]
            secret = parse_qs(urlsplit(link).query)["secret"][0]
            browser = httpx.Client(
                base_url=self.url,
                headers={"sec-fetch-site": "same-origin", "kubeserve-tenant": "default"},
            )
            form = {"secret": secret, "name": role.title(), "password": PASSWORD}
            joined = browser.post("/invitations/accept", data=form)
            assert joined.status_code == 303, joined.text
            assert browser.get("/v1/me").json()["role"] == role
            self.people[role] = browser
        return self.people[role]

    def session(self, role: Role) -> Headers:
        """Give the headers that a browser sends from our own pages."""
        browser = self.person(role)
        cookie = "; ".join(f"{name}={value}" for name, value in browser.cookies.items())
        return {**{name: browser.headers[name] for name in OF_BROWSERS}, "cookie": cookie}

    def device(self, role: Role) -> Headers:
        """Sign a person in on a device, as `kubeserve login` does."""
        browser = self.person(role)
        asked = browser.post("/oauth2/device_authorization", data={"client_id": CLIENT_ID})
        codes = asked.raise_for_status().json()
        action, fields = pressed(browser.get("/device"), user_code=codes["user_code"])
        shown = browser.post(action, data=fields)
        action, fields = pressed(shown, decision="allow", tenant="default")
        assert browser.post(action, data=fields).status_code == 200
        form = {"grant_type": GRANT, "client_id": CLIENT_ID, "device_code": codes["device_code"]}
        told = httpx.post(f"{self.url}/oauth2/token", data=form).raise_for_status().json()
        return {"Authorization": f"Bearer {told['access_token']}"}


OF_BROWSERS = ("sec-fetch-site", "kubeserve-tenant")
READS = ("models:read", "endpoints:read")
WRITES = ("models:write", "endpoints:write")
PRINCIPALS: dict[str, Callable[[Platform], Headers]] = {
    "nobody": lambda _: {},
    "a forger": lambda _: {"Authorization": "Bearer e30.e30.e30"},
    "a reader": lambda platform: platform.program(*READS),
    "a developer": lambda platform: platform.program(*READS, *WRITES, "predict", "payloads:read"),
    "an administrator": lambda platform: platform.program(*ALL_SCOPES),
    "another tenant's administrator": lambda platform: platform.program(
        *ALL_SCOPES, tenant="rival"
    ),
    "an API key": lambda platform: platform.exchanged(*READS, *WRITES, "predict"),
    "an API key that may all": lambda platform: platform.exchanged(*ALL_SCOPES),
    "an API key that was not exchanged": lambda platform: {
        "Authorization": f"Bearer {platform.key(scopes=[*ALL_SCOPES])}"
    },
    "an endpoint's key": lambda platform: {
        "Authorization": f"Bearer {platform.key(endpoint='iris')}"
    },
    **{f"{role}, in a browser": partial(Platform.session, role=role) for role in Role},
    **{f"{role}, on a device": partial(Platform.device, role=role) for role in Role},
}
