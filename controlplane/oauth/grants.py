"""The grants: what a client may ask with, on objects that were read beforehand.

Each fills in an `Outcome`, which the service writes in the transaction it read in.
"""

import base64
import hashlib
import hmac
import secrets
import uuid
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any, Final

from authlib.oauth2.rfc6749 import OAuth2Error
from authlib.oauth2.rfc6749 import grants as authlib_grants
from authlib.oauth2.rfc6749.errors import (
    InvalidGrantError,
    InvalidRequestError,
    InvalidScopeError,
)
from authlib.oauth2.rfc7636 import CodeChallenge
from authlib.oauth2.rfc8628 import DeviceCodeGrant
from joserfc import jwt
from joserfc.jwk import ECKey

from controlplane.oauth import assertions
from controlplane.oauth.server import (
    METHODS,
    Answer,
    InvalidTargetError,
    KnownClient,
    Request,
    Server,
)
from controlplane.permissions import IDENTITY_SCOPES, Scope

CHALLENGE_LENGTH: Final = 43  # of a SHA-256 in base64url
ID_TOKEN_S: Final = 300
CONFIDENTIAL: Final = [method for method in METHODS if method != "none"]
NO_PREDICT: Final = "This needs the scope predict, which was not granted here."


@dataclass(frozen=True, slots=True)
class Audience:
    """Whom a token is for: the API, or one endpoint."""

    uri: str
    for_endpoint: bool


@dataclass(frozen=True, slots=True)
class Signer:
    """The active key and what every token of this server says."""

    issuer: str
    kid: str
    key: ECKey
    api_token_s: int
    predict_token_s: int


@dataclass(frozen=True, slots=True)
class Someone:
    """A person in a tenant, with what their role allows them at this moment."""

    id: uuid.UUID
    email: str
    name: str
    tenant: str
    scopes: frozenset[str]


@dataclass(frozen=True, slots=True)
class KnownCode:
    """An authorization code. `signed_in_at`: seconds since 1970."""

    client_id: str
    redirect_uri: str
    scopes: tuple[str, ...]
    code_challenge: str
    nonce: str | None
    signed_in_at: int
    expired: bool
    redeemed: bool
    code_challenge_method: str = "S256"

    def get_redirect_uri(self) -> str:
        """Give where it was sent."""
        return self.redirect_uri

    def get_scope(self) -> str:
        """Give what the person allowed."""
        return " ".join(self.scopes)


@dataclass(frozen=True, slots=True)
class KnownRefresh:
    """A refresh token.

    over    it, or the grant it belongs to, has ended
    reused  it was used before, and not just now
    """

    client_id: str
    scopes: tuple[str, ...]
    over: bool
    reused: bool

    def check_client(self, client: KnownClient) -> bool:
        """Tell whether it is this client's."""
        return client.id == self.client_id

    def get_scope(self) -> str:
        """Give what the person allowed."""
        return " ".join(self.scopes)


@dataclass(frozen=True, slots=True)
class KnownDevice:
    """A device code. `approved` None: nobody has decided yet."""

    client_id: str
    scopes: tuple[str, ...]
    approved: bool | None
    expired: bool
    redeemed: bool
    too_early: bool

    def get_client_id(self) -> str:
        """Name the client it was given to."""
        return self.client_id

    def get_scope(self) -> str:
        """Give what was asked for."""
        return " ".join(self.scopes)

    def get_user_code(self) -> None:
        """Give none: the row has the person's answer already."""

    def is_expired(self) -> bool:
        """Tell whether it is too late."""
        return self.expired


@dataclass(frozen=True, slots=True)
class Known:
    """What a request names, as it was read. `audience` None: the resource is none of ours."""

    client: KnownClient | None
    audience: Audience | None
    code: KnownCode | None = None
    refresh: KnownRefresh | None = None
    device: KnownDevice | None = None
    person: Someone | None = None


