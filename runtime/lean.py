"""asyncio and uvloop without TLS, and hashes without a second OpenSSL: 4 MB and 8 ms of a start.

A worker is reached over plain HTTP, behind who ends TLS; yet both import `ssl` when they are
imported, and `hashlib` takes OpenSSL where it is: libssl and libcrypto, of which nothing is used,
beside the one in `cryptography` that verifies tokens. Imported before them, this module shows them
a stand-in. Whoever imports `ssl` later (an object store behind HTTPS) gets the real one.
"""

import sys
from types import ModuleType

HIDDEN = "_hashlib"


def _named(name: str) -> object:
    """Give what stands for a name of `ssl`; `except` wants classes of exceptions."""
    if name.startswith("__"):
        raise AttributeError(name)
    return -1 if name.startswith("SSL_ERROR_") else type(name, (OSError,), {})


def _imported_lean() -> None:
    stand_in = ModuleType("ssl", "No TLS here.")
    vars(stand_in)["__getattr__"] = _named
    sys.modules["ssl"] = stand_in
    sys.modules[HIDDEN] = None  # type: ignore[assignment]  # "not there", to an import
    try:
        import asyncio  # noqa: F401
        import hashlib  # noqa: F401

        import uvloop  # noqa: F401
    finally:
        del sys.modules["ssl"], sys.modules[HIDDEN]


# Where one of them is there already (a test, the control plane), there is nothing left to spare.
if not {"ssl", HIDDEN, "asyncio", "hashlib", "uvloop"} & set(sys.modules):
    _imported_lean()
