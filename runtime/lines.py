"""What is written to a log: one JSON object a line, with the same member names everywhere.

    at, level, logger, message          always
    tenant, endpoint, revision          names
    request_id, trace_id                of the request that it is about
    exception                           where it came from

Standard library only. What a model prints itself stays as it is.
"""

import json
import sys
import time
from typing import Any, Final

LOGGER: Final = "kubeserve.runtime"
_about: dict[str, Any] = {}


def about(**members: Any) -> None:
    """Say what this process is of: members of every line from now on."""
    _about.update(members)


def say(message: str, *, level: str = "info", logger: str = LOGGER, **members: Any) -> None:
    """Write a line to standard error; members that are None are left out."""
    now = time.time_ns()
    at = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(now // 1_000_000_000))
    line = {
        "at": f"{at}.{now // 1_000_000 % 1000:03d}+00:00",
        "level": level,
        "logger": logger,
        "message": message,
        **_about,
        **{name: value for name, value in members.items() if value is not None},
    }
    sys.stderr.write(json.dumps(line, ensure_ascii=False, default=str) + "\n")
    sys.stderr.flush()


def spoken(text: str) -> tuple[str, dict[str, Any]]:
    """Read a line back: its message and its other members; of what is none of ours, all of it."""
    if not text.startswith("{"):
        return text, {}
    try:
        line = json.loads(text)
    except (ValueError, RecursionError):
        return text, {}
    if not isinstance(line, dict) or not isinstance(line.get("message"), str):
        return text, {}
    return line.pop("message"), {name: line[name] for name in line if name != "at"}
