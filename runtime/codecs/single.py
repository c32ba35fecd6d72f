"""Requests of one row, many at a time: what each format needs for its shortest way.

`rows` gives the row of each document; None where one of them asks for anything but its one row, and
must be read by the format's `decode`. `around` gives what an answer says before and after its
value, as `encode_answer` would write it.
"""

from collections.abc import Callable
from itertools import chain
from typing import Any, NamedTuple

from runtime.codecs.request import ModelInfo
from runtime.plan.signature import Output


class Around(NamedTuple):
    """An answer of one row, but for its value.

    flat  a row of several values is written as they are, not as a list of one row
    """

    before: bytes
    after: bytes
    flat: bool = False


class Single(NamedTuple):
    """What a format has for requests of one row."""

    rows: Callable[[list[Any]], list[Any] | None]
    around: Callable[[Output, ModelInfo], Around]


def only_rows(documents: list[Any]) -> list[Any] | None:
    """Give the one member of each document; None where one of them is no list of one."""
    if {*map(type, documents)} != {list} or {*map(len, documents)} != {1}:
        return None
    return [*chain.from_iterable(documents)]
