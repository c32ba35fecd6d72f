"""The SDK against the real application, and its tokens against the runtime's own verifier."""

import asyncio
import io
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import httpx
import joblib
import pytest
from sklearn.datasets import load_iris
from sklearn.linear_model import LogisticRegression

from controlplane.client import (
    ApiError,
    AsyncClient,
    BuildFailed,
    NotFound,
    RetryPolicy,
    SignInFailed,
)
from runtime.problems import Unauthenticated
from runtime.tokens import TokenVerifier
from tests.integration.api import Api


def wall() -> float:
    return datetime.now(UTC).timestamp()


@pytest.fixture
async def client(api: Api) -> AsyncIterator[AsyncClient]:
    address = str(api.http.base_url).rstrip("/")
    made = AsyncClient(address, api.client_id, api.client_secret, retries=RetryPolicy(first_s=0.01))
    await made._http.aclose()
    made._http = httpx.AsyncClient(transport=api.http._transport)
    yield made
    await made.close()


@pytest.fixture
def file(tmp_path: Path) -> Path:
    x, y = load_iris(return_X_y=True)
    path = tmp_path / "iris.joblib"
    joblib.dump(LogisticRegression(max_iter=500).fit(x, y), path)
    return path


async def test_the_way_of_a_model(client: AsyncClient, file: Path) -> None:
    raw = await asyncio.to_thread(file.read_bytes)
    sent: list[int] = []
    version = await client.push(file, "iris", progress=lambda done, _: sent.append(done))
    assert (version.state, version.backend, version.number) == ("ready", "plan", 1)
    assert sent[-1] == version.size_bytes == len(raw)
    assert (await client.push(raw, "iris")).number == 1
    assert [m.name for m in await client.models()] == ["iris"]
    assert [v.number for v in await client.versions("iris")] == [1]

    await client.set_alias("iris", "production", 1)
    assert (await client.version("iris", "production")).aliases == ("production",)

    endpoint = await client.deploy("iris:production", scaling={"window_s": 6})
    assert endpoint.is_ready
    assert endpoint.revisions[0].version == 1
    assert [e.name for e in await client.endpoints()] == ["iris"]
    other = io.BytesIO()
    joblib.dump(LogisticRegression(C=0.1, max_iter=500).fit(*load_iris(return_X_y=True)), other)
    assert (await client.push(other, "iris")).number == 2
    await client.deploy("iris", 2)
    split = await client.traffic(
        "iris", [{"version": 1, "percent": 80}, {"version": 2, "percent": 20, "tag": "new"}]
    )
    assert sorted((r.version, r.percent) for r in split.revisions) == [(1, 80), (2, 20)]
    back = await client.rollback("iris", to=1)
    assert {r.version for r in back.revisions if r.percent} == {1}
    releases = await client.releases("iris")
    assert [(r.number, r.action, r.current) for r in releases] == [
        (4, "rollback", True),
        (3, "traffic", False),
        (2, "deploy", False),
        (1, "deploy", False),
    ]
    lines = [line async for line in client.logs("iris")]
    assert "hello from" in lines[0].text

    await client.delete_endpoint("iris")
    with pytest.raises(NotFound):
        await client.endpoint("iris")
    await client.delete_alias("iris", "production")
    await client.delete_model("iris")
    assert await client.models() == []


async def test_its_predict_tokens_are_taken_by_the_runtime_of_that_endpoint_alone(
    api: Api, client: AsyncClient, file: Path, tmp_path: Path
) -> None:
    await client.push(file, "iris")
    endpoint = await client.deploy("iris")
    await client._run(client._core.tokens.fetch(endpoint.audience))
    token = client._core.tokens.fresh(endpoint.audience)
    keys = tmp_path / "keys.json"
    keys.write_bytes(api.engine.keys[-1])
    issuer = client.url
    verifier = TokenVerifier(keys, issuer, endpoint.audience, clock=wall)
    claims = verifier.verify(f"Bearer {token}")
    assert (claims.client, claims.scopes) == (api.client_id, {"predict"})
    others = TokenVerifier(keys, issuer, endpoint.audience + "0", clock=wall)
    with pytest.raises(Unauthenticated, match="another audience"):
        others.verify(f"Bearer {token}")


async def test_an_api_key_does_in_place_of_a_client(
    api: Api, client: AsyncClient, tmp_path: Path
) -> None:
    made = await client.create_api_key("robot", scopes=["models:read"], expires_in_days=7)
    address = str(api.http.base_url).rstrip("/")
    theirs = AsyncClient(address, api_key=made.key)
    await theirs._http.aclose()
    theirs._http = httpx.AsyncClient(transport=api.http._transport)
    assert await theirs.models() == []
    with pytest.raises(ApiError) as refused:
        await theirs.create_model("iris")
    assert refused.value.status == 403
    (listed,) = await client.api_keys()
    assert (listed.id, listed.created_by, listed.key) == (made.id, "first administrator", None)
    assert listed.last_used_at is not None
    await client.revoke_api_key(made.id)
    with pytest.raises(SignInFailed):
        await theirs.models()
    await theirs.close()
    told = [(event.action, event.name) for event in await client.audit(most=2)]
    assert told == [("key.revoke", "first administrator"), ("request.denied", "API key robot")]
    assert [e.action for e in await client.audit(action="key.")] == ["key.revoke", "key.create"]
    began = made.created_at
    assert await client.audit(until=began) == []
    assert len(await client.audit(since=began)) == 3


async def test_refusals_keep_their_words(client: AsyncClient) -> None:
    with pytest.raises(BuildFailed) as failed:
        await client.push(b"\x80\x04cos\nsystem\n(S'true'\ntR.", "evil")
    assert failed.value.reason
    with pytest.raises(ApiError) as refused:
        await client.deploy("evil")
    assert refused.value.status in (404, 409, 422)
    assert refused.value.type.startswith("/problems/")
    with pytest.raises(NotFound):
        await client.model("nowhere")


async def test_members_and_invitations(client: AsyncClient, api: Api) -> None:
    me = await client.me()
    assert (me.subject, me.email, me.tenants) == (f"client:{api.client_id}", None, ())
    made = await client.invite("ada@example.com", "owner")
    assert made.link is not None
    assert made.link not in repr(made)
    assert [i.email for i in await client.invitations()] == ["ada@example.com"]
    form = {"secret": made.link.rpartition("=")[2], "name": "Ada", "password": "four words of mine"}
    ours = {"sec-fetch-site": "same-origin"}
    joined = await api.http.post("/invitations/accept", data=form, headers=ours)
    assert joined.status_code == 303
    [member] = await client.members()
    assert (member.email, member.role) == ("ada@example.com", "owner")
    with pytest.raises(ApiError, match="Only an owner"):
        await client.change_role("ada@example.com", "viewer")
    with pytest.raises(NotFound):
        await client.remove_member("eve@example.com")
    other = await client.invite("bob@example.com", "viewer")
    await client.revoke_invitation(other.id)
    assert await client.invitations() == []
    assert [(p.email, p.disabled) for p in await client.people()] == [("ada@example.com", False)]
    assert (await client.disable("ada@example.com")).disabled
    assert not (await client.disable("ada@example.com", disabled=False)).disabled
    assert "/account/password?secret=" in (await client.password_link("ada@example.com")).link
