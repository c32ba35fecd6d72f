"""Signing keys, scopes and forms: what needs no database."""

import base64
import hashlib
import json
import threading
from pathlib import Path

import pytest
from authlib.oauth2.rfc6749 import OAuth2Error
from cryptography.exceptions import InvalidTag
from joserfc import jwt
from joserfc.jwk import ECKey

from controlplane import forms
from controlplane.oauth import grants, keys, server
from controlplane.permissions import ALL_SCOPES

ISSUER = "https://kube.example"
SECRET = "kss_right"


def test_a_key_is_named_by_its_thumbprint_and_signs() -> None:
    pair = keys.new_key()
    public = ECKey.import_key(pair.public)  # type: ignore[arg-type]  # a plain dict is fine
    assert pair.kid == public.thumbprint() == pair.public["kid"]
    assert "d" not in pair.public
    token = jwt.encode({"alg": "ES256"}, {"x": 1}, ECKey.import_key(pair.private))
    assert jwt.decode(token, public, algorithms=["ES256"]).claims == {"x": 1}


def test_a_private_key_opens_only_with_its_secret_and_its_name() -> None:
    sealed = keys.seal(b"s" * 32, "kid-1", b"private")
    assert b"private" not in sealed
    assert sealed != keys.seal(b"s" * 32, "kid-1", b"private")
    assert keys.unseal(b"s" * 32, "kid-1", sealed) == b"private"
    for secret, kid in ((b"t" * 32, "kid-1"), (b"s" * 32, "kid-2")):
        with pytest.raises(InvalidTag):
            keys.unseal(secret, kid, sealed)


def test_processes_that_start_together_agree_on_the_secret(tmp_path: Path) -> None:
    path, found = tmp_path / "secrets" / "signing", []
    threads = [
        threading.Thread(target=lambda: found.append(keys.read_or_make_secret(path)))
        for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 8
    assert len(set(found)) == 1
    assert path.stat().st_mode & 0o777 == 0o600
    assert [p.name for p in path.parent.iterdir()] == ["signing"]


@pytest.mark.parametrize(
    ("asked", "allowed", "for_endpoint", "granted"),
    [
        (None, ALL_SCOPES, True, ["predict"]),
        (None, ALL_SCOPES, False, [s for s in ALL_SCOPES if s != "predict"]),
        ("models:read models:read", ALL_SCOPES, False, ["models:read"]),
        ("predict", ALL_SCOPES, False, None),
        ("models:read", ALL_SCOPES, True, None),
        ("admin", ("models:read",), False, None),
        (None, ("predict",), False, None),
        (None, ("models:read",), True, None),
        (" ", ALL_SCOPES, False, None),
    ],
)
def test_scopes_fit_the_client_and_the_audience(
    asked: str | None, allowed: tuple[str, ...], for_endpoint: bool, granted: list[str] | None
) -> None:
    if granted is not None:
        found = grants.grant_scopes(asked, allowed, for_endpoint=for_endpoint)
        assert list(found) == granted
        return
    with pytest.raises(OAuth2Error) as refused:
        grants.grant_scopes(asked, allowed, for_endpoint=for_endpoint)
    assert refused.value.error == "invalid_scope"


@pytest.mark.parametrize("asked", [None, "predict"])
def test_who_may_not_predict_is_told_which_scope_it_needs(asked: str | None) -> None:
    for refused in (
        lambda: grants.grant_scopes(asked, ("models:read",), for_endpoint=True),
        lambda: grants.fitting_scopes("models:read", frozenset(ALL_SCOPES), for_endpoint=True),
        lambda: grants.fitting_scopes("predict", frozenset(), for_endpoint=True),
    ):
        with pytest.raises(OAuth2Error) as told:
            refused()
        assert told.value.description == "This needs the scope predict, which was not granted here."


@pytest.mark.parametrize(
    ("body", "query", "said"),
    [
        (b"a=1&a=2", "", "twice"),
        (b"a=1", "a=1", "address"),
        (b"\xff", "", "not a form"),
        (b"novalue", "", "not a form"),
        (b"&".join(b"%d=1" % n for n in range(60)), "", "not a form"),
    ],
)
def test_a_form_is_read_strictly(body: bytes, query: str, said: str) -> None:
    with pytest.raises(OAuth2Error) as refused:
        server.parse_form(body, query, {"content-type": forms.TYPE})
    assert refused.value.error == "invalid_request"
    assert said in refused.value.description


def answer(form: dict[str, str], headers: dict[str, str], *, known: bool = True):
    pair = keys.new_key()
    signer = grants.Signer(ISSUER, pair.kid, ECKey.import_key(pair.private), 900, 300)
    client = server.KnownClient("ks-1", "acme", server.digest(SECRET), ("models:read",))
    named = grants.Known(client if known else None, grants.Audience(ISSUER, for_endpoint=False))
    request = server.Request("POST", f"{ISSUER}/oauth2/token", form, headers)
    return grants.issue(signer, request, named, 1_800_000_000)[0]


def basic(secret: str) -> dict[str, str]:
    return {"Authorization": "Basic " + base64.b64encode(f"ks-1:{secret}".encode()).decode()}


@pytest.mark.parametrize(
    ("form", "headers"),
    [({}, basic(SECRET)), ({"client_id": "ks-1", "client_secret": SECRET}, {})],
    ids=["basic", "post"],
)
def test_a_client_gets_a_token_both_ways(form: dict[str, str], headers: dict[str, str]) -> None:
    status, body, sent = answer({"grant_type": "client_credentials", **form}, headers)
    assert status == 200
    assert sent["Cache-Control"] == "no-store"
    assert (body["token_type"], body["expires_in"], body["scope"]) == ("Bearer", 900, "models:read")
    claims = json.loads(base64.urlsafe_b64decode(body["access_token"].split(".")[1] + "=="))
    assert (claims["exp"], claims["tenant"]) == (1_800_000_900, "acme")


def test_nothing_tells_an_unknown_client_from_a_wrong_secret() -> None:
    grant = {"grant_type": "client_credentials"}
    unknown = answer(grant, basic(SECRET), known=False)
    assert unknown == answer(grant, basic("kss_wrong"))
    assert unknown[0] == 401
    assert server.digest(SECRET) == hashlib.sha256(SECRET.encode()).hexdigest()


@pytest.mark.parametrize("grant", ["password", "implicit", "", "x"])
def test_there_are_no_other_grants(grant: str) -> None:
    status, body, _ = answer({"grant_type": grant}, basic(SECRET))
    assert (status, body["error"]) == (400, "unsupported_grant_type")
