"""How API keys are spelled, and the endpoint's own in the keys file."""

import json
import re

import pytest

from runtime import api_keys
from runtime.api_keys import Kind
from runtime.problems import Unauthenticated
from runtime.tokens import TokenVerifier
from tests.unit.runtime.minting import AUDIENCE, ISSUER, NOW, Clock, keys_document, mint

ID, SECRET = "0123456789abcdef", "".join(api_keys.ALPHABET[n] for n in range(43))
KEY = api_keys.spelled(Kind.ENDPOINT, ID, SECRET)


def test_a_key_is_spelled_as_scanners_of_secrets_look_for_it():
    assert re.fullmatch(r"ks_(api|ep)_[0-9a-f]{16}_[0-9A-Za-z]{49}", KEY)
    assert api_keys.public_id(KEY) == f"ks_ep_{ID}"
    assert api_keys.kind_of(f"ks_ep_{ID}") is Kind.ENDPOINT
    assert f"ks_ep_{ID}_{SECRET}0sD7GR" == KEY


def test_no_key_with_one_wrong_character_is_one():
    for at in range(len(KEY)):
        for other in "a0Z_":
            if KEY[at] != other:
                assert api_keys.public_id(KEY[:at] + other + KEY[at + 1 :]) is None, at
    for wrong in ("", KEY + "0", KEY[:-1], KEY.upper(), f" {KEY}", f"{KEY}\n", KEY + "é"):
        assert api_keys.public_id(wrong) is None


def listed(key=KEY, audience=AUDIENCE, **changes):
    entry = {"id": api_keys.public_id(key), "tenant": "acme", "exp": NOW + 100, **changes}
    document = json.loads(keys_document())
    return {**document, "api_keys": {audience: {api_keys.digest(key): entry}}}


def verifier(folder, document, clock=None):
    file = folder / "keys.json"
    file.write_text(json.dumps(document))
    return TokenVerifier(file, ISSUER, AUDIENCE, clock=clock or Clock())


def test_a_listed_key_is_somebody_until_it_expires(tmp_path):
    clock = Clock()
    tokens = verifier(tmp_path, listed(), clock)
    found = tokens.verify(f"Bearer {KEY}")
    assert (found.client, found.subject) == (f"ks_ep_{ID}", f"key:ks_ep_{ID}")
    assert (found.scopes, found.tenant) == ({"predict"}, "acme")
    clock.now += 100 + 29
    assert tokens.verify(f"bearer {KEY}") == found
    clock.now += 1
    with pytest.raises(Unauthenticated, match="expired"):
        tokens.verify(f"Bearer {KEY}")


def test_a_key_that_is_taken_from_the_list_is_nobody_though_it_was_remembered(tmp_path):
    tokens = verifier(tmp_path, listed())
    tokens.verify(f"Bearer {KEY}")
    (tmp_path / "keys.json").write_text(keys_document())
    assert tokens.refresh()
    with pytest.raises(Unauthenticated, match="revoked"):
        tokens.verify(f"Bearer {KEY}")


@pytest.mark.parametrize(
    ("key", "said"),
    [
        (KEY[:-1] + "0", "mistyped"),
        (api_keys.spelled(Kind.API, ID, SECRET), "no endpoint may see it"),
        (api_keys.spelled(Kind.ENDPOINT, ID[::-1], SECRET), "another endpoint"),
        ("ks_", "mistyped"),
    ],
)
def test_any_other_key_is_told_why(tmp_path, key, said):
    with pytest.raises(Unauthenticated, match=said):
        verifier(tmp_path, listed()).verify(f"Bearer {key}")


def test_a_key_for_another_endpoint_opens_nothing_here(tmp_path):
    with pytest.raises(Unauthenticated, match="another endpoint"):
        verifier(tmp_path, listed(audience=AUDIENCE + "0")).verify(f"Bearer {KEY}")


@pytest.mark.parametrize(
    "wrong",
    [
        {"api_keys": []},
        {"api_keys": {AUDIENCE: []}},
        {"api_keys": {AUDIENCE: {"x": 1}}},
        listed(exp="never"),
        listed(id=""),
        listed(tenant=None),
    ],
)
def test_a_broken_list_keeps_the_last_good_file(tmp_path, wrong):
    tokens = verifier(tmp_path, listed())
    (tmp_path / "keys.json").write_text(json.dumps({**json.loads(keys_document()), **wrong}))
    assert not tokens.refresh()
    assert tokens.verify(f"Bearer {KEY}")
    assert tokens.verify(f"Bearer {mint()}")


def test_thousands_of_wrong_keys_are_not_remembered(tmp_path):
    tokens = verifier(tmp_path, listed())
    for n in range(2_000):
        with pytest.raises(Unauthenticated):
            tokens.verify(f"Bearer {api_keys.spelled(Kind.ENDPOINT, f'{n:016x}', SECRET)}")
    assert not tokens._cache
