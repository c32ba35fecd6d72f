"""The authorization server: Authlib's core on rows that were read beforehand.

Authlib is synchronous and the database is not, so the service reads what a request names first,
this module and `grants` run on plain objects, and the service writes what came of it. Nothing here
touches a database.
"""

import base64
import binascii
import hashlib
import hmac
import secrets
import urllib.parse
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from authlib.oauth2.rfc6749 import AuthorizationServer, OAuth2Error, OAuth2Payload, OAuth2Request
from authlib.oauth2.rfc6749.errors import InvalidClientError, InvalidRequestError
from authlib.oauth2.rfc8628 import DEVICE_CODE_GRANT_TYPE

from controlplane import forms
from controlplane.callers import CLI, DASHBOARD
from controlplane.oauth import assertions, redirects

Answer = tuple[int, dict[str, Any], dict[str, str]]
SECRETS: Final = ("client_secret_basic", "client_secret_post")
METHODS: Final = (*SECRETS, assertions.METHOD, "none")
DEVICE_CODE: Final = str(DEVICE_CODE_GRANT_TYPE)
CHALLENGE, REALM = "WWW-Authenticate", "KubeServe"
# What Authlib leaves to the code of the error.
UNSAID: Final = {
    "authorization_pending": "Nobody has answered yet; ask again after the interval.",
    "slow_down": "This asks too early: wait 5 seconds longer between two requests than before.",
    "expired_token": "These codes have expired; start again on the device.",
    "access_denied": "The person did not allow it.",
    "invalid_grant": "This was given to another client.",
    "unsupported_grant_type": "grant_type must be client_credentials, authorization_code, "
    f"refresh_token or {DEVICE_CODE}.",
}


class InvalidTargetError(OAuth2Error):  # type: ignore[misc]  # Authlib has no types
    """RFC 8707: the resource is unknown, or not the client's."""

    error = "invalid_target"


class TooOftenError(OAuth2Error):  # type: ignore[misc]  # Authlib has no types
    """Somebody asks too often, or has begun too much."""

    error, status_code = "temporarily_unavailable", 429

    def __init__(self, retry_after_s: int, why: str = "This is asked too often.") -> None:
        super().__init__(f"{why} Try again in {retry_after_s} seconds.")
        self.retry_after_s = retry_after_s

    def get_headers(self) -> list[tuple[str, str]]:
        """Say when to come again."""
        return [*super().get_headers(), ("Retry-After", str(self.retry_after_s))]


@dataclass(frozen=True, slots=True)
class KnownClient:
    """A client as the grants see it.

    tenant         whose it is; "" for clients of KubeServe itself
    secret_sha256  None: it has no secret
    redirect_uris  of an application that people sign in with
    public         it can keep no secret, so anybody may say its name
    kind           of the subject of its own tokens
    ends           when it expires, as its tokens do at the latest (seconds since 1970)
    first_party    people are not asked whether they trust it
    """

    id: str
    tenant: str
    secret_sha256: str | None
    scopes: tuple[str, ...]
    name: str = ""
    tenant_id: uuid.UUID | None = None
    redirect_uris: tuple[str, ...] = ()
    jwks: dict[str, Any] | None = None
    public: bool = False
    first_party: bool = False
    kind: str = "client"
    ends: int | None = None

    @property
    def grant_types(self) -> frozenset[str]:
        """What it may ask with."""
        found = {"authorization_code"} if self.redirect_uris else set()
        found |= {DEVICE_CODE} if self.public and self.id != DASHBOARD else set()
        if not self.public:
            found.add("client_credentials")
        return frozenset(found | ({"refresh_token"} if found - {"client_credentials"} else set()))

    def get_client_id(self) -> str:
        """Name it, for Authlib."""
        return self.id

    def check_client_secret(self, secret: str) -> bool:
        """Compare in constant time; a 256-bit random secret needs no slow hash."""
        kept = self.secret_sha256
        return hmac.compare_digest(digest(secret), kept or NO_SECRET) and kept is not None

    def check_endpoint_auth_method(self, method: str, endpoint: str) -> bool:
        """Tell whether the client may show in this way who it is."""
        if method == "none":
            return self.public
        return (self.secret_sha256 if method in SECRETS else self.jwks) is not None

    def check_grant_type(self, grant_type: str) -> bool:
        """Tell whether it may ask with this grant."""
        return grant_type in self.grant_types

    def check_response_type(self, response_type: str) -> bool:
        """Allow codes, for who has somewhere to send them."""
        return response_type == "code" and "authorization_code" in self.grant_types

    def check_redirect_uri(self, uri: str) -> bool:
        """Tell whether the redirect URI is registered."""
        return redirects.matches(uri, self.redirect_uris)

    def get_default_redirect_uri(self) -> None:
        """Give none: a request names its own."""

    def get_allowed_scope(self, scope: str | None) -> str:
        """Leave scopes to the service, which knows person and tenant."""
        return scope or ""


def first_party(issuer: str) -> dict[str, KnownClient]:
    """Give KubeServe's own clients, by id."""
    cli = KnownClient(
        CLI,
        "",
        None,
        (),
        "KubeServe command line",
        redirect_uris=("http://127.0.0.1/callback",),
        public=True,
        first_party=True,
    )
    dashboard = KnownClient(
        DASHBOARD,
        "",
        None,
        (),
        "KubeServe dashboard",
        redirect_uris=(f"{issuer}/dashboard/callback",),
        public=True,
        first_party=True,
    )
    return {CLI: cli, DASHBOARD: dashboard}


