"""The table of all nodes, against the modules that hold them."""

import pkgutil
from importlib import import_module

import pytest

import runtime.plan
from runtime.plan.graph import FAMILIES, FAMILY_OF, build, import_families, nodes_of
from runtime.plan.ops import PlanError


def test_every_node_of_every_family_is_in_the_table() -> None:
    found = {}
    for module in pkgutil.iter_modules(runtime.plan.__path__):
        nodes = getattr(import_module(f"runtime.plan.{module.name}"), "NODES", None)
        if nodes is not None:
            found[module.name] = set(nodes)
    assert found == {family: set(ops) for family, ops in FAMILIES.items()}


def test_no_op_has_two_families() -> None:
    assert len(FAMILY_OF) == sum(map(len, FAMILIES.values()))


def test_every_family_can_be_imported() -> None:
    import_families()
    for family, ops in FAMILIES.items():
        assert all(callable(nodes_of(family)[op]) for op in ops)


@pytest.mark.parametrize("op", ["os", "graph", "linear", "..late", ""])
def test_only_ops_of_the_table_are_looked_for(op: str) -> None:
    with pytest.raises(PlanError, match="unknown op"):
        build({"op": op}, {})
