"""Who calls: a token or a browser's session becomes a Caller; what no rule allows is refused."""

import base64
import json
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from typing import Annotated, Any, Final

from fastapi import Depends, Request
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from controlplane import csrf
from controlplane.permissions import IDENTITY_SCOPES, Known, Public, Role, Scope, allows, rule
from runtime import api_keys
from runtime.problems import Forbidden, InvalidInput, Unauthenticated

LEEWAY_S: Final = 30
PLATFORM_TENANT: Final = "default"
HEADER: Final = {"alg", "typ", "kid"}
TEXTS: Final = ("sub", "client_id", "jti", "scope", "tenant")
CLAIMS: Final = {"iss", "aud", "exp", "iat", *TEXTS}
MAX_TOKEN: Final = 8192
MAX_LIFE_S: Final = 86_400
TENANT: Final = "kubeserve-tenant"  # how a browser says which, whose person is in several
BROWSER: Final = "browser"  # the client of who has a session, no token
CLI: Final = "kubeserve-cli"
DASHBOARD: Final = "kubeserve-dashboard"


@dataclass(frozen=True, slots=True)
class Caller:
    """Whoever made this request.

    tenant   empty: a person who asks about themself and is in none, or named none of several
    subject  `client:ID` of a program, `user:UUID` of a person, `key:ID` of an API key
    client   the OAuth client that got the token: the program itself, or what the person uses
    scopes   that the token has and its subject still has
    role     of a person in the tenant; None: a program
    address  it came from
    installation  the client that the installation made for who runs it
    """

    tenant: str
    subject: str
    client: str
    scopes: frozenset[str]
    role: Role | None = None
    address: str = ""
    request_id: str = ""
    installation: bool = False

    @property
    def application(self) -> bool:
        """Whether it is somebody else's program, which a person allowed to act for them."""
        return is_application(self.subject, self.client)


def is_application(subject: str, client: str) -> bool:
    """Tell whether somebody else's program acts for a person."""
    return subject.startswith("user:") and client not in (BROWSER, CLI, DASHBOARD)


@dataclass(frozen=True, slots=True)
class Standing:
    """What a subject may do in a tenant at this moment; `installation` as of a caller."""

    scopes: frozenset[str]
    role: Role | None = None
    installation: bool = False


@dataclass(frozen=True, slots=True)
class Visitor:
    """Who is signed in with a browser, and the tenants they are members of."""

    user: str
    tenants: tuple[str, ...]


# Gives who a request's cookie is of, if it is of anybody.
VisitorOf = Callable[[Request], Awaitable[Visitor | None]]

# Looks up (ID or UUID, tenant); None: revoked, removed, or never there.
StandingOf = Callable[[str, str], Awaitable[Standing | None]]


@dataclass(frozen=True, slots=True)
class Callers:
    """Verifies tokens for the API.

    audience  of the API's own tokens
    keys      the public keys
    standing  by kind of subject, what it may do now; whoever was removed ends at once
    revoked   whether a token, by its jti, was revoked before its time
    visitor   who is signed in with a browser
    """

    issuer: str
    audience: str
    keys: Callable[[], Awaitable[KeySet]]
    standing: Mapping[str, StandingOf]
    revoked: Callable[[str], Awaitable[bool]]
    visitor: VisitorOf
    clock: Callable[[], float]

    async def authorise(self, request: Request) -> Caller | None:
        """Check the route's rule; None on a public route. Raises Unauthenticated or Forbidden."""
        needed = rule(request.method, request.scope["route"].path)
        if isinstance(needed, Public):
            return None
        visitor = None
        if "authorization" not in request.headers:
            visitor = await self.visitor(request)
        if visitor is None:
            found = await self.identify(request.headers.get("authorization"))
        else:
            csrf.check_origin(request, self.issuer)
            wanted = _tenant_named(request)
            found = await self.visiting(visitor, wanted, chosen=needed is not Known.PERSON)
        caller = replace(found, address=address_of(request), request_id=request.state.request_id)
        request.state.caller = caller  # whoever is refused is known too
        if needed is Known.MEMBER and caller.application:
            # What is a person's own is not given along with scopes for other things.
            needed = Scope.ADMIN
        if not allows(caller.scopes, needed):
            raise Forbidden(f"This needs the scope {needed}.", scope=str(needed))
        return caller

    async def visiting(self, visitor: Visitor, wanted: str | None, *, chosen: bool) -> Caller:
        """Give who is signed in with a browser, in one of their tenants.

        wanted  the tenant that the request names; the only one otherwise
        chosen  there must be one. Raises InvalidInput, or Forbidden for one of others
        """
        subject = f"user:{visitor.user}"
        tenant = wanted
        if tenant is None and len(visitor.tenants) == 1:
            tenant = visitor.tenants[0]
        if tenant is None and not chosen:
            return Caller("", subject, BROWSER, frozenset())
        if tenant is None and visitor.tenants:
            raise InvalidInput(
                f"Say which tenant: send the header KubeServe-Tenant, one of "
                f"{list(visitor.tenants)}.",
                tenants=list(visitor.tenants),
            )
        now = None
        if tenant is not None and tenant in visitor.tenants:
            now = await self.standing["user"](visitor.user, tenant)
        if tenant is None or now is None:
            raise Forbidden(
                "You are no member of this tenant; ask one of its owners to invite you."
            )
        return Caller(tenant, subject, BROWSER, now.scopes, now.role)

    async def identify(self, authorization: str | None) -> Caller:
        """Verify the Authorization header, and that its subject still is who it was."""
        scheme, _, token = (authorization or "").partition(" ")
        if scheme.lower() != "bearer" or not token:
            raise Unauthenticated(
                "Send `Authorization: Bearer TOKEN`; POST /oauth2/token gives a token."
            )
        if token.startswith(api_keys.PREFIX):
            raise Unauthenticated(_no_key_here(token))
        claims = await self._verified(token)
        tenant, subject = str(claims["tenant"]), str(claims["sub"])
        kind, _, name = subject.partition(":")
        look = self.standing.get(kind)
        now = None if look is None else await look(name, tenant)
        if now is None or await self.revoked(str(claims["jti"])):
            raise Unauthenticated("Whoever got this token was revoked or removed since.")
        scopes = frozenset(str(claims["scope"]).split()) & (now.scopes | set(IDENTITY_SCOPES))
        client, installation = str(claims["client_id"]), now.installation
        return Caller(tenant, subject, client, scopes, now.role, installation=installation)

    async def _verified(self, token: str) -> dict[str, Any]:
        try:
            header, claims = _read(token)
            jwt.decode(token, await self.keys(), algorithms=["ES256"])
        except (JoseError, ValueError, TypeError, KeyError, RecursionError) as error:
            raise Unauthenticated("The access token is not valid.") from error
        if set(header) != HEADER or header["typ"] != "at+jwt":
            raise Unauthenticated("This is not an access token.")
        if claims.get("iss") != self.issuer or claims.get("aud") != self.audience:
            raise Unauthenticated("The access token is for another audience; ask without resource.")
        self._check_times(claims.get("exp"), claims.get("iat"))
        texts = [claims.get(name) for name in TEXTS]
        if set(claims) != CLAIMS or not all(isinstance(text, str) and text for text in texts):
            raise Unauthenticated("The access token does not say what ours say.")
        return claims

    def _check_times(self, exp: object, iat: object) -> None:
        now = self.clock()
        if type(exp) is not int or type(iat) is not int or exp - iat > MAX_LIFE_S:
            raise Unauthenticated("The access token is not valid.")
        if now >= exp + LEEWAY_S:
            raise Unauthenticated("The access token has expired; ask for a new one.")
        if now < iat - LEEWAY_S:
            raise Unauthenticated("The access token is not valid yet; check the clocks.")


