"""Signing keys: ES256 pairs, named by their RFC 7638 thumbprint, sealed with the key file."""

import base64
import hashlib
import json
import os
import secrets
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
)

NONCE_BYTES: Final = 12


@dataclass(frozen=True, slots=True)
class KeyPair:
    """A new key: `private` is PEM, `public` a JWK with kid, use and alg."""

    kid: str
    private: bytes
    public: dict[str, str]


def new_key() -> KeyPair:
    """Make a key pair."""
    key = ec.generate_private_key(ec.SECP256R1())
    numbers = key.public_key().public_numbers()
    public = {"crv": "P-256", "kty": "EC", "x": _coordinate(numbers.x), "y": _coordinate(numbers.y)}
    # RFC 7638: the required members in lexical order, without white space.
    digest = hashlib.sha256(json.dumps(public, separators=(",", ":")).encode()).digest()
    kid = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    return KeyPair(kid, pem, {**public, "kid": kid, "use": "sig", "alg": "ES256"})


def _coordinate(value: int) -> str:
    return base64.urlsafe_b64encode(value.to_bytes(32)).rstrip(b"=").decode()


def read_or_make_secret(path: Path) -> bytes:
    """Give the 256-bit secret of this installation; the first start makes it."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    if not path.exists():
        part = path.with_name(f"{path.name}.{secrets.token_hex(8)}")
        descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(secrets.token_bytes(32))
            file.flush()
            os.fsync(file.fileno())
        try:
            os.link(part, path)  # of two processes starting together, one wins
        except FileExistsError:
            pass
        finally:
            part.unlink()
    return path.read_bytes()


def seal(secret: bytes, kid: str, private: bytes) -> bytes:
    """Encrypt a private key (AES-256-GCM, bound to its kid)."""
    nonce = secrets.token_bytes(NONCE_BYTES)
    return nonce + AESGCM(secret).encrypt(nonce, private, kid.encode())


def unseal(secret: bytes, kid: str, sealed: bytes) -> bytes:
    """Decrypt a private key; raises cryptography's InvalidTag for another secret."""
    return AESGCM(secret).decrypt(sealed[:NONCE_BYTES], sealed[NONCE_BYTES:], kid.encode())
