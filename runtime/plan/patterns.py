"""Which regular expressions a tenant may have us search texts with: those that end in linear time.

Python's `re` goes back and tries again; some expressions do that for longer than anybody waits, on
texts that the caller chooses (`(a+)+b` in 2^n steps, `a+b` in n²). So an expression is parsed, and
taken only if it has a shape of which the worst is known:

- one branch, or several that part at its end (`a|b`), each a row of matchers of a single
  character: a letter, a class (`[a-z]`, `\\w`), the dot; each may be repeated a bounded number of
  times;
- the last matcher of a branch may be repeated without bound: what it takes is not looked at again;
- a branch may begin with `\\b`. It may end with `\\b` if it began so, or ends with `\\w+`.

Why a last `\\b` is linear: where the run of the last matcher ends in the middle of a word, the
search goes back to the last edge of a word in that run. If there is none behind the place where the
branch began, the branch fails; but it can only begin at edges, so all places where it fails within
one run are among the first few of it. And a run of all `\\w` always ends at an edge.

No repeats of groups, no references back, no looking around, no lazy or possessive repeats.
"""

import re
from importlib import import_module
from typing import Any, Final

MOST_CHARACTERS: Final = 200
MOST_BRANCHES: Final = 20
# Steps that one branch may take at one place, beside its last repeat; and how often it may search
# a run for the edge of a word.
MOST_STEPS: Final = 256
MOST_RUNS: Final = 16

_parser: Any = import_module("re._parser")  # typeshed has none of it
_codes: Any = import_module("re._constants")
_ONE: Final = frozenset({_codes.LITERAL, _codes.NOT_LITERAL, _codes.ANY, _codes.IN})
_WORD: Final = (_codes.IN, [(_codes.CATEGORY, _codes.CATEGORY_WORD)])
_EDGE: Final = (_codes.AT, _codes.AT_BOUNDARY)


class Refused(ValueError):
    """The expression may take longer than linear time, or is none; the message says why."""


def compiled(pattern: str) -> re.Pattern[str]:
    """Compile an expression that `findall` ends with in linear time; raises Refused."""
    if len(pattern) > MOST_CHARACTERS:
        raise Refused(f"it is longer than {MOST_CHARACTERS} characters")
    try:
        parsed = _parser.parse(pattern)
        _check(list(parsed))
        found = re.compile(pattern)
    except (re.error, OverflowError, RecursionError) as error:
        raise Refused(f"it is no regular expression: {error}") from error
    if found.groups > 1:
        raise Refused("it has more than one group")
    return found


def _check(items: list[Any]) -> None:
    """Check the whole expression."""
    branches = _branches(items)
    if len(branches) > MOST_BRANCHES:
        raise Refused(f"it has more than {MOST_BRANCHES} branches")
    for branch in branches:
        _check_branch(branch)


def _branches(items: list[Any]) -> list[list[Any]]:
    """Give all ways through an expression that parts at its end, if at all."""
    items = _flat(items)
    if not items or items[-1][0] is not _codes.BRANCH:
        return [items]
    _, ways = items[-1][1]
    return [branch for way in ways for branch in _branches(items[:-1] + list(way))]


def _flat(items: list[Any]) -> list[Any]:
    """Take groups that are not repeated out of their brackets."""
    out: list[Any] = []
    for item in items:
        if item[0] is not _codes.SUBPATTERN:
            out.append(item)
            continue
        _, flags_on, flags_off, inner = item[1]
        if flags_on or flags_off:
            raise Refused("it changes flags in its middle")
        out += _flat(list(inner))
    return out


def _check_branch(items: list[Any]) -> None:
    begins = items[:1] == [_EDGE]
    items = items[1:] if begins else items
    ends = items[-1:] == [_EDGE]
    items = items[:-1] if ends else items
    choices, steps, bounded = 1, 0, True
    for place, item in enumerate(items):
        least, most = _times(item)
        if most is None:
            if place < len(items) - 1:
                raise Refused("it repeats without bound before its end")
            most, bounded = least, False
        choices *= most - least + 1
        steps += most
    if choices + steps > MOST_STEPS:
        raise Refused("its repeats can be combined in too many ways")
    if ends and not _is_run_of_words(items[-1:]):
        if not begins:
            raise Refused(r"it ends at the edge of a word (\b) but need not begin at one")
        if not bounded and choices * (steps + 1) > MOST_RUNS:
            raise Refused("it may search for the edge of a word too often")


def _times(item: Any) -> tuple[int, int | None]:
    """Give how often a matcher of one character is repeated, at least and at most."""
    code, argument = item
    if code in _ONE:
        return 1, 1
    if code is not _codes.MAX_REPEAT:
        raise Refused(f"it uses {str(code).lower().replace('_', ' ')}")
    least, most, repeated = argument
    inner = list(repeated)
    if len(inner) != 1 or inner[0][0] not in _ONE:
        raise Refused("it repeats more than a single character")
    return int(least), None if most is _codes.MAXREPEAT else int(most)


def _is_run_of_words(last: list[Any]) -> bool:
    if not last or last[0][0] is not _codes.MAX_REPEAT:
        return False
    _, most, repeated = last[0][1]
    return most is _codes.MAXREPEAT and list(repeated) == [_WORD]
