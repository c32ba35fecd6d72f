"""Every route, every kind of caller, whose thing it is: what comes of it is in one table.

The table is written by hand, and not from `permissions.RULES`: both have to say the same.
"""

import itertools
import re
import uuid
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import asyncpg
import pytest

from controlplane.accounts import service as accounts
from controlplane.app import routes_of
from controlplane.permissions import Role
from controlplane.tenants import service as tenants
from tests.integration.api import Api
from tests.integration.signing import another_key, token_for
from tests.integration.test_api_registry import OCTETS, until_built

PICKLE = b"\x80\x04N."
PUBLIC, ANYONE, PLATFORM = "public", "anyone", "platform"
MEMBER = "member"  # anyone, but no application of a person
OWNERS = "owners"  # of the platform, and the client that the installation made
READS = {"models:read", "endpoints:read"}
WRITES = {"models:write", "endpoints:write"}
ALL = READS | WRITES | {"predict", "payloads:read", "admin"}
SKETCH = {"kind": "number", "edges": [1.0], "counts": [2, 1], "missing": 0}
CLIENTS_ANSWER = 0  # an empty form is 400, a token in place of a client's secret 401
FOR_BROWSERS = 1  # shown, or a form refused; a token is neither here nor there
OF_BROWSERS = {200, 303, 400, 401, 403, 404, 422}
MAKING = itertools.count(1)


@dataclass(frozen=True)
class Row:
    """What a route answers.

    needs   a scope, or PUBLIC, ANYONE, MEMBER, PLATFORM, OWNERS
    also    one more scope that it needs
    ok      to whoever may, of a thing that is there
    body    what is sent
    thing   what its address names; None: nothing
    absent  to whoever may, of a thing that is not there, or another tenant's
    spent   the thing is gone afterwards
    """

    needs: str
    ok: int = 200
    body: Any = None
    thing: str | None = None
    absent: int = 404
    spent: bool = False
    also: str | None = None