def _tenant_named(request: Request) -> str | None:
    """Give the tenant that a browser names: in a header, or in the address of what it opens."""
    named = request.headers.get(TENANT)
    if named is None and request.method == "GET":
        # Reports and exports are opened and saved by the browser itself, which sends no header.
        named = request.query_params.get(TENANT)
    return named


def _no_key_here(token: str) -> str:
    """Say what to do with an API key instead of sending it here."""
    public = api_keys.public_id(token)
    if public is None:
        return "The API key is mistyped: its checksum does not fit."
    if api_keys.kind_of(public) is api_keys.Kind.ENDPOINT:
        return "This API key is for one endpoint: send it there, not to the API."
    return (
        "Exchange this API key for a token: POST /oauth2/token with grant_type=client_credentials,"
        f" client_id={public} and the key as client_secret; the SDK does it."
    )


def _read(token: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """Read header and claims; raises ValueError for what two readers could read differently."""
    if len(token) > MAX_TOKEN or not token.isascii():
        raise ValueError("not a token of ours")
    head, body, _ = token.split(".")
    return _members(head), _members(body)


def _members(part: str) -> dict[str, Any]:
    raw = base64.b64decode(part + "=" * (-len(part) % 4), altchars=b"-_", validate=True)
    found = json.loads(raw, object_pairs_hook=_once_each, parse_constant=_no_number)
    if not isinstance(found, dict):
        raise TypeError("not an object")
    return found


def _once_each(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a member is there twice")
    return found


def _no_number(text: str) -> None:
    raise ValueError(f"{text} is not JSON")


def require_platform(caller: Caller) -> None:
    """Let only administrators of the installation itself through: those of its first tenant."""
    if caller.tenant != PLATFORM_TENANT:
        raise Forbidden("Only an administrator of this installation may do that.")


def require_owner(caller: Caller) -> None:
    """Let only owners of the installation itself through, and the client it made for them.

    No other program, whoever made it: what an administrator makes would be worth an owner.
    """
    require_platform(caller)
    if not (caller.installation or caller.role is Role.OWNER):
        raise Forbidden(
            "Only an owner of this installation may do that: sign in as one, or use the "
            "installation's own client (credentials.json of `kubeserve up`)."
        )


def address_of(request: Request) -> str:
    """Say where a request came from."""
    return request.client.host if request.client else ""


async def authorise(request: Request) -> None:
    """Run before every route of the application."""
    callers: Callers = request.app.state.callers
    caller = request.state.caller = await callers.authorise(request)
    if caller is not None:
        bucket = await request.app.state.rates.bucket(caller.tenant or caller.subject)
        try:
            bucket.take()
        finally:
            request.state.headers = bucket.headers()


def _caller(request: Request) -> Caller:
    caller: Caller | None = request.state.caller
    if caller is None:
        raise Unauthenticated("This needs an access token.")
    return caller


CurrentCaller = Annotated[Caller, Depends(_caller)]
