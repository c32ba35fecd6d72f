"""Tokens, right and wrong, signed with real keys."""

import base64
import json

from cryptography.hazmat.primitives.asymmetric import ec, utils
from cryptography.hazmat.primitives.hashes import SHA256

NOW = 1_800_000_000
ISSUER = "https://kube.example"
AUDIENCE = f"{ISSUER}/endpoints/3c0a7f3e-55a8-4a3c-9f0e-6a2f4e1b7c11"
HEADER = {"typ": "at+jwt", "alg": "ES256", "kid": "k1"}
CLAIMS = {
    "iss": ISSUER,
    "sub": "client:c-1",
    "client_id": "c-1",
    "aud": AUDIENCE,
    "exp": NOW + 300,
    "iat": NOW - 10,
    "jti": "j-1",
    "scope": "models:read predict",
    "tenant": "acme",
}
KEY = ec.generate_private_key(ec.SECP256R1())
OTHER = ec.generate_private_key(ec.SECP256R1())


class Gone:
    """As a value: the member is left out. Named alike in every process that collects tests."""

    def __repr__(self):
        return "gone"


GONE = Gone()


def b64(raw):
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def raw_signature(key, signed):
    r, s = utils.decode_dss_signature(key.sign(signed.encode(), ec.ECDSA(SHA256())))
    return r.to_bytes(32) + s.to_bytes(32)


def document(members):
    """JSON of a dict, or a string as it is (for what no dict can say)."""
    if isinstance(members, str):
        return members.encode()
    return json.dumps({k: v for k, v in members.items() if v is not GONE}).encode()


def mint(header=HEADER, claims=CLAIMS, key=KEY):
    signed = f"{b64(document(header))}.{b64(document(claims))}"
    return f"{signed}.{b64(raw_signature(key, signed))}"


def jwk(key, kid):
    point = key.public_key().public_numbers()
    return {
        "kty": "EC",
        "crv": "P-256",
        "kid": kid,
        "use": "sig",
        "alg": "ES256",
        "x": b64(point.x.to_bytes(32)),
        "y": b64(point.y.to_bytes(32)),
    }


def keys_document(keys=None, jtis=(), clients=None, subjects=None, **more):
    listed = [jwk(key, kid) for kid, key in (keys or {"k1": KEY}).items()]
    return json.dumps(
        {
            "keys": listed,
            "revoked": {
                "jtis": dict.fromkeys(jtis, NOW + 300),
                "clients": clients or {},
                "subjects": subjects or {},
                **more,
            },
        }
    )


class Clock:
    """Wall time that stands still until it is moved."""

    def __init__(self):
        self.now = float(NOW)

    def __call__(self):
        return self.now