@dataclass(slots=True)
class Outcome:
    """What a request came to, beside its answer.

    issued     (jti, expiry) of the access token of a person
    refresh    whether a refresh token goes with it
    reused     a code or refresh token came twice: the grant ends
    polled     a device asked before its time (True) or in time (False)
    assertion  that was taken and must not come again
    """

    issued: tuple[str, int] | None = None
    refresh: bool = False
    reused: bool = False
    polled: bool | None = None
    assertion: assertions.Assertion | None = None


class _TokenServer(Server):
    def __init__(self, signer: Signer, known: Known, now: int) -> None:
        super().__init__(known.client, signer.issuer, now)
        self.signer, self.known, self.now = signer, known, now
        self.outcome = Outcome()
        self.register_grant(_ClientCredentials)
        self.register_grant(_Code, [_S256()])
        self.register_grant(_Refresh)
        self.register_grant(_Device)
        self.register_token_generator("default", self._for_person)
        self.register_token_generator("client_credentials", self._for_client)

    def _for_client(self, client: KnownClient, scope: str | None, **_: object) -> dict[str, Any]:
        audience = self._audience()
        granted = grant_scopes(scope, client.scopes, for_endpoint=audience.for_endpoint)
        return self._token(f"{client.kind}:{client.id}", client, client.tenant, granted, audience)

    def _for_person(
        self, client: KnownClient, user: Someone, scope: str, **asked: Any
    ) -> dict[str, Any]:
        audience = self._audience()
        wanted = fitting_scopes(scope, user.scopes, for_endpoint=audience.for_endpoint)
        token = self._token(f"user:{user.id}", client, user.tenant, wanted, audience)
        self.outcome.refresh = bool(asked.get("include_refresh_token"))
        if "openid" in wanted:
            token["id_token"] = self._id_token(client, user, token)
        return token

    def _audience(self) -> Audience:
        if self.known.audience is None:
            raise InvalidTargetError("There is no such resource; use the endpoint's audience.")
        return self.known.audience

    def _token(
        self,
        subject: str,
        client: KnownClient,
        tenant: str,
        granted: tuple[str, ...],
        audience: Audience,
    ) -> dict[str, Any]:
        signer = self.signer
        life_s = signer.predict_token_s if audience.for_endpoint else signer.api_token_s
        if client.ends is not None:
            life_s = min(life_s, client.ends - self.now)
        said = {
            "sub": subject,
            "client_id": client.id,
            "aud": audience.uri,
            "scope": " ".join(granted),
            "tenant": tenant,
        }
        claims = _dated(signer, said, self.now, life_s)
        if subject.startswith("user:"):
            self.outcome.issued = (str(claims["jti"]), self.now + life_s)
        return {
            "access_token": _signed(signer, "at+jwt", claims),
            "token_type": "Bearer",
            "expires_in": life_s,
            "scope": claims["scope"],
        }

    def _id_token(self, client: KnownClient, person: Someone, token: dict[str, Any]) -> str:
        code = self.known.code
        half = hashlib.sha256(token["access_token"].encode()).digest()[:16]
        claims = {
            "iss": self.signer.issuer,
            "sub": f"user:{person.id}",
            "aud": client.id,
            "iat": self.now,
            "exp": self.now + ID_TOKEN_S,
            "at_hash": base64.urlsafe_b64encode(half).rstrip(b"=").decode(),
            **identity(person.email, person.name, token["scope"].split()),
        }
        if code is not None:
            claims["auth_time"] = code.signed_in_at
            if code.nonce is not None:
                claims["nonce"] = code.nonce
        return _signed(self.signer, "JWT", claims)


class _ClientCredentials(authlib_grants.ClientCredentialsGrant):  # type: ignore[misc]  # untyped
    TOKEN_ENDPOINT_AUTH_METHODS: Final = CONFIDENTIAL


