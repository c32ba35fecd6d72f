"""Everybody who can call the API: one more kind is one more line of PRINCIPALS."""

from collections.abc import Callable
from dataclasses import dataclass

import httpx

from controlplane.permissions import ALL_SCOPES

Headers = dict[str, str]


@dataclass(frozen=True)
class Platform:
    """A running installation, as its administrator."""

    url: str
    client_id: str
    client_secret: str

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


READS = ("models:read", "endpoints:read")
WRITES = ("models:write", "endpoints:write")
PRINCIPALS: dict[str, Callable[[Platform], Headers]] = {
    "nobody": lambda _: {},
    "a forger": lambda _: {"Authorization": "Bearer e30.e30.e30"},
    "a reader": lambda platform: platform.program(*READS),
    "a developer": lambda platform: platform.program(*READS, *WRITES, "predict"),
    "an administrator": lambda platform: platform.program(*ALL_SCOPES),
    "another tenant's administrator": lambda platform: platform.program(
        *ALL_SCOPES, tenant="rival"
    ),
}