ROWS: dict[tuple[str, str], Row] = {
    ("GET", "/healthz"): Row(PUBLIC),
    ("GET", "/readyz"): Row(PUBLIC),
    ("GET", "/metrics"): Row(PUBLIC, 401),  # of all tenants, for a token that is nobody's
    ("GET", "/problems/{name}"): Row(PUBLIC),
    ("GET", "/v1/info"): Row(PUBLIC),
    ("GET", "/assets/{name}"): Row(PUBLIC),
    ("POST", "/oauth2/token"): Row(PUBLIC, CLIENTS_ANSWER),
    ("POST", "/oauth2/device_authorization"): Row(PUBLIC, CLIENTS_ANSWER),
    ("POST", "/oauth2/revoke"): Row(PUBLIC, CLIENTS_ANSWER),
    ("POST", "/oauth2/introspect"): Row(PUBLIC, CLIENTS_ANSWER),
    # Tells people who they are, to programs that asked for openid; it reads tokens by itself.
    ("GET", "/oauth2/userinfo"): Row(PUBLIC, FOR_BROWSERS),
    ("POST", "/oauth2/userinfo"): Row(PUBLIC, FOR_BROWSERS),
    ("GET", "/oauth2/authorize"): Row(PUBLIC, FOR_BROWSERS),
    ("POST", "/oauth2/authorize"): Row(PUBLIC, FOR_BROWSERS),
    ("GET", "/device"): Row(PUBLIC, FOR_BROWSERS),
    ("POST", "/device"): Row(PUBLIC, FOR_BROWSERS),
    ("POST", "/device/decision"): Row(PUBLIC, FOR_BROWSERS),
    ("GET", "/.well-known/openid-configuration"): Row(PUBLIC),
    ("GET", "/.well-known/oauth-protected-resource"): Row(PUBLIC),
    ("GET", "/.well-known/oauth-protected-resource/endpoints/{endpoint}"): Row(
        PUBLIC, FOR_BROWSERS
    ),
    ("POST", "/v1/admin/keys/rotate"): Row(PLATFORM, 202, {"now": False}),
    ("GET", "/oauth2/jwks.json"): Row(PUBLIC),
    ("GET", "/.well-known/oauth-authorization-server"): Row(PUBLIC),
    ("GET", "/v1/admin/preflight"): Row(PLATFORM),
    ("GET", "/v1/tenants"): Row(PLATFORM),
    ("POST", "/v1/tenants"): Row(PLATFORM, 201, {"name": "t-{n}"}),
    ("GET", "/v1/tenants/{tenant}"): Row(PLATFORM),
    ("GET", "/login"): Row(PUBLIC, FOR_BROWSERS),
    ("POST", "/login"): Row(PUBLIC, FOR_BROWSERS),
    ("POST", "/logout"): Row(PUBLIC, FOR_BROWSERS),
    ("GET", "/login/external"): Row(PUBLIC, FOR_BROWSERS),
    ("GET", "/login/external/callback"): Row(PUBLIC, FOR_BROWSERS),
    ("GET", "/account"): Row(PUBLIC, FOR_BROWSERS),
    ("POST", "/account"): Row(PUBLIC, FOR_BROWSERS),
    ("GET", "/account/password"): Row(PUBLIC, FOR_BROWSERS),
    ("POST", "/account/password"): Row(PUBLIC, FOR_BROWSERS),
    ("GET", "/invitations/accept"): Row(PUBLIC, FOR_BROWSERS),
    ("POST", "/invitations/accept"): Row(PUBLIC, FOR_BROWSERS),
    ("GET", "/v1/me"): Row(ANYONE),
    ("GET", "/v1/people"): Row(OWNERS),
    ("PATCH", "/v1/people/{person}"): Row(OWNERS, 200, {"disabled": False}),
    ("POST", "/v1/people/{person}/password-link"): Row(OWNERS, 201),
    ("GET", "/v1/members"): Row("admin"),
    ("PATCH", "/v1/members/{member}"): Row("admin", 404, {"role": "viewer"}),
    ("DELETE", "/v1/members/{member}"): Row("admin", 404),
    ("GET", "/v1/invitations"): Row("admin"),
    ("POST", "/v1/invitations"): Row("admin", 201, {"email": None, "role": "viewer"}),
    ("DELETE", "/v1/invitations/{invitation}"): Row("admin", 404),
    ("GET", "/v1/tenants/{tenant}/quota"): Row(PLATFORM),
    ("PUT", "/v1/tenants/{tenant}/quota"): Row(PLATFORM, 200, {"replicas": 90}),
    ("GET", "/v1/quota"): Row("endpoints:read"),
    ("GET", "/v1/usage"): Row("endpoints:read"),
    ("GET", "/v1/clients"): Row("admin"),
    ("POST", "/v1/clients"): Row("admin", 201, {"name": "robot"}),
    ("DELETE", "/v1/clients/{client}"): Row("admin", 204, thing="client", spent=True),
    ("GET", "/v1/keys"): Row(MEMBER),
    ("POST", "/v1/keys"): Row(MEMBER, 201, {"name": "robot"}),
    ("DELETE", "/v1/keys/{key}"): Row(MEMBER, 204, thing="key", spent=True),
    ("GET", "/v1/audit"): Row("admin"),
    ("GET", "/v1/webhooks"): Row("admin"),
    ("POST", "/v1/webhooks"): Row("admin", 201, {"url": "https://hooks.invalid/"}),
    ("GET", "/v1/webhooks/{webhook}"): Row("admin", thing="webhook"),
    ("PATCH", "/v1/webhooks/{webhook}"): Row("admin", 200, {"enabled": False}, thing="webhook"),
    ("DELETE", "/v1/webhooks/{webhook}"): Row("admin", 204, thing="webhook", spent=True),
    ("POST", "/v1/webhooks/{webhook}/rotate"): Row("admin", 200, {}, thing="webhook"),
    # It is disabled by then.
    ("POST", "/v1/webhooks/{webhook}/test"): Row("admin", 409, thing="webhook"),
    ("GET", "/v1/webhooks/{webhook}/why"): Row("admin", thing="webhook"),
    ("GET", "/v1/webhooks/{webhook}/deliveries"): Row("admin", thing="webhook"),
    # Nothing was sent to it yet.
    ("GET", "/v1/webhooks/{webhook}/deliveries/{delivery}"): Row("admin", 404, thing="webhook"),
    ("POST", "/v1/webhooks/{webhook}/deliveries/{delivery}/redeliver"): Row(
        "admin", 409, thing="webhook"
    ),
    ("GET", "/v1/models"): Row("models:read"),
    ("POST", "/v1/models"): Row("models:write", 201, {"name": "m-{n}"}),
    ("GET", "/v1/models/{model}"): Row("models:read", thing="model"),
    ("DELETE", "/v1/models/{model}"): Row("models:write", 204, thing="model", spent=True),
    ("GET", "/v1/models/{model}/versions"): Row("models:read", thing="model"),
    ("GET", "/v1/models/{model}/versions/{version}"): Row("models:read", thing="model"),
    ("GET", "/v1/models/{model}/versions/{version}/why"): Row("models:read", thing="model"),
    ("GET", "/v1/models/{model}/aliases"): Row("models:read", thing="model"),
    ("GET", "/v1/models/{model}/aliases/{alias}"): Row("models:read", thing="model"),
    ("PUT", "/v1/models/{model}/aliases/{alias}"): Row(
        "models:write", 200, {"version": 1}, thing="model"
    ),
    ("DELETE", "/v1/models/{model}/aliases/{alias}"): Row(
        "models:write", 204, thing="model", spent=True
    ),
    ("GET", "/v1/endpoints"): Row("endpoints:read"),
    ("GET", "/v1/endpoints/{endpoint}"): Row("endpoints:read", thing="endpoint"),
    ("DELETE", "/v1/endpoints/{endpoint}"): Row(
        "endpoints:write", 204, thing="endpoint", spent=True
    ),
    ("GET", "/v1/endpoints/{endpoint}/releases"): Row("endpoints:read", thing="endpoint"),
    # Without a model it changes an endpoint that is there, and makes none.
    ("POST", "/v1/endpoints/{endpoint}/releases"): Row(
        "endpoints:write", 201, {"scaling": {"max_scale": 3}}, thing="endpoint"
    ),
    ("GET", "/v1/endpoints/{endpoint}/warm-windows"): Row("endpoints:read", thing="endpoint"),
    ("PUT", "/v1/endpoints/{endpoint}/warm-windows"): Row(
        "endpoints:write",
        200,
        {"windows": [{"cron": "0 8 * * 1-5", "minutes": 60}]},
        thing="endpoint",
    ),
    ("GET", "/v1/endpoints/{endpoint}/slo"): Row("endpoints:read", thing="endpoint"),
    ("PUT", "/v1/endpoints/{endpoint}/slo"): Row(
        "endpoints:write", 200, {"p99": "50ms"}, thing="endpoint"
    ),
    ("DELETE", "/v1/endpoints/{endpoint}/slo"): Row("endpoints:write", 204, thing="endpoint"),
    ("GET", "/v1/endpoints/{endpoint}/rollouts"): Row("endpoints:read", thing="endpoint"),
    # Each endpoint has one that is under way, until traffic is moved otherwise.
    ("POST", "/v1/endpoints/{endpoint}/rollouts"): Row(
        "endpoints:write", 409, {"model": "nowhere"}, thing="endpoint"
    ),
    ("GET", "/v1/endpoints/{endpoint}/rollouts/{rollout}"): Row("endpoints:read", thing="endpoint"),
    ("GET", "/v1/endpoints/{endpoint}/rollouts/{rollout}/why"): Row(
        "endpoints:read", thing="endpoint"
    ),
    ("POST", "/v1/endpoints/{endpoint}/rollouts/{rollout}/cancel"): Row(
        "endpoints:write", 200, thing="endpoint", spent=True
    ),
    ("POST", "/v1/endpoints/{endpoint}/rollback"): Row(
        "endpoints:write", 201, {"to": 1}, thing="endpoint"
    ),
    ("GET", "/v1/endpoints/{endpoint}/why"): Row("endpoints:read", thing="endpoint"),
    ("GET", "/v1/endpoints/{endpoint}/decisions"): Row("endpoints:read", thing="endpoint"),
    ("GET", "/v1/endpoints/{endpoint}/series"): Row("endpoints:read", thing="endpoint"),
    ("GET", "/v1/endpoints/{endpoint}/logs"): Row("endpoints:read", thing="endpoint"),
    # The fake engine's endpoints are at an address where nobody answers.
    ("POST", "/v1/endpoints/{endpoint}/try"): Row(
        "predict", 503, {"body": [[1.0]]}, thing="endpoint"
    ),
    ("GET", "/v1/endpoints/{endpoint}/payload-log"): Row("endpoints:read", thing="endpoint"),
    ("PUT", "/v1/endpoints/{endpoint}/payload-log"): Row(
        "endpoints:write", 200, {"sample": 0.5}, thing="endpoint"
    ),
    ("DELETE", "/v1/endpoints/{endpoint}/payload-log"): Row(
        "endpoints:write", 204, thing="endpoint"
    ),
    ("GET", "/v1/endpoints/{endpoint}/payloads"): Row("payloads:read", thing="endpoint"),
    ("GET", "/v1/endpoints/{endpoint}/payloads/{file}"): Row(
        "payloads:read", 404, thing="endpoint"
    ),
    ("DELETE", "/v1/endpoints/{endpoint}/payloads"): Row("endpoints:write", thing="endpoint"),
    ("GET", "/v1/endpoints/{endpoint}/drift"): Row("endpoints:read", thing="endpoint"),
    ("PUT", "/v1/endpoints/{endpoint}/drift/reference"): Row(
        "endpoints:write", 200, {"since": "2026-11-01T00:00:00Z"}, thing="endpoint"
    ),
    ("DELETE", "/v1/endpoints/{endpoint}/drift/reference"): Row(
        "endpoints:write", 204, thing="endpoint"
    ),
    ("PUT", "/v1/models/{model}/versions/{version}/reference"): Row(
        "models:write", 200, {"rows": 3, "columns": {"x0": SKETCH}}, thing="model"
    ),
    ("GET", "/v1/models/{model}/versions/{version}/reference"): Row("payloads:read", thing="model"),
    ("GET", "/v1/loadtests"): Row("endpoints:read"),
    ("POST", "/v1/loadtests"): Row(
        "endpoints:write",
        201,
        {"endpoint": "{endpoint}", "shape": {"kind": "steady", "rate": 1, "duration": "1s"}},
        thing="endpoint",
        also="predict",
    ),
    # One that has ended and left nothing: it can be followed to its end, and not be cancelled.
    ("GET", "/v1/loadtests/{loadtest}"): Row("endpoints:read", thing="loadtest"),
    ("GET", "/v1/loadtests/{loadtest}/why"): Row("endpoints:read", thing="loadtest"),
    ("POST", "/v1/loadtests/{loadtest}/cancel"): Row("endpoints:write", 409, thing="loadtest"),
    ("GET", "/v1/loadtests/{loadtest}/events"): Row("endpoints:read", thing="loadtest"),
    ("GET", "/v1/loadtests/{loadtest}/report"): Row("endpoints:read", 404, thing="loadtest"),
    # Makes a model of this name where there is none: another tenant's of the same name is not seen.
    # Last, since that model hides from the other routes that they see none.
    ("POST", "/v1/models/{model}/versions"): Row(
        "models:write", 200, PICKLE, thing="model", absent=201
    ),
}