class _S256(CodeChallenge):  # type: ignore[misc]  # Authlib has no types
    """PKCE for every client, by SHA-256 alone."""

    SUPPORTED_CODE_CHALLENGE_METHOD: Final = ["S256"]

    def __init__(self) -> None:
        super().__init__(required=True)
        self.CODE_CHALLENGE_METHODS = {"S256": _is_verifier_of}

    def validate_code_challenge(self, grant: "_Code", redirect_uri: str) -> None:
        """Refuse a request without a challenge."""
        form = grant.request.payload.data
        if len(form.get("code_challenge", "")) != CHALLENGE_LENGTH:
            raise InvalidRequestError(
                "Send code_challenge: the SHA-256 of code_verifier in base64url (RFC 7636)."
            )
        if form.get("code_challenge_method") != "S256":
            raise InvalidRequestError("code_challenge_method must be S256.")
        super().validate_code_challenge(grant, redirect_uri)


def _is_verifier_of(verifier: str, challenge: str) -> bool:
    found = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=")
    return hmac.compare_digest(found, challenge.encode())


class _Code(authlib_grants.AuthorizationCodeGrant):  # type: ignore[misc]  # Authlib has no types
    TOKEN_ENDPOINT_AUTH_METHODS: Final = list(METHODS)
    server: Any

    def query_authorization_code(self, code: str, client: KnownClient) -> KnownCode:
        found: KnownCode | None = self.server.known.code
        if found is None or found.client_id != client.id:
            raise InvalidGrantError("This code is not known here.")
        if found.redeemed:
            self.server.outcome.reused = True
            raise InvalidGrantError("This code was used before; what it gave is revoked.")
        if found.expired:
            raise InvalidGrantError("This code has expired; sign in again.")
        return found

    def authenticate_user(self, authorization_code: KnownCode) -> Someone:
        return _still_there(self.server.known.person)

    def save_authorization_code(self, code: str, request: Request) -> None:
        """Keep nothing: the service makes codes."""

    def delete_authorization_code(self, authorization_code: KnownCode) -> None:
        """Delete nothing: a code that was redeemed is kept, to see it come again."""


class _Refresh(authlib_grants.RefreshTokenGrant):  # type: ignore[misc]  # Authlib has no types
    TOKEN_ENDPOINT_AUTH_METHODS: Final = list(METHODS)
    INCLUDE_NEW_REFRESH_TOKEN: Final = True
    server: Any

    def authenticate_refresh_token(self, refresh_token: str) -> KnownRefresh:
        found: KnownRefresh | None = self.server.known.refresh
        if found is None or not found.check_client(self.server.known.client):
            raise InvalidGrantError("This refresh token is not known here; sign in again.")
        if found.over:
            raise InvalidGrantError("This sign-in has ended; sign in again.")
        if found.reused:
            self.server.outcome.reused = True
            raise InvalidGrantError("This refresh token was used before; sign in again.")
        return found

    def authenticate_user(self, refresh_token: KnownRefresh) -> Someone:
        return _still_there(self.server.known.person)

    def revoke_old_credential(self, refresh_token: KnownRefresh) -> None:
        """Revoke nothing: that it was used is in the outcome."""


class _Device(DeviceCodeGrant):  # type: ignore[misc]  # Authlib has no types
    TOKEN_ENDPOINT_AUTH_METHODS: Final = list(METHODS)
    server: Any

    def query_device_credential(self, device_code: str) -> KnownDevice:
        found: KnownDevice | None = self.server.known.device
        if found is None or found.client_id != self.server.known.client.id:
            raise InvalidGrantError("This device code is not known here.")
        if found.redeemed:
            raise InvalidGrantError("This device code was used before.")
        return found

    def query_user_grant(self, user_code: None) -> tuple[Someone | None, bool] | None:
        device: KnownDevice = self.server.known.device
        if device.approved is None:
            self.server.outcome.polled = device.too_early
            return None
        person = _still_there(self.server.known.person) if device.approved else None
        return person, device.approved

    def should_slow_down(self, credential: KnownDevice) -> bool:
        return credential.too_early


class _Consent(Server):
    """Validates what a browser asks for; the service makes the code."""

    def __init__(self, client: KnownClient, issuer: str) -> None:
        super().__init__(client, issuer, 0)
        self.register_grant(_Code, [_S256()])


