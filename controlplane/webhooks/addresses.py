"""Where a webhook may lead: the public internet, and networks that the operator names. Pure."""

from collections.abc import Sequence
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Final
from urllib.parse import urlsplit

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network
MOST_CHARACTERS: Final = 2000
USUAL_PORTS: Final = {"https": 443, "http": 80}
FIRST_OF_OTHERS: Final = 1024  # ports below are of mail and other services that are no receivers
# What lets an IPv6 address carry an IPv4 one: NAT64's well-known prefix.
NAT64: Final = ip_network("64:ff9b::/96")
UNICAST: Final = ip_network("2000::/3")  # all that IPv6 has given to anybody
# Of special purpose (IANA's registries). Not all of them are private to every version of Python.
NEVER_PUBLIC: Final = tuple(
    map(
        ip_network,
        ("192.0.0.0/24", "192.88.99.0/24", "100.64.0.0/10", "2001::/23", "2002::/16", "3fff::/20"),
    )
)


class NotAllowed(ValueError):
    """Why a webhook may not lead there, in words."""


def networks(written: str) -> tuple[Network, ...]:
    """Read networks with commas between; raises ValueError."""
    return tuple(ip_network(one.strip()) for one in written.split(",") if one.strip())


def is_public(address: Address) -> bool:
    """Tell whether an address is everybody's, also the one that it carries within."""
    if isinstance(address, IPv6Address):
        if address.ipv4_mapped is not None:
            return is_public(address.ipv4_mapped)
        if address in NAT64:
            return is_public(IPv4Address(int(address) & 0xFFFF_FFFF))
        if address not in UNICAST:
            return False
    if any(address in one for one in NEVER_PUBLIC if one.version == address.version):
        return False
    return address.is_global and not address.is_multicast and not address.is_reserved


def is_among(address: Address, known: Sequence[Network]) -> bool:
    """Tell whether an address is of networks; an IPv4 one also in the form of IPv6."""
    if isinstance(address, IPv6Address) and address.ipv4_mapped is not None:
        address = address.ipv4_mapped
    return any(address in one for one in known if one.version == address.version)


def may_reach(address: Address, scheme: str, own: Sequence[Network]) -> bool:
    """Tell whether a message may go there; without encryption only into the networks named."""
    return is_among(address, own) or (scheme == "https" and is_public(address))


def check_url(url: str, own: Sequence[Network]) -> None:
    """Raise NotAllowed for an address that no webhook can have; names are resolved later.

    own  networks that are allowed though they are private
    """
    if len(url) > MOST_CHARACTERS or not url.isascii() or not url.isprintable() or " " in url:
        raise NotAllowed(f"must be at most {MOST_CHARACTERS} printable ASCII characters")
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise NotAllowed("must be an address such as https://example.com/hooks") from error
    if parts.scheme not in (("https", "http") if own else ("https",)) or not parts.hostname:
        raise NotAllowed("must be an address such as https://example.com/hooks; it must be https")
    if parts.username is not None or parts.password is not None or "#" in url:
        raise NotAllowed("must have no user, password or fragment; messages are signed")
    if port is not None and port < FIRST_OF_OTHERS and port not in USUAL_PORTS.values():
        raise NotAllowed(f"port {port} is of another service; use 443, or {FIRST_OF_OTHERS} and up")
    try:
        literal = ip_address(parts.hostname)
    except ValueError:
        return
    if not may_reach(literal, parts.scheme, own):
        raise NotAllowed(refusal(parts.hostname, literal, parts.scheme))


def refusal(host: str, address: Address, scheme: str) -> str:
    """Say why a message does not go there."""
    where = str(address) if str(address) == host else f"{host} is {address}, which"
    if scheme == "http" and is_public(address):
        return f"{where} is public: use https"
    return (
        f"{where} is not of the public internet; the operator of this installation may allow its "
        "network with KUBESERVE_WEBHOOK_NETWORKS"
    )
