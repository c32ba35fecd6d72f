"""Who may do what: one table, deny by default; a route without a row does not start."""

from collections.abc import Set as AbstractSet
from enum import StrEnum
from typing import Final


class Scope(StrEnum):
    MODELS_READ = "models:read"
    MODELS_WRITE = "models:write"
    ENDPOINTS_READ = "endpoints:read"
    ENDPOINTS_WRITE = "endpoints:write"
    PREDICT = "predict"
    PAYLOADS_READ = "payloads:read"
    ADMIN = "admin"


class Role(StrEnum):
    """What a person is in a tenant."""

    OWNER = "owner"
    ADMIN = "admin"
    DEVELOPER = "developer"
    VIEWER = "viewer"


_READS: Final = frozenset({Scope.MODELS_READ, Scope.ENDPOINTS_READ})
# Owners differ from administrators in one thing: only they make and unmake owners.
SCOPES_OF: Final[dict[Role, frozenset[Scope]]] = {
    Role.VIEWER: _READS,
    Role.DEVELOPER: _READS
    | {Scope.MODELS_WRITE, Scope.ENDPOINTS_WRITE, Scope.PREDICT, Scope.PAYLOADS_READ},
    Role.ADMIN: frozenset(Scope),
    Role.OWNER: frozenset(Scope),
}


class Public(StrEnum):
    """Routes that need no token, and why."""

    HEALTH = "health"
    OAUTH = "oauth"
    DOCS = "docs"
    METRICS = "metrics"  # a token that is for nothing else (`scraping.py`)
    PAGE = "page"  # for browsers, which sign in with a cookie


class Known(StrEnum):
    """Routes for whoever is known, whatever their scopes; what they may do there depends."""

    MEMBER = "member"  # somebody of a tenant; a person's application needs the scope admin
    PERSON = "person"  # also a person who is in none, or named none


Rule = Scope | Public | Known

