"""What tokens' and clients' routes take and give."""

from typing import Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field

from controlplane.edge.operations import Document, Timestamp


class NewClient(BaseModel):
    model_config = ConfigDict(extra="forbid")

    name: str = Field(min_length=1, max_length=200)
    scopes: list[str] | None = None
    tenant: str | None = None
    redirect_uris: list[str] | None = None
    public: bool = False
    jwks: dict[str, Any] | None = None


class Rotation(BaseModel):
    model_config = ConfigDict(extra="forbid")

    now: bool = False


class Client(Document):
    id: str
    name: str
    scopes: list[str]
    redirect_uris: list[str]
    auth_method: Literal["client_secret_basic", "private_key_jwt", "none"]
    created_at: Timestamp


class ClientWithSecret(Client):
    """A client just made: its secret is here and nowhere else."""

    secret: str | None


class Rotated(Document):
    """The key that signs next, and in how many seconds."""

    kid: str
    signs_in_s: int


class Token(Document):
    """An access token (RFC 6749, 5.1)."""

    access_token: str
    token_type: Literal["Bearer"]
    expires_in: int
    scope: str
    refresh_token: str | None = None
    id_token: str | None = None


class DeviceCodes(Document):
    """What a device shows and polls with (RFC 8628, 3.2)."""

    device_code: str
    user_code: str
    verification_uri: str
    verification_uri_complete: str
    expires_in: int
    interval: int


class Nothing(Document):
    """An empty answer."""


class Introspection(BaseModel):
    """Whether a token works, and what it is (RFC 7662, 2.2)."""

    active: bool


class UserInfo(Document):
    """Who a token is of, as its scopes allow."""

    sub: str
    name: str | None = None
    email: str | None = None
    email_verified: bool | None = None


class Resource(BaseModel):
    """What RFC 9728 names."""

    resource: str
    resource_name: str
    authorization_servers: list[str]
    jwks_uri: str
    scopes_supported: list[str]
    bearer_methods_supported: list[str]
    resource_documentation: str


class OAuthError(Document):
    """A refusal in OAuth's own shape (RFC 6749, 5.2)."""

    error: str
    error_description: str = ""


class KeySet(Document):
    """Public keys (RFC 7517)."""

    keys: list[dict[str, str]]


class Metadata(BaseModel):
    """What RFC 8414 names."""

    issuer: str
    token_endpoint: str
    jwks_uri: str
    scopes_supported: list[str]
    response_types_supported: list[str]
    grant_types_supported: list[str]
    token_endpoint_auth_methods_supported: list[str]
    service_documentation: str


CLIENT: Final = {
    "client_id": {"type": "string"},
    "client_secret": {"type": "string", "format": "password"},
    "client_assertion": {"type": "string", "description": "private_key_jwt (RFC 7523)"},
    "client_assertion_type": {"type": "string"},
}
RESOURCE: Final = {"type": "string", "description": "an endpoint's audience (RFC 8707)"}
SCOPE: Final = {"type": "string", "description": "separated by spaces"}
TOKEN_FORM: Final = {
    "type": "object",
    "required": ["grant_type"],
    "properties": {
        "grant_type": {
            "type": "string",
            "enum": [
                "client_credentials",
                "authorization_code",
                "refresh_token",
                "urn:ietf:params:oauth:grant-type:device_code",
            ],
        },
        **CLIENT,
        "scope": SCOPE,
        "resource": RESOURCE,
        "code": {"type": "string"},
        "code_verifier": {"type": "string"},
        "redirect_uri": {"type": "string"},
        "refresh_token": {"type": "string"},
        "device_code": {"type": "string"},
    },
}
DEVICE_FORM: Final = {
    "type": "object",
    "properties": {**CLIENT, "scope": SCOPE, "resource": RESOURCE},
}
SHOWN_FORM: Final = {
    "type": "object",
    "required": ["token"],
    "properties": {**CLIENT, "token": {"type": "string"}, "token_type_hint": {"type": "string"}},
}
