"""Numbers as people type them; what is not finite is none, and JSON could not say it."""

import math
from typing import Any, Final

import click
from typing_extensions import override


def finite(text: str) -> float:
    """Read a number; raises ValueError, for `nan` and `inf` too."""
    found = float(text)
    if not math.isfinite(found):
        raise ValueError(f"{text!r} is no finite number")
    return found


class Number(click.types.FloatParamType):
    """A number that is finite."""

    @override
    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> float:
        """Read it."""
        return _checked(self, super().convert(value, param, ctx), param, ctx)


class Range(click.FloatRange):
    """A number that is finite, and within bounds."""

    @override
    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> float:
        """Read it."""
        return _checked(self, super().convert(value, param, ctx), param, ctx)


def _checked(
    kind: click.ParamType[Any],
    found: float,
    param: click.Parameter | None,
    ctx: click.Context | None,
) -> float:
    if not math.isfinite(found):
        kind.fail(f"{found} is no finite number.", param, ctx)
    return found


NUMBER: Final = Number()
