"""What it costs the runtime to know a caller: a token it remembers, one it sees for the first time,
an API key; and thousands of different ones, of which it must not remember all.

Processor time of the verifier alone, as the hot path calls it; the best of rounds.
"""

import base64
import json
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

import psutil
from cryptography.hazmat.primitives.asymmetric import ec, utils
from cryptography.hazmat.primitives.hashes import SHA256

from loadtests.benchmarks.measuring import SERVER_CORE, Options, Raw, Row, at_most, pinned
from runtime import api_keys
from runtime.tokens import MAX_CACHED, TokenVerifier

ISSUER: Final = "http://127.0.0.1:8080"
AUDIENCE: Final = f"{ISSUER}/endpoints/3c0a7f3e-55a8-4a3c-9f0e-6a2f4e1b7c11"
NOW: Final = 1_800_000_000
REMEMBERED: Final = 20_000  # calls of a round
FIRST: Final = 1_000
DISTINCT: Final = 2 * MAX_CACHED
MIB: Final = 1 << 20


def limit_s(options: Options) -> float:
    """Give the seconds it takes at most."""
    return 60 + 5 * options.rounds


def measure(options: Options) -> Raw:
    """Time the verifier."""
    private = ec.generate_private_key(ec.SECP256R1())
    key = api_keys.spelled(api_keys.Kind.ENDPOINT, "0" * 16, "k" * api_keys.SECRET_LENGTH)
    with tempfile.TemporaryDirectory() as folder, pinned(SERVER_CORE):
        file = Path(folder, "keys.json")
        file.write_text(keys_file(private, key))
        verifier = TokenVerifier(file, ISSUER, AUDIENCE, clock=lambda: float(NOW))
        known = bearer(private, "known")
        verifier.verify(known)
        fresh = [bearer(private, f"j-{n}") for n in range(FIRST)]
        remembered_us, first_us, key_us = [], [], []
        for _ in range(options.rounds):
            remembered_us.append(each_us(lambda: verifier.verify(known), REMEMBERED))
            first_us.append(first_seen_us(verifier, fresh))
            key_us.append(first_seen_us(verifier, [f"Bearer {key}".encode()] * FIRST))
        return {
            "remembered_us": min(remembered_us),
            "first_us": min(first_us),
            "api_key_us": min(key_us),
            **crowd(verifier, private),
        }


def crowd(verifier: TokenVerifier, private: ec.EllipticCurvePrivateKey) -> Raw:
    """Have it see more different tokens than it may remember."""
    process = psutil.Process()
    before = process.memory_info().rss
    for n in range(DISTINCT):
        verifier.verify(bearer(private, f"crowd-{n}"))
    grown = process.memory_info().rss - before
    return {
        "distinct": DISTINCT,
        "remembered": len(verifier._cache),  # noqa: SLF001  (nothing else tells)
        "grown_mib": grown / MIB,
    }


def each_us(call: Callable[[], object], count: int) -> float:
    """Give the microseconds of a call."""
    began = time.process_time()
    for _ in range(count):
        call()
    return (time.process_time() - began) / count * 1e6


def first_seen_us(verifier: TokenVerifier, headers: list[bytes]) -> float:
    """Give the microseconds of a header that is not remembered."""
    spent = 0.0
    for header in headers:
        verifier._cache.clear()  # noqa: SLF001
        began = time.process_time()
        verifier.verify(header)
        spent += time.process_time() - began
    return spent / len(headers) * 1e6


def keys_file(private: ec.EllipticCurvePrivateKey, key: str) -> str:
    """Write the keys file of an endpoint with one API key."""
    point = private.public_key().public_numbers()
    jwk = {"kty": "EC", "crv": "P-256", "kid": "k", "alg": "ES256"}
    jwk |= {"x": text(point.x.to_bytes(32)), "y": text(point.y.to_bytes(32))}
    entry = {"id": api_keys.public_id(key), "tenant": "acme", "exp": NOW + 1000}
    listed = {AUDIENCE: {api_keys.digest(key): entry}}
    return json.dumps({"keys": [jwk], "revoked": {}, "api_keys": listed})


def bearer(private: ec.EllipticCurvePrivateKey, jti: str) -> bytes:
    """Sign a token as the authorization server does; gives the header."""
    head = {"alg": "ES256", "typ": "at+jwt", "kid": "k"}
    claims = {
        "iss": ISSUER,
        "sub": "client:ks-0123456789abcdef",
        "client_id": "ks-0123456789abcdef",
        "aud": AUDIENCE,
        "iat": NOW,
        "exp": NOW + 300,
        "jti": jti,
        "scope": "predict",
        "tenant": "acme",
    }
    parts = [text(json.dumps(part).encode()) for part in (head, claims)]
    r, s = utils.decode_dss_signature(private.sign(".".join(parts).encode(), ec.ECDSA(SHA256())))
    return f"Bearer {'.'.join(parts)}.{text(r.to_bytes(32) + s.to_bytes(32))}".encode()


def text(raw: bytes) -> str:
    """Write base64url without padding."""
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def rows(raw: Raw) -> list[Row]:
    """Hold the times against the issue's."""
    bounded = raw["remembered"] <= MAX_CACHED
    note = f"{raw['grown_mib']:.0f} MiB more"
    return [
        at_most("a token that is remembered", raw["remembered_us"], 2, " µs"),
        at_most("a token seen for the first time", raw["first_us"], 150, " µs"),
        at_most("an endpoint's API key seen for the first time", raw["api_key_us"], 150, " µs"),
        Row(
            f"remembered of {raw['distinct']:,} different tokens",
            f"{raw['remembered']:,}",
            f"≤ {MAX_CACHED:,}",
            bounded,
            note,
        ),
    ]