RULES: Final[dict[tuple[str, str], Rule]] = {
    ("GET", "/healthz"): Public.HEALTH,
    ("GET", "/readyz"): Public.HEALTH,
    ("GET", "/metrics"): Public.METRICS,
    ("GET", "/problems/{name}"): Public.DOCS,
    ("GET", "/v1/info"): Public.DOCS,
    ("GET", "/assets/{name}"): Public.DOCS,
    ("GET", "/login"): Public.PAGE,
    ("POST", "/login"): Public.PAGE,
    ("POST", "/logout"): Public.PAGE,
    ("GET", "/oauth2/authorize"): Public.PAGE,
    ("POST", "/oauth2/authorize"): Public.PAGE,
    ("GET", "/device"): Public.PAGE,
    ("POST", "/device"): Public.PAGE,
    ("POST", "/device/decision"): Public.PAGE,
    ("GET", "/login/external"): Public.PAGE,
    ("GET", "/login/external/callback"): Public.PAGE,
    ("GET", "/account"): Public.PAGE,
    ("POST", "/account"): Public.PAGE,
    ("GET", "/invitations/accept"): Public.PAGE,
    ("POST", "/invitations/accept"): Public.PAGE,
    ("POST", "/oauth2/token"): Public.OAUTH,
    ("GET", "/oauth2/jwks.json"): Public.OAUTH,
    ("POST", "/oauth2/device_authorization"): Public.OAUTH,
    ("POST", "/oauth2/revoke"): Public.OAUTH,
    ("POST", "/oauth2/introspect"): Public.OAUTH,
    ("GET", "/oauth2/userinfo"): Public.OAUTH,
    ("POST", "/oauth2/userinfo"): Public.OAUTH,
    ("GET", "/.well-known/oauth-authorization-server"): Public.OAUTH,
    ("GET", "/.well-known/openid-configuration"): Public.OAUTH,
    ("GET", "/.well-known/oauth-protected-resource"): Public.OAUTH,
    ("GET", "/.well-known/oauth-protected-resource/endpoints/{endpoint}"): Public.OAUTH,
    ("POST", "/v1/admin/keys/rotate"): Scope.ADMIN,
    ("GET", "/v1/admin/preflight"): Scope.ADMIN,
    ("GET", "/v1/tenants"): Scope.ADMIN,
    ("POST", "/v1/tenants"): Scope.ADMIN,
    ("GET", "/v1/tenants/{tenant}"): Scope.ADMIN,
    ("GET", "/account/password"): Public.PAGE,
    ("POST", "/account/password"): Public.PAGE,
    ("GET", "/v1/people"): Scope.ADMIN,
    ("PATCH", "/v1/people/{person}"): Scope.ADMIN,
    ("POST", "/v1/people/{person}/password-link"): Scope.ADMIN,
    ("GET", "/v1/me"): Known.PERSON,
    ("GET", "/v1/members"): Scope.ADMIN,
    ("PATCH", "/v1/members/{member}"): Scope.ADMIN,
    ("DELETE", "/v1/members/{member}"): Known.MEMBER,  # oneself, or with the scope admin anybody
    ("GET", "/v1/invitations"): Scope.ADMIN,
    ("POST", "/v1/invitations"): Scope.ADMIN,
    ("DELETE", "/v1/invitations/{invitation}"): Scope.ADMIN,
    ("GET", "/v1/tenants/{tenant}/quota"): Scope.ADMIN,
    ("PUT", "/v1/tenants/{tenant}/quota"): Scope.ADMIN,
    ("GET", "/v1/quota"): Scope.ENDPOINTS_READ,
    ("GET", "/v1/usage"): Scope.ENDPOINTS_READ,
    ("GET", "/v1/clients"): Scope.ADMIN,
    ("POST", "/v1/clients"): Scope.ADMIN,
    ("DELETE", "/v1/clients/{client}"): Scope.ADMIN,
    ("GET", "/v1/keys"): Known.MEMBER,
    ("POST", "/v1/keys"): Known.MEMBER,
    ("DELETE", "/v1/keys/{key}"): Known.MEMBER,
    ("GET", "/v1/webhooks"): Scope.ADMIN,
    ("POST", "/v1/webhooks"): Scope.ADMIN,
    ("GET", "/v1/webhooks/{webhook}"): Scope.ADMIN,
    ("PATCH", "/v1/webhooks/{webhook}"): Scope.ADMIN,
    ("DELETE", "/v1/webhooks/{webhook}"): Scope.ADMIN,
    ("POST", "/v1/webhooks/{webhook}/rotate"): Scope.ADMIN,
    ("POST", "/v1/webhooks/{webhook}/test"): Scope.ADMIN,
    ("GET", "/v1/webhooks/{webhook}/why"): Scope.ADMIN,
    ("GET", "/v1/webhooks/{webhook}/deliveries"): Scope.ADMIN,
    ("GET", "/v1/webhooks/{webhook}/deliveries/{delivery}"): Scope.ADMIN,
    ("POST", "/v1/webhooks/{webhook}/deliveries/{delivery}/redeliver"): Scope.ADMIN,
    ("GET", "/v1/audit"): Scope.ADMIN,
    ("GET", "/v1/models"): Scope.MODELS_READ,
    ("POST", "/v1/models"): Scope.MODELS_WRITE,
    ("GET", "/v1/models/{model}"): Scope.MODELS_READ,
    ("DELETE", "/v1/models/{model}"): Scope.MODELS_WRITE,
    ("GET", "/v1/models/{model}/versions"): Scope.MODELS_READ,
    ("POST", "/v1/models/{model}/versions"): Scope.MODELS_WRITE,
    ("GET", "/v1/models/{model}/versions/{version}"): Scope.MODELS_READ,
    ("GET", "/v1/models/{model}/versions/{version}/why"): Scope.MODELS_READ,
    ("GET", "/v1/models/{model}/aliases"): Scope.MODELS_READ,
    ("GET", "/v1/models/{model}/aliases/{alias}"): Scope.MODELS_READ,
    ("PUT", "/v1/models/{model}/aliases/{alias}"): Scope.MODELS_WRITE,
    ("DELETE", "/v1/models/{model}/aliases/{alias}"): Scope.MODELS_WRITE,
    ("GET", "/v1/endpoints"): Scope.ENDPOINTS_READ,
    ("GET", "/v1/endpoints/{endpoint}"): Scope.ENDPOINTS_READ,
    ("DELETE", "/v1/endpoints/{endpoint}"): Scope.ENDPOINTS_WRITE,
    ("GET", "/v1/endpoints/{endpoint}/releases"): Scope.ENDPOINTS_READ,
    ("POST", "/v1/endpoints/{endpoint}/releases"): Scope.ENDPOINTS_WRITE,
    ("POST", "/v1/endpoints/{endpoint}/rollback"): Scope.ENDPOINTS_WRITE,
    ("GET", "/v1/endpoints/{endpoint}/warm-windows"): Scope.ENDPOINTS_READ,
    ("PUT", "/v1/endpoints/{endpoint}/warm-windows"): Scope.ENDPOINTS_WRITE,
    ("GET", "/v1/endpoints/{endpoint}/slo"): Scope.ENDPOINTS_READ,
    ("PUT", "/v1/endpoints/{endpoint}/slo"): Scope.ENDPOINTS_WRITE,
    ("DELETE", "/v1/endpoints/{endpoint}/slo"): Scope.ENDPOINTS_WRITE,
    ("GET", "/v1/endpoints/{endpoint}/rollouts"): Scope.ENDPOINTS_READ,
    ("POST", "/v1/endpoints/{endpoint}/rollouts"): Scope.ENDPOINTS_WRITE,
    ("GET", "/v1/endpoints/{endpoint}/rollouts/{rollout}"): Scope.ENDPOINTS_READ,
    ("GET", "/v1/endpoints/{endpoint}/rollouts/{rollout}/why"): Scope.ENDPOINTS_READ,
    ("POST", "/v1/endpoints/{endpoint}/rollouts/{rollout}/cancel"): Scope.ENDPOINTS_WRITE,
    ("GET", "/v1/endpoints/{endpoint}/why"): Scope.ENDPOINTS_READ,
    ("GET", "/v1/endpoints/{endpoint}/decisions"): Scope.ENDPOINTS_READ,
    ("GET", "/v1/endpoints/{endpoint}/series"): Scope.ENDPOINTS_READ,
    ("GET", "/v1/endpoints/{endpoint}/logs"): Scope.ENDPOINTS_READ,
    ("POST", "/v1/endpoints/{endpoint}/try"): Scope.PREDICT,
    ("GET", "/v1/endpoints/{endpoint}/payload-log"): Scope.ENDPOINTS_READ,
    ("PUT", "/v1/endpoints/{endpoint}/payload-log"): Scope.ENDPOINTS_WRITE,
    ("DELETE", "/v1/endpoints/{endpoint}/payload-log"): Scope.ENDPOINTS_WRITE,
    # What callers sent may be personal: a scope of its own, which viewers do not have.
    ("GET", "/v1/endpoints/{endpoint}/payloads"): Scope.PAYLOADS_READ,
    ("GET", "/v1/endpoints/{endpoint}/payloads/{file}"): Scope.PAYLOADS_READ,
    ("DELETE", "/v1/endpoints/{endpoint}/payloads"): Scope.ENDPOINTS_WRITE,
    # Shares and rates; common values of texts are named to who may read payloads.
    ("GET", "/v1/endpoints/{endpoint}/drift"): Scope.ENDPOINTS_READ,
    ("PUT", "/v1/endpoints/{endpoint}/drift/reference"): Scope.ENDPOINTS_WRITE,
    ("DELETE", "/v1/endpoints/{endpoint}/drift/reference"): Scope.ENDPOINTS_WRITE,
    ("GET", "/v1/models/{model}/versions/{version}/reference"): Scope.PAYLOADS_READ,
    ("PUT", "/v1/models/{model}/versions/{version}/reference"): Scope.MODELS_WRITE,
    ("GET", "/v1/loadtests"): Scope.ENDPOINTS_READ,
    # Whoever asks must also be allowed to predict, which no token for the API says.
    ("POST", "/v1/loadtests"): Scope.ENDPOINTS_WRITE,
    ("GET", "/v1/loadtests/{loadtest}"): Scope.ENDPOINTS_READ,
    ("GET", "/v1/loadtests/{loadtest}/why"): Scope.ENDPOINTS_READ,
    ("POST", "/v1/loadtests/{loadtest}/cancel"): Scope.ENDPOINTS_WRITE,
    ("GET", "/v1/loadtests/{loadtest}/events"): Scope.ENDPOINTS_READ,
    ("GET", "/v1/loadtests/{loadtest}/report"): Scope.ENDPOINTS_READ,
}

ALL_SCOPES: Final = tuple(str(scope) for scope in Scope)
# Of OpenID Connect: what a client is told of a person. No route of the API asks for them.
IDENTITY_SCOPES: Final = ("openid", "profile", "email")


def allows(scopes: AbstractSet[str], needed: Rule | None) -> bool:
    """Tell whether somebody with these scopes may; an administrator of a tenant may all in it."""
    if needed is None or isinstance(needed, Public):
        return needed is not None
    return isinstance(needed, Known) or needed in scopes or Scope.ADMIN in scopes


def rule(method: str, path: str) -> Rule | None:
    """Give the rule of a route; None: there is none, so nobody may."""
    return RULES.get((method, path))
