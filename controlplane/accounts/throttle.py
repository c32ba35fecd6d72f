"""How often a password may be tried: for an account, from an address, with a known device.

Whoever signed in once leaves the browser with a device cookie. Attempts with it are counted for
that device alone, so strangers who try passwords cannot keep the owner of an account out. What is
counted is a row of the database: replicas count together.
"""

import hashlib
import hmac
import math
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from ipaddress import IPv6Address, ip_address, ip_network
from typing import Final

from controlplane.accounts import repository
from runtime.problems import RateLimited

WINDOW: Final = timedelta(minutes=15)  # from the first that failed
OF_ACCOUNT: Final = 10
OF_DEVICE: Final = 10
OF_ADDRESS: Final = 100  # an office has one address


@dataclass(frozen=True, slots=True)
class Devices:
    """Makes and reads device cookies. `secret`: of this installation."""

    secret: bytes

    def cookie(self, email: str) -> str:
        """Give what a browser keeps that somebody has signed in with."""
        nonce = secrets.token_urlsafe(16)
        return f"{nonce}.{self._seal(nonce, email)}"

    def known(self, cookie: str | None, email: str) -> str | None:
        """Give the device's name if this person has signed in with it before."""
        nonce, _, seal = (cookie or "").partition(".")
        expected = self._seal(nonce, email)
        return nonce if hmac.compare_digest(seal.encode(), expected.encode()) else None

    def _seal(self, nonce: str, email: str) -> str:
        return hmac.digest(self.secret, f"device\n{nonce}\n{email}".encode(), "sha256").hex()


@dataclass(frozen=True, slots=True)
class Attempt:
    """One password that is being tried. `bounds`: what it counts for, and how often that may be."""

    bounds: dict[str, int]
    at: datetime

    async def count(self) -> None:
        """Count it before the password is looked at; raises RateLimited.

        All are counted, so many at the same moment get no more tries than one after the other.
        """
        for key, most in self.bounds.items():
            count, since = await repository.count_attempt(_digest(key), self.at, self.at - WINDOW)
            if count > most:
                left = (since + WINDOW - self.at).total_seconds()
                raise RateLimited(
                    f"Too many attempts. Try again in {math.ceil(left / 60)} minutes.",
                    retry_after_s=max(1.0, left),
                )

    async def succeeded(self) -> None:
        """Start the account's count anew; an address may not, or its own account would reset it."""
        for key in self.bounds:
            if key.startswith("address:"):
                await repository.uncount_attempt(_digest(key))
            else:
                await repository.forget_attempts_at(_digest(key))


def attempt(email: str, address: str, device: str | None, at: datetime) -> Attempt:
    """Say what an attempt counts for: a known device, or else the account and the address."""
    if device is not None:
        return Attempt({f"device:{device}": OF_DEVICE}, at)
    bounds = {f"account:{email}": OF_ACCOUNT, f"address:{network(address)}": OF_ADDRESS}
    return Attempt(bounds, at)


def attempt_at(what: str, address: str, at: datetime) -> Attempt:
    """Say what a try at a thing counts for, which is nobody's account: the thing and the address.

    Nobody is kept from signing in by it.
    """
    return Attempt({what: OF_ACCOUNT, f"address:{network(address)}": OF_ADDRESS}, at)


def network(address: str) -> str:
    """Give what one subscriber has: the address, of IPv6 the first 64 bits."""
    try:
        found = ip_address(address)
    except ValueError:
        return "none"
    if isinstance(found, IPv6Address) and found.ipv4_mapped is None:
        return str(ip_network((found, 64), strict=False).network_address)
    return str(found)


def _digest(key: str) -> str:
    return hashlib.sha256(key.encode()).hexdigest()
