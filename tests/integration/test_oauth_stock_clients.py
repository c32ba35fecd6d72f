"""Clients that know nothing of KubeServe: from the metadata document alone, over real HTTP."""

import socket
import warnings
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest
from joserfc import jwt
from joserfc.jwk import ECKey, KeySet
from oauthlib.oauth2 import DeviceClient

from controlplane.permissions import Role
from tests.integration.api import Api, running_api
from tests.integration.people import Browser, person, sent

with warnings.catch_warnings():
    # It wants a successor of httpx, and works with httpx.
    warnings.simplefilter("ignore")
    from authlib.integrations.httpx_client import AsyncOAuth2Client
    from authlib.oauth2.rfc7523 import PrivateKeyJWT

CALLBACK = "https://app.example/callback"


@pytest.fixture
async def server(postgres_server: str, tmp_path: Path) -> AsyncIterator[Api]:
    """Give the application, serving on the address that it says it has."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    async with (
        running_api(postgres_server, tmp_path, listen=f"127.0.0.1:{port}") as api,
        api.on_a_socket(port),
        httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}") as http,
    ):
        http.headers["authorization"] = api.http.headers["authorization"]
        api.http = http  # from here on everything goes over the socket
        yield api


async def discovered(api: Api) -> dict[str, Any]:
    """Find the authorization server as a stranger does: from a refusal."""
    async with httpx.AsyncClient() as http:
        refused = await http.get(api.http.base_url.join("/v1/models"))
        assert refused.status_code == 401
        where = refused.headers["www-authenticate"].partition('resource_metadata="')[2]
        resource = (await http.get(where.partition('"')[0])).json()
        issuer = resource["authorization_servers"][0]
        found = (await http.get(f"{issuer}/.well-known/oauth-authorization-server")).json()
        same = (await http.get(f"{issuer}/.well-known/openid-configuration")).json()
    assert found == same
    assert found["issuer"] == issuer
    return dict(found)


async def made(api: Api, **wanted: Any) -> dict[str, Any]:
    answer = await api.http.post("/v1/clients", json={"name": "app", **wanted})
    assert answer.status_code == 201, answer.text
    return dict(answer.json())


async def models(api: Api, token: str) -> int:
    headers = {"authorization": f"Bearer {token}"}
    async with httpx.AsyncClient(base_url=api.http.base_url) as http:
        return (await http.get("/v1/models", headers=headers)).status_code


@pytest.fixture
async def browser(server: Api) -> AsyncIterator[Browser]:
    """Give a browser that Ada, a developer, is signed in with."""
    await person("ada@example.com", default=Role.DEVELOPER)
    made = Browser(server)
    headers = made.http.headers
    async with httpx.AsyncClient(base_url=server.http.base_url, headers=headers) as http:
        made.http = http
        await made.sign_in("ada@example.com")
        yield made


@pytest.mark.parametrize("public", [True, False], ids=["public", "confidential"])
async def test_authlib_completes_code_refresh_revocation_and_introspection(
    server: Api, browser: Browser, public: bool
) -> None:
    told = await discovered(server)
    app = await made(server, redirect_uris=[CALLBACK], public=public)
    async with AsyncOAuth2Client(
        app["id"],
        app["secret"],
        redirect_uri=CALLBACK,
        scope="openid email models:read",
        code_challenge_method="S256",
        token_endpoint=told["token_endpoint"],
        revocation_endpoint_auth_method="none" if public else None,
        token_endpoint_auth_method="none" if public else "client_secret_basic",
    ) as client:
        verifier = "a" * 60
        url, state = client.create_authorization_url(
            told["authorization_endpoint"], code_verifier=verifier, nonce="n-1"
        )
        back = await browser.allow(url)
        assert back["state"] == state
        assert back["iss"] == told["issuer"]
        token = await client.fetch_token(
            told["token_endpoint"], code=back["code"], code_verifier=verifier
        )
        assert await models(server, token["access_token"]) == 200
        keys = KeySet.import_key_set((await server.http.get(told["jwks_uri"])).json())
        claims = jwt.decode(token["id_token"], keys, algorithms=["ES256"]).claims
        assert (claims["aud"], claims["nonce"]) == (app["id"], "n-1")
        assert claims["email"] == "ada@example.com"
        info = (await client.get(told["userinfo_endpoint"])).json()
        assert (info["sub"], info["email"]) == (claims["sub"], "ada@example.com")
        assert await models(server, token["id_token"]) == 401

        fresh = await client.refresh_token(told["token_endpoint"])
        assert fresh["refresh_token"] != token["refresh_token"]
        assert await models(server, fresh["access_token"]) == 200
        if not public:
            seen = await client.introspect_token(
                told["introspection_endpoint"], token=fresh["access_token"]
            )
            assert seen.json()["active"]
            assert seen.json()["sub"] == claims["sub"]
        gone = await client.revoke_token(
            told["revocation_endpoint"],
            token=fresh["refresh_token"],
        )
        assert gone.status_code == 200, gone.text
    for dead in (token, fresh):
        assert await models(server, dead["access_token"]) == 401


async def test_authlib_gets_tokens_for_a_program_by_secret_and_by_its_own_key(server: Api) -> None:
    told = await discovered(server)
    by_secret = await made(server, scopes=["models:read"])
    async with AsyncOAuth2Client(by_secret["id"], by_secret["secret"]) as client:
        token = await client.fetch_token(told["token_endpoint"], grant_type="client_credentials")
        assert await models(server, token["access_token"]) == 200

    key = ECKey.generate_key("P-256", {"kid": "k-1"}, auto_kid=False)
    public = {**key.as_dict(private=False), "kid": "k-1"}
    by_key = await made(server, scopes=["models:read"], jwks={"keys": [public]})
    assert by_key["secret"] is None
    async with AsyncOAuth2Client(
        by_key["id"], key, token_endpoint_auth_method="private_key_jwt"
    ) as client:
        signing = PrivateKeyJWT(told["issuer"], headers={"kid": "k-1"}, alg="ES256")
        client.register_client_auth_method(("private_key_jwt", signing))
        token = await client.fetch_token(told["token_endpoint"], grant_type="client_credentials")
        assert await models(server, token["access_token"]) == 200


async def test_oauthlib_completes_the_device_flow(
    server: Api, browser: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OAUTHLIB_INSECURE_TRANSPORT", "1")  # loopback
    told = await discovered(server)
    app = await made(server, public=True)
    device = DeviceClient(app["id"])
    kind = {"content-type": "application/x-www-form-urlencoded"}
    async with httpx.AsyncClient(headers=kind) as http:
        uri = device.prepare_request_uri(told["device_authorization_endpoint"], ["models:read"])
        asked = await http.post(told["device_authorization_endpoint"], content=urlsplit(uri).query)
        codes = asked.json()
        assert (codes["expires_in"], codes["interval"]) == (600, 5)
        assert codes["verification_uri_complete"].endswith(codes["user_code"])
        body = device.prepare_request_body(codes["device_code"], include_client_id=True)
        early = await http.post(told["token_endpoint"], content=body)
        assert early.json()["error"] == "authorization_pending"
        done = await browser.decide(codes["user_code"])
        assert "Signed in" in done.text
        token = device.parse_request_body_response(
            (await http.post(told["token_endpoint"], content=body)).text
        )
        assert token["scope"] == ["models:read"]
        assert await models(server, token["access_token"]) == 200
        again = device.prepare_refresh_body(
            refresh_token=token["refresh_token"], client_id=app["id"]
        )
        fresh = (await http.post(told["token_endpoint"], content=again)).json()
        assert await models(server, fresh["access_token"]) == 200


async def test_first_party_sign_in_goes_on_without_being_asked(
    server: Api, browser: Browser
) -> None:
    told = await discovered(server)
    verifier = "v" * 64
    async with AsyncOAuth2Client(
        "kubeserve-dashboard",
        redirect_uri=f"{told['issuer']}/dashboard/callback",
        code_challenge_method="S256",
        token_endpoint_auth_method="none",
    ) as client:
        url, _ = client.create_authorization_url(
            told["authorization_endpoint"], code_verifier=verifier
        )
        back = sent(await browser.http.get(url))
        token = await client.fetch_token(
            told["token_endpoint"], code=back["code"], code_verifier=verifier
        )
    assert "models:write" in token["scope"].split()
    assert await models(server, token["access_token"]) == 200
