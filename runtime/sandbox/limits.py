"""Resource limits and inherited things: memory, CPU, files, threads, descriptors, environment."""

import os
import resource
from collections.abc import Iterable


def limit(
    *,
    memory_bytes: int | None,
    cpu_s: int | None,
    file_bytes: int,
    open_files: int = 256,
    threads: int = 64,
) -> None:
    """Set the limits, soft and hard.

    memory_bytes  on top of the address space the process has now, which the libraries take
    """
    limits = {
        resource.RLIMIT_CORE: 0,
        resource.RLIMIT_FSIZE: file_bytes,
        resource.RLIMIT_NOFILE: open_files,
        resource.RLIMIT_NPROC: threads,
        resource.RLIMIT_MEMLOCK: 0,
        resource.RLIMIT_MSGQUEUE: 0,
    }
    if memory_bytes is not None:
        limits[resource.RLIMIT_AS] = address_space_bytes() + memory_bytes
    if cpu_s is not None:
        used = resource.getrusage(resource.RUSAGE_SELF)
        limits[resource.RLIMIT_CPU] = int(used.ru_utime + used.ru_stime) + cpu_s
    for kind, wanted in limits.items():
        hard = resource.getrlimit(kind)[1]
        most = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
        resource.setrlimit(kind, (most, most))


def address_space_bytes() -> int:
    """Size of this process's address space."""
    with open("/proc/self/statm", encoding="utf-8") as file:
        return int(file.read().split()[0]) * resource.getpagesize()


def close_others(keep: Iterable[int]) -> None:
    """Close every descriptor but the standard three and `keep`."""
    low = 3
    for descriptor in sorted(set(keep)):
        if descriptor >= low:
            os.closerange(low, descriptor)
            low = descriptor + 1
    os.closerange(low, _highest() + 1)


def _highest() -> int:
    return max((int(name) for name in os.listdir("/proc/self/fd")), default=2)


def threads_now() -> int:
    """Threads of this process."""
    return len(os.listdir("/proc/self/task"))
