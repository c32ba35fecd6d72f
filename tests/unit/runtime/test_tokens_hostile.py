"""Tokens that must not get in: a table of attacks, and the same verdict as joserfc on mutations."""

import hashlib
import hmac
import json
import random

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.hashes import SHA256
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import ECKey

from runtime.problems import Forbidden, Unauthenticated
from runtime.tokens import TokenVerifier
from tests.unit.runtime.minting import (
    AUDIENCE,
    CLAIMS,
    GONE,
    HEADER,
    ISSUER,
    KEY,
    NOW,
    OTHER,
    Clock,
    b64,
    document,
    jwk,
    keys_document,
    mint,
    raw_signature,
)

GOOD = mint()
HEAD, BODY, SIGNATURE = GOOD.split(".")
ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551


def header(**change):
    return mint({**HEADER, **change})


def claims(**change):
    return mint(claims={**CLAIMS, **change})


def hmac_token(secret):
    signed = f"{b64(document({**HEADER, 'alg': 'HS256'}))}.{BODY}"
    return f"{signed}.{b64(hmac.digest(secret, signed.encode(), hashlib.sha256))}"


def rsa_token():
    key = rsa.generate_private_key(65537, 2048)
    signed = f"{b64(document({**HEADER, 'alg': 'RS256'}))}.{BODY}"
    return f"{signed}.{b64(key.sign(signed.encode(), padding.PKCS1v15(), SHA256()))}"


def der_token():
    return f"{HEAD}.{BODY}.{b64(KEY.sign(f'{HEAD}.{BODY}'.encode(), ec.ECDSA(SHA256())))}"


def signed_as(r, s):
    return f"{HEAD}.{BODY}.{b64(r.to_bytes(32) + s.to_bytes(32))}"


def other_bits(part):
    """Another spelling of the same bytes: the unused bits of the last character are set."""
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    assert len(part) % 4 in (2, 3)
    return part[:-1] + alphabet[alphabet.index(part[-1]) + 1]


PUBLIC_PEM = KEY.public_key().public_bytes(
    serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
)
PUBLIC_DER = KEY.public_key().public_bytes(
    serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
)
TWICE = json.dumps(CLAIMS)[:-1]

