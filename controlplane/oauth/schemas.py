"""What tokens' and clients' routes take and give."""

from typing import Final, Literal

from pydantic import BaseModel, ConfigDict, Field

from controlplane.edge.operations import Document, Timestamp
from controlplane.rest import Text


class NewClient(BaseModel):
    model_config = ConfigDict(extra="forbid")

    name: Text = Field(min_length=1, max_length=200)
    scopes: list[str] | None = None
    tenant: str | None = None


class Client(Document):
    id: str
    name: str
    scopes: list[str]
    created_at: Timestamp


class ClientWithSecret(Client):
    """A client just made: its secret is here and nowhere else."""

    secret: str


class Token(Document):
    """An access token (RFC 6749, 5.1)."""

    access_token: str
    token_type: Literal["Bearer"]
    expires_in: int
    scope: str


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


TOKEN_FORM: Final = {
    "type": "object",
    "required": ["grant_type"],
    "properties": {
        "grant_type": {"type": "string", "enum": ["client_credentials"]},
        "client_id": {"type": "string"},
        "client_secret": {"type": "string", "format": "password"},
        "scope": {"type": "string", "description": "separated by spaces"},
        "resource": {"type": "string", "description": "an endpoint's audience (RFC 8707)"},
    },
}
