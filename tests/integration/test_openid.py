"""What a provider that lies, or somebody between, could answer: nobody is signed in by it."""

import asyncio
import base64
import dataclasses
import hmac
import json
from collections.abc import AsyncIterator, Callable
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
import uvicorn
from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse
from joserfc import jwt
from joserfc.jwk import ECKey, KeySet, RSAKey

from controlplane.accounts.openid import Claims, Flow, OpenId, Provider, ProviderUnavailable
from runtime.problems import Forbidden

CLIENT = "kubeserve"
NOW = 1_796_000_000
Key = RSAKey | ECKey


class Lying:
    """A provider whose every answer a test can change."""

    def __init__(self) -> None:
        self.issuer = ""
        self.key: Key = RSAKey.generate_key(2048, {"kid": "k1"})
        self.published = [self.key]
        self.header: dict[str, Any] = {"alg": "RS256", "kid": "k1"}
        self.claims: dict[str, Any] = {}
        self.metadata: dict[str, Any] = {}
        self.userinfo: dict[str, Any] | None = None
        self.token: Callable[[dict[str, Any]], Any] = self.signed
        self.asked: dict[str, str] = {}
        self.app = FastAPI()
        self.app.get("/.well-known/openid-configuration")(self._metadata)
        self.app.get("/jwks")(self._jwks)
        self.app.post("/token")(self._token)
        self.app.get("/userinfo")(self._userinfo)
        self.nonce = ""

    def signed(self, claims: dict[str, Any]) -> str:
        return jwt.encode(self.header, claims, self.key, algorithms=[self.header["alg"]])

    async def _metadata(self) -> dict[str, Any]:
        return {
            "issuer": self.issuer,
            "authorization_endpoint": f"{self.issuer}/auth?tenant=1",
            "token_endpoint": f"{self.issuer}/token",
            "jwks_uri": f"{self.issuer}/jwks",
            "userinfo_endpoint": f"{self.issuer}/userinfo",
            **self.metadata,
        }

    async def _jwks(self) -> Any:
        return KeySet(self.published).as_dict(private=False)

    async def _token(self, request: Request) -> Any:
        self.asked = dict(parse_qsl((await request.body()).decode()))
        now = NOW
        claims = {"iss": self.issuer, "aud": CLIENT, "sub": "s-1", "iat": now, "exp": now + 60}
        claims |= {"nonce": self.nonce, "email": "ada@example.com", "email_verified": True}
        changed = {k: v for k, v in (claims | self.claims).items() if v is not ...}
        return {"access_token": "at", "token_type": "Bearer", "id_token": self.token(changed)}

    async def _userinfo(self, request: Request) -> Any:
        assert request.headers["authorization"] == "Bearer at"
        return JSONResponse(self.userinfo)


@pytest.fixture
async def lying() -> AsyncIterator[Lying]:
    """Serve a provider on loopback."""
    provider = Lying()
    config = uvicorn.Config(provider.app, port=0, lifespan="off", log_config=None)
    server = uvicorn.Server(config)
    task = asyncio.create_task(server.serve())
    try:
        async with asyncio.timeout(10):
            while not server.started:
                await asyncio.sleep(0.01)
        port = server.servers[0].sockets[0].getsockname()[1]
        provider.issuer = f"http://127.0.0.1:{port}"
        yield provider
    finally:
        server.should_exit = True
        await task


def asker(lying: Lying, **changed: Any) -> OpenId:
    provider = Provider(
        lying.issuer, CLIENT, "a secret", "https://kube/callback", "Lying", frozenset()
    )
    return OpenId(dataclasses.replace(provider, **changed), lambda: NOW)


async def signed_in(lying: Lying, openid: OpenId | None = None, **answer: str) -> Claims:
    openid, flow = openid or asker(lying), Flow.new()
    there = await openid.address(flow)
    query = dict(parse_qsl(urlsplit(there).query))
    assert (query["tenant"], query["code_challenge"]) == ("1", flow.challenge)
    lying.nonce = query["nonce"]
    return await openid.finish(flow, {"code": "c", "state": query["state"], **answer})


