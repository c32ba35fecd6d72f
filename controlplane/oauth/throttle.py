"""How often the authorization server is asked: token buckets in each replica, without a query.

An address pays for what is refused, and for what begins or ends something; a client for what it is
given. So nobody pays with another's name, and a client with its secret is as good as unbounded.
"""

import time
from collections.abc import Callable
from ipaddress import IPv6Address, ip_address
from typing import Final

from controlplane.callers import CLI, DASHBOARD
from controlplane.oauth.server import Answer, TooOftenError
from controlplane.rates import Rates

BURST_S: Final = 10.0
FOR_PEOPLE: Final = ("", CLI, DASHBOARD)  # names that anybody knows
WAITING: Final = "authorization_pending"  # the right answer to a device that asks in time


class Throttle:
    """Holds back who asks too often.

    of_address, of_client  requests each second; ten times as many at once
    """

    def __init__(
        self, of_address: int, of_client: int, clock: Callable[[], float] = time.monotonic
    ) -> None:
        async def address_rate(_: str) -> int:
            return of_address

        async def client_rate(_: str) -> int:
            return of_client

        self._addresses = Rates(address_rate, BURST_S, clock)
        self._clients = Rates(client_rate, BURST_S, clock)

    def check(self, address: str, client: str = "", *, costly: bool = True) -> None:
        """Raise TooOftenError for who has nothing left; counts nothing.

        Behind a proxy that was not named all have one address: a program that was given something
        lately is not held back for what others send from there.
        """
        wait_s = self._clients.wait_s(client)
        if costly or client in FOR_PEOPLE or not self._clients.knows(client):
            wait_s = max(wait_s, self._addresses.wait_s(_place(address)))
        if wait_s:
            raise TooOftenError(wait_s)

    async def count(self, address: str, client: str, answer: Answer, *, costly: bool) -> None:
        """Count a request by its answer.

        client  the name it called itself by
        costly  it begins or ends something, if it is not refused
        """
        status, document, _ = answer
        if status == TooOftenError.status_code or document.get("error") == WAITING:
            return
        if status >= 400 or costly:
            (await self._addresses.bucket(_place(address))).spend()
        else:
            (await self._clients.bucket(client)).spend()

    async def spend(self, address: str) -> None:
        """Count a request of an address."""
        (await self._addresses.bucket(_place(address))).spend()


def _place(address: str) -> str:
    """Give what is counted as one address: of IPv6, the network that a customer is given."""
    try:
        found = ip_address(address)
    except ValueError:
        return address
    return str(int(found) >> 64) if isinstance(found, IPv6Address) else address
