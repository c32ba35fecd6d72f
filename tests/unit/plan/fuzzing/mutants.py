"""Plans that no honest build writes, each made from real ones by its number: the same every time.

Kinds: `bytes` of the file, `header` (values, keys and order of the whole JSON), `graph` (the same
of a node), `content` of tensors, `shapes` (tensors of another shape or dtype, said truly), `table`
(of tensors, lying), `splice` (nodes of other plans, deep or many), `mixed` (several of them).
"""

import copy
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np

from controlplane.builder.coverage.plans import Drafted
from runtime.plan.format import FORMAT, ITEM_BYTES
from runtime.plan.graph import build
from runtime.plan.plan import signature_of
from tests.unit.plan.fuzzing import hostile
from tests.unit.plan.fuzzing.files import file_of, table_of
from tests.unit.plan.fuzzing.hostile import VALUES, Random, Tensors, value_near

Path = tuple[Any, ...]


@dataclass(slots=True)
class Seed:
    """A real plan, with the header its file has."""

    title: str
    header: dict[str, Any]
    tensors: Tensors


@dataclass(slots=True)
class Mutant:
    """A plan on its way to a file.

    name    says which it is
    table   what the header says of the tensors; None: the truth
    spoilt  what is done to the bytes at last
    """

    kind: str
    name: str
    header: dict[str, Any]
    tensors: Tensors
    table: dict[str, Any] | None = None
    spoilt: list[Callable[[bytes], bytes]] = field(default_factory=list)

    def file(self, header: dict[str, Any] | None = None) -> bytes:
        """The file; with another header, if that is given."""
        said = dict(self.header if header is None else header)
        if isinstance(said.get("tensors"), dict):
            said["tensors"] = table_of(self.tensors) if self.table is None else self.table
        content = file_of(said, self.tensors)
        for spoil in self.spoilt:
            content = spoil(content)
        return content


def seeds(plans: Iterable[Drafted]) -> list[Seed]:
    """Real plans, each with the header of its file."""
    found = []
    for plan in plans:
        signature = signature_of(build(plan.graph, plan.tensors), None).to_json()
        header = header_of(plan.title, plan.graph, signature)
        found.append(Seed(plan.title, header, dict(plan.tensors)))
    return found


def header_of(title: str, graph: Any, signature: Any) -> dict[str, Any]:
    """A header but for its tensors."""
    return {
        "format": FORMAT,
        "graph": graph,
        "tensors": {},
        "signature": signature,
        "cost": {"c0_us": 1.0, "c1_us": 1.0},
        "provenance": {"estimator": title},
    }


def mutant(plans: Sequence[Seed], seed: int, number: int) -> Mutant:
    """Make the mutant of this number; plans take turns, so that few numbers reach every one."""
    random = np.random.default_rng([seed, number])
    plan = plans[number % len(plans)]
    kind = str(random.choice(list(KINDS)))
    name = f"{seed}:{number} {kind} of {plan.title}"
    made = Mutant(kind, name, copy.deepcopy(plan.header), dict(plan.tensors))
    KINDS[kind](random, made, plans)
    return made


def paths_of(document: Any, here: Path = ()) -> Iterator[Path]:
    """The way to each value in a JSON document, itself too."""
    yield here
    if isinstance(document, dict):
        for key, value in document.items():
            yield from paths_of(value, (*here, key))
    elif isinstance(document, list):
        for place, value in enumerate(document):
            yield from paths_of(value, (*here, place))


def at(document: Any, path: Path) -> Any:
    """What lies at the end of a way."""
    for step in path:
        document = document[step]
    return document


def drawn(random: Random, items: Sequence[Any]) -> Any:
    """One of some, whatever they are."""
    return items[int(random.integers(len(items)))]


def _json(random: Random, document: dict[str, Any]) -> None:
    """Change one value, key or order below a document."""
    paths = [path for path in paths_of(document) if path]
    if not paths:
        return
    path = drawn(random, paths)
    holder, key = at(document, path[:-1]), path[-1]
    match int(random.integers(8)):
        case 0:
            del holder[key]
        case 1:
            other = drawn(random, paths)
            holder[key] = copy.deepcopy(at(document, other))
        case 2 if isinstance(holder, dict):
            holder[str(drawn(random, [*VALUES, "op", "n_in", "steps"]))] = holder.pop(key)
        case 3 if isinstance(holder, dict) and len(holder) > 1:
            other = drawn(random, list(holder))
            holder[key], holder[other] = holder[other], holder[key]
        case 4 if isinstance(holder, dict):
            holder["more"] = 1
        case _:
            holder[key] = copy.deepcopy(value_near(random, holder[key]))


def _header(random: Random, made: Mutant, plans: Sequence[Seed]) -> None:
    _json(random, made.header)


def _graph(random: Random, made: Mutant, plans: Sequence[Seed]) -> None:
    for _ in range(int(random.choice([1, 1, 1, 2, 3]))):
        if isinstance(made.header["graph"], dict):
            _json(random, made.header["graph"])


def _content(random: Random, made: Mutant, plans: Sequence[Seed]) -> None:
    for _ in range(int(random.choice([1, 1, 1, 2, 4]))):
        if made.tensors:
            name = drawn(random, sorted(made.tensors))
            made.tensors[name] = hostile.content(random, made.tensors[name])


