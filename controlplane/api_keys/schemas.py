"""What the routes of API keys take."""

from pydantic import BaseModel, ConfigDict, Field

DAYS = 90
MOST_DAYS = 366


class NewKey(BaseModel):
    model_config = ConfigDict(extra="forbid")

    name: str = Field(min_length=1, max_length=200)
    scopes: list[str] | None = None
    endpoint: str | None = None
    expires_in_days: int = Field(DAYS, ge=1, le=MOST_DAYS)