def digest(secret: str) -> str:
    """Give what is kept of a secret."""
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()


# Compared against when there is no such client, so that both cases take the same time.
NO_SECRET: Final = digest(secrets.token_hex(32))
NOBODY: Final = KnownClient("", "", NO_SECRET, (), jwks={"keys": []})


class Payload(OAuth2Payload):  # type: ignore[misc]  # Authlib has no types
    """A form or query in which every parameter is there once."""

    def __init__(self, form: dict[str, str]) -> None:
        self._form = form

    @property
    def data(self) -> dict[str, str]:
        """Give the parameters."""
        return self._form

    @property
    def datalist(self) -> dict[str, list[str]]:
        """Give the parameters as lists of one."""
        return {name: [value] for name, value in self._form.items()}


class Request(OAuth2Request):  # type: ignore[misc]  # Authlib has no types
    """What Authlib is asked."""

    def __init__(
        self, method: str, uri: str, form: dict[str, str], headers: Mapping[str, str]
    ) -> None:
        super().__init__(method, uri, headers=headers)
        self.payload = Payload(form)

    @property
    def form(self) -> dict[str, str]:
        """Give the parameters of the body."""
        return self.payload.data if self.method == "POST" else {}

    @property
    def args(self) -> dict[str, str]:
        """Give the parameters of the address."""
        return self.payload.data if self.method == "GET" else {}


class Server(AuthorizationServer):  # type: ignore[misc]  # Authlib has no types
    """Authlib's server with one client: the one that asks.

    accepted  what came of verifying its assertion is put here
    """

    def __init__(self, client: KnownClient | None, issuer: str, now: int) -> None:
        super().__init__()
        self._client, self._issuer, self._now = client, issuer, now
        self.assertion: assertions.Assertion | None = None
        self.register_client_auth_method(assertions.METHOD, self._by_assertion)

    def query_client(self, client_id: str) -> KnownClient:
        """Give the client that was read beforehand."""
        known = self._client
        return known if known is not None and known.id == client_id else NOBODY

    def _by_assertion(self, _: object, request: Request) -> KnownClient | None:
        form, client = request.form, self._client or NOBODY
        if form.get("client_assertion_type") != assertions.TYPE:
            return None
        text = form.get("client_assertion", "")
        self.assertion = assertions.verify(text, client.id, client.jwks, self._issuer, self._now)
        return client

    def authenticate_client(
        self, request: Request, methods: list[str], endpoint: str = "token"
    ) -> KnownClient:
        """Say nothing of why it failed: unknown and wrong are one."""
        try:
            client: KnownClient = super().authenticate_client(request, methods, endpoint)
        except InvalidClientError as error:
            if request.form.get("client_assertion_type") == assertions.TYPE:
                raise
            raise not_authenticated() from error
        return client

    def save_token(self, token: dict[str, Any], request: OAuth2Request) -> None:
        """Keep nothing: what has to be kept is in the outcome."""

    def send_signal(self, name: str, *args: object, **kwargs: object) -> None:
        """Tell nobody."""

    def create_oauth2_request(self, request: Request) -> Request:
        """Give the request as it was made."""
        return request

    def handle_response(
        self, status: int, body: dict[str, Any] | str, headers: list[tuple[str, str]]
    ) -> Answer:
        """Give status, body and headers."""
        return status, body if isinstance(body, dict) else {}, dict(headers)

    def handle_error_response(self, request: Request, error: OAuth2Error) -> Answer:
        """Give the answer of a refusal."""
        return refusal(error)

    def validate_requested_scope(self, scope: str | None) -> None:
        """Leave scopes to the generator, which knows client, person and audience."""


def parse_form(body: bytes, query: str, headers: Mapping[str, str]) -> dict[str, str]:
    """Read the form; raises OAuth2Error for none, or a parameter twice or in the address."""
    if not forms.is_form(headers):
        raise InvalidRequestError(f"Send a form: content-type {forms.TYPE}.")
    if query:
        raise InvalidRequestError("Send parameters in the body, not in the address.")
    return parse(body)


def parse(text: str | bytes) -> dict[str, str]:
    """Read a form or query; raises OAuth2Error. Without value, a parameter is not there."""
    try:
        form = forms.parse(text)
    except forms.NotAForm as error:
        raise InvalidRequestError(str(error)) from error
    return {name: value for name, value in form.items() if value}


def credentials(form: dict[str, str], headers: Mapping[str, str]) -> tuple[str, str]:
    """Give the id the client calls itself by, and the secret it sends.

    Raises OAuth2Error unless it uses one method.
    """
    scheme, _, value = headers.get("authorization", "").partition(" ")
    asserted = "client_assertion" in form or "client_assertion_type" in form
    if asserted:
        name = assertions.subject(form.get("client_assertion", ""))
        if scheme or "client_secret" in form or form.get("client_id", name) != name:
            raise InvalidRequestError("Show who the client is in one way only.")
        return name, ""
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


def refusal(error: OAuth2Error) -> Answer:
    """Give an OAuth error's answer, which always says what is wrong."""
    if not error.description:
        error.description = UNSAID.get(error.error)
    status, body, headers = error()
    told = dict(headers)
    if CHALLENGE in told:
        told[CHALLENGE] = told[CHALLENGE].replace("Basic ", f'Basic realm="{REALM}", ', 1)
    return status, dict(body), told
