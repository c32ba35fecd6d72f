"""Webhooks: where a tenant's events are sent, and how that went."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from controlplane.client.core import Core
from controlplane.client.errors import BadAnswer
from controlplane.client.steps import Flow, members

Raw = Mapping[str, Any]


def _time(value: str | None) -> datetime | None:
    return None if value is None else datetime.fromisoformat(value)


@dataclass(frozen=True, slots=True)
class Webhook:
    """A receiver of events.

    secret         only in the answer that made or rotated it
    failing_since  no delivery went well since then
    """

    id: str
    url: str
    events: tuple[str, ...]
    description: str
    enabled: bool
    disabled_because: str | None
    failing_since: datetime | None
    created_by: str
    secret: str | None = field(repr=False)
    raw: Raw = field(repr=False, compare=False)

    @classmethod
    def read(cls, raw: Raw) -> "Webhook":
        """Read the API's document."""
        try:
            return cls(
                id=str(raw["id"]),
                url=str(raw["url"]),
                events=tuple(map(str, raw["events"])),
                description=str(raw["description"]),
                enabled=raw["enabled"] is True,
                disabled_because=raw["disabled_because"],
                failing_since=_time(raw["failing_since"]),
                created_by=str(raw.get("created_by_name") or raw["created_by"]),
                secret=raw.get("secret"),
                raw=raw,
            )
        except (KeyError, TypeError, ValueError) as error:
            raise BadAnswer(f"The server's answer is no webhook: {sorted(raw)}") from error


@dataclass(frozen=True, slots=True)
class Delivery:
    """An event on its way to a webhook; `state` is pending, delivered or failed.

    status, error, response  of the last attempt
    """

    id: str
    message_id: str
    type: str
    state: str
    attempts: int
    status: int | None
    error: str | None
    response: str | None
    happened_at: datetime | None
    next_at: datetime | None
    raw: Raw = field(repr=False, compare=False)

    @classmethod
    def read(cls, raw: Raw) -> "Delivery":
        """Read the API's document."""
        try:
            plain = ("message_id", "type", "state", "attempts", "status", "error", "response")
            return cls(
                id=str(raw["id"]),
                **{name: raw[name] for name in plain},
                happened_at=_time(raw["happened_at"]),
                next_at=_time(raw["next_at"]),
                raw=raw,
            )
        except (KeyError, TypeError, ValueError) as error:
            raise BadAnswer(
                f"The server's answer is no delivery: {str(dict(raw))[:200]}"
            ) from error


class Webhooks:
    """Flows of webhooks."""

    def __init__(self, core: Core) -> None:
        self._core = core

    def listed(self) -> Flow[list[Webhook]]:
        """List webhooks."""
        return list(map(Webhook.read, (yield from self._core.listed("webhooks"))))

    def one(self, webhook: str) -> Flow[Webhook]:
        """Read one."""
        return Webhook.read((yield from self._core.get(self._core.url("webhooks", webhook))))

    def create(self, url: str, events: Sequence[str], description: str) -> Flow[Webhook]:
        """Make one."""
        body = {"url": url, "events": list(events), "description": description}
        return Webhook.read((yield from self._core.post(self._core.url("webhooks"), body)))

    def change(self, webhook: str, changes: Mapping[str, Any]) -> Flow[Webhook]:
        """Change what is named and not None."""
        url = self._core.url("webhooks", webhook)
        body = {name: value for name, value in changes.items() if value is not None}
        answer = yield from self._core.call("PATCH", url, body)
        return Webhook.read(members(answer, url))

    def delete(self, webhook: str) -> Flow[None]:
        """Remove one."""
        yield from self._core.delete(self._core.url("webhooks", webhook))

    def rotate(self, webhook: str, overlap_s: int) -> Flow[Webhook]:
        """Replace a secret."""
        url = self._core.url("webhooks", webhook, "rotate")
        return Webhook.read((yield from self._core.post(url, {"overlap_s": overlap_s})))

    def test(self, webhook: str) -> Flow[Delivery]:
        """Send one an event of its own."""
        url = self._core.url("webhooks", webhook, "test")
        return Delivery.read((yield from self._core.post(url, {})))

    def deliveries(self, webhook: str, state: str | None, most: int) -> Flow[list[Delivery]]:
        """List the newest deliveries."""
        url = self._core.url("webhooks", webhook, "deliveries", state=state, limit=most)
        found = yield from self._core.get(url)
        return list(map(Delivery.read, found.get("items") or ()))

    def delivery(self, webhook: str, delivery: str) -> Flow[Delivery]:
        """Read one delivery."""
        url = self._core.url("webhooks", webhook, "deliveries", delivery)
        return Delivery.read((yield from self._core.get(url)))

    def redeliver(self, webhook: str, delivery: str) -> Flow[Delivery]:
        """Send a message once more."""
        url = self._core.url("webhooks", webhook, "deliveries", delivery, "redeliver")
        return Delivery.read((yield from self._core.post(url, {})))
