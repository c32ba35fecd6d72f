"""Text from logs and clusters without the secrets that happen to be in it. Pure."""

import re
from typing import Final

MOST: Final = 2000
HIDDEN: Final = "[hidden]"
# Each pattern keeps its first group.
_SECRETS: Final = tuple(
    re.compile(pattern, re.IGNORECASE)
    for pattern in (
        r"(\beyJ)[\w-]{5,}\.[\w-]+\.[\w-]*",  # a JWT
        r"(\b(?:bearer|basic)\s+)[\w.~+/=-]{8,}",
        r"(\b(?:A3T|AKIA|ASIA)[A-Z0-9]{4})[A-Z0-9]{8,}\b",  # an access key
        r"(X-Amz-(?:Signature|Credential|Security-Token)=)[^&\s\"']+",
        r"(\b[a-z][a-z0-9+.-]*://[^/\s:@]*:)[^/\s@]+(?=@)",  # a password in an address
        (
            r"([\w-]*(?:secret|password|passwd|token|api_?key|private_?key)[\w-]*"
            r"[\"']?\s*[=:]\s*[\"']?)(?!\s)[^\s\"',;&]{6,}"
        ),
        r"(-----BEGIN [A-Z ]*PRIVATE KEY-----).*",
    )
)


def redacted(text: str, most: int = MOST) -> str:
    """Hide what looks like a credential, and what is too long to be read."""
    text = text[:most]
    for pattern in _SECRETS:
        text = pattern.sub(rf"\1{HIDDEN}", text)
    return text