@dataclass(frozen=True)
class Principal:
    """Somebody who calls.

    scopes    None: nobody, whatever they show
    platform  of the installation's first tenant
    owner     of the platform, or the client that the installation made
    makes     may make API keys
    application  of others, which a person allowed less than admin
    """

    name: str
    header: str
    scopes: frozenset[str] | None
    platform: bool = False
    makes: bool = True
    owner: bool = False
    application: bool = False

    def may(self, row: Row, method: str) -> int | None:
        """Give the status they are refused with; None: they may."""
        if row.needs == PUBLIC:
            return None
        if self.scopes is None:
            return 401
        if row.needs == PLATFORM:
            return None if self.platform and "admin" in self.scopes else 403
        if row.needs == OWNERS:
            return None if self.owner else 403
        if row.needs == ANYONE:
            return None
        if row.needs == MEMBER:
            refused = self.application or (method == "POST" and not self.makes)
            return 403 if refused else None
        needed = {row.needs, row.also or row.needs}
        return None if needed <= self.scopes or "admin" in self.scopes else 403


@dataclass
class Stage:
    """Two tenants with the same kinds of things under names of their own."""

    api: Api
    admins: dict[str, str] = field(default_factory=dict)  # Authorization headers
    things: dict[tuple[str, str], str] = field(default_factory=dict)

    async def send(self, header: str, method: str, path: str, body: Any = None) -> Any:
        sent: dict[str, Any] = {"json": body} if body is not None else {}
        if isinstance(body, bytes):
            sent = {"content": body, "headers": OCTETS}
        headers = {**sent.pop("headers", {}), "authorization": header}
        return await self.api.http.request(method, path, headers=headers, **sent)

    async def must(self, header: str, method: str, path: str, body: Any = None) -> Any:
        answer = await self.send(header, method, path, body)
        assert answer.status_code < 300, (method, path, answer.text)
        return answer.json() if answer.content else None

    async def make(self, tenant: str, thing: str, by: str) -> str:
        """Make a thing; gives its name."""
        name, admin = f"x-{next(MAKING)}", self.admins[tenant]
        match thing:
            case "model":
                path = f"/v1/models/{name}"
                await self.must(admin, "POST", f"{path}/versions", PICKLE)
                await self.ready(admin, name)
                await self.must(admin, "PUT", f"{path}/aliases/production", {"version": 1})
                await self.must(admin, "POST", f"{path}/versions", PICKLE + b"2")
                await self.ready(admin, name, 2)
            case "endpoint":
                body = {"model": self.things[tenant, "model"], "version": 1}
                await self.must(admin, "POST", f"/v1/endpoints/{name}/releases", body)
                await self.must(admin, "POST", f"/v1/endpoints/{name}/releases", body)
                body["version"] = 2
                await self.must(admin, "POST", f"/v1/endpoints/{name}/rollouts", body)
            case "client":
                return str((await self.must(admin, "POST", "/v1/clients", {"name": "x"}))["id"])
            case "key":
                return str((await self.must(by, "POST", "/v1/keys", {"name": "x"}))["id"])
            case "webhook":
                body = {"url": "https://hooks.invalid/", "events": ["slo.*"]}
                return str((await self.must(admin, "POST", "/v1/webhooks", body))["id"])
            case "loadtest":
                shape = {"kind": "steady", "rate": 1, "duration": "1s"}
                body = {"endpoint": self.things[tenant, "endpoint"], "shape": shape}
                made = await self.must(admin, "POST", "/v1/loadtests", body)
                await self.must(admin, "POST", f"/v1/loadtests/{made['id']}/cancel")
                return str(made["id"])
        return name

    async def ready(self, header: str, model: str, version: int = 1) -> None:
        before = self.api.http.headers["authorization"]
        self.api.http.headers["authorization"] = header
        try:
            assert (await until_built(self.api, model, version))["state"] == "ready"
        finally:
            self.api.http.headers["authorization"] = before