ATTACKS = {
    **{
        f"alg {alg!r}, {how}": token
        for alg in ("none", "None", "nOnE", "NONE", "", None, GONE, 256, ["ES256"], "es256")
        for how, token in (
            ("signed", header(alg=alg)),
            ("unsigned", f"{b64(document({**HEADER, 'alg': alg}))}.{BODY}."),
        )
    },
    "HS256 keyed by the public PEM": hmac_token(PUBLIC_PEM),
    "HS256 keyed by the public DER": hmac_token(PUBLIC_DER),
    "HS256 keyed by the JWK": hmac_token(json.dumps(jwk(KEY, "k1")).encode()),
    "HS256 keyed by nothing": hmac_token(b""),
    "RS256": rsa_token(),
    **{f"alg {alg}": header(alg=alg) for alg in ("ES384", "ES512", "ES256K", "PS256", "EdDSA")},
    "jwk": mint({**HEADER, "jwk": jwk(OTHER, "k1")}, key=OTHER),
    "jwk without kid": mint({**HEADER, "kid": GONE, "jwk": jwk(OTHER, "k1")}, key=OTHER),
    "own jwk": header(jwk=jwk(KEY, "k1")),
    **{name: header(**{name: "https://evil.example/k"}) for name in ("jku", "x5u", "x5t", "cty")},
    "x5c": header(x5c=["MIIB"]),
    "crit": header(crit=["exp"]),
    "crit empty": header(crit=[]),
    "crit unknown": header(crit=["b64"], b64=False),
    "b64 false": header(b64=False),
    "zip": header(zip="DEF"),
    **{
        f"kid {kid!r}": header(kid=kid)
        for kid in (
            GONE,
            None,
            1,
            "",
            "K1",
            "k1 ",
            "k1\x00",
            "../../etc/passwd",
            "/dev/null",
            "' OR 1=1--",
            ["k1"],
            {"k1": 1},
        )
    },
    "signed by another key": mint(key=OTHER),
    "kid of another key": mint({**HEADER, "kid": "k2"}),
    **{
        f"typ {typ!r}": header(typ=typ)
        for typ in (GONE, None, "", "JWT", "jwt", "AT+JWT", "application/at+jwt", "id+jwt", 1)
    },
    "header member twice": mint('{"typ":"at+jwt","alg":"none","alg":"ES256","kid":"k1"}'),
    "header not an object": mint("[]"),
    "header not JSON": mint("{"),
    "header with NaN": mint('{"typ":"at+jwt","alg":"ES256","kid":NaN}'),
    "claim twice": mint(claims=TWICE + ', "aud": "x", "aud": "' + AUDIENCE + '"}'),
    "tenant twice": mint(claims=TWICE + ', "tenant": "other"}'),
    "claims not an object": mint(claims="[1]"),
    "claims not JSON": mint(claims=TWICE),
    "claims deep": mint(claims='{"a":' + "[" * 3000 + "]" * 3000 + "}"),
    "claims with NaN": mint(claims=TWICE + ', "x": NaN}'),
    **{
        f"exp {exp!r}": claims(exp=exp)
        for exp in (
            GONE,
            None,
            "never",
            str(NOW + 300),
            NOW + 300.0,
            True,
            [NOW + 300],
            -1,
            1 << 62,
            NOW - 30,
            NOW - 31,
            0,
        )
    },
    "exp NaN": mint(claims=json.dumps({**CLAIMS, "exp": float("nan")})),
    "exp 1e400": mint(claims=json.dumps({**CLAIMS, "exp": 0}).replace('"exp": 0', '"exp": 1e400')),
    "exp of 5000 digits": mint(
        claims=json.dumps({**CLAIMS, "exp": 0}).replace('"exp": 0', '"exp": ' + "9" * 5000)
    ),
    **{f"iat {iat!r}": claims(iat=iat) for iat in (GONE, None, str(NOW), 1.5, NOW + 31, True)},
    **{f"nbf {nbf!r}": claims(nbf=nbf) for nbf in (None, str(NOW), NOW + 31, NOW + 0.5)},
    **{
        f"aud {aud!r}": claims(aud=aud)
        for aud in (
            GONE,
            None,
            "",
            [],
            [AUDIENCE, "x"],
            [AUDIENCE, AUDIENCE],
            [[AUDIENCE]],
            {"aud": AUDIENCE},
            ISSUER,
            AUDIENCE + "/",
            AUDIENCE + "0",
            AUDIENCE[:-1],
            AUDIENCE.upper(),
            f"{ISSUER}/endpoints/",
            f"{ISSUER}/endpoints/*",
            True,
        )
    },
    **{
        f"iss {iss!r}": claims(iss=iss)
        for iss in (
            GONE,
            None,
            "",
            ISSUER + "/",
            ISSUER.upper(),
            "http://kube.example",
            [ISSUER],
            "https://kube.example.evil",
        )
    },
    **{
        f"{name} {value!r}": claims(**{name: value})
        for name in ("sub", "client_id", "jti", "tenant", "scope")
        for value in (GONE, None, "", 7, ["predict"])
    },
    "no signature": f"{HEAD}.{BODY}.",
    "no dots": HEAD + BODY + SIGNATURE,
    "two parts": f"{HEAD}.{BODY}",
    "four parts": f"{GOOD}.",
    "five parts (JWE)": f"{HEAD}.{BODY}.{BODY}.{BODY}.{SIGNATURE}",
    "signature in DER": der_token(),
    "signature cut": GOOD[:-2],
    "signature longer": f"{HEAD}.{BODY}.{b64(raw_signature(KEY, f'{HEAD}.{BODY}') + b'0')}",
    "r and s zero": signed_as(0, 0),
    "r and s the order": signed_as(ORDER, ORDER),
    "r and s one": signed_as(1, 1),
    "signature of another token": f"{HEAD}.{BODY}.{mint(claims={}).split('.')[2]}",
    "claims of another token": f"{HEAD}.{b64(document({**CLAIMS, 'tenant': 'x'}))}.{SIGNATURE}",
    "padding": GOOD + "==",
    "padding inside": f"{HEAD}=.{BODY}.{SIGNATURE}",
    "loose bits of the signature": f"{HEAD}.{BODY}.{other_bits(SIGNATURE)}",
    "plain base64": GOOD.replace("-", "+").replace("_", "/") + "+",
    "white space before": " " + GOOD,
    "white space after": GOOD + " ",
    "line feed": GOOD + "\n",
    "line feed inside": f"{HEAD}\n.{BODY}.{SIGNATURE}",
    "not ASCII": GOOD[:-1] + "ä",
    "lone surrogate": GOOD[:-1] + "\ud800",
    "NUL": GOOD + "\x00",
    "130 kB": claims(filler="x" * 130_000),
    "9 kB": claims(filler="x" * 9_000),
    "a comma list": f"{GOOD},{GOOD}",
    "empty": "",
}


