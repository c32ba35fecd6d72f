"""The token verifier: what it takes, what it remembers, and how it follows the keys file."""

import json
import os
from hashlib import sha256

import pytest

from runtime.problems import Forbidden, Unauthenticated
from runtime.tokens import MAX_CACHED, TokenVerifier
from tests.unit.runtime.minting import (
    AUDIENCE,
    CLAIMS,
    HEADER,
    ISSUER,
    KEY,
    NOW,
    OTHER,
    Clock,
    keys_document,
    mint,
)


class Rig:
    def __init__(self, folder):
        self.file, self.clock, self.turn = folder / "keys.json", Clock(), 0
        self.write(keys_document())
        self.verifier = self.open()

    def open(self, **options):
        return TokenVerifier(self.file, ISSUER, AUDIENCE, clock=self.clock, **options)

    def write(self, text):
        fresh = self.file.with_suffix(".new")
        fresh.write_text(text)
        self.turn += 1
        os.utime(fresh, ns=(self.turn, self.turn))
        fresh.replace(self.file)

    def verify(self, token):
        return self.verifier.verify(f"Bearer {token}".encode())

    def refused(self, token, said="not valid"):
        with pytest.raises(Unauthenticated, match=said):
            self.verify(token)


@pytest.fixture
def rig(tmp_path):
    return Rig(tmp_path)


@pytest.mark.parametrize(
    "claims",
    [
        pytest.param({}, id="plain"),
        pytest.param({"aud": [AUDIENCE]}, id="audience as a list of one"),
        pytest.param({"nbf": NOW + 25}, id="clock 25 s behind"),
        pytest.param({"iat": NOW + 25}, id="issued 25 s ahead"),
        pytest.param({"exp": NOW - 25}, id="expired 25 s ago"),
        pytest.param({"scope": "predict"}, id="one scope"),
        pytest.param({"custom": {"deep": [1.5, None]}}, id="members nobody knows"),
    ],
)
def test_a_good_token_is_accepted(rig, claims):
    found = rig.verify(mint(claims={**CLAIMS, **claims}))
    assert (found.tenant, found.client, found.jti) == ("acme", "c-1", "j-1")
    assert "predict" in found.scopes


@pytest.mark.parametrize("scheme", ["Bearer", "bearer", "BEARER"])
def test_the_scheme_is_read_in_any_case(rig, scheme):
    assert rig.verifier.verify(f"{scheme} {mint()}").client == "c-1"


@pytest.mark.parametrize("header", [None, b"", "Basic eDp5", "Bearer", b"Bearer ", "Bearer a b"])
def test_without_a_bearer_token_nobody_gets_in(rig, header):
    with pytest.raises(Unauthenticated):
        rig.verifier.verify(header)


def test_a_token_without_the_scope_is_forbidden(rig):
    with pytest.raises(Forbidden) as caught:
        rig.verify(mint(claims={**CLAIMS, "scope": "models:read predictor"}))
    assert caught.value.members == {"scope": "predict"}


def test_another_scope_may_be_demanded(rig):
    rig.verifier = rig.open(scope="models:read")
    assert rig.verify(mint()).tenant == "acme"


def test_a_remembered_token_expires_on_time(rig):
    token = mint()
    assert rig.verify(token) is rig.verify(token)
    rig.clock.now = NOW + 300 + 29
    rig.verify(token)
    rig.clock.now = NOW + 300 + 30
    rig.refused(token, "expired")


def test_a_token_from_the_future_is_not_refused_for_ever(rig):
    token = mint(claims={**CLAIMS, "iat": NOW + 40})
    rig.refused(token, "not valid yet")
    rig.clock.now += 10
    assert rig.verify(token)


@pytest.mark.parametrize(
    "revoked",
    [
        {"jtis": ["j-1"]},
        {"clients": {"c-1": NOW}},
        {"clients": {"c-1": NOW - 9.5}},
        {"subjects": {CLAIMS["sub"]: NOW}},
    ],
    ids=["token", "client", "client in the same second", "subject"],
)
def test_a_revoked_token_is_refused_though_it_was_remembered(rig, revoked):
    token = mint()
    rig.verify(token)
    rig.write(keys_document(**revoked))
    assert rig.verifier.refresh()
    rig.refused(token, "revoked")