async def member(api: Api, tenant: str, role: Role) -> str:
    person = await accounts.create(f"{uuid.uuid4().hex}@example.com", str(role), None)
    await tenants.add_member((await tenants.get(tenant)).id, person.id, role)
    return person.subject


def bearer(api: Api, subject: str, tenant: str = "acme", **changes: Any) -> str:
    changes.setdefault("scope", " ".join(sorted(ALL)))
    return f"Bearer {token_for(api, subject, tenant, **changes)}"


async def client(stage: Stage, tenant: str, *scopes: str) -> str:
    body = {"name": "robot", "scopes": sorted(scopes), "tenant": tenant}
    admin = stage.api.http.headers["authorization"]
    return "client:" + str((await stage.must(admin, "POST", "/v1/clients", body))["id"])


async def database(api: Api, statement: str) -> None:
    url = api.app.state.settings.database_url.get_secret_value()
    connection = await asyncpg.connect(url)
    try:
        await connection.execute(statement)
    finally:
        await connection.close()


async def key_of(stage: Stage, by: str | None = None, **body: Any) -> dict[str, Any]:
    wanted = {"name": "key", **body}
    return dict(await stage.must(by or stage.admins["acme"], "POST", "/v1/keys", wanted))


async def exchanged(stage: Stage, key: dict[str, Any]) -> str:
    answer = await stage.api.http.post(
        "/oauth2/token",
        data={"grant_type": "client_credentials"},
        auth=(key["id"], key["key"]),
        headers={"authorization": ""},
    )
    return f"Bearer {answer.json()['access_token']}"


