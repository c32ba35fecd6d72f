"""The authorization server: Authlib's core on rows that were read beforehand.

Authlib is synchronous and the database is not, so the service reads the client and the resource
first, this module runs the grant on plain objects, and nothing here touches a database.
"""

import base64
import binascii
import hashlib
import hmac
import secrets
import urllib.parse
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from authlib.oauth2.rfc6749 import AuthorizationServer, OAuth2Error, OAuth2Payload, OAuth2Request
from authlib.oauth2.rfc6749.errors import InvalidClientError, InvalidRequestError, InvalidScopeError
from authlib.oauth2.rfc6749.grants import ClientCredentialsGrant
from joserfc import jwt
from joserfc.jwk import ECKey

from controlplane.permissions import Scope

METHODS: Final = ("client_secret_basic", "client_secret_post")


class InvalidTargetError(OAuth2Error):  # type: ignore[misc]  # Authlib has no types
    """RFC 8707: the resource is unknown, or not the client's."""

    error = "invalid_target"


@dataclass(frozen=True, slots=True)
class KnownClient:
    """A client as the grant sees it.

    kind  of the subject of its tokens: a program (`client`), or an API key (`key`)
    ends  when it expires, as its tokens do at the latest
    """

    id: str
    tenant: str
    secret_sha256: str
    scopes: tuple[str, ...]
    kind: str = "client"
    ends: int | None = None

    def get_client_id(self) -> str:
        """Name it, for Authlib."""
        return self.id

    def check_client_secret(self, secret: str) -> bool:
        """Compare in constant time; a 256-bit random secret needs no slow hash."""
        return hmac.compare_digest(digest(secret), self.secret_sha256)

    def check_endpoint_auth_method(self, method: str, endpoint: str) -> bool:  # noqa: ARG002
        """Allow both ways to send a secret."""
        return method in METHODS

    def check_grant_type(self, grant_type: str) -> bool:
        """Allow client credentials only."""
        return grant_type == "client_credentials"


def digest(secret: str) -> str:
    """Give what is kept of a client secret."""
    return hashlib.sha256(secret.encode()).hexdigest()


# Compared against when there is no such client, so that both cases take the same time.
NOBODY: Final = KnownClient("", "", digest(secrets.token_hex(32)), ())


@dataclass(frozen=True, slots=True)
class TokenRequest:
    """A parsed request for a token. `client`: the row, or None if there is no such client."""

    form: dict[str, str]
    headers: dict[str, str]
    uri: str
    client: KnownClient | None
    audience: str
    for_endpoint: bool


@dataclass(frozen=True, slots=True)
class Signer:
    """The active key and what every token of this server says."""

    issuer: str
    kid: str
    key: ECKey
    api_token_s: int
    predict_token_s: int


class _Payload(OAuth2Payload):  # type: ignore[misc]  # Authlib has no types
    def __init__(self, form: dict[str, str]) -> None:
        self._form = form

    @property
    def data(self) -> dict[str, str]:
        return self._form

    @property
    def datalist(self) -> dict[str, list[str]]:
        return {name: [value] for name, value in self._form.items()}


class _Request(OAuth2Request):  # type: ignore[misc]  # Authlib has no types
    def __init__(self, request: TokenRequest) -> None:
        super().__init__("POST", request.uri, headers=request.headers)
        self.asked = request
        self.payload = _Payload(request.form)

    @property
    def form(self) -> dict[str, str]:
        return self.asked.form

    @property
    def args(self) -> dict[str, str]:
        return {}


class _ClientCredentials(ClientCredentialsGrant):  # type: ignore[misc]  # Authlib has no types
    TOKEN_ENDPOINT_AUTH_METHODS: Final = list(METHODS)

    def authenticate_token_endpoint_client(self) -> KnownClient:
        """Say nothing of why it failed."""
        try:
            client: KnownClient = super().authenticate_token_endpoint_client()
        except InvalidClientError as error:
            raise not_authenticated() from error
        return client


