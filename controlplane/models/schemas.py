"""What the registry's routes take."""

from pydantic import BaseModel, ConfigDict, Field

from controlplane.rest import Text


class NewModel(BaseModel):
    model_config = ConfigDict(extra="forbid")

    name: str
    description: Text = Field("", max_length=10_000)


class AliasTarget(BaseModel):
    model_config = ConfigDict(extra="forbid")

    version: int = Field(ge=1, lt=1 << 31)