async def principals(stage: Stage) -> list[Principal]:
    """Make everybody there can be; they are of acme, but for those of the platform."""
    api = stage.api
    roles = {
        Role.OWNER: ALL,
        Role.ADMIN: ALL,
        Role.DEVELOPER: READS | WRITES | {"predict", "payloads:read"},
        Role.VIEWER: READS,
    }
    found = [
        Principal(str(role), bearer(api, await member(api, "acme", role)), frozenset(scopes))
        for role, scopes in roles.items()
    ]
    for scope in sorted(ALL):
        header = bearer(api, await client(stage, "acme", scope))
        found.append(Principal(f"client with {scope}", header, frozenset({scope})))
    less = bearer(api, await client(stage, "acme", *ALL), scope="models:read")
    found.append(Principal("token with less", less, frozenset({"models:read"})))
    operator = api.http.headers["authorization"]
    found.append(Principal("operator", operator, frozenset(ALL), platform=True, owner=True))
    found += await of_the_platform(stage)
    others = (await client(stage, "acme", *ALL)).partition(":")[2]
    may = frozenset(roles[Role.DEVELOPER]) - {"predict"}  # which tokens for the API never say
    person = await member(api, "acme", Role.DEVELOPER)
    header = bearer(api, person, client_id=others, scope=" ".join(sorted(may)))
    found.append(Principal("application", header, may, makes=False, application=True))
    scopes = ["models:read", "endpoints:read"]
    header = await exchanged(stage, await key_of(stage, scopes=scopes))
    found.append(Principal("API key", header, frozenset(scopes), makes=False))
    return [*found, *[one async for one in nobodies(stage)]]