@pytest.fixture(scope="module")
def verifier(tmp_path_factory):
    file = tmp_path_factory.mktemp("keys") / "keys.json"
    file.write_text(keys_document({"k1": KEY, "k2": OTHER}))
    return TokenVerifier(file, ISSUER, AUDIENCE, clock=Clock())


def test_the_table_is_long_enough():
    assert len(ATTACKS) >= 120


@pytest.mark.parametrize("token", ATTACKS.values(), ids=[ascii(name) for name in ATTACKS])
def test_no_attack_gets_in(verifier, token):
    assert verifier.verify(f"Bearer {GOOD}").tenant == "acme"
    with pytest.raises(Unauthenticated):
        verifier.verify(f"Bearer {token}")


def joserfc_accepts(token):
    """Say what a JOSE library says of a token, with the claims checked by the book."""
    try:
        decoded = jwt.decode(token, ECKey.import_key(jwk(KEY, "k1")), algorithms=["ES256"])
    except (JoseError, ValueError):
        return False
    said = decoded.claims
    return (
        decoded.header == HEADER
        and said["exp"] + 30 > NOW
        and said["iat"] - 30 <= NOW
        and {k: said.get(k) for k in ("iss", "aud")} == {"iss": ISSUER, "aud": AUDIENCE}
    )


def mutated(token, draw):
    """Change a token in one to three places, or sign other claims."""
    if draw.random() < 0.2:
        change = {draw.choice([*CLAIMS, "x"]): draw.choice([None, 0, NOW, "", "x", [], 1.5])}
        kept = {k: v for k, v in change.items() if k not in ("sub", "jti", "tenant", "scope")}
        kept = {k: v for k, v in kept.items() if k != "client_id"}
        kept = {k: v for k, v in kept.items() if k not in ("exp", "iat") or type(v) is int}
        return mint(claims={**CLAIMS, **kept})
    text = list(token)
    for _ in range(draw.randint(1, 3)):
        at = draw.randrange(len(text))
        match draw.randrange(5):
            case 0:
                text[at] = draw.choice("ABCwxyz0189-_.=+/ ")
            case 1:
                del text[at]
            case 2:
                text.insert(at, draw.choice("Aa0-_.="))
            case 3:
                other = draw.randrange(len(text))
                text[at], text[other] = text[other], text[at]
            case _:
                text[at] = text[at].swapcase()
    return "".join(text)


def test_mutated_tokens_get_the_verdict_of_joserfc(verifier):
    draw = random.Random(20261123)
    verdicts = {True: 0, False: 0}
    for i in range(2_000):
        token = mutated(GOOD, draw) if i % 20 else mint(claims={**CLAIMS, "jti": f"j-{i}"})
        try:
            verifier.verify(f"Bearer {token}")
            accepted = True
        except (Unauthenticated, Forbidden):
            accepted = False
        assert accepted == joserfc_accepts(token), token
        verdicts[accepted] += 1
    assert verdicts[True] >= 100
    assert verdicts[False] >= 1_000