class _Server(AuthorizationServer):  # type: ignore[misc]  # Authlib has no types
    def __init__(self, signer: Signer, request: TokenRequest, now: int) -> None:
        super().__init__()
        self._signer, self._request, self._now = signer, request, now
        self.register_grant(_ClientCredentials)
        self.register_token_generator("default", self._token)

    def query_client(self, client_id: str) -> KnownClient:  # noqa: ARG002  (read beforehand)
        return self._request.client or NOBODY

    def save_token(self, token: dict[str, Any], request: OAuth2Request) -> None:
        """Keep nothing: access tokens are verified offline."""

    def send_signal(self, name: str, *args: object, **kwargs: object) -> None:
        """Tell nobody."""

    def create_oauth2_request(self, request: TokenRequest) -> _Request:
        return _Request(request)

    def handle_response(
        self, status: int, body: dict[str, Any], headers: list[tuple[str, str]]
    ) -> tuple[int, dict[str, Any], dict[str, str]]:
        return status, body, dict(headers)

    def validate_requested_scope(self, scope: str | None) -> None:
        """Leave scopes to the generator, which knows client and audience."""

    def _token(self, client: KnownClient, scope: str | None, **_: object) -> dict[str, Any]:
        signer, request = self._signer, self._request
        granted = grant_scopes(scope, client.scopes, for_endpoint=request.for_endpoint)
        life_s = signer.predict_token_s if request.for_endpoint else signer.api_token_s
        if client.ends is not None:
            life_s = min(life_s, client.ends - self._now)
        claims = {
            "iss": signer.issuer,
            "sub": f"{client.kind}:{client.id}",
            "client_id": client.id,
            "aud": request.audience,
            "iat": self._now,
            "exp": self._now + life_s,
            "jti": secrets.token_urlsafe(16),
            "scope": " ".join(granted),
            "tenant": client.tenant,
        }
        header = {"alg": "ES256", "typ": "at+jwt", "kid": signer.kid}
        return {
            "access_token": jwt.encode(header, claims, signer.key, algorithms=["ES256"]),
            "token_type": "Bearer",
            "expires_in": life_s,
            "scope": claims["scope"],
        }


def grant_scopes(
    asked: str | None, allowed: tuple[str, ...], *, for_endpoint: bool
) -> tuple[str, ...]:
    """Give the scopes of a token: those asked for, or all that fit the audience."""
    fitting = [s for s in allowed if (s == Scope.PREDICT) == for_endpoint]
    wanted = asked.split() if asked else fitting
    if not wanted or not set(wanted) <= set(fitting):
        raise InvalidScopeError(
            f"This client may ask for: {' '.join(fitting) or 'nothing here'}. The scope predict "
            "goes with resource=ENDPOINT AUDIENCE, the others without it."
        )
    return tuple(dict.fromkeys(wanted))


def issue(
    signer: Signer, request: TokenRequest, now: int
) -> tuple[int, dict[str, Any], dict[str, str]]:
    """Run the grant; gives status, body and headers in OAuth's own shape."""
    server = _Server(signer, request, now)
    answer: tuple[int, dict[str, Any], dict[str, str]] = server.create_token_response(request)
    return answer


def parse_form(body: bytes, query: str) -> dict[str, str]:
    """Read the form; raises OAuth2Error for a parameter twice or in the address."""
    if query:
        raise InvalidRequestError("Send parameters in the body, not in the address.")
    try:
        pairs = urllib.parse.parse_qsl(
            body.decode("utf-8"),
            keep_blank_values=True,
            strict_parsing=bool(body),
            max_num_fields=50,
        )
    except ValueError as error:
        raise InvalidRequestError("The body is not a form.") from error
    form = dict(pairs)
    if len(form) != len(pairs):
        raise InvalidRequestError("A parameter is there twice.")
    return form


def credentials(form: dict[str, str], headers: Mapping[str, str]) -> tuple[str, str]:
    """Give the id the client calls itself by, and the secret it sends.

    Raises OAuth2Error unless it uses one method.
    """
    scheme, _, value = headers.get("authorization", "").partition(" ")
    if not scheme:
        return form.get("client_id", ""), form.get("client_secret", "")
    try:
        name, _, secret = base64.b64decode(value.strip(), validate=True).decode().partition(":")
    except (binascii.Error, ValueError) as error:
        raise not_authenticated() from error
    if scheme.lower() != "basic":
        raise not_authenticated()
    name = urllib.parse.unquote(name)
    if "client_secret" in form or form.get("client_id", name) != name:
        raise InvalidRequestError("Send the client's id and secret in one way only.")
    return name, urllib.parse.unquote(secret)


def not_authenticated() -> InvalidClientError:
    """Give one and the same answer for an unknown client and a wrong secret."""
    return InvalidClientError(description="Client authentication failed.", status_code=401)


def refusal(error: OAuth2Error) -> tuple[int, dict[str, Any], dict[str, str]]:
    """Give an OAuth error's answer."""
    status, body, headers = error()
    return status, dict(body), dict(headers)
