"""What the tenants' routes take."""

from pydantic import BaseModel, ConfigDict


class NewTenant(BaseModel):
    model_config = ConfigDict(extra="forbid")

    name: str
