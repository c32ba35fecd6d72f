"""Who calls: a bearer token becomes a Caller; what the table does not allow is refused."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Annotated, Any, Final

from fastapi import Depends, Request
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from controlplane.permissions import Public, Scope, rule
from runtime.problems import Forbidden, Unauthenticated

LEEWAY_S: Final = 30
PLATFORM_TENANT: Final = "default"
HEADER: Final = {"alg", "typ", "kid"}


@dataclass(frozen=True, slots=True)
class Caller:
    """Whoever made this request."""

    tenant: str
    client: str
    scopes: frozenset[str]


@dataclass(frozen=True, slots=True)
class Callers:
    """Verifies tokens for the API.

    keys     the public keys, as a JWKS document
    is_live  whether a client still exists (a revoked client's tokens end at once here)
    """

    issuer: str
    keys: Callable[[], Awaitable[dict[str, Any]]]
    is_live: Callable[[str], Awaitable[bool]]
    clock: Callable[[], float]

    async def authorise(self, request: Request) -> Caller | None:
        """Check the route's rule; None on a public route. Raises Unauthenticated or Forbidden."""
        needed = rule(request.method, request.scope["route"].path)
        if isinstance(needed, Public):
            return None
        caller = await self.identify(request.headers.get("authorization"))
        if needed is None or (needed not in caller.scopes and Scope.ADMIN not in caller.scopes):
            raise Forbidden(f"This needs the scope {needed}.", scope=str(needed))
        return caller

    async def identify(self, authorization: str | None) -> Caller:
        """Verify the Authorization header."""
        scheme, _, token = (authorization or "").partition(" ")
        if scheme.lower() != "bearer" or not token:
            raise Unauthenticated(
                "Send `Authorization: Bearer TOKEN`; POST /oauth2/token gives a token."
            )
        claims = await self._verified(token)
        if not await self.is_live(str(claims["client_id"])):
            raise Unauthenticated("The client of this token was revoked.")
        return Caller(
            str(claims["tenant"]), str(claims["client_id"]), frozenset(str(claims["scope"]).split())
        )

    async def _verified(self, token: str) -> dict[str, Any]:
        try:
            found = jwt.decode(
                token, KeySet.import_key_set(await self.keys()), algorithms=["ES256"]  # type: ignore[arg-type]  # its own JSON type
            )
        except (JoseError, ValueError, TypeError, KeyError) as error:
            raise Unauthenticated("The access token is not valid.") from error
        claims = found.claims
        if set(found.header) != HEADER or found.header["typ"] != "at+jwt":
            raise Unauthenticated("This is not an access token.")
        if claims.get("iss") != self.issuer or claims.get("aud") != self.issuer:
            raise Unauthenticated("The access token is for another audience; ask without resource.")
        now = self.clock()
        exp, iat = claims.get("exp"), claims.get("iat")
        if type(exp) is not int or type(iat) is not int or now >= exp + LEEWAY_S:
            raise Unauthenticated("The access token has expired; ask for a new one.")
        if now < iat - LEEWAY_S:
            raise Unauthenticated("The access token is not valid yet; check the clocks.")
        if not all(isinstance(claims.get(k), str) for k in ("client_id", "tenant", "scope", "sub")):
            raise Unauthenticated("The access token lacks a claim.")
        return claims


def require_platform(caller: Caller) -> None:
    """Let only administrators of the installation itself through: those of its first tenant."""
    if caller.tenant != PLATFORM_TENANT:
        raise Forbidden("Only an administrator of this installation may do that.")


async def authorise(request: Request) -> None:
    """Run before every route of the application."""
    callers: Callers = request.app.state.callers
    request.state.caller = await callers.authorise(request)


def _caller(request: Request) -> Caller:
    caller: Caller | None = request.state.caller
    if caller is None:
        raise Unauthenticated("This needs an access token.")
    return caller


CurrentCaller = Annotated[Caller, Depends(_caller)]
