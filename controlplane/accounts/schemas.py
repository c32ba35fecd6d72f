"""What the routes about people take."""

from pydantic import BaseModel, ConfigDict


class ChangedPerson(BaseModel):
    model_config = ConfigDict(extra="forbid")

    disabled: bool
