"""Nodes of the family neighbors. (Filled in by its own commit.)"""

from runtime.plan.ops import NodeReader

NODES: dict[str, NodeReader] = {}
