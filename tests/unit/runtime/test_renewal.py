"""Newer keys from an object store: signed, not older, and asked for only when they changed."""

import json
from collections import deque

import pytest

from runtime.launch import LaunchError
from runtime.problems import Unauthenticated
from runtime.renewal import Renewal
from runtime.tokens import TokenVerifier
from tests.unit.runtime.minting import AUDIENCE, ISSUER, KEY, NOW, OTHER, jwk, keys_document, mint
from tests.unit.runtime.test_fetch import Answer, Store

LIST = {"alg": "ES256", "typ": "keys+jwt", "kid": "k1"}


def listed(keys, *, at=NOW, header=LIST, key=KEY, **revoked):
    document = {"keys": keys, "revoked": {"jtis": {}, "clients": {}, **revoked}, "iat": at}
    return mint(header, document, key).encode()


@pytest.fixture
def tokens(tmp_path):
    file = tmp_path / "keys.json"
    file.write_text(keys_document({"k1": KEY}))
    return TokenVerifier(file, ISSUER, AUDIENCE, clock=lambda: NOW)


def bearer(**changes):
    return f"Bearer {mint(**changes)}"


def test_a_new_key_and_a_revocation_arrive(tokens):
    by_other = bearer(header={"typ": "at+jwt", "alg": "ES256", "kid": "k2"}, key=OTHER)
    with pytest.raises(Unauthenticated, match="not known here"):
        tokens.verify(by_other)
    assert tokens.verify(bearer()).client == "c-1"
    tokens.renew(listed([jwk(OTHER, "k2"), jwk(KEY, "k1")]))
    assert tokens.verify(by_other).client == "c-1"
    tokens.renew(listed([jwk(KEY, "k1")], clients={"c-1": NOW}))
    with pytest.raises(Unauthenticated, match="its client was revoked"):
        tokens.verify(bearer())


def test_too_many_to_name_are_all_of_before_a_time(tokens):
    tokens.renew(listed([jwk(KEY, "k1")], before=NOW))
    with pytest.raises(Unauthenticated, match="too many were revoked"):
        tokens.verify(bearer())
    tokens.renew(listed([jwk(KEY, "k1")], before=NOW - 60))
    assert tokens.verify(bearer()).client == "c-1"


@pytest.mark.parametrize(
    ("document", "says"),
    [
        (listed([jwk(OTHER, "k2")], key=OTHER), "signature"),
        (listed([], header={**LIST, "typ": "at+jwt"}), "not a list of keys"),
        (listed([], header={**LIST, "kid": "k9"}), "not known here"),
        (listed([], header={**LIST, "alg": "none"}), "ES256"),
        (listed([], at=NOW - 1), "older"),
        (listed("all"), "must hold a list"),
        (b"nothing", "not a signed JWT"),
        (b"\xff", "ascii"),
    ],
)
def test_what_is_not_ours_changes_nothing(tokens, document, says):
    tokens.renew(listed([jwk(KEY, "k1")]))
    with pytest.raises(ValueError, match=says):
        tokens.renew(document)
    assert tokens.verify(bearer()).client == "c-1"


def test_a_list_of_keys_is_no_access_token(tokens):
    with pytest.raises(Unauthenticated, match="not an access token"):
        tokens.verify(f"Bearer {listed([jwk(KEY, 'k1')]).decode()}")


@pytest.fixture
def store():
    made = Store()
    yield made
    made.close()


def settings(store):
    place = {"url": store.url, "bucket": "b", "prefix": "tenants/acme/", "region": "us-east-1"}
    return {
        "KUBESERVE_KEYS_FROM": json.dumps(place),
        "AWS_ACCESS_KEY_ID": "key",
        "AWS_SECRET_ACCESS_KEY": "secret",
    }


def test_it_is_read_again_only_when_it_changed(store):
    taken = deque()
    renewal = Renewal(settings(store), taken.append)
    store.next_up += [Answer(body=b"one", headers={"etag": '"1"'}), Answer(304)]
    assert renewal.look()
    assert not renewal.look()
    store.next_up.append(Answer(503))
    with pytest.raises(OSError, match="503"):
        renewal.look()
    store.next_up.append(Answer(body=b"two", headers={"etag": '"2"'}))
    assert renewal.look()
    assert list(taken) == [b"one", b"two"]
    assert {path for path, _ in store.seen} == {"/b/tenants/acme/keys.jws"}


def test_what_is_not_believed_is_asked_for_again(store):
    def refuse(document):
        raise ValueError("not ours")

    renewal = Renewal(settings(store), refuse)
    for _ in range(2):
        store.next_up.append(Answer(body=b"one", headers={"etag": '"1"'}))
        with pytest.raises(ValueError, match="not ours"):
            renewal.look()


def test_without_credentials_it_says_so(store):
    env = settings(store)
    del env["AWS_ACCESS_KEY_ID"]
    with pytest.raises(LaunchError, match="AWS_ACCESS_KEY_ID"):
        Renewal(env, print)