async def of_the_platform(stage: Stage) -> list[Principal]:
    """Make people of the installation's first tenant, and what an administrator makes there."""
    owner, admin = [
        bearer(stage.api, await member(stage.api, "default", role), "default")
        for role in (Role.OWNER, Role.ADMIN)
    ]
    key = await exchanged(stage, await key_of(stage, admin, scopes=sorted(ALL)))
    wanted = {"name": "robot", "scopes": sorted(ALL)}
    made = await stage.must(admin, "POST", "/v1/clients", wanted)
    robot = bearer(stage.api, f"client:{made['id']}", "default")
    every = frozenset(ALL)
    return [
        Principal("owner of the platform", owner, every, platform=True, owner=True),
        Principal("admin of the platform", admin, every, platform=True),
        Principal("key made by an admin", key, every, platform=True, makes=False),
        Principal("client made by an admin", robot, every, platform=True),
    ]


async def nobodies(stage: Stage) -> Any:
    """Make everybody who gets nowhere."""
    api, subject = stage.api, await client(stage, "acme", *ALL)
    now = int(datetime.now(UTC).timestamp())
    other = await client(stage, "rival", *ALL)
    removed = await member(api, "acme", Role.OWNER)
    disabled = await member(api, "acme", Role.OWNER)
    revoked = await client(stage, "acme", *ALL)
    gone, late = await key_of(stage), await key_of(stage)
    gone_header, late_header = await exchanged(stage, gone), await exchanged(stage, late)
    audience = f"{api.app.state.settings.public_url}/endpoints/{uuid.uuid4()}"
    endpoint_key = await key_of(stage, endpoint=stage.things["acme", "endpoint"])
    headers = {
        "no token": "",
        "another scheme": "Basic eDp5",
        "no JWT": "Bearer x.y.z",
        "expired": bearer(api, subject, iat=now - 1000, exp=now - 31),
        "not yet": bearer(api, subject, iat=now + 300, exp=now + 600),
        "an endpoint's audience": bearer(api, subject, aud=audience),
        "another issuer": bearer(api, subject, iss="https://elsewhere"),
        "an ID token": bearer(api, subject, typ="JWT"),
        "another key": bearer(api, subject, key=another_key()),
        "rival's client in acme": bearer(api, other),
        "acme's client in rival": bearer(api, subject, "rival"),
        "no such subject": bearer(api, "client:ks-0000000000000000"),
        "no such kind": bearer(api, "group:ks-0000000000000000"),
        "removed member": bearer(api, removed),
        "disabled person": bearer(api, disabled),
        "revoked client": bearer(api, revoked),
        "revoked API key": gone_header,
        "expired API key": late_header,
        "API key as it is": f"Bearer {gone['key']}",
        "endpoint key": f"Bearer {endpoint_key['key']}",
    }
    user, never = removed.partition(":")[2], disabled.partition(":")[2]
    await database(api, f"DELETE FROM members WHERE user_id = '{user}'")
    await database(api, f"UPDATE users SET disabled_at = now() WHERE id = '{never}'")
    await database(api, f"UPDATE api_keys SET expires_at = now() WHERE id = '{late['id']}'")
    name = revoked.partition(":")[2]
    await stage.must(stage.admins["acme"], "DELETE", f"/v1/clients/{name}")
    await stage.must(stage.admins["acme"], "DELETE", f"/v1/keys/{gone['id']}")
    for what, header in headers.items():
        yield Principal(what, header, None)


