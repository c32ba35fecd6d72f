"""Reading what a locked process left behind without believing it."""

import json
import os
import stat
from pathlib import Path
from typing import Any, Final

MOST_RESULT: Final = 8 << 20
_MOST_NAMES: Final = 500
_MOST_TEXT: Final = 2000


class Untrusted(Exception):
    """What was left is not what an honest child leaves."""


def open_plain(path: Path, most: int) -> int:
    """Open a regular file of at most `most` bytes, not through a link; gives its descriptor."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError as error:
        raise Untrusted(f"{path.name} is missing or no plain file") from error
    status = os.fstat(descriptor)
    if not stat.S_ISREG(status.st_mode) or status.st_nlink != 1 or status.st_size > most:
        os.close(descriptor)
        raise Untrusted(f"{path.name} is no plain file of at most {most} bytes")
    return descriptor


def read_result(folder: Path) -> dict[str, Any]:
    """Read the child's result: a JSON object, nothing more is known of it."""
    with os.fdopen(open_plain(folder / "result.json", MOST_RESULT), "rb") as file:
        raw = file.read(MOST_RESULT)
    try:
        result = json.loads(raw)
    except (ValueError, RecursionError) as error:
        raise Untrusted("its result is not JSON") from error
    if not isinstance(result, dict):
        raise Untrusted("its result is not an object")
    return result


def text(result: dict[str, Any], key: str, most: int = _MOST_TEXT) -> str | None:
    """Give a text, cut, on one line and without control characters; None where there is none."""
    value = result.get(key)
    if not isinstance(value, str):
        return None
    cut = " ".join(value[: 4 * most].split())[:most]
    return "".join(character for character in cut if character.isprintable())


def names(result: dict[str, Any], key: str) -> tuple[str, ...]:
    """Give a list of short texts."""
    value = result.get(key)
    if not isinstance(value, list):
        return ()
    found = (text({"name": name}, "name", 400) for name in value[:_MOST_NAMES])
    return tuple(name for name in found if name)
