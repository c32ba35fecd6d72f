"""Waiting for a condition, never for a time."""

import time
from collections.abc import Callable


def until(holds: Callable[[], object], within_s: float = 20.0) -> None:
    """Look again and again until something is true; fails after so many seconds."""
    end = time.monotonic() + within_s
    while not holds():
        assert time.monotonic() < end, f"not true within {within_s:g} s"
        time.sleep(0.02)