async def test_a_good_answer_is_somebody(lying: Lying) -> None:
    found = await signed_in(lying)
    assert found == Claims(lying.issuer, "s-1", "ada@example.com", "ada")
    assert len(lying.asked["code_verifier"]) == 43
    assert "client_secret" not in lying.asked
    lying.metadata = {"token_endpoint_auth_methods_supported": ["client_secret_post"]}
    lying.claims = {"aud": [CLIENT, "other"], "azp": CLIENT, "name": "Ada L."}
    assert (await signed_in(lying, iss=lying.issuer)).name == "Ada L."
    assert lying.asked["client_secret"] == "a secret"


LIES: dict[str, dict[str, Any]] = {
    "another issuer": {"iss": "https://evil.example"},
    "an issuer with a slash": {"iss": "slash"},
    "another client": {"aud": "other"},
    "two clients, nobody's turn": {"aud": [CLIENT, "other"]},
    "two clients, the other's turn": {"aud": [CLIENT, "other"], "azp": "other"},
    "no client": {"aud": ...},
    "expired": {"exp": 1},
    "without end": {"exp": ...},
    "an end that is a text": {"exp": "never"},
    "an end that is true": {"exp": True},
    "of the future": {"iat": 4_000_000_000, "exp": 4_000_000_060},
    "another nonce": {"nonce": "n"},
    "no nonce": {"nonce": ...},
    "a nonce that is a number": {"nonce": 1},
    "nobody": {"sub": ...},
    "an empty subject": {"sub": ""},
    "a subject that is a number": {"sub": 7},
    "a subject without end": {"sub": "s" * 256},
}


@pytest.mark.parametrize("claims", LIES.values(), ids=LIES)
async def test_a_token_that_says_something_else_is_refused(
    lying: Lying, claims: dict[str, Any]
) -> None:
    lying.claims = claims if claims.get("iss") != "slash" else {"iss": f"{lying.issuer}/"}
    with pytest.raises(Forbidden, match="Start again"):
        await signed_in(lying)


def _unsigned(lying: Lying) -> None:
    lying.token = lambda claims: f"{_part({'alg': 'none'})}.{_part(claims)}."


def _with_the_public_key(lying: Lying) -> None:
    assert isinstance(lying.key, RSAKey)
    public = lying.key.as_pem(private=False)
    head = _part({"alg": "HS256", "kid": "k1"})

    def sign(claims: dict[str, Any]) -> str:
        said = f"{head}.{_part(claims)}"
        return f"{said}.{_base64(hmac.digest(public, said.encode(), 'sha256'))}"

    lying.token = sign


def _part(members: dict[str, Any]) -> str:
    return _base64(json.dumps(members).encode())


