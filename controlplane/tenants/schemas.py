"""What the tenants' routes take and give."""

from pydantic import BaseModel, ConfigDict

from controlplane.edge.operations import Document, Timestamp


class NewTenant(BaseModel):
    model_config = ConfigDict(extra="forbid")

    name: str


class Tenant(Document):
    id: str
    name: str
    created_at: Timestamp
