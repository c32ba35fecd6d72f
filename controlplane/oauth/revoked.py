"""What runtimes are told was revoked: each tenant's of its own tenant, the newest by name."""

import math
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

MOST_NAMED: Final = 500  # of a tenant: what its pods are told of them has room in a variable
KINDS: Final = ("jtis", "clients", "subjects")


@dataclass(frozen=True, slots=True)
class Revoked:
    """A token, or a client or subject whose tokens count no more.

    kind   one of KINDS
    until  a token's expiry; else the time before which no token counts (seconds since 1970)
    at     when it was revoked: no token it means was given later
    """

    kind: str
    name: str
    until: float
    at: datetime


def told(found: Iterable[Revoked]) -> dict[str, Any]:
    """Give the member `revoked` of a keys file.

    Of too many the oldest are not named: no token from before the last of these counts. Whoever was
    not revoked gets a new one.
    """
    newest = sorted(found, key=lambda one: (one.at, one.kind, one.name), reverse=True)
    members: dict[str, Any] = {kind: {} for kind in KINDS}
    for one in newest[:MOST_NAMED]:
        members[one.kind].setdefault(one.name, one.until)
    if len(newest) > MOST_NAMED:
        # Tokens say the second they were given in.
        members["before"] = math.floor(newest[MOST_NAMED].at.timestamp()) + 1
    return members
