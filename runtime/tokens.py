"""Access tokens and the endpoint's own API keys, verified offline.

A token is an RFC 9068 JWT signed with ES256, for one audience, which is one endpoint.

Over `cryptography` alone: a JOSE library costs a hundred milliseconds of imports at a cold start.
A verified token is remembered, by its BLAKE2 hash, until it expires: a busy caller costs
a microsecond.

The keys file holds `{"keys": [JWK...], "revoked": {"jtis": {...}, "clients": {...}, "subjects":
{...}, "before": t}, "api_keys": {AUDIENCE: {SHA-256 of the key: {"id", "tenant", "exp"}}}}`.
`metrics` is the SHA-256 of what whoever reads the metrics of all endpoints sends, if anybody may.
`before` is there when too many of a tenant were revoked lately to be named: then all older tokens
of the tenant are. An API key that is not listed is none. A pod that cannot have a file that changes
is given a first one, and newer ones signed (`renew`).
"""

import base64
import binascii
import json
import os
from collections import OrderedDict
from collections.abc import Callable
from hashlib import blake2b, sha256
from typing import Any, Final, NamedTuple

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec, utils
from cryptography.hazmat.primitives.hashes import SHA256

from runtime.plan.ops import override
from runtime.problems import Forbidden, Unauthenticated
from runtime.resource import challenge

LEEWAY_S: Final = 30
MAX_TOKEN_BYTES: Final = 8192
MAX_CACHED: Final = 10_000
LOOK_AGAIN_S: Final = 1.0
COORDINATE_BYTES: Final = 32
API_KEY: Final = "ks_"  # what every API key begins with
NAMES: Final = {"at+jwt": "an access token", "keys+jwt": "a list of keys"}
ALLOWED_HEADER: Final = frozenset({"alg", "typ", "kid"})


class Es256(ec.ECDSA):
    """What `verify` is told of a signature: ECDSA over SHA-256.

    Without the constructor of ECDSA, which imports every cipher to learn how signing could be done:
    6 ms and 0.8 MB that nobody who only verifies needs.
    """

    def __init__(self) -> None:
        self._sha256 = SHA256()

    @property
    @override
    def algorithm(self) -> SHA256:
        return self._sha256

    @property
    @override
    def deterministic_signing(self) -> bool:
        return False


ES256: Final = Es256()


class Claims(NamedTuple):
    """What a verified token says."""

    tenant: str
    client: str
    subject: str
    scopes: frozenset[str]
    jti: str
    issued_at: int
    expires_at: int


class KeySet(NamedTuple):
    """One state of the keys file.

    api_keys    of the endpoint, by SHA-256
    metrics     SHA-256 of the token that reads metrics; empty: none does
    not_before  holds for all tokens
    """

    keys: dict[str, ec.EllipticCurvePublicKey]
    revoked_jtis: frozenset[str]
    clients_not_before: dict[str, float]
    subjects_not_before: dict[str, float]
    api_keys: dict[str, Claims]
    not_before: float = 0
    metrics: str = ""


