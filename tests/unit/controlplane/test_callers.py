"""The API's verifier against the runtime's table of attacks: both must refuse all of them."""

import json

import pytest
from fastapi import Request
from joserfc.jwk import KeySet

from controlplane.callers import Caller, Callers, Standing, Visitor
from runtime.problems import Unauthenticated
from tests.unit.runtime.minting import (
    AUDIENCE,
    CLAIMS,
    ISSUER,
    KEY,
    NOW,
    OTHER,
    keys_document,
    mint,
)
from tests.unit.runtime.test_tokens_hostile import ATTACKS

GOOD = mint()


def callers(
    *,
    now: float = NOW,
    live: bool = True,
    revoked: str = "",
    scopes: tuple[str, ...] = ("models:read", "predict"),
) -> Callers:
    async def keys() -> KeySet:
        return KeySet.import_key_set(json.loads(keys_document({"k1": KEY, "k2": OTHER})))

    async def is_revoked(jti: str) -> bool:
        return jti == revoked

    async def standing(client: str, tenant: str) -> Standing | None:
        assert (client, tenant) == (CLAIMS["client_id"], CLAIMS["tenant"])
        return Standing(frozenset(scopes)) if live else None

    return Callers(ISSUER, AUDIENCE, keys, {"client": standing}, is_revoked, nobody, lambda: now)


async def nobody(_: Request) -> Visitor | None:
    return None


async def test_a_good_token_is_its_caller() -> None:
    expected = Caller("acme", "client:c-1", "c-1", frozenset({"models:read", "predict"}))
    for scheme in ("Bearer", "bearer", "BEARER"):
        assert await callers().identify(f"{scheme} {GOOD}") == expected


@pytest.mark.parametrize("token", ATTACKS.values(), ids=[ascii(name) for name in ATTACKS])
async def test_no_attack_gets_in(token: str) -> None:
    with pytest.raises(Unauthenticated):
        await callers().identify(f"Bearer {token}")


async def test_a_revoked_token_ends_before_its_time() -> None:
    assert await callers(revoked="another").identify(f"Bearer {GOOD}")
    with pytest.raises(Unauthenticated, match="revoked"):
        await callers(revoked=CLAIMS["jti"]).identify(f"Bearer {GOOD}")


@pytest.mark.parametrize("header", [None, "", "Bearer", "Bearer ", f"Basic {GOOD}", GOOD])
async def test_without_a_bearer_token_nobody_gets_in(header: str | None) -> None:
    with pytest.raises(Unauthenticated, match="POST /oauth2/token"):
        await callers().identify(header)


@pytest.mark.parametrize(
    ("offset", "valid"), [(-41, False), (-39, True), (329, True), (330, False), (10_000, False)]
)
async def test_clocks_may_differ_by_thirty_seconds(offset: int, valid: bool) -> None:
    at = callers(now=NOW + offset)
    if valid:
        assert (await at.identify(f"Bearer {GOOD}")).client == "c-1"
        return
    with pytest.raises(Unauthenticated, match=r"expired|not valid yet"):
        await at.identify(f"Bearer {GOOD}")


async def test_a_revoked_client_is_nobody() -> None:
    with pytest.raises(Unauthenticated, match="revoked"):
        await callers(live=False).identify(f"Bearer {GOOD}")


async def test_a_scope_that_its_subject_lost_is_gone_from_its_tokens() -> None:
    found = await callers(scopes=("predict", "admin")).identify(f"Bearer {GOOD}")
    assert found.scopes == {"predict"}
