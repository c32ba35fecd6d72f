"""What tokens' and clients' routes take and give."""

from typing import Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field

from controlplane.edge.operations import Document, Timestamp
from controlplane.rest import Text


class NewClient(BaseModel):
    model_config = ConfigDict(extra="forbid")

    name: Text = Field(min_length=1, max_length=200)
    scopes: list[str] | None = None
    tenant: str | None = None
    redirect_uris: list[str] | None = None
    public: bool = False
    jwks: dict[str, Any] | None = None


class Rotation(BaseModel):
    model_config = ConfigDict(extra="forbid")

    now: bool = False


class Client(BaseModel):
    id: str
    name: str
    scopes: list[str]
    created_at: Timestamp


class ClientWithSecret(Client):
    """A client just made: its secret, if it has one, is here and nowhere else."""

    secret: str | None


class Token(BaseModel):
    """Tokens (RFC 6749, 5.1)."""

    access_token: str
    token_type: Literal["Bearer"]
    expires_in: int
    scope: str


class OAuthError(BaseModel):
    """A refusal in OAuth's own shape (RFC 6749, 5.2)."""

    error: str
    error_description: str = ""


class KeySet(Document):
    """Public keys (RFC 7517)."""

    keys: list[dict[str, str]]


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
        "client_id": {"type": "string"},
        "client_secret": {"type": "string", "format": "password"},
        "scope": {"type": "string", "description": "separated by spaces"},
        "resource": {"type": "string", "description": "an endpoint's audience (RFC 8707)"},
    },
}