def _base64(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def _with_a_key_of_others(lying: Lying) -> None:
    lying.key = RSAKey.generate_key(2048, {"kid": "k1"})


def _with_an_unknown_key(lying: Lying) -> None:
    lying.key, lying.header = RSAKey.generate_key(2048), {"alg": "RS256", "kid": "k9"}


def _with_its_own_key(lying: Lying) -> None:
    lying.key = RSAKey.generate_key(2048, {"kid": "k1"})
    lying.header |= {"jwk": lying.key.as_dict(private=False)}


def _no_token(lying: Lying) -> None:
    lying.token = lambda _: None


def _no_text(lying: Lying) -> None:
    lying.token = lambda _: {"alg": "none"}


def _huge(lying: Lying) -> None:
    lying.token = lambda claims: lying.signed(claims | {"more": "m" * 400_000})


@pytest.mark.parametrize(
    "attack",
    [
        *(_unsigned, _with_the_public_key, _with_a_key_of_others, _with_an_unknown_key),
        *(_with_its_own_key, _no_token, _no_text, _huge),
    ],
)
async def test_a_token_that_the_provider_did_not_sign_is_refused(
    lying: Lying, attack: Callable[[Lying], None]
) -> None:
    attack(lying)
    with pytest.raises(Forbidden, match="ID token"):
        await signed_in(lying)


async def test_a_key_published_since_is_read(lying: Lying) -> None:
    now = [NOW]
    provider = asker(lying).provider
    openid = OpenId(provider, lambda: now[0])
    await signed_in(lying, openid)
    lying.key = ECKey.generate_key("P-256", {"kid": "k2"})
    lying.published, lying.header = [lying.key], {"alg": "ES256", "kid": "k2"}
    with pytest.raises(Forbidden, match="not valid"):  # asked less than a minute ago
        await signed_in(lying, openid)
    now[0] += 61
    lying.claims = {"iat": now[0], "exp": now[0] + 60}
    assert (await signed_in(lying, openid)).subject == "s-1"


@pytest.mark.parametrize(
    "answer",
    [
        {"state": "other"},
        {"iss": "https://evil.example"},
        {"error": "server_error"},
    ],
    ids=str,
)
async def test_an_answer_to_another_question_is_refused(
    lying: Lying, answer: dict[str, str]
) -> None:
    with pytest.raises(Forbidden):
        await signed_in(lying, **answer)
    assert lying.asked == {}  # no code was sent anywhere


async def test_where_issuers_are_named_in_answers_one_has_to_be(lying: Lying) -> None:
    lying.metadata = {"authorization_response_iss_parameter_supported": True}
    with pytest.raises(Forbidden, match="another provider"):
        await signed_in(lying)
    assert (await signed_in(lying, iss=lying.issuer)).subject == "s-1"


async def test_an_address_counts_when_it_is_verified_wherever_it_is_told(lying: Lying) -> None:
    for verified in (False, "true", None, 1):
        lying.claims = {"email_verified": verified}
        assert (await signed_in(lying)).email is None
    lying.claims = {"email": ..., "email_verified": ...}
    lying.userinfo = {"sub": "s-1", "email": "ADA@example.com", "email_verified": True}
    assert (await signed_in(lying)).email == "ada@example.com"
    lying.userinfo["sub"] = "s-2"
    with pytest.raises(Forbidden, match="different people"):
        await signed_in(lying)


async def test_only_addresses_of_allowed_domains_sign_in(lying: Lying) -> None:
    allowed = asker(lying, domains=frozenset({"example.com"}))
    assert (await signed_in(lying, allowed)).email == "ada@example.com"
    for email in ("ada@evil.example", "ada@sub.example.com", "ada@example.com.evil.example"):
        lying.claims = {"email": email}
        with pytest.raises(Forbidden, match="domain"):
            await signed_in(lying, allowed)
    lying.claims = {"email_verified": False}
    with pytest.raises(Forbidden, match="domain"):
        await signed_in(lying, allowed)


@pytest.mark.parametrize(
    "metadata",
    [
        {"issuer": "https://evil.example"},
        {"token_endpoint": "http://evil.example/token"},
        {"jwks_uri": "file:///etc/passwd"},
        {"authorization_endpoint": None},
    ],
    ids=str,
)
async def test_metadata_of_others_or_without_tls_is_not_used(
    lying: Lying, metadata: dict[str, Any]
) -> None:
    lying.metadata = metadata
    with pytest.raises(ProviderUnavailable):
        await signed_in(lying)


async def test_a_provider_that_is_away_is_told(lying: Lying) -> None:
    for issuer in ("http://127.0.0.1:9", f"{lying.issuer}/nowhere"):
        with pytest.raises(ProviderUnavailable, match="Try again"):
            await asker(lying, issuer=issuer).address(Flow.new())
    lying.metadata = {"more": "m" * (2 << 20)}
    with pytest.raises(ProviderUnavailable, match="more than"):
        await asker(lying).address(Flow.new())