@pytest.fixture
async def stage(quick_api: Api) -> Stage:
    made = Stage(quick_api)
    await accounts.create(FIXED["person"], "Somebody", None)
    for tenant in ("acme", "rival"):
        await tenants.create(tenant)
        made.admins[tenant] = bearer(quick_api, await client(made, tenant, *ALL), tenant)
        for thing in ("model", "endpoint", "client", "key", "webhook", "loadtest"):
            made.things[tenant, thing] = await made.make(tenant, thing, made.admins[tenant])
    return made


ABSENT = {
    "model": "nowhere",
    "endpoint": "nowhere",
    "client": "ks-0000000000000000",
    "key": "ks_api_0000000000000000",
    "loadtest": "00000000-0000-4000-8000-000000000000",
    "webhook": "00000000-0000-4000-8000-000000000000",
}
FIXED = {
    "version": "1",
    "alias": "production",
    "rollout": "1",
    "delivery": "1",
    "file": "3c0a7f3e-55a8-4a3c-9f0e-6a2f4e1b7c11",
    "tenant": "acme",
    "name": "conflict",
    "person": "somebody@example.com",
    "member": "nobody@example.com",
    "invitation": "3c0a7f3e-55a8-4a3c-9f0e-6a2f4e1b7c11",
}


def address(path: str, named: dict[str, str]) -> str:
    if path == "/assets/{name}":
        return "/assets/pages.css"
    return path.format(**FIXED | ABSENT | named)


def filled(body: Any, named: dict[str, str]) -> Any:
    if isinstance(body, dict):
        words = {**ABSENT, **named, "n": next(MAKING)}
        return {k: v.format(**words) if isinstance(v, str) else v for k, v in body.items()}
    return body


async def test_every_route_is_in_the_table(stage: Stage) -> None:
    assert routes_of(stage.api.app) == sorted(ROWS)


async def test_every_cell_is_as_the_table_says(stage: Stage) -> None:
    callers, wrong, cells = await principals(stage), [], 0
    for (method, path), row in ROWS.items():
        for caller in callers:
            async for told in of_caller(stage, caller, method, path, row):
                cells += 1
                wrong += told
    assert not wrong, "\n".join(map(str, wrong[:20]))
    assert cells > 1_500


