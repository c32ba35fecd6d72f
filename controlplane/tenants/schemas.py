"""What the tenants' routes take and give."""

from pydantic import BaseModel, ConfigDict, Field

from controlplane.edge.operations import Document, Timestamp
from controlplane.permissions import Role


class NewTenant(BaseModel):
    """A tenant; `owner` is the e-mail address of who is invited to own it."""

    model_config = ConfigDict(extra="forbid")

    name: str
    owner: str | None = Field(None, max_length=254)


class NewInvitation(BaseModel):
    """Without an e-mail address it is for whoever has the link."""

    model_config = ConfigDict(extra="forbid")

    email: str | None = Field(None, max_length=254)
    role: Role
    tenant: str | None = None


class NewRole(BaseModel):
    model_config = ConfigDict(extra="forbid")

    role: Role


class Tenant(Document):
    id: str
    name: str
    created_at: Timestamp
