"""Wakes those in this process who follow a load test, when it has told something."""

import asyncio
import uuid
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager


class News:
    """Who follows what. A wake may come for nothing: it only says "look now"."""

    def __init__(self) -> None:
        self._following: defaultdict[str, set[asyncio.Event]] = defaultdict(set)

    @contextmanager
    def following(self, test: uuid.UUID) -> Iterator[asyncio.Event]:
        """Give an event that is set at each news of a test."""
        key, woken = str(test), asyncio.Event()
        self._following[key].add(woken)
        try:
            yield woken
        finally:
            self._following[key].discard(woken)
            if not self._following[key]:
                del self._following[key]

    def tell(self, test: str | None) -> None:
        """Wake those who follow a test; None: any of them may have told something."""
        some = [*self._following] if test is None else [test]
        for key in some:
            for woken in self._following.get(key, ()):
                woken.set()
