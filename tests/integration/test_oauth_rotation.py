"""Signing keys that change while tokens are asked for and used, and a key that leaked."""

import asyncio
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from controlplane.oauth.rotation import KeyState, Schedule
from controlplane.oauth.tables import SigningKey
from runtime.problems import Unauthenticated
from runtime.tokens import TokenVerifier
from tests.integration.api import Api

AT_ONCE = Schedule(lead=timedelta(0))


async def states() -> dict[str, str]:
    return {row.kid: row.state for row in await SigningKey.all()}


async def signs(api: Api) -> str:
    return (await api.app.state.oauth.keyring.load()).kid


async def test_three_rotations_under_load_refuse_nobody(api: Api, tmp_path: Path) -> None:
    async with asyncio.timeout(30):
        while not api.engine.keys:
            await asyncio.sleep(0.01)
    keyring = api.app.state.oauth.keyring
    keyring.schedule = AT_ONCE
    refused: list[str] = []
    asked, done = 0, asyncio.Event()

    async def ask() -> None:
        nonlocal asked
        while not done.is_set():
            text = (await api.token()).json()["access_token"]
            keys = tmp_path / "keys.json"
            keys.write_bytes(api.engine.keys[-1])
            issuer = str(api.http.base_url).rstrip("/")
            runtime = TokenVerifier(
                keys, issuer, issuer, clock=lambda: datetime.now(UTC).timestamp(), scope="admin"
            )
            headers = {"authorization": f"Bearer {text}"}
            answer = await api.http.get("/v1/models", headers=headers)
            if answer.status_code != 200:
                refused.append(answer.text)
            runtime.verify(f"Bearer {text}")
            asked += 1

    asking = [asyncio.create_task(ask()) for _ in range(4)]
    signers = [await signs(api)]
    for _ in range(3):
        before = asked
        answer = await api.http.post("/v1/admin/keys/rotate", json={})
        assert answer.status_code == 202, answer.text
        await api.app.state.publish_keys()
        assert answer.json()["kid"] in json.dumps(json.loads(api.engine.keys[-1])["keys"])
        signers.append(await signs(api))
        assert signers[-1] == answer.json()["kid"]
        async with asyncio.timeout(60):
            while asked < before + 20 and not any(task.done() for task in asking):
                await asyncio.sleep(0.01)
    done.set()
    await asyncio.gather(*asking)
    assert refused == []
    assert len(set(signers)) == 4
    found = sorted((await states()).values())
    assert found[:1] + found[-3:] == ["active", "retiring", "retiring", "retiring"]


async def test_the_next_key_is_published_and_does_not_sign_yet(api: Api) -> None:
    old = await signs(api)
    answer = await api.http.post("/v1/admin/keys/rotate", json={})
    assert 590 <= answer.json()["signs_in_s"] <= 600
    again = await api.http.post("/v1/admin/keys/rotate", json={})
    assert again.json()["kid"] == answer.json()["kid"]
    assert await states() == {old: KeyState.ACTIVE, answer.json()["kid"]: KeyState.NEXT}
    listed = (await api.http.get("/oauth2/jwks.json")).json()["keys"]
    assert {key["kid"] for key in listed} == {old, answer.json()["kid"]}
    assert await signs(api) == old


async def test_an_old_key_goes_when_its_tokens_have_expired(api: Api) -> None:
    keyring = api.app.state.oauth.keyring
    keyring.schedule = AT_ONCE
    old = await signs(api)
    await api.http.post("/v1/admin/keys/rotate", json={})
    await api.app.state.publish_keys()
    assert (await states())[old] == KeyState.RETIRING
    longest = keyring.schedule.retires + timedelta(seconds=1)
    await SigningKey.filter(kid=old).update(changed_at=datetime.now(UTC) - longest)
    await api.app.state.publish_keys()
    assert old not in await states()
    assert old not in api.engine.keys[-1].decode()


async def test_a_key_that_leaked_is_taken_no_more_at_once(api: Api, tmp_path: Path) -> None:
    held = (await api.token()).json()["access_token"]
    await api.app.state.publish_keys()
    known = next(kid for kid, state in (await states()).items() if state == KeyState.NEXT)
    answer = await api.http.post("/v1/admin/keys/rotate", json={"now": True})
    assert answer.status_code == 202
    assert answer.json()["kid"] == known
    assert sorted((await states()).values()) == ["active", "next"]
    headers = {"authorization": f"Bearer {held}"}
    assert (await api.http.get("/v1/models", headers=headers)).status_code == 401
    keys = tmp_path / "keys.json"
    keys.write_bytes(api.engine.keys[-1])
    issuer = str(api.http.base_url).rstrip("/")
    runtime = TokenVerifier(
        keys, issuer, issuer, clock=lambda: datetime.now(UTC).timestamp(), scope="admin"
    )
    with pytest.raises(Unauthenticated, match="key that is not known"):
        runtime.verify(f"Bearer {held}")
    await api.sign_in()
    assert (await api.http.get("/v1/models")).status_code == 200


async def test_only_the_installations_administrators_rotate(api: Api) -> None:
    other = await api.another_tenant("rival")
    assert (await other.http.post("/v1/admin/keys/rotate", json={})).status_code == 403
