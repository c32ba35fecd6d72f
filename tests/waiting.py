"""Waiting for a condition, never for a time; and what goes on meanwhile."""

import contextlib
import threading
import time
from collections.abc import Callable, Iterator


def until(holds: Callable[[], object], within_s: float = 20.0) -> None:
    """Look again and again until something is true; fails after so many seconds."""
    end = time.monotonic() + within_s
    while not holds():
        assert time.monotonic() < end, f"not true within {within_s:g} s"
        time.sleep(0.02)


@contextlib.contextmanager
def beside(act: Callable[[threading.Event], None]) -> Iterator[None]:
    """Have something done in a thread meanwhile; it ends when its event is set."""
    stop = threading.Event()
    thread = threading.Thread(target=act, args=(stop,))
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()
