"""What one replica of a revision asks for, by its artifact."""

import math
from dataclasses import dataclass
from typing import Final

from controlplane.engines.engine import BackendKind

MIB: Final = 1 << 20
CPU_MILLIS: Final = 100


@dataclass(frozen=True, slots=True)
class Size:
    """CPU and memory that are kept for a replica; a pod's request, without its queue-proxy."""

    cpu_millis: int
    memory_mib: int


def base_mib(backend: BackendKind) -> int:
    """Give the memory of a replica without a model."""
    return 512 if backend is BackendKind.FALLBACK else 64


def requested(backend: BackendKind, artifact_size_bytes: int) -> Size:
    """Give what is asked for: little enough to pack idle models."""
    model = math.ceil(artifact_size_bytes / MIB)
    return Size(CPU_MILLIS, base_mib(backend) + 2 * model)
