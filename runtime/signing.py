"""AWS Signature Version 4 of a GET without a body, for object stores that speak S3.

Source: "Authenticating Requests (AWS Signature Version 4)", Amazon S3 API reference.
"""

import hashlib
import hmac
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final
from urllib.parse import quote

EMPTY: Final = hashlib.sha256(b"").hexdigest()
ALGORITHM: Final = "AWS4-HMAC-SHA256"


@dataclass(frozen=True, slots=True)
class Credentials:
    """Who asks; `session_token` belongs to temporary ones."""

    access_key: str
    secret_key: str = field(repr=False)
    session_token: str | None = field(default=None, repr=False)


def signed(
    host: str, path: str, region: str, who: Credentials, now: datetime, extra: dict[str, str]
) -> dict[str, str]:
    """Give the headers of `GET path` at `host`, `extra` among them; all of them are signed.

    path  not yet quoted, with its slash in front
    """
    at = now.astimezone(UTC).strftime("%Y%m%dT%H%M%SZ")
    headers = {"host": host, "x-amz-content-sha256": EMPTY, "x-amz-date": at}
    headers |= {name.lower(): value for name, value in extra.items()}
    if who.session_token:
        headers["x-amz-security-token"] = who.session_token
    names = ";".join(sorted(headers))
    lines = "".join(f"{name}:{headers[name].strip()}\n" for name in sorted(headers))
    request = "\n".join(("GET", quoted(path), "", lines, names, EMPTY))
    scope = f"{at[:8]}/{region}/s3/aws4_request"
    digest = hashlib.sha256(request.encode()).hexdigest()
    key = f"AWS4{who.secret_key}".encode()
    for part in (at[:8], region, "s3", "aws4_request"):
        key = _mac(key, part)
    signature = _mac(key, "\n".join((ALGORITHM, at, scope, digest))).hex()
    credential = f"Credential={who.access_key}/{scope}"
    headers["authorization"] = (
        f"{ALGORITHM} {credential},SignedHeaders={names},Signature={signature}"
    )
    return headers


def quoted(path: str) -> str:
    """Write a path the way it is signed."""
    return quote(path, safe="/-_.~")


def _mac(key: bytes, text: str) -> bytes:
    return hmac.new(key, text.encode(), hashlib.sha256).digest()
