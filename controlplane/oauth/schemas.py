"""What the clients' routes take."""

from typing import Any

from pydantic import BaseModel, ConfigDict, Field

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
