"""Applications that act for a person: shown and ended at /account, kept by whoever gives tokens."""

import uuid
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol, cast

from fastapi import Request

from controlplane.callers import Caller


@dataclass(frozen=True, slots=True)
class Application:
    """An application that a person allowed to act for them in a tenant.

    client  its id
    may     what it may do, in words
    since   when they allowed it first
    """

    client: str
    name: str
    tenant: str
    may: tuple[str, ...]
    since: datetime


class Applications(Protocol):
    """What people allowed."""

    async def of(self, person: uuid.UUID) -> list[Application]:
        """List the applications of a person, in order of name."""
        ...

    async def end(self, caller: Caller, person: uuid.UUID, client: str, tenant: str) -> None:
        """End what a person allowed an application in a tenant; raises NotFound."""
        ...

    async def end_all(self, person: uuid.UUID, reason: str, tenant: uuid.UUID | None = None) -> int:
        """End everything that acts for a person, within the change's transaction; how many.

        tenant  only what does there
        """
        ...

    async def end_keys(self, person: uuid.UUID, tenant: uuid.UUID | None = None) -> int:
        """End the API keys that a person made, as `end_all`."""
        ...


def applications_of(request: Request) -> Applications:
    """Give what keeps them."""
    return cast("Applications", request.app.state.applications)
