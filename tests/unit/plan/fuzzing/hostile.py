"""Values that no honest plan holds: for the header, for tensors, for the table of tensors."""

from typing import Any, Final

import numpy as np

from runtime.plan.format import ITEM_BYTES

Random = np.random.Generator
Array = np.ndarray
Tensors = dict[str, Array]

# JSON reads 1e999 as an infinity, though it has no word for one; `files.text_of` writes it.
INFINITY: Final = float("inf")


def nested(depth: int, inside: Any) -> Any:
    """A value inside so many lists."""
    return inside if not depth else [nested(depth - 1, inside)]


VALUES: Final[tuple[Any, ...]] = (
    *(0, 1, -1, 2, 7, 255, 1000, 10_000, 100_000, 1_000_000, 10_000_000),
    *(2**31 - 1, 2**31, -(2**31), 2**53 + 1, 2**63 - 1, 2**63, -(2**63), 2**64, 10**400),
    *(0.0, -0.0, 0.5, -1.5, 1e-300, 5e-324, 1e150, 1e308, -1e308, INFINITY, -INFINITY),
    *(True, False, None, "", "t0", "t1", "silly", "é" * 300, "\x00", [], {}, [[]], [0], ["t0"]),
    *([1, 2], [1] * 1000, [[0, 0]] * 100, {"op": "identity"}, {"op": "pipeline", "steps": []}),
    *(nested(50, 0), nested(190, 0), nested(250, 0), {"dtype": "i8", "values": [0]}),
    {"dtype": "f4", "values": [0.5]},
    {"dtype": "b1", "values": [True]},
    {"dtype": "str", "values": ["a", "a"]},
    *(r"(a+)+b", r"(?:a|a)*$", r"\b\w+\b", r"(?u)\b\w\w+\b", r"(.*)\1", "[", r".{0,250}", r"x*"),
)


def value_near(random: Random, old: Any) -> Any:
    """A hostile value, often of the old one's own type."""
    if random.random() < 0.4:
        if type(old) is int:
            return old + int(random.choice([-1, 1, 2, 10, 1000, -(old or 1), old * 1000]))
        if type(old) is float:
            factor = random.choice([-1.0, 0.0, 1e-300, 1e6, 1e300])
            return float(np.multiply(old, factor))
        if isinstance(old, list) and old:
            return changed_list(random, old)
    return VALUES[int(random.integers(len(VALUES)))]


def changed_list(random: Random, old: list[Any]) -> list[Any]:
    """The list shorter, longer, turned around, or with an item said many times."""
    place = int(random.integers(len(old)))
    match int(random.integers(5)):
        case 0:
            return old[:place] + old[place + 1 :]
        case 1:
            return old[: place + 1] + old[place:]
        case 2:
            return old[::-1]
        case 3:
            return [old[place]] * int(random.choice([2, 50, 1001]))
        case _:
            return []


def _floats(code: str) -> Array:
    kind = np.finfo(code)
    return np.array(
        [np.nan, np.inf, -np.inf, 0.0, -0.0, 1.0, -1.0, kind.max, kind.min, kind.tiny, 0.5, 1e9],
        code,
    )


def _integers(code: str) -> Array:
    kind = np.iinfo(code)
    some = [kind.min, kind.max, 0, 1, 2, 255, 1000, kind.max // 2, kind.max - 1]
    some += [-1, -2] if kind.min < 0 else [kind.max - 2]
    return np.array([value for value in some if kind.min <= value <= kind.max], code)


def nasty_of(dtype: np.dtype[Any]) -> Array:
    """The ends of what a dtype holds, and what lies near zero."""
    if dtype.kind == "f":
        return _floats(dtype.str[1:])
    return np.array([False, True]) if dtype.kind == "b" else _integers(dtype.str[1:])


def content(random: Random, array: Array) -> Array:
    """Other content in the same shape and dtype."""
    out = array.copy()
    flat = out.reshape(-1)
    if not flat.size:
        return out
    nasty = nasty_of(array.dtype)
    some = random.integers(flat.size, size=int(random.choice([1, 1, 2, 5])))
    match int(random.integers(9)):
        case 0 | 1:
            flat[some] = random.choice(nasty, some.shape)
        case 2:
            flat[:] = random.choice(nasty)
        case 3:
            flat[:] = random.choice(nasty, flat.shape)
        case 4:
            flat[:] = flat[::-1].copy()
        case 5:
            random.shuffle(flat)
        case 6:
            flat[some] = flat[random.integers(flat.size, size=some.shape)]
        case 7:
            flat[some] = (np.arange(flat.size, dtype=np.int64)[some]).astype(array.dtype)
        case _:
            raw = flat.view(np.uint8)
            places = random.integers(raw.size, size=some.shape)
            raw[places] = random.integers(256, size=some.shape)
            if array.dtype.kind == "b":
                raw[:] &= 1
    return out


def reshaped(random: Random, array: Array) -> Array:
    """Another shape or dtype, with content that fits it."""
    axis = int(random.integers(max(1, array.ndim)))
    changes = [
        lambda: array[None],
        lambda: array.reshape(-1),
        lambda: np.ascontiguousarray(array.T),
        lambda: array.astype(str(random.choice(sorted(ITEM_BYTES)))),
        lambda: np.concatenate([array, array]) if array.ndim else array[None],
        lambda: np.delete(array, -1, axis) if array.ndim and array.shape[axis] else array[None],
        lambda: np.take(array, np.zeros(0, int), axis) if array.ndim else array,
        lambda: np.resize(array, tuple(random.integers(0, 5, int(random.integers(0, 5))))),
        lambda: np.repeat(array, 300, axis) if array.ndim and array.size < 10_000 else array[None],
    ]
    with np.errstate(all="ignore"):
        return np.ascontiguousarray(changes[int(random.integers(len(changes)))]())