class TokenVerifier:
    """Checks bearer tokens for one audience; `refresh()` is called each second."""

    def __init__(
        self,
        keys_file: str | os.PathLike[str],
        issuer: str,
        audience: str,
        *,
        clock: Callable[[], float],
        scope: str = "predict",
    ) -> None:
        self._file, self._clock = keys_file, clock
        self._issuer, self._audience, self._scope = issuer, audience, scope
        self._stamp: tuple[int, int, int] | None = None
        self._set = KeySet({}, frozenset(), {}, {}, {})
        self._renewed = 0
        self._cache: OrderedDict[bytes, Claims] = OrderedDict()
        self._looked = clock()
        self.refresh()

    def refresh(self) -> bool:
        """Read the keys file again if it changed; an unreadable one keeps the last good set."""
        try:
            stat = os.stat(self._file)
            stamp = (stat.st_mtime_ns, stat.st_size, stat.st_ino)
            if stamp == self._stamp:
                return False
            with open(self._file, "rb") as file:
                fresh = read_keys(file.read(), self._audience)
        except (OSError, ValueError):
            return False
        self._stamp, self._set = stamp, fresh
        self._cache.clear()
        return True

    def renew(self, signed: bytes) -> None:
        """Take newer keys; raises ValueError unless a key that is known here has signed them.

        signed  a JWS of type keys+jwt, whose payload is a keys file with `iat`
        """
        try:
            document = self._signed(signed.decode("ascii"), "keys+jwt")
        except InvalidSignature as error:
            raise ValueError("the signature of the keys is not ours") from error
        issued = _instant(document, "iat")
        if issued < self._renewed:
            raise ValueError("the keys are older than those that are known")
        self._set, self._renewed = _key_set(document, self._audience), issued
        self._cache.clear()

    def verify(self, authorization: bytes | str | None) -> Claims:
        """Check the Authorization header; raises Unauthenticated or Forbidden."""
        if authorization is None:
            unknown = Unauthenticated("Send an access token: `Authorization: Bearer TOKEN`.")
            unknown.challenge = challenge(self._issuer, self._audience)
            raise unknown
        if isinstance(authorization, str):
            authorization = authorization.encode("utf-8", "surrogatepass")
        cache, key = self._cache, blake2b(authorization, digest_size=32).digest()
        known = cache.get(key)
        if known is not None:
            if self._clock() < known.expires_at + LEEWAY_S:
                cache.move_to_end(key)
                return known
            del cache[key]
        try:
            claims = self._verify(authorization)
        except Unauthenticated as refused:
            refused.challenge = challenge(self._issuer, self._audience, "invalid_token")
            raise
        if len(cache) >= MAX_CACHED:
            cache.popitem(last=False)
        cache[key] = claims
        return claims

    def may_scrape(self, authorization: bytes | None) -> bool:
        """Tell whether somebody reads the metrics of all endpoints: a Prometheus."""
        if authorization is None or not self._set.metrics:
            return False
        try:
            sent = sha256(_bearer(authorization).encode()).hexdigest()
        except ValueError:
            return False
        # Of digests, how long it takes tells nothing of use; hmac would bring OpenSSL to a start.
        return sent == self._set.metrics

    def _verify(self, authorization: bytes) -> Claims:
        try:
            text = _bearer(authorization)
            if text.startswith(API_KEY):
                return self._of_api_key(text)
            claims = self._claims(text)
        except (ValueError, InvalidSignature) as error:
            reason = str(error) or "its signature is not ours"
            raise Unauthenticated(f"The access token is not valid: {reason}.") from error
        if self._scope not in claims.scopes:
            raise Forbidden(f"This token lacks the scope {self._scope!r}.", scope=self._scope)
        return claims

    def _of_api_key(self, text: str) -> Claims:
        """Find one of this endpoint's own keys; raises Unauthenticated."""
        from runtime.api_keys import Kind, digest, kind_of, public_id

        public = public_id(text)
        if public is None:
            raise Unauthenticated("The API key is mistyped: its checksum does not fit.")
        if kind_of(public) is not Kind.ENDPOINT:
            raise Unauthenticated(
                "This API key opens more than one endpoint, so no endpoint may see it: exchange it"
                " at /oauth2/token for a token with resource=" + self._audience
            )
        found = self._set.api_keys.get(digest(text))
        if found is None and self._look_again():
            found = self._set.api_keys.get(digest(text))
        if found is None:
            raise Unauthenticated("The API key was revoked, or is for another endpoint.")
        if self._clock() >= found.expires_at + LEEWAY_S:
            raise Unauthenticated("The API key has expired; make a new one.")
        return found

    def _claims(self, token: str) -> Claims:
        if len(token) > MAX_TOKEN_BYTES:
            raise ValueError("it is not a signed JWT")
        return self._checked(self._signed(token, "at+jwt"))

    def _signed(self, jws: str, kind: str) -> dict[str, Any]:
        """Give the payload of a JWS of a kind, signed with a key of ours."""
        parts = jws.split(".")
        if len(parts) != 3:
            raise ValueError("it is not a signed JWT")
        key = self._key(_json(_decode(parts[0])), kind)
        signature = _decode(parts[2])
        if len(signature) != 2 * COORDINATE_BYTES:
            raise ValueError("its signature has the wrong length")
        r = int.from_bytes(signature[:COORDINATE_BYTES])
        s = int.from_bytes(signature[COORDINATE_BYTES:])
        signed = f"{parts[0]}.{parts[1]}".encode()
        key.verify(utils.encode_dss_signature(r, s), signed, ES256)
        return _json(_decode(parts[1]))

    def _key(self, header: dict[str, Any], kind: str) -> ec.EllipticCurvePublicKey:
        if not set(header) <= ALLOWED_HEADER:
            raise ValueError("its header holds more than alg, typ and kid")
        if header.get("alg") != "ES256":
            raise ValueError("it is not signed with ES256")
        if header.get("typ") != kind:
            raise ValueError(f"it is not {NAMES[kind]} (typ {kind})")
        kid = header.get("kid")
        if not isinstance(kid, str):
            raise ValueError("its header has no kid")
        key = self._set.keys.get(kid)
        if key is None and self._look_again():
            key = self._set.keys.get(kid)
        if key is None:
            raise ValueError("it is signed with a key that is not known here")
        return key

    def _look_again(self) -> bool:
        """Refresh for a key that is not known, at most once a second: anyone may name any key."""
        now = self._clock()
        if now - self._looked < LOOK_AGAIN_S:
            return False
        self._looked = now
        return self.refresh()

    def _checked(self, claims: dict[str, Any]) -> Claims:
        now = self._clock()
        if claims.get("iss") != self._issuer:
            raise ValueError("another issuer gave it")
        audience = claims.get("aud")
        if isinstance(audience, list) and len(audience) == 1:
            audience = audience[0]
        if audience != self._audience:
            raise ValueError(
                "it is for another audience; ask for one with resource=" + self._audience
            )
        expires, issued = _instant(claims, "exp"), _instant(claims, "iat")
        if now >= expires + LEEWAY_S:
            raise ValueError("it has expired")
        not_before = _instant(claims, "nbf") if "nbf" in claims else issued
        if now < max(issued, not_before) - LEEWAY_S:
            raise ValueError("it is not valid yet")
        found = Claims(
            tenant=_text(claims, "tenant"),
            client=_text(claims, "client_id"),
            subject=_text(claims, "sub"),
            scopes=frozenset(_text(claims, "scope").split(" ")),
            jti=_text(claims, "jti"),
            issued_at=issued,
            expires_at=expires,
        )
        if found.jti in self._set.revoked_jtis:
            raise ValueError("it was revoked")
        if issued < self._set.not_before:
            raise ValueError("too many were revoked lately to name each; get a new token")
        if issued < self._set.clients_not_before.get(found.client, 0):
            raise ValueError("its client was revoked")
        if issued < self._set.subjects_not_before.get(found.subject, 0):
            raise ValueError("it was revoked: whoever it is of may do less since")
        return found


