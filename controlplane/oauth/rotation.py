"""When signing keys change: next → active → retiring → gone. Pure: rows in, moves out.

There is always a next key, and it is published before it signs, for longer than anybody keeps the
old list of keys: so even a key that leaked is followed at once by one that everybody knows. A key
is published after it signed, until the last token it signed has expired.
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

MAX_AGE_S: Final = 300  # readers of our JWKS keep it for so long
LEEWAY_S: Final = 30


class KeyState(StrEnum):
    """What a signing key is used for; a key that is gone has no row any more."""

    NEXT = "next"
    ACTIVE = "active"
    RETIRING = "retiring"


@dataclass(frozen=True, slots=True)
class KeyRow:
    """A signing key. `changed_at`: when it came into its state."""

    kid: str
    state: KeyState
    changed_at: datetime


@dataclass(frozen=True, slots=True)
class Schedule:
    """every: life of an active key; lead: how long the next is published before it signs;
    longest_token: life of a token at most.
    """

    every: timedelta = timedelta(days=30)
    lead: timedelta = timedelta(seconds=2 * MAX_AGE_S)
    longest_token: timedelta = timedelta(seconds=900)

    @property
    def retires(self) -> timedelta:
        """How long a key is published after it signed last."""
        return self.longest_token + timedelta(seconds=LEEWAY_S + MAX_AGE_S)


class Move(StrEnum):
    """A step of a rotation."""

    MAKE_NEXT = "make next"
    ACTIVATE = "activate"
    DELETE = "delete"


def moves(
    keys: Iterable[KeyRow], schedule: Schedule, now: datetime, published: Collection[str]
) -> list[tuple[Move, str]]:
    """Give what is to be done now, with the kid it is done to ("" for a new key).

    published  kids that the runtimes have been given: no other may become active
    """
    by_state: dict[KeyState, list[KeyRow]] = {state: [] for state in KeyState}
    for key in keys:
        by_state[key.state].append(key)
    due = [
        (Move.DELETE, key.kid)
        for key in by_state[KeyState.RETIRING]
        if now >= key.changed_at + schedule.retires
    ]
    waiting = by_state[KeyState.NEXT]
    if not waiting:
        due.append((Move.MAKE_NEXT, ""))
    old = any(now >= key.changed_at + schedule.every for key in by_state[KeyState.ACTIVE])
    due += [
        (Move.ACTIVATE, key.kid)
        for key in waiting[:1]
        if old and now >= key.changed_at + schedule.lead and key.kid in published
    ]
    return due
