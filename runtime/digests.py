"""SHA-256 of files and streams, by the OpenSSL that `cryptography` brings.

`hashlib` has none of its own in a worker (`lean.py`), and without it takes twelve times as long.
"""

from typing import BinaryIO, Final

from cryptography.hazmat.primitives.hashes import SHA256, Hash

BLOCK: Final = 1 << 16


def sha256() -> Hash:
    """Begin a digest: `update(block)`, then once `finalize().hex()`."""
    return Hash(SHA256())


def sha256_of(file: BinaryIO) -> str:
    """Give the digest of what is left of a file, in hexadecimal digits."""
    digest, block = sha256(), memoryview(bytearray(BLOCK))
    # Buffered or not, `read` would make a new block each time.
    while size := file.readinto(block):  # type: ignore[attr-defined]
        digest.update(block[:size])
    return digest.finalize().hex()
