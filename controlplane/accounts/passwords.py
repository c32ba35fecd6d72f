"""Passwords: argon2id with OWASP's parameters, off the event loop, and not many at once."""

import asyncio
from collections.abc import Callable
from typing import Final, TypeVar, cast

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from fastapi import Request

from runtime.problems import InvalidInput, Overloaded

# OWASP's: 19 MiB and two passes, 40 ms. Libraries' defaults take 64 MiB, a gift to an attacker.
HASHER: Final = PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1)
NOBODYS: Final = HASHER.hash("nobody's, so that an unknown address takes as long as a known one")
R = TypeVar("R")
AT_ONCE: Final = 2
WAITING: Final = 20
LEAST: Final = 12  # characters
MOST: Final = 1024


class Passwords:
    """Hashes and compares, `AT_ONCE` at a time; who comes when `WAITING` wait is sent away."""

    def __init__(self) -> None:
        self._free = asyncio.Semaphore(AT_ONCE)
        self._waiting = 0

    async def hash(self, password: str) -> str:
        """Give what is kept of a password; raises InvalidInput for one too short or long."""
        if not LEAST <= len(password) <= MOST:
            raise InvalidInput(
                f"A password has {LEAST} to {MOST} characters; several words do well.",
                field="password",
            )
        return await self._run(HASHER.hash, password)

    async def check(self, password: str, kept: str | None) -> tuple[bool, bool]:
        """Tell whether a password is right, and whether what is kept of it should be made anew.

        `kept` None: there is no such person; it takes as long and is False.
        """
        right = await self._run(_verify, kept or NOBODYS, password[: MOST + 1])
        return right and kept is not None, right and HASHER.check_needs_rehash(kept or NOBODYS)

    async def _run(self, work: Callable[..., R], *given: str) -> R:
        if self._waiting >= WAITING:
            raise Overloaded("Too many are signing in at once; try again.", retry_after_s=2)
        self._waiting += 1
        try:
            async with self._free:
                return await asyncio.to_thread(work, *given)
        finally:
            self._waiting -= 1


def _verify(kept: str, password: str) -> bool:
    try:
        return HASHER.verify(kept, password)
    except (VerificationError, InvalidHashError):
        return False


def of_application(request: Request) -> Passwords:
    """Give the one that all requests share: its bounds are the process's."""
    return cast("Passwords", request.app.state.passwords)
