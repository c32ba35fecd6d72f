"""Durations and shares as people write them: `50ms`, `1.5s`, `10m`, `0.1%`."""

import re
from typing import Annotated, Any, Final

from pydantic import BeforeValidator, PlainSerializer, WithJsonSchema

UNITS: Final = {"us": 1e-6, "ms": 1e-3, "s": 1.0, "m": 60.0, "h": 3600.0}
_DURATION: Final = re.compile(r"(\d+(?:\.\d+)?|\.\d+)\s*(us|ms|s|m|h)")


def seconds(value: Any) -> float:
    """Read a duration; raises ValueError. A number alone is refused: nobody knows its unit."""
    found = _DURATION.fullmatch(value.strip()) if isinstance(value, str) else None
    if found is None:
        raise ValueError(
            f"write a duration with its unit, such as 50ms, 1.5s or 10m, not {value!r}"
        )
    return float(found[1]) * UNITS[found[2]]


def duration(value: float) -> str:
    """Write seconds so that `seconds` reads them."""
    for unit in ("h", "m", "s", "ms"):
        if value >= UNITS[unit] and (unit == "s" or (value / UNITS[unit]).is_integer()):
            return f"{value / UNITS[unit]:.12g}{unit}"
    return f"{value * 1e3:.12f}".rstrip("0").rstrip(".") + "ms"


def share(value: Any) -> float:
    """Read a share: 0.001 or `0.1%`; raises ValueError."""
    text = str(value).strip()
    try:
        found = float(text[:-1]) / 100 if text.endswith("%") else float(text)
    except ValueError:
        found = -1.0
    if isinstance(value, bool) or not 0 <= found <= 1:
        raise ValueError(f"write a share such as 0.1% or 0.001, not {value!r}")
    return found


# What a program writes is the text, in whatever unit; the number is ours.
_TEXT: Final = {
    "type": "string",
    "pattern": f"^({_DURATION.pattern})$",
    "examples": ["50ms", "10m"],
}
Duration = Annotated[
    float,
    BeforeValidator(seconds),
    PlainSerializer(duration, return_type=str),
    WithJsonSchema(_TEXT),
]
Share = Annotated[float, BeforeValidator(share)]
