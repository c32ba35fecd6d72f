"""What the registry's routes take."""

from pydantic import BaseModel, ConfigDict, Field


class NewModel(BaseModel):
    model_config = ConfigDict(extra="forbid")

    name: str
    description: str = Field("", max_length=10_000)


class AliasTarget(BaseModel):
    model_config = ConfigDict(extra="forbid")

    version: int = Field(ge=1)
