"""What every node refuses, whatever its family: the shared half of the malformed-plan tests."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from controlplane.builder.lower.registry import new_draft
from runtime.plan.graph import build
from runtime.plan.ops import PlanError

Spec = dict[str, Any]
Tensors = dict[str, np.ndarray]
NONE: frozenset[str] = frozenset()


def plan_of(estimator: Any) -> tuple[Spec, Tensors]:
    """A good plan to break."""
    draft = new_draft()
    spec = draft.node(estimator)
    return spec, draft.tensors


def broken(spec: Spec, tensors: Tensors) -> Iterator[tuple[str, Spec, Tensors]]:
    """Each key missing or of a silly type, a key too many, each tensor of wrong kind or content."""
    yield "unknown key", {**spec, "surprise": 1}, tensors
    for key, value in spec.items():
        if key == "op" or value is None:
            continue
        yield f"{key} missing", {k: v for k, v in spec.items() if k != key}, tensors
        yield f"{key} silly", {**spec, key: ["silly"]}, tensors
        if isinstance(value, str) and value in tensors:
            array = tensors[value]
            for name, wrong in _wrong(array):
                yield f"{key} {name}", spec, {**tensors, value: wrong}


def _wrong(array: np.ndarray) -> Iterator[tuple[str, np.ndarray]]:
    yield "deeper", array[None]
    yield "float32", array.astype(np.float32)
    yield "complex", array.astype(np.complex128)
    if array.dtype.kind == "f" and array.size:
        for value in (np.nan, np.inf):
            out = array.copy()
            out.flat[-1] = value
            yield f"holds {value}", out
    if array.dtype.kind == "i" and array.size:
        for value in (-1, np.iinfo(array.dtype).max // 2):
            out = array.copy()
            out.flat[-1] = value
            yield f"holds {value}", out


def assert_refuses(spec: Spec, tensors: Tensors) -> None:
    """Reading raises PlanError, and says where."""
    with pytest.raises(PlanError, match=r"^graph"):
        build(spec, tensors)


def assert_refuses_broken(estimator: Any, optional: frozenset[str] | set[str] = NONE) -> None:
    """Every generic way to break this estimator's plan is refused; the plan itself is not.

    optional  keys that may be absent
    """
    spec, tensors = plan_of(estimator)
    build(spec, tensors)
    for name, bad, arrays in broken(spec, tensors):
        if name in optional or name.removesuffix(" missing") in optional:
            continue
        assert refusal(bad, arrays).startswith("graph"), name


def refusal(spec: Spec, tensors: Tensors) -> str:
    """What reading says against a plan; nothing if it takes it."""
    try:
        build(spec, tensors)
    except PlanError as error:
        return str(error)
    return ""


def shrunk(spec: Spec, tensors: Tensors, key: str, axis: int = 0) -> Tensors:
    """The tensor of this key without its last slice along an axis."""
    name = spec[key]
    return {**tensors, name: np.delete(tensors[name], -1, axis=axis)}
