"""Links with which somebody gets in who has no password, or has forgotten it.

Nothing is kept of a link: it is sealed together with the password that was there, so it ends with
the first use, and after a day.
"""

import hmac
import uuid
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from controlplane.accounts import repository
from controlplane.accounts.applications import Applications
from controlplane.accounts.service import Person, find, renew_password
from controlplane.audit import service as audit
from controlplane.callers import Caller
from controlplane.database import transaction
from runtime.problems import NotFound

LIFE: Final = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Resets:
    """Makes and reads such links. `secret`: of this installation."""

    secret: bytes
    applications: Applications

    async def make(self, caller: Caller, person: Person, now: datetime) -> tuple[str, datetime]:
        """Give the secret of a link for a person, and when it ends."""
        expires = (now + LIFE).replace(microsecond=0)
        async with transaction():
            kept = await self._password_of(person.id)
            await audit.record(caller, "account.password-link", person.subject, email=person.email)
        value = f"{person.id}.{int(expires.timestamp())}"
        return f"{value}.{self._seal(value, kept)}", expires

    async def person(self, link: str, now: datetime) -> Person:
        """Give whose link this is; raises NotFound for one that is no good any more."""
        value, _, seal = link.rpartition(".")
        name, _, expires = value.partition(".")
        try:
            user_id, until = uuid.UUID(name), datetime.fromtimestamp(int(expires), UTC)
        except (ValueError, OverflowError, OSError) as error:
            raise _gone() from error
        expected = self._seal(value, await self._password_of(user_id))
        person = await find(user_id)
        right = hmac.compare_digest(seal.encode(), expected.encode())
        if not right or person is None or now >= until:
            raise _gone()
        return person

    async def use(self, caller: Caller, link: str, password_hash: str, now: datetime) -> Person:
        """Give the person of a link a password, once; all their sessions and applications end."""
        async with transaction():
            await repository.lock(caller_id(caller))
            person = await self.person(link, now)
            return await renew_password(caller, person, password_hash, self.applications, by="link")

    @staticmethod
    async def _password_of(user_id: uuid.UUID) -> str:
        row = await repository.user(user_id)
        return "" if row is None else row.password_hash or ""

    def _seal(self, value: str, password_hash: str) -> str:
        said = f"password link\n{value}\n{password_hash}".encode()
        return hmac.digest(self.secret, said, "sha256").hex()


def caller_id(caller: Caller) -> uuid.UUID:
    """Give the id of the person that a caller is."""
    return uuid.UUID(caller.subject.partition(":")[2])


def _gone() -> NotFound:
    return NotFound(
        "This link was used, is older than a day, or was cut short. Ask an administrator of this "
        "installation for a new one."
    )