def _still_there(person: Someone | None) -> Someone:
    if person is None:
        raise InvalidGrantError("Whoever allowed this is no member of the tenant any more.")
    return person


def identity(email: str, name: str, scopes: Collection[str]) -> dict[str, Any]:
    """Give what is told of a person to who has the scopes for it (OpenID Connect Core, 5.4)."""
    told: dict[str, Any] = {}
    if "email" in scopes:
        # An address was typed in by whoever made the account; no mail was ever sent to it.
        told |= {"email": email, "email_verified": False}
    if "profile" in scopes:
        told["name"] = name
    return told


def grant_scopes(
    asked: str | None, allowed: tuple[str, ...], *, for_endpoint: bool
) -> tuple[str, ...]:
    """Give the scopes of a client's token: those asked for, or all that fit the audience."""
    fitting = [s for s in allowed if (s == Scope.PREDICT) == for_endpoint]
    wanted = asked.split() if asked else fitting
    if for_endpoint and not fitting:
        raise InvalidScopeError(NO_PREDICT)
    if not wanted or not set(wanted) <= set(fitting):
        raise InvalidScopeError(
            f"This client may ask for: {' '.join(fitting) or 'nothing here'}. The scope predict "
            "goes with resource=ENDPOINT AUDIENCE, the others without it."
        )
    return tuple(dict.fromkeys(wanted))


def fitting_scopes(granted: str, role: frozenset[str], *, for_endpoint: bool) -> tuple[str, ...]:
    """Give the scopes of a person's token: granted, still theirs by role, and for the audience."""
    theirs = role | set(IDENTITY_SCOPES)
    found = [s for s in granted.split() if s in theirs and (s == Scope.PREDICT) == for_endpoint]
    if for_endpoint and not found:
        raise InvalidScopeError(NO_PREDICT)
    if not found:
        raise InvalidScopeError(
            f"Of what was granted ({granted or 'nothing'}), nothing fits. The scope predict goes "
            "with resource=ENDPOINT AUDIENCE, the others without it; roles bound both."
        )
    return tuple(dict.fromkeys(found))


def issue(signer: Signer, request: Request, known: Known, now: int) -> tuple[Answer, Outcome]:
    """Run a grant; gives the answer in OAuth's own shape and what has to be written."""
    server = _TokenServer(signer, known, now)
    answer: Answer = server.create_token_response(request)
    server.outcome.assertion = server.assertion
    return answer, server.outcome


def on_behalf(signer: Signer, said: dict[str, str], now: int) -> str:
    """Give a token for one endpoint to whom nothing was granted by a request.

    said  sub, client_id, aud, tenant; whether that subject may predict was looked up
    """
    said = {**said, "scope": str(Scope.PREDICT)}
    return _signed(signer, "at+jwt", _dated(signer, said, now, signer.predict_token_s))


def _dated(signer: Signer, said: dict[str, str], now: int, life_s: int) -> dict[str, Any]:
    dates = {"iat": now, "exp": now + life_s}
    return {"iss": signer.issuer, **said, **dates, "jti": secrets.token_urlsafe(16)}


def _signed(signer: Signer, kind: str, claims: dict[str, Any]) -> str:
    header = {"alg": "ES256", "typ": kind, "kid": signer.kid}
    return jwt.encode(header, claims, signer.key, algorithms=["ES256"])


def check_authorization(client: KnownClient, issuer: str, request: Request) -> None:
    """Check what a browser was sent with, but for the redirect URI; raises OAuth2Error."""
    if request.payload.response_type != "code":
        # Authlib would put the value into its description, which must be of few characters.
        raise OAuth2Error("response_type must be code.", error="unsupported_response_type")
    _Consent(client, issuer).get_consent_grant(request)
    check_scopes(request.payload.scope)


def check_scopes(scope: str | None) -> None:
    """Refuse scopes that nobody has; raises OAuth2Error."""
    if scope and not set(scope.split()) <= {*map(str, Scope), *IDENTITY_SCOPES}:
        raise InvalidScopeError("One of the scopes is not known here.")