def test_of_too_many_revoked_those_from_before_are_told_what_to_do(rig):
    rig.write(keys_document(before=NOW - 9))
    rig.verifier.refresh()
    rig.refused(mint(), "too many were revoked lately to name each; get a new token")
    assert rig.verify(mint(claims={**CLAIMS, "iat": NOW - 9}))


def test_a_revoked_client_may_come_back_with_newer_tokens(rig):
    rig.write(keys_document(clients={"c-1": NOW - 11, "c-2": NOW}))
    rig.verifier.refresh()
    assert rig.verify(mint())


def test_a_key_that_was_taken_away_counts_no_more(rig):
    token = mint()
    rig.verify(token)
    rig.write(keys_document({"k2": OTHER}))
    assert rig.verifier.refresh()
    rig.refused(token, "key that is not known")


def test_a_new_key_is_found_by_itself_but_looked_for_once_a_second(rig):
    token = mint({**HEADER, "kid": "k2"}, key=OTHER)
    rig.clock.now += 1
    rig.refused(token)
    rig.write(keys_document({"k1": KEY, "k2": OTHER}))
    rig.refused(token)
    rig.clock.now += 1
    assert rig.verify(token)
    assert rig.verify(mint())


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "[]",
        "{}",
        '{"keys": {}}',
        '{"keys": [3]}',
        '{"keys": [{"kty": "EC", "crv": "P-256", "kid": "k1", "x": "AA", "y": "AA"}]}',
        '{"keys": [{"kty": "EC", "crv": "P-256", "kid": "k1"}]}',
        '{"keys": [], "revoked": []}',
        '{"keys": [], "revoked": {"jtis": []}}',
        '{"keys": [], "revoked": {"clients": {"c-1": null}}}',
        '{"keys": [], "revoked": {"subjects": {"user:1": "now"}}}',
        '{"keys": [], "revoked": {"subjects": []}}',
        '{"keys": [], "keys": []}',
        "[" * 100_000,
    ],
)
def test_a_broken_keys_file_keeps_the_last_good_one(rig, text):
    rig.write(text)
    assert not rig.verifier.refresh()
    assert rig.verify(mint())
    rig.write(keys_document({"k2": OTHER}))
    assert rig.verifier.refresh()


def test_a_lost_keys_file_keeps_the_last_good_one(rig):
    rig.file.unlink()
    assert not rig.verifier.refresh()
    assert rig.verify(mint())


def test_a_verifier_may_start_before_its_keys_file(rig):
    text = rig.file.read_text()
    rig.file.unlink()
    rig.verifier = rig.open()
    rig.refused(mint())
    rig.write(text)
    assert rig.verifier.refresh()
    assert rig.verify(mint())


def test_an_unchanged_keys_file_is_not_read_again(rig):
    found = rig.verify(mint())
    assert not rig.verifier.refresh()
    assert rig.verifier.verify(f"Bearer {mint()}".encode()) == found


def test_keys_of_other_kinds_are_passed_over(rig):
    text = keys_document().replace('"keys": [', '"keys": [{"kty": "OKP", "kid": "e"}, ')
    rig.write(text)
    assert rig.verifier.refresh()
    assert rig.verify(mint())


def test_memory_is_bounded_and_keeps_what_is_used(rig, monkeypatch):
    monkeypatch.setattr("runtime.tokens.MAX_CACHED", 3)
    tokens = [mint(claims={**CLAIMS, "jti": f"j-{i}"}) for i in range(5)]
    kept = rig.verify(tokens[0])
    for token in tokens[1:]:
        rig.verify(token)
        assert rig.verify(tokens[0]) is kept
    assert len(rig.verifier._cache) == 3
    assert MAX_CACHED == 10_000


def test_refusals_are_not_remembered(rig):
    for i in range(20):
        rig.refused(f"a.b.{i}")
    assert not rig.verifier._cache


def test_whoever_has_the_token_of_metrics_may_read_them_and_nothing_else(rig):
    token = "scrape-me-0123456789"
    assert not rig.verifier.may_scrape(f"Bearer {token}".encode()), "nobody may"
    told = {**json.loads(keys_document()), "metrics": sha256(token.encode()).hexdigest()}
    rig.write(json.dumps(told))
    rig.verifier.refresh()
    assert rig.verifier.may_scrape(f"Bearer {token}".encode())
    for wrong in (None, b"", b"Bearer ", b"Bearer \xff", f"Bearer {told['metrics']}".encode()):
        assert not rig.verifier.may_scrape(wrong)
    rig.refused(token)
