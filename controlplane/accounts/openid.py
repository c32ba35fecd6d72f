"""An external OpenID provider: authorization code with PKCE, state and nonce; its ID token.

Knows nothing of our people: it tells who the provider says somebody is.
"""

import base64
import hashlib
import hmac
import json
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, cast
from urllib.parse import quote, urlencode, urlsplit

import httpx
from fastapi import Request
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from controlplane.settings import is_loopback
from runtime.problems import Forbidden, Problem

ALGORITHMS: Final = ["RS256", "PS256", "ES256"]  # never a secret shared with the provider, nor none
LEEWAY_S: Final = 60
METADATA_S: Final = 3600.0
KEYS_AGAIN_S: Final = 60.0  # at most so often for a key that is not known
ANSWER_S: Final = 10.0
MOST_BYTES: Final = 1 << 20
ENDPOINTS: Final = ("authorization_endpoint", "token_endpoint", "jwks_uri")


class ProviderUnavailable(Problem):
    type, status = "/problems/provider-unavailable", 502
    title = "The sign-in provider cannot be reached"


@dataclass(frozen=True, slots=True)
class Provider:
    """A provider as this installation is registered with it.

    domains  of e-mail addresses that may sign in; all if there are none
    """

    issuer: str
    client_id: str
    client_secret: str = field(repr=False)
    redirect_uri: str
    name: str
    domains: frozenset[str]


@dataclass(frozen=True, slots=True)
class Flow:
    """One try to sign in: what only this browser knows, in a cookie, and all that follows of it."""

    secret: str

    @staticmethod
    def new() -> "Flow":
        return Flow(secrets.token_urlsafe(32))

    def _derived(self, what: str) -> str:
        digest = hmac.digest(self.secret.encode(), what.encode(), "sha256")
        return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()

    @property
    def state(self) -> str:
        return self._derived("state")

    @property
    def nonce(self) -> str:
        return self._derived("nonce")

    @property
    def verifier(self) -> str:
        return self._derived("verifier")

    @property
    def challenge(self) -> str:
        digest = hashlib.sha256(self.verifier.encode()).digest()
        return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()


@dataclass(frozen=True, slots=True)
class Claims:
    """Who the provider says somebody is. `email`: None unless the provider has verified it."""

    issuer: str
    subject: str
    email: str | None
    name: str


