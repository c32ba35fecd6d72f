"""Two tenants with the same names: no route of one shows or changes anything of the other."""

from typing import Any

from controlplane.permissions import RULES, Public
from tests.integration.api import Api
from tests.integration.test_api_endpoints import ready_versions, until
from tests.integration.test_api_registry import OCTETS

# What a tenant makes here is its own, beside the other's of the same name.
MAKES_ITS_OWN = {
    ("POST", "/v1/models"): {"name": "iris"},
    ("POST", "/v1/clients"): {"name": "robot"},
    ("POST", "/v1/models/{model}/versions"): b"\x80\x04N.",
}
OF_NOW = {"ready", "active"}  # the engine says since when, anew each time
ONLY_THE_INSTALLATIONS = {
    ("GET", "/v1/tenants"),
    ("POST", "/v1/tenants"),
    ("GET", "/v1/tenants/{tenant}"),
    ("GET", "/v1/tenants/{tenant}/quota"),
    ("PUT", "/v1/tenants/{tenant}/quota"),
}
BODIES: dict[tuple[str, str], dict[str, Any]] = {
    ("PUT", "/v1/models/{model}/aliases/{alias}"): {"version": 1},
    ("POST", "/v1/endpoints/{endpoint}/releases"): {"model": "iris", "version": 1},
    ("POST", "/v1/endpoints/{endpoint}/rollback"): {"to": 1},
    ("POST", "/v1/tenants"): {"name": "another"},
}


async def everything(api: Api) -> list[Any]:
    """Give what a tenant sees of its own things, without what time changes."""
    found = []
    for path in (
        "/v1/models",
        "/v1/models/iris/versions",
        "/v1/models/iris/aliases",
        "/v1/endpoints",
        "/v1/endpoints/iris/releases",
        "/v1/clients",
    ):
        answer = await api.http.get(path)
        assert answer.status_code == 200, (path, answer.text)
        items = answer.json()["items"]
        found.append([{k: v for k, v in item.items() if k not in OF_NOW} for item in items])
    return found


async def test_no_route_reaches_another_tenants_things(api: Api) -> None:
    await ready_versions(api, 1)
    await api.http.put("/v1/models/iris/aliases/production", json={"version": 1})
    await api.http.post("/v1/endpoints/iris/releases", json={"model": "iris"})
    await until(api, "iris")
    client = (await api.http.post("/v1/clients", json={"name": "theirs"})).json()["id"]
    filled = {
        "model": "iris",
        "version": "1",
        "alias": "production",
        "endpoint": "iris",
        "client": client,
        "tenant": "default",
    }
    before = await everything(api)
    other = await api.another_tenant("rival")
    scopes = {"name": "boss", "tenant": "rival", "scopes": [*map(str, scopes_of_all())]}
    boss = (await api.http.post("/v1/clients", json=scopes)).json()
    other.client_id, other.client_secret = boss["id"], boss["secret"]
    await other.sign_in()

    # What makes things comes last, so that nothing of its own hides what it may not see.
    routes = [key for key, rule in RULES.items() if not isinstance(rule, Public)]
    for method, path in sorted(routes, key=lambda key: key in MAKES_ITS_OWN):
        body = MAKES_ITS_OWN.get((method, path), BODIES.get((method, path), {}))
        sent: dict[str, Any] = {"json": body}
        if isinstance(body, bytes):
            sent = {"content": body, "headers": OCTETS}
        answer = await other.http.request(method, path.format(**filled), **sent)
        told = (method, path, answer.status_code, answer.text)
        if (method, path) in MAKES_ITS_OWN:
            assert answer.status_code == 201, told
        elif (method, path) in ONLY_THE_INSTALLATIONS:
            assert answer.status_code == 403, told
        elif "{" in path:
            assert answer.status_code == 404, told
        else:
            assert client not in answer.text, told
            assert "iris" not in answer.text, told
    assert await everything(api) == before

    target = before[3][0]["audience"]
    assert (await other.token(resource=target)).json()["error"] == "invalid_target"
    assert (await api.token(resource=target, scope="predict")).status_code == 200


def scopes_of_all() -> list[str]:
    return sorted(
        {str(rule) for rule in RULES.values() if not isinstance(rule, Public)} | {"predict"}
    )
