"""private_key_jwt: a client shows who it is by a JWT that it signed itself (RFC 7523).

Only our issuer is taken as its audience, as one string: who takes the token endpoint's address too
can be made to accept an assertion that was meant for another server (CVE-2025-27370).
"""

import base64
import hashlib
import json
from dataclasses import dataclass
from typing import Any, Final

from authlib.oauth2.rfc6749.errors import InvalidClientError
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, KeySet, RSAKey

from controlplane.texts import is_storable
from runtime.problems import InvalidInput

TYPE: Final = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
METHOD: Final = "private_key_jwt"
ALGORITHMS: Final = ["ES256", "RS256"]
LEEWAY_S: Final = 30
LONGEST_S: Final = 3600  # what stock clients ask for
LONGEST_TEXT: Final = 8192
LONGEST_ID: Final = 255
MOST_KEYS: Final = 10
RSA_BITS: Final = range(2048, 8192 + 1)
KEPT: Final = ("kty", "crv", "x", "y", "n", "e")  # of a key; what else it says is of no use here


@dataclass(frozen=True, slots=True)
class Assertion:
    """A verified assertion: its digest may be used once, until it expires (seconds since 1970)."""

    digest: str
    expires_at: int


def subject(assertion: str) -> str:
    """Give whom an assertion is of, before anything of it is verified; raises OAuth2Error."""
    try:
        if len(assertion) > LONGEST_TEXT or not assertion.isascii():
            raise ValueError("not an assertion")
        part = assertion.split(".")[1]
        raw = base64.b64decode(part + "=" * (-len(part) % 4), altchars=b"-_", validate=True)
        name = json.loads(raw)["sub"]
    except (ValueError, KeyError, IndexError, TypeError, RecursionError) as error:
        raise refused("it is no JWT with a sub") from error
    if not isinstance(name, str):
        raise refused("its sub is no text")
    return name


def verify(
    assertion: str, client_id: str, jwks: dict[str, Any] | None, issuer: str, now: int
) -> Assertion:
    """Verify an assertion of a client; raises OAuth2Error, in one sentence for every fault of keys.

    jwks  the client's public keys; None: it has none
    """
    try:
        keys = KeySet.import_key_set(jwks or {"keys": []})  # type: ignore[arg-type]  # JSON type
        token = jwt.decode(assertion, keys, algorithms=ALGORITHMS)
    except (JoseError, ValueError, TypeError, KeyError, RecursionError) as error:
        raise refused("its signature is not by a key of this client") from error
    claims = token.claims
    if not isinstance(token.header.get("kid"), str) or not set(token.header) <= {
        *("alg", "kid", "typ")
    }:
        raise refused("its header must have alg, kid and nothing else but typ")
    if claims.get("iss") != client_id or claims.get("sub") != client_id:
        raise refused("iss and sub must both be the client's id")
    if claims.get("aud") != issuer:
        raise refused(f"aud must be {issuer}, and nothing else")
    expires = _check_times(claims, now)
    jti = claims.get("jti")
    if not isinstance(jti, str) or not 0 < len(jti) <= LONGEST_ID or not is_storable(jti):
        raise refused(f"it needs a jti of 1 to {LONGEST_ID} characters")
    return Assertion(hashlib.sha256(f"{client_id}\n{jti}".encode()).hexdigest(), expires)


def _check_times(claims: dict[str, Any], now: int) -> int:
    times = [claims.get("exp"), claims.get("nbf", now), claims.get("iat", now)]
    if not all(type(time) in (int, float) and 0 <= time < 1 << 40 for time in times):
        raise refused("exp, and nbf and iat if they are there, must be times")
    expires, not_before, issued = times
    if now >= expires + LEEWAY_S or expires > now + LONGEST_S + LEEWAY_S:
        raise refused(f"exp must be ahead, by {LONGEST_S} s at most")
    if now < max(not_before, issued) - LEEWAY_S:
        raise refused("it is not valid yet; check the clocks")
    return int(expires) + LEEWAY_S


def refused(why: str) -> InvalidClientError:
    """Give the error for an assertion."""
    return InvalidClientError(description=f"The client assertion: {why}.", status_code=401)


def check_jwks(jwks: dict[str, Any]) -> dict[str, Any]:
    """Give a client's public keys as they are kept; raises InvalidInput."""
    listed = jwks.get("keys")
    if not isinstance(listed, list) or not 0 < len(listed) <= MOST_KEYS:
        raise InvalidInput(f"jwks must hold 1 to {MOST_KEYS} keys.", field="jwks")
    kept = [_public(key) for key in listed]
    if len({key["kid"] for key in kept}) != len(kept):
        raise InvalidInput("Two keys of jwks have the same kid.", field="jwks")
    return {"keys": kept}


def _public(given: object) -> dict[str, Any]:
    kid = given.get("kid") if isinstance(given, dict) else None
    if not isinstance(given, dict) or not isinstance(kid, str) or not 0 < len(kid) <= LONGEST_ID:
        raise InvalidInput(
            f"Every key of jwks needs a kid of 1 to {LONGEST_ID} characters.", field="jwks"
        )
    if {"d", "k", "p", "q"} & set(given):
        raise InvalidInput(
            "jwks holds a private key. Make a new one, keep it, and send its public part alone.",
            field="jwks",
        )
    try:
        key = (ECKey if given.get("kty") == "EC" else RSAKey).import_key(given)
    except (JoseError, ValueError, TypeError, KeyError) as error:
        raise InvalidInput(
            f"The key {kid[:60]!r} is no EC key on P-256 and no RSA key.", field="jwks"
        ) from error
    strong = key.curve_name == "P-256" if isinstance(key, ECKey) else _bits(key) in RSA_BITS
    if not strong:
        raise InvalidInput(
            f"The key {kid[:60]!r} must be on P-256, or RSA of {RSA_BITS[0]} to "
            f"{RSA_BITS[-1]} bits.",
            field="jwks",
        )
    kept = {name: value for name, value in key.as_dict(private=False).items() if name in KEPT}
    return {**kept, "kid": kid, "use": "sig"}


def _bits(key: RSAKey) -> int:
    return key.public_key.key_size
