"""Nodes of the family clusters. (Filled in by its own commit.)"""

from runtime.plan.ops import NodeReader

NODES: dict[str, NodeReader] = {}
