"""Every operation of a plan with its fields, noted while real plans are read.

What a field is comes from the call that reads it, so a shape is said in the reader's own names.
"""

import ast
import inspect
import linecache
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Final

from controlplane.builder.coverage.plans import Drafted
from runtime.plan.graph import FAMILY_OF, build
from runtime.plan.ops import Fields, Node, override

_HEAD: Final = """\
# Operations of a plan

Every `op` of a graph, its fields, and the methods that it can serve; FORMAT.md says how a file
holds them. `task operations` writes this page from what the readers ask for while they read the
plans of all examples of COVERAGE.md; a test fails when it is stale.

A tensor is `dtype (sides)`: a side is a number, `any`, or what the reader knows by then in its own
names (`n_in`: columns). `or` parts what differs with other fields; a field in brackets may be null
or absent; others may go with one choice only. Labels are `{"dtype", "values"}`. Finite tensors are
f8 without NaN and infinities; indices are i8 from 0 to below what is named first.

| op | fields | methods |
| --- | --- | --- |
"""
_READERS: Final = (
    *("integer", "number", "flag", "choice", "text", "items", "tensor", "finite", "indices"),
    *("labels", "child"),
)


@dataclass(slots=True)
class Operation:
    """What was seen of one: fields with what each may be, keys asked by `has`, methods."""

    fields: dict[str, list[str]] = field(default_factory=dict)
    optional: set[str] = field(default_factory=set)
    methods: dict[str, None] = field(default_factory=dict)


def operations(plans: Iterable[Drafted]) -> dict[str, Operation]:
    """Read plans and note what of every operation is asked for."""
    found = {name: Operation() for name in FAMILY_OF}
    for plan in plans:
        build(plan.graph, plan.tensors, fields=partial(_Noting, found))
    return found


def page(found: dict[str, Operation]) -> str:
    """Write the table."""
    return _HEAD + "".join(_line(name, found[name]) for name in sorted(found))


def _line(name: str, seen: Operation) -> str:
    fields = [
        f"{f'[`{key}`]' if key in seen.optional else f'`{key}`'}: {' or '.join(kinds)}"
        for key, kinds in seen.fields.items()
    ]
    fields += [f"[`{key}`]" for key in sorted(seen.optional - set(seen.fields))]
    return f"| {name} | {'; '.join(fields)} | {', '.join(seen.methods)} |\n"


class _Noting(Fields):
    """Fields that write down what is asked of them."""

    def __init__(self, found: dict[str, Operation], spec: Any, *rest: Any) -> None:
        super().__init__(spec, *rest)
        self._seen_of = found[spec["op"]]

    @override
    def has(self, key: str) -> bool:
        self._seen_of.optional.add(_numbered(key))
        return super().has(key)

    @override
    def spend_own(self, node: Node) -> None:
        self._seen_of.methods |= dict.fromkeys(node.methods)
        super().spend_own(node)

    def note(self, kind: str, key: str) -> None:
        """Write down one call of a reader."""
        kinds = self._seen_of.fields.setdefault(_numbered(key), [])
        if kind not in kinds:
            kinds.append(kind)


def _numbered(key: str) -> str:
    """Give one name to fields that are counted: `classes0`, `axes_1`."""
    bare = key.rstrip("0123456789")
    return key if bare == key else f"{bare}N"


def _noted(name: str) -> Any:
    def read(self: _Noting, key: str = "classes", *given: Any) -> Any:
        frame = inspect.currentframe()
        outside = frame.f_back if frame else None
        # A reader that calls another (`finite` a tensor) is noted alone.
        if outside is not None and outside.f_globals["__name__"] != Fields.__module__:
            self.note(_kind(name, _call(outside), given), key)
        return getattr(Fields, name)(self, key, *given)

    return read


for _name in _READERS:
    setattr(_Noting, _name, _noted(_name))


def _call(frame: Any) -> list[ast.expr]:
    """Give the arguments after the key, as the reader's source has them."""
    where = inspect.getframeinfo(frame, context=0)
    at = where.positions
    if at is None or at.lineno is None or at.end_lineno is None:
        return []
    lines = [linecache.getline(where.filename, n) for n in range(at.lineno, at.end_lineno + 1)]
    lines[-1] = lines[-1].encode()[: at.end_col_offset].decode()
    lines[0] = lines[0].encode()[at.col_offset :].decode()
    call = ast.parse("".join(lines).strip(), mode="eval").body
    return call.args[1:] if isinstance(call, ast.Call) else []


def _kind(name: str, arguments: list[ast.expr], given: tuple[Any, ...]) -> str:
    words = [_word(argument) for argument in arguments]
    match name:
        case "integer":
            pairs = zip(words, given, strict=True)
            return " to ".join(str(value) if word.isupper() else word for word, value in pairs)
        case "choice":
            return " / ".join(given)
        case "tensor":
            return f"{given[0]} ({', '.join(words[1:])})"
        case "finite":
            return f"finite ({', '.join(words)})"
        case "indices":
            return f"indices below {words[0]} ({', '.join(words[1:])})"
        case "items":
            return "list"
        case "child":
            return "node"
        case _:
            return name


def _word(argument: ast.expr) -> str:
    text = ast.unparse(argument).replace("self.", "")
    return "any" if text == "None" else text
