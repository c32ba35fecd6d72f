"""The C library's heap: what a request frees serves the next one, and goes back in calm times."""

import ctypes
from typing import Final

# glibc's numbers of them (malloc.h).
M_TRIM_THRESHOLD, M_MMAP_THRESHOLD = -1, -3
# More than the bodies of a few large requests, and as much as glibc takes.
KEPT_BYTES: Final = 32 * 1024 * 1024


def keep_freed() -> None:
    """Keep what is freed for who allocates next, up to `KEPT_BYTES`.

    By itself glibc returns the memory of a body of 2 MB and asks for it again with the next one:
    250 page faults, which are a quarter of such a request. Other C libraries are left as they are.
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        mallopt(M_TRIM_THRESHOLD, KEPT_BYTES)
        mallopt(M_MMAP_THRESHOLD, KEPT_BYTES)


def give_back() -> None:
    """Return freed memory to the system; takes about 2 ms."""
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is not None:
        trim(0)