def _shapes(random: Random, made: Mutant, plans: Sequence[Seed]) -> None:
    if made.tensors:
        name = drawn(random, sorted(made.tensors))
        made.tensors[name] = hostile.reshaped(random, made.tensors[name])


def _table(random: Random, made: Mutant, plans: Sequence[Seed]) -> None:
    made.table = table_of(made.tensors)
    if not made.table:
        return
    name = drawn(random, sorted(made.table))
    entry = made.table[name]
    match int(random.integers(7)):
        case 0:
            entry[0] = str(random.choice([*ITEM_BYTES, "O", "U1", "c16", "V8", "M8[s]", ">f8"]))
        case 1 if entry[1]:
            entry[1][int(random.integers(len(entry[1])))] = drawn(random, VALUES)
        case 2:
            entry[1] = entry[1][::-1]
        case 3:
            other = drawn(random, sorted(made.table))
            made.table[name], made.table[other] = made.table[other], made.table[name]
        case 4:
            # Two names for one tensor: what is made of it is made twice.
            other = drawn(random, sorted(made.table))
            made.header["graph"] = _renamed(made.header["graph"], {name: other})
        case 5:
            del made.table[name]
        case _:
            entry[int(random.integers(1, 4))] = drawn(random, VALUES)


def _renamed(value: Any, names: dict[str, str]) -> Any:
    """The same graph with other names of tensors."""
    if isinstance(value, str):
        return names.get(value, value)
    if isinstance(value, dict):
        return {key: _renamed(item, names) for key, item in value.items()}
    return [_renamed(item, names) for item in value] if isinstance(value, list) else value


def _nodes(graph: Any) -> list[Path]:
    paths = paths_of(graph)
    return [path for path in paths if isinstance(at(graph, path), dict) and "op" in at(graph, path)]


def _splice(random: Random, made: Mutant, plans: Sequence[Seed]) -> None:
    graph = made.header["graph"]
    other = drawn(random, plans)
    names = {name: f"other_{name}" for name in other.tensors}
    foreign = _renamed(copy.deepcopy(other.header["graph"]), names)
    piece = at(foreign, drawn(random, _nodes(foreign)))
    made.tensors |= {names[name]: array for name, array in other.tensors.items()}
    places = [path for path in _nodes(graph) if path]
    match int(random.integers(4)) if places else 3:
        case 0 | 1:
            path = drawn(random, places)
            at(graph, path[:-1])[path[-1]] = piece
        case 2:
            _multiply(random, graph, drawn(random, places))
        case _:
            made.header["graph"] = _around(random, graph, piece)


def _multiply(random: Random, graph: Any, path: Path) -> None:
    """Say a node many times where a list holds it, or one inside the other where not."""
    holder, key = at(graph, path[:-1]), path[-1]
    if isinstance(holder, list):
        holder[key:key] = [holder[key]] * int(random.choice([1, 3, 100]))
    else:
        for _ in range(int(random.choice([1, 5, 40]))):
            holder[key] = {**at(graph, path[:-1]), key: holder[key]}


def _around(random: Random, graph: Any, piece: Any) -> Any:
    """The graph in a frame of nodes that hold others."""
    width = int(random.choice([1, 2, 4, 100]))
    shared = {"members": [graph, piece], "refuses_missing": False, "any_unused": False}
    weights = {"shows_head": False, "sparse": False}
    part = {"node": graph, "columns": [0] * width, "weight": None}
    return drawn(
        random,
        [
            {"op": "pipeline", "steps": [graph, piece], **weights},
            {"op": "pipeline", "steps": [piece, graph], **weights},
            {"op": "pipeline", "steps": [graph] * width, **weights},
            {"op": "columns", "n_in": width, "parts": [part] * width, "any_unused": False},
            {"op": "multi_regressor", **shared},
            {"op": "averaged_regressor", "in_order": True, **shared},
            {"op": "restricted", "inner": graph},
        ],
    )


def _bytes(random: Random, made: Mutant, plans: Sequence[Seed]) -> None:
    how = int(random.integers(6))
    places = random.random(8)
    bits = random.integers(256, size=8)

    def spoil(file: bytes) -> bytes:
        raw = bytearray(file)
        spots = [int(place * len(raw)) for place in places]
        match how:
            case 0:
                raw[spots[0]] ^= int(bits[0]) or 1
            case 1:
                for spot, bit in zip(spots, bits, strict=True):
                    raw[spot] = int(bit)
            case 2:
                del raw[spots[0] :]
            case 3:
                raw += bytes(bits[: 1 + int(bits[0]) % 8])
            case 4:
                raw[8:16] = (int(bits[0]) << int(bits[1]) % 57).to_bytes(8, "little")
            case _:
                low, high = sorted(spots[:2])
                del raw[low:high]
        return bytes(raw)

    made.spoilt.append(spoil)


def _mixed(random: Random, made: Mutant, plans: Sequence[Seed]) -> None:
    for kind in random.choice([k for k in KINDS if k != "mixed"], int(random.integers(2, 4))):
        if made.table is None and isinstance(made.header.get("graph"), dict):
            KINDS[str(kind)](random, made, plans)


KINDS: Final[dict[str, Callable[[Random, Mutant, Sequence[Seed]], None]]] = {
    "bytes": _bytes,
    "header": _header,
    "graph": _graph,
    "content": _content,
    "shapes": _shapes,
    "table": _table,
    "splice": _splice,
    "mixed": _mixed,
}
