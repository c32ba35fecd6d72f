"""What the authorization server says of itself: one document, and where to find it from a 401."""

from typing import Any

from controlplane.oauth import assertions, server
from controlplane.permissions import ALL_SCOPES, IDENTITY_SCOPES, Scope
from runtime import resource


def authorization_server(issuer: str) -> dict[str, Any]:
    """Describe the server, as RFC 8414 and OpenID Connect Discovery want it."""
    keys = {"token_endpoint_auth_signing_alg_values_supported": list(assertions.ALGORITHMS)}
    confidential = [method for method in server.METHODS if method != "none"]
    return {
        "issuer": issuer,
        "authorization_endpoint": f"{issuer}/oauth2/authorize",
        "token_endpoint": f"{issuer}/oauth2/token",
        "device_authorization_endpoint": f"{issuer}/oauth2/device_authorization",
        "revocation_endpoint": f"{issuer}/oauth2/revoke",
        "introspection_endpoint": f"{issuer}/oauth2/introspect",
        "userinfo_endpoint": f"{issuer}/oauth2/userinfo",
        "jwks_uri": f"{issuer}/oauth2/jwks.json",
        "scopes_supported": [*ALL_SCOPES, *IDENTITY_SCOPES],
        "response_types_supported": ["code"],
        "response_modes_supported": ["query"],
        "grant_types_supported": [
            "authorization_code",
            "client_credentials",
            "refresh_token",
            server.DEVICE_CODE,
        ],
        "code_challenge_methods_supported": ["S256"],
        "token_endpoint_auth_methods_supported": list(server.METHODS),
        **keys,
        "revocation_endpoint_auth_methods_supported": list(server.METHODS),
        **{name.replace("token", "revocation"): value for name, value in keys.items()},
        "introspection_endpoint_auth_methods_supported": confidential,
        **{name.replace("token", "introspection"): value for name, value in keys.items()},
        "authorization_response_iss_parameter_supported": True,
        "prompt_values_supported": ["none", "login", "consent", "select_account"],
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": ["ES256"],
        "claims_supported": [
            *("iss", "sub", "aud", "exp", "iat", "auth_time", "nonce", "at_hash"),
            *("name", "email", "email_verified"),
        ],
        "request_parameter_supported": False,
        "request_uri_parameter_supported": False,
        "protected_resources": [issuer],
        "service_documentation": f"{issuer}/docs",
    }


def api(issuer: str) -> dict[str, Any]:
    """Describe the API as a protected resource (RFC 9728)."""
    scopes = [scope for scope in ALL_SCOPES if scope != Scope.PREDICT]
    return resource.description(issuer, issuer, "KubeServe API", scopes)


def endpoint(issuer: str, endpoint_id: str) -> dict[str, Any]:
    """Describe an endpoint as a protected resource; it says nothing of whether there is one."""
    return resource.endpoint(issuer, resource.audience_of(issuer, endpoint_id))
