"""What the routes of webhooks take and give."""

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

from controlplane.edge.operations import Document, Timestamp
from controlplane.webhooks.states import DeliveryState

Events = Annotated[
    list[Annotated[str, Field(max_length=40)]],
    Field(min_length=1, max_length=40, description="`version.ready`, all of `release.*`, or `*`"),
]
Description = Annotated[str, Field(max_length=200)]
Url = Annotated[str, Field(min_length=1, max_length=2000, description="https://…")]


class NewWebhook(BaseModel):
    """Where events are sent by POST, signed as https://www.standardwebhooks.com says."""

    model_config = ConfigDict(extra="forbid")

    url: Url
    events: Events = ["*"]
    description: Description = ""


class WebhookChange(BaseModel):
    """What is left out stays. One that was disabled is sent to again once it is `enabled`."""

    model_config = ConfigDict(extra="forbid")

    url: Url | None = None
    events: Events | None = None
    description: Description | None = None
    enabled: Annotated[bool | None, Field(strict=True)] = None


class Rotation(BaseModel):
    """`overlap_s`: seconds for which messages are signed with the former secret too."""

    model_config = ConfigDict(extra="forbid")

    overlap_s: Annotated[int, Field(strict=True, ge=0, le=7 * 86_400)] = 86_400


class Webhook(Document):
    """A receiver. `failing_since`: no delivery went well since then."""

    id: str
    url: str
    events: list[str]
    description: str
    enabled: bool
    disabled_at: Timestamp | None
    disabled_because: str | None
    failing_since: Timestamp | None
    former_secret_until: Timestamp | None
    created_by: str
    created_by_name: str | None
    created_at: Timestamp


class MadeWebhook(Webhook):
    """With its secret, which is shown here and nowhere else."""

    secret: str


class Try(Document):
    """An attempt. `status` is the receiver's; null: there was no answer, `error` says why."""

    at: Timestamp
    status: int | None
    error: str | None
    took_ms: int


class Delivery(Document):
    """An event on its way to one webhook.

    message_id  of the header `webhook-id`; the same at each attempt
    status, error, response  of the last attempt; of the response its first kB
    tries       the last of them
    """

    id: str
    message_id: str
    type: str
    happened_at: Timestamp
    data: dict[str, Any]
    state: DeliveryState
    attempts: int
    status: int | None
    error: str | None
    response: str | None
    tries: list[Try]
    next_at: Timestamp | None
    delivered_at: Timestamp | None
