"""API keys as text: what they look like, and whether one is spelled right. Standard library only.

    ks_<kind>_<id>_<secret><checksum>

kind      `api`: exchanged at the token endpoint for tokens; `ep`: for one endpoint, sent to it
id        16 hexadecimal digits, public
secret    43 letters and digits, 256 bits
checksum  CRC-32 of all before it, 6 letters and digits

The prefix is for scanners of secrets; the checksum tells a mistyped key, and what only looks like
one, without asking anybody.
"""

import re
import zlib
from enum import StrEnum
from hashlib import sha256
from typing import Final

ALPHABET: Final = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
SECRET_LENGTH: Final = 43  # 62 ** 43 is just above 2 ** 256
CHECKSUM_LENGTH: Final = 6  # 62 ** 6 is above 2 ** 32
PREFIX: Final = "ks_"
KEY: Final = re.compile(r"(ks_(api|ep)_([0-9a-f]{16}))_[0-9A-Za-z]{49}")
PUBLIC_ID: Final = re.compile(r"ks_(api|ep)_[0-9a-f]{16}")


class Kind(StrEnum):
    """What a key opens: the API by exchange, or one endpoint by itself."""

    API = "api"
    ENDPOINT = "ep"


def spelled(kind: Kind, key_id: str, secret: str) -> str:
    """Write a key."""
    text = f"ks_{kind}_{key_id}_{secret}"
    return text + _checksum(text)


def public_id(text: str) -> str | None:
    """Give the public part of a key; None when it is not spelled as ours are."""
    found = KEY.fullmatch(text)
    if found is None or _checksum(text[:-CHECKSUM_LENGTH]) != text[-CHECKSUM_LENGTH:]:
        return None
    return found.group(1)


def kind_of(public: str) -> Kind:
    """Tell the kind from a public id."""
    return Kind(public.split("_")[1])


def digest(text: str) -> str:
    """Give what is kept of a key, hexadecimal: 256 random bits need no slow hash."""
    return sha256(text.encode()).hexdigest()


def _checksum(text: str) -> str:
    rest, digits = zlib.crc32(text.encode()), ""
    for _ in range(CHECKSUM_LENGTH):
        rest, digit = divmod(rest, len(ALPHABET))
        digits = ALPHABET[digit] + digits
    return digits