class OpenId:
    """Asks one provider. `clock`: seconds since 1970."""

    def __init__(self, provider: Provider, clock: Callable[[], float]) -> None:
        self.provider, self._clock = provider, clock
        self._metadata: tuple[float, dict[str, Any]] | None = None
        self._keys: tuple[float, KeySet] | None = None

    async def address(self, flow: Flow, *, again: bool = False) -> str:
        """Give where to send the browser; raises ProviderUnavailable.

        again  the person shall show who they are, also when they are signed in there
        """
        there = str((await self._described())["authorization_endpoint"])
        asked = {
            "response_type": "code",
            "client_id": self.provider.client_id,
            "redirect_uri": self.provider.redirect_uri,
            "scope": "openid email profile",
            "state": flow.state,
            "nonce": flow.nonce,
            "code_challenge": flow.challenge,
            "code_challenge_method": "S256",
            **({"prompt": "login"} if again else {}),
        }
        return f"{there}{'&' if urlsplit(there).query else '?'}{urlencode(asked)}"

    async def finish(self, flow: Flow | None, answer: Mapping[str, str]) -> Claims:
        """Read what the browser came back with; raises Forbidden, ProviderUnavailable."""
        state = answer.get("state", "")
        if flow is None or not hmac.compare_digest(state.encode(), flow.state.encode()):
            raise self._refused("it is not an answer to this browser's question")
        described = await self._described()
        offered = described.get("authorization_response_iss_parameter_supported") is True
        if (offered or "iss" in answer) and answer.get("iss") != self.provider.issuer:
            raise self._refused("the answer is of another provider")
        if "error" in answer or "code" not in answer:
            error = answer.get("error", "there is no code in the answer")
            raise self._refused(f"{self.provider.name} said {error[:100]!r}")
        told = await self._exchange(described, answer["code"], flow)
        claims = await self._verified(told.get("id_token"), flow)
        if "email" not in claims and "userinfo_endpoint" in described:
            claims |= await self._more(described, told, str(claims["sub"]))
        return self._read(claims)

    async def _described(self) -> dict[str, Any]:
        """Give the provider's metadata, read at most once an hour."""
        if self._metadata is not None and self._clock() < self._metadata[0] + METADATA_S:
            return self._metadata[1]
        issuer = self.provider.issuer
        found = await self._json("GET", f"{issuer.rstrip('/')}/.well-known/openid-configuration")
        if found.get("issuer") != issuer:
            named = f"{found.get('issuer')!r}, and KUBESERVE_OIDC_ISSUER is {issuer!r}"
            raise self._unavailable(f"its metadata is of {named}")
        for name in ENDPOINTS:
            self._check_address(name, found.get(name))
        self._metadata = self._clock(), found
        return found

    async def _exchange(self, described: dict[str, Any], code: str, flow: Flow) -> dict[str, Any]:
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": self.provider.redirect_uri,
            "code_verifier": flow.verifier,
        }
        headers = {}
        pair = self.provider.client_id, self.provider.client_secret
        basic = "client_secret_basic"
        if basic in (described.get("token_endpoint_auth_methods_supported") or [basic]):
            raw = ":".join(quote(part, safe="") for part in pair).encode()
            headers["authorization"] = f"Basic {base64.b64encode(raw).decode()}"
        else:
            form |= {"client_id": pair[0], "client_secret": pair[1]}
        return await self._json(
            "POST", str(described["token_endpoint"]), data=form, headers=headers
        )

    async def _verified(self, token: object, flow: Flow) -> dict[str, Any]:
        """Check an ID token as OpenID Connect Core 3.1.3.7 says."""
        if not isinstance(token, str):
            raise self._refused("there is no ID token in the answer")
        claims = await self._decoded(token)
        if claims.get("iss") != self.provider.issuer:
            raise self._refused("the ID token is of another provider")
        audience, ours = claims.get("aud"), self.provider.client_id
        several = audience if isinstance(audience, list) else [audience]
        party = claims.get("azp", None if len(several) > 1 else ours)
        if ours not in several or party != ours:
            raise self._refused("the ID token is for another client")
        now, exp, iat = self._clock(), _number(claims.get("exp")), _number(claims.get("iat"))
        if exp is None or iat is None:
            raise self._refused("the ID token has no times")
        if now >= exp + LEEWAY_S or now < iat - LEEWAY_S:
            raise self._refused("the ID token has expired, or the clocks differ")
        nonce = claims.get("nonce")
        if not isinstance(nonce, str) or not hmac.compare_digest(
            nonce.encode(), flow.nonce.encode()
        ):
            raise self._refused("the ID token is of another sign-in")
        subject = claims.get("sub")
        if not isinstance(subject, str) or not 0 < len(subject) <= 255 or "\0" in subject:
            raise self._refused("the ID token names nobody")
        return claims

    async def _decoded(self, token: str) -> dict[str, Any]:
        for last in (False, True):
            try:
                keys = await self._key_set(again=last)
                return dict(jwt.decode(token, keys, algorithms=ALGORITHMS).claims)
            except (JoseError, ValueError, TypeError, KeyError, RecursionError) as error:
                # A key that is not known yet may have been published since.
                if last:
                    raise self._refused("the ID token is not valid") from error
        raise AssertionError("the second look returns or raises")

    async def _key_set(self, *, again: bool) -> KeySet:
        known = self._keys
        old = known is None or self._clock() >= known[0] + (KEYS_AGAIN_S if again else METADATA_S)
        if known is not None and not old:
            return known[1]
        document = await self._json("GET", str((await self._described())["jwks_uri"]))
        try:
            keys = KeySet.import_key_set(document)  # type: ignore[arg-type]  # its own JSON type
        except (JoseError, ValueError, TypeError, KeyError) as error:
            raise self._unavailable("its keys cannot be read") from error
        self._keys = self._clock(), keys
        return keys

    async def _more(
        self, described: dict[str, Any], told: dict[str, Any], subject: str
    ) -> dict[str, Any]:
        """Ask for what is not in the ID token."""
        self._check_address("userinfo_endpoint", described["userinfo_endpoint"])
        headers = {"authorization": f"Bearer {told.get('access_token')}"}
        found = await self._json("GET", str(described["userinfo_endpoint"]), headers=headers)
        if found.get("sub") != subject:
            raise self._refused("its two answers are about different people")
        return {name: found[name] for name in ("email", "email_verified", "name") if name in found}

    def _read(self, claims: dict[str, Any]) -> Claims:
        email, name = claims.get("email"), claims.get("name")
        verified = claims.get("email_verified") is True and isinstance(email, str)
        kept = email.strip().lower() if verified and isinstance(email, str) else None
        if self.provider.domains and (kept or "").rpartition("@")[2] not in self.provider.domains:
            raise Forbidden("Addresses of this domain do not sign in here.")
        shown = name if isinstance(name, str) and name.strip() else (kept or "").partition("@")[0]
        return Claims(self.provider.issuer, str(claims["sub"]), kept, shown)

    async def _json(
        self,
        method: str,
        url: str,
        *,
        data: dict[str, str] | None = None,
        headers: dict[str, str] | None = None,
    ) -> dict[str, Any]:
        own = {"accept": "application/json", **(headers or {})}
        body = bytearray()
        try:
            async with (
                httpx.AsyncClient(timeout=ANSWER_S) as http,
                http.stream(method, url, data=data, headers=own) as answer,
            ):
                async for piece in answer.aiter_bytes():
                    body += piece
                    if len(body) > MOST_BYTES:
                        raise self._unavailable(f"{url} answered more than {MOST_BYTES} bytes")
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise self._unavailable(f"{url}: {type(error).__name__}") from error
        try:
            found = json.loads(body)
        except ValueError:
            found = None
        if answer.status_code == 400 and isinstance(found, dict):
            raise self._refused(f"{self.provider.name} said {str(found.get('error'))[:100]!r}")
        if answer.status_code != 200 or not isinstance(found, dict):
            raise self._unavailable(f"{url} answered {answer.status_code}")
        return found

    def _check_address(self, name: str, value: object) -> None:
        """Refuse an address that is neither https nor of this machine."""
        parts = urlsplit(value if isinstance(value, str) else "")
        if parts.scheme == "https" or (parts.scheme == "http" and is_loopback(parts.hostname)):
            return
        raise self._unavailable(f"its {name} is {value!r}, not https")

    def _refused(self, why: str) -> Forbidden:
        return Forbidden(
            f"Signing in with {self.provider.name} failed: {why}. Start again at /login."
        )

    def _unavailable(self, why: str) -> ProviderUnavailable:
        return ProviderUnavailable(
            f"{self.provider.name} cannot be used to sign in now: {why}. Try again, or tell an "
            "administrator.",
            retry_after_s=10,
        )


def _number(value: object) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return float(value)


def of_application(request: Request) -> OpenId | None:
    """Give the provider that people may sign in with, if there is one."""
    return cast("OpenId | None", request.app.state.openid)
