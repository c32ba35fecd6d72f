"""Lowering of the family decomposition. (Filled in by its own commit.)"""

from controlplane.builder.lower.base import Lowering

LOWERINGS: dict[type, Lowering] = {}
