"""Who may do what, and who did: API keys and the audit log."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from controlplane.client.core import Core
from controlplane.client.errors import BadAnswer
from controlplane.client.results import ApiKey, AuditEvent
from controlplane.client.steps import Flow

MOST_OF_A_PAGE: Final = 200


class Access:
    """Flows of API keys and the audit log."""

    def __init__(self, core: Core) -> None:
        self._core = core

    def api_keys(self) -> Flow[list[ApiKey]]:
        """List API keys."""
        return list(map(ApiKey.read, (yield from self._core.listed("keys"))))

    def create_api_key(
        self, name: str, scopes: Sequence[str] | None, endpoint: str | None, expires_in_days: int
    ) -> Flow[ApiKey]:
        """Make an API key."""
        body: dict[str, Any] = {"name": name, "expires_in_days": expires_in_days}
        if scopes is not None:
            body["scopes"] = list(scopes)
        if endpoint is not None:
            body["endpoint"] = endpoint
        return ApiKey.read((yield from self._core.post(self._core.url("keys"), body)))

    def revoke_api_key(self, key_id: str) -> Flow[None]:
        """End an API key."""
        yield from self._core.delete(self._core.url("keys", key_id))

    def audit(
        self,
        asked: Mapping[str, str | None],
        since: datetime | None,
        until: datetime | None,
        most: int,
    ) -> Flow[list[AuditEvent]]:
        """List events, the newest first; `since` and `until` without a zone are of this machine."""
        times = {"since": since, "until": until}
        query: dict[str, str | int | None] = {
            **asked,
            **{name: at.astimezone().isoformat() for name, at in times.items() if at is not None},
        }
        found: list[AuditEvent] = []
        cursor: str | None = None
        while len(found) < most:
            limit = min(MOST_OF_A_PAGE, most - len(found))
            url = self._core.url("audit", **query, limit=limit, cursor=cursor)
            page = yield from self._core.get(url)
            items, following = page.get("items"), page.get("next")
            if not isinstance(items, list):
                raise BadAnswer(f"{url} answered no list of events")
            found += map(AuditEvent.read, items)
            if following is None:
                break
            if not isinstance(following, str) or following == cursor:
                raise BadAnswer(f"{url} answered a page without end")
            cursor = following
        return found