def read_keys(document: bytes, audience: str) -> KeySet:
    """Read a keys file; raises ValueError when it is not one. Other kinds of keys are left out.

    audience  of the endpoint whose API keys are taken
    """
    return _key_set(_json(document), audience)


def _key_set(parsed: dict[str, Any], audience: str) -> KeySet:
    listed, revoked = parsed.get("keys"), parsed.get("revoked", {})
    if not isinstance(listed, list) or not isinstance(revoked, dict):
        raise ValueError("it must hold a list of keys and an object of what is revoked")
    keys = {}
    for jwk in listed:
        if not isinstance(jwk, dict):
            raise ValueError("a key must be an object")
        if (jwk.get("kty"), jwk.get("crv"), jwk.get("alg", "ES256")) == ("EC", "P-256", "ES256"):
            x, y = (int.from_bytes(_decode(_text(jwk, name))) for name in ("x", "y"))
            point = ec.EllipticCurvePublicNumbers(x, y, ec.SECP256R1())
            keys[_text(jwk, "kid")] = point.public_key()
    jtis = revoked.get("jtis", {})
    if not isinstance(jtis, dict):
        raise ValueError("the revoked jtis must be an object")
    before = revoked.get("before", 0)
    if type(before) not in (int, float):
        raise ValueError("tokens are revoked from a time on")
    clients, subjects = _not_before(revoked, "clients"), _not_before(revoked, "subjects")
    ours = _api_keys(parsed.get("api_keys", {}), audience)
    metrics = parsed.get("metrics", "")
    if not isinstance(metrics, str):
        raise ValueError("what reads metrics is named by its SHA-256")
    return KeySet(keys, frozenset(jtis), clients, subjects, ours, before, metrics)


def _not_before(revoked: dict[str, Any], what: str) -> dict[str, float]:
    """Read since when tokens of a client or subject are taken; the older ones are revoked."""
    found = revoked.get(what, {})
    if not isinstance(found, dict):
        raise ValueError(f"the revoked {what} must be an object")
    if not all(type(since) in (int, float) for since in found.values()):
        raise ValueError(f"{what} are revoked from a time on")
    return found


def _api_keys(listed: object, audience: str) -> dict[str, Claims]:
    ours = listed.get(audience, {}) if isinstance(listed, dict) else None
    if not isinstance(ours, dict) or not all(isinstance(entry, dict) for entry in ours.values()):
        raise ValueError("API keys must be objects by audience and SHA-256")
    return {
        sha256_hex: Claims(
            tenant=_text(entry, "tenant"),
            client=_text(entry, "id"),
            subject=f"key:{_text(entry, 'id')}",
            scopes=frozenset(("predict",)),
            jti="",
            issued_at=0,
            expires_at=_instant(entry, "exp"),
        )
        for sha256_hex, entry in ours.items()
    }


def _bearer(header: bytes) -> str:
    scheme, _, token = header.decode("ascii").partition(" ")
    if scheme.lower() != "bearer" or not token:
        raise ValueError("the Authorization header must be `Bearer TOKEN`")
    return token


def _decode(text: str) -> bytes:
    """Read base64url without padding, in its one canonical spelling."""
    try:
        raw = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError) as error:
        raise ValueError("it is not base64url") from error
    if base64.urlsafe_b64encode(raw).rstrip(b"=").decode() != text:
        raise ValueError("it is not canonical base64url")
    return raw


def _json(raw: bytes) -> dict[str, Any]:
    try:
        value: object = json.loads(
            raw.decode("utf-8"), object_pairs_hook=_once, parse_constant=_none_such
        )
    except RecursionError as error:
        raise ValueError("it is nested too deeply") from error
    if not isinstance(value, dict):
        raise ValueError("it is not a JSON object")
    return value


def _none_such(literal: str) -> None:
    raise ValueError(f"{literal} is not JSON")


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("it names a member twice")
    return found


def _instant(claims: dict[str, Any], name: str) -> int:
    value = claims.get(name)
    if type(value) is not int or not 0 <= value < 1 << 40:
        raise ValueError(f"{name} is not a time")
    return value


def _text(claims: dict[str, Any], name: str) -> str:
    value = claims.get(name)
    if not isinstance(value, str) or not value:
        raise ValueError(f"it has no {name}")
    return value
