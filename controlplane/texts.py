"""Texts that the database keeps: none with a NUL, and none with half of a surrogate pair. Pure."""

import re
from typing import Any, Final

REFUSAL: Final = "a text must not contain the character NUL, or half of a surrogate pair"
_NEVER: Final = re.compile("[\0\ud800-\udfff]")


def is_storable(text: str) -> bool:
    """Tell whether the database keeps a text as it is."""
    return _NEVER.search(text) is None


def unstorable(document: Any) -> str | None:
    """Give where in a document of JSON a text is that no database keeps; None: nowhere."""
    waiting: list[tuple[str, Any]] = [("", document)]
    while waiting:
        where, one = waiting.pop()
        if isinstance(one, str) and not is_storable(one):
            return where
        if isinstance(one, dict):
            if not all(map(is_storable, one)):
                return where
            waiting += [
                (f"{where}.{name}" if where else name, value) for name, value in one.items()
            ]
        if isinstance(one, list):
            waiting += [
                (f"{where}.{at}" if where else str(at), value) for at, value in enumerate(one)
            ]
    return None
