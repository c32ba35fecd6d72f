"""A protected resource (RFC 9728): what a client that has no token yet is told of it."""

from typing import Final

WELL_KNOWN: Final = "/.well-known/oauth-protected-resource"
_ENDPOINTS: Final = "/endpoints/"


def audience_of(issuer: str, endpoint: object) -> str:
    """Give the audience of an endpoint's tokens, by the endpoint's UUID."""
    return f"{issuer}{_ENDPOINTS}{endpoint}"


def issuer_of(audience: str) -> str:
    """Give who issues tokens for an endpoint's audience."""
    return audience.rpartition(_ENDPOINTS)[0]


def description(issuer: str, audience: str, name: str, scopes: list[str]) -> dict[str, object]:
    """Describe the API or an endpoint, and who gives tokens for it.

    audience  what a client names as `resource` when it asks for a token
    """
    return {
        "resource": audience,
        "resource_name": name,
        "authorization_servers": [issuer],
        "jwks_uri": f"{issuer}/oauth2/jwks.json",
        "scopes_supported": scopes,
        "bearer_methods_supported": ["header"],
        "resource_documentation": f"{issuer}/docs",
    }


def endpoint(issuer: str, audience: str) -> dict[str, object]:
    """Describe an endpoint, as itself and the control plane do."""
    return description(issuer, audience, "KubeServe endpoint", ["predict"])


def challenge(issuer: str, audience: str, error: str | None = None) -> str:
    """Give the header WWW-Authenticate of a 401: where the description is, and what was wrong.

    error  None: the request showed no token at all (RFC 6750, 3.1)
    """
    place = f"{issuer}{WELL_KNOWN}{audience.removeprefix(issuer)}"
    told = f'Bearer realm="kubeserve", resource_metadata="{place}"'
    return told if error is None else f'{told}, error="{error}"'
