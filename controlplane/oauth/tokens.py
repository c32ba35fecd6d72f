"""Revocation (RFC 7009), introspection (RFC 7662) and the start of a device's authorization."""

from dataclasses import dataclass
from typing import Any, Final

from authlib.oauth2.rfc6749.errors import InvalidRequestError, UnauthorizedClientError
from authlib.oauth2.rfc7009 import RevocationEndpoint
from authlib.oauth2.rfc7662 import IntrospectionEndpoint
from authlib.oauth2.rfc8628 import DeviceAuthorizationEndpoint

from controlplane.oauth.grants import CONFIDENTIAL, check_scopes
from controlplane.oauth.server import DEVICE_CODE, METHODS, Answer, KnownClient, Request, Server

DEVICE_S: Final = 600
POLL_S: Final = 5


@dataclass(frozen=True, slots=True)
class KnownToken:
    """A token of ours that somebody shows: what may be told of it, if it still works.

    tenant  whose it is
    told    the members of an introspection's answer
    """

    client_id: str
    tenant: str
    active: bool
    told: dict[str, Any]

    def check_client(self, client: KnownClient) -> bool:
        """Tell whether it was given to this client."""
        return client.id == self.client_id

    def is_expired(self) -> bool:
        """Tell whether it works no more, for whatever reason."""
        return not self.active

    def is_revoked(self) -> bool:
        """Say nothing more than `is_expired`."""
        return not self.active


class _Named:
    """Endpoints whose token was read beforehand. A hint of its kind is not needed."""

    server: Any

    def check_params(self, request: Request, client: KnownClient) -> None:
        if "token" not in request.form:
            raise InvalidRequestError("Send the token in the field token.")

    def query_token(self, token_string: str, token_type_hint: str | None) -> KnownToken | None:
        found: KnownToken | None = self.server.token
        return found


class _Revocation(_Named, RevocationEndpoint):  # type: ignore[misc]  # Authlib has no types
    CLIENT_AUTH_METHODS: Final = list(METHODS)

    def revoke_token(self, token: KnownToken, request: Request) -> None:
        self.server.revoked = token


class _Introspection(_Named, IntrospectionEndpoint):  # type: ignore[misc]  # Authlib has no types
    CLIENT_AUTH_METHODS: Final = CONFIDENTIAL

    def check_permission(self, token: KnownToken, client: KnownClient, request: Request) -> bool:
        """Tell a tenant's clients of the tenant's tokens: of others, not even that they are."""
        return token.tenant == client.tenant

    def introspect_token(self, token: KnownToken) -> dict[str, Any]:
        return {"active": True, **token.told}


class _DeviceAuthorization(DeviceAuthorizationEndpoint):  # type: ignore[misc]  # untyped
    CLIENT_AUTH_METHODS: Final = list(METHODS)
    EXPIRES_IN: Final = DEVICE_S
    INTERVAL: Final = POLL_S

    def authenticate_client(self, request: Request) -> KnownClient:
        client: KnownClient = super().authenticate_client(request)
        if not client.check_grant_type(DEVICE_CODE):
            raise UnauthorizedClientError("This client may not ask for device codes.")
        check_scopes(request.payload.scope)
        return client

    def get_verification_uri(self) -> str:
        return f"{self.server.issuer}/device"

    def save_device_credential(self, client_id: str, scope: str, data: dict[str, Any]) -> None:
        self.server.device = data


class TokenServer(Server):
    """Answers about one token.

    token    that is asked about; None: it is none of ours
    revoked  the token, if it is to be revoked
    device   the members of the answer to a device
    """

    def __init__(
        self, client: KnownClient | None, issuer: str, now: int, token: KnownToken | None = None
    ) -> None:
        super().__init__(client, issuer, now)
        self.issuer, self.token = issuer, token
        self.revoked: KnownToken | None = None
        self.device: dict[str, Any] | None = None
        for endpoint in (_Revocation, _Introspection, _DeviceAuthorization):
            self.register_endpoint(endpoint)

    def answer(self, endpoint: str, request: Request) -> Answer:
        """Run `revocation`, `introspection` or `device_authorization`."""
        found: Answer = self.create_endpoint_response(endpoint, request)
        return found