async def of_caller(stage: Stage, caller: Principal, method: str, path: str, row: Row) -> Any:
    """Try whatever there is to try for one caller and route; yields faults of each cell."""
    refused = caller.may(row, method)
    if refused is None and row.thing is not None and row.spent:
        # Of API keys everybody but an administrator has only their own.
        by = caller.header if caller.makes else stage.admins["acme"]
        mine = await stage.make("acme", row.thing, by) if caller.scopes is not None else ""
    elif row.absent == 201 and caller.platform:
        # Theirs from now on too, by this name.
        mine = await stage.make("acme", "model", stage.admins["acme"])
    elif row.thing is not None:
        mine = stage.things["acme", row.thing]
    else:
        mine = ""
    expected = refused or row.ok
    if row.thing == "key" and refused is None and not caller.makes:
        expected = row.absent
    if caller.platform and row.thing not in (None, "key"):
        expected = row.absent  # of acme's things the operator has none either
    named = {row.thing: mine} if row.thing is not None else {}
    answer = await stage.send(caller.header, method, address(path, named), filled(row.body, named))
    yield fault(caller, method, path, "own", expected, answer)
    hidden = [name for (tenant, _), name in stage.things.items() if tenant == "rival"]
    yield [(caller.name, method, path, name) for name in hidden if f'"{name}"' in answer.text]
    if row.thing is None or caller.scopes is None:
        return
    theirs = {row.thing: stage.things["rival", row.thing]}
    if row.absent == 201:
        theirs = {row.thing: await stage.make("rival", row.thing, stage.admins["rival"])}
    nowhere = {row.thing: f"nowhere-{next(MAKING)}"} if row.absent == 201 else {}
    other = await stage.send(caller.header, method, address(path, theirs), filled(row.body, theirs))
    never = await stage.send(
        caller.header, method, address(path, nowhere), filled(row.body, nowhere)
    )
    expected = refused or row.absent
    yield fault(caller, method, path, "other's", expected, other)
    yield fault(caller, method, path, "nowhere", expected, never)
    if expected != 201 and alike(other, theirs) != alike(never, {**ABSENT, **nowhere}):
        yield [(caller.name, method, path, other.text, never.text)]


def fault(
    caller: Principal, method: str, path: str, whose: str, expected: int, answer: Any
) -> list[Any]:
    if answer.status_code == expected or (
        expected == CLIENTS_ANSWER and answer.status_code in (400, 401)
    ):
        return []
    if expected == FOR_BROWSERS and answer.status_code in OF_BROWSERS:
        return []
    return [(caller.name, method, path, whose, expected, answer.status_code, answer.text[:200])]


def alike(answer: Any, named: dict[str, str]) -> Any:
    """Give an answer but for the request's id and the name that was asked for."""
    text = answer.text
    for name in named.values():
        text = text.replace(name, "NAME")
    counts = ("x-request-id", "content-length", "ratelimit-remaining", "ratelimit-reset")
    headers = {k: v for k, v in answer.headers.items() if k not in counts}
    return re.sub(r'"request_id":"[^"]*"', "", text), headers


async def test_another_tenants_things_are_as_they_were(stage: Stage) -> None:
    """Ask for all of them in every way as acme's owner; nothing of them changes."""
    api, admin = stage.api, stage.admins["rival"]
    before = [one async for one in everything(stage, admin)]
    owner = bearer(api, await member(api, "acme", Role.OWNER))
    for (method, path), row in ROWS.items():
        if row.thing is not None and method != "GET":
            theirs = {row.thing: stage.things["rival", row.thing]}
            await stage.send(owner, method, address(path, theirs), filled(row.body, theirs))
    assert [one async for one in everything(stage, admin)] == before


async def everything(stage: Stage, header: str) -> Any:
    model, endpoint = (stage.things["rival", kind] for kind in ("model", "endpoint"))
    for path in (
        "/v1/models",
        f"/v1/models/{model}/versions",
        f"/v1/models/{model}/aliases",
        f"/v1/endpoints/{endpoint}/releases",
        f"/v1/endpoints/{endpoint}/slo",
        f"/v1/endpoints/{endpoint}/warm-windows",
        f"/v1/endpoints/{endpoint}/payload-log",
        "/v1/clients",
        "/v1/keys",
        "/v1/audit",
    ):
        yield await stage.must(header, "GET", path)
