"""All layers together, in the only order that works; closed when a needed one is missing."""

import json
import os
import subprocess
import sys
import sysconfig
from dataclasses import dataclass
from importlib.util import find_spec
from typing import Final

from runtime.sandbox import landlock, limits, namespaces, privileges, seccomp

# What numpy, scipy, joblib and pandas look at while they run; nothing of it belongs to a tenant.
_SYSTEM = (
    "/lib",
    "/lib64",
    "/usr/lib",
    "/usr/lib64",
    "/etc/ld.so.cache",
    "/usr/share/zoneinfo",
    "/dev/null",
    "/dev/zero",
    "/dev/urandom",
    "/proc/cpuinfo",
    "/proc/meminfo",
    "/sys/devices/system/cpu",
    "/sys/fs/cgroup/cpu.max",
)


class SandboxError(RuntimeError):
    """A layer that is needed cannot be had on this host; nothing of a tenant may run."""


@dataclass(frozen=True, slots=True)
class Profile:
    """What a locked process may still do.

    writable      folders in which plain files may be made; they are given to its uid
    readable      folders beside the Python installation
    memory_bytes  beyond what it has when it locks itself; None: no limit
    cpu_s         None: no limit (a server)
    keep          descriptors that stay open beside the standard three
    degraded      go on without seccomp or a file-system layer; for hosts that have none
    """

    writable: tuple[str, ...] = ()
    readable: tuple[str, ...] = ()
    memory_bytes: int | None = None
    cpu_s: int | None = None
    file_bytes: int = 1 << 20
    keep: tuple[int, ...] = ()
    namespaces: bool = True
    degraded: bool = False


def python_paths() -> tuple[str, ...]:
    """The Python installation and this package's own code: readable inside."""
    roots = {sys.prefix, sys.base_prefix, *sysconfig.get_paths().values()}
    roots.add(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
    # Installed beside the interpreter's own folders, as in our images, by a .pth file.
    numpy = find_spec("numpy")
    if numpy is not None and numpy.origin is not None:
        roots.add(os.path.dirname(os.path.dirname(os.path.abspath(numpy.origin))))
    return tuple(sorted(os.path.realpath(root) for root in roots if os.path.isdir(root)))


ONE_THREAD: Final = {
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    "JOBLIB_MULTIPROCESSING": "0",
}


# Looked up now: it reads files, which a process that changed its uid may no longer do.
_PYTHON = python_paths()


def lock(profile: Profile) -> tuple[str, ...]:
    """Lock this process in for good and give the layers that are on.

    Raises SandboxError when seccomp or the file-system layer is missing, unless `degraded`. The
    process must have a single thread: Landlock holds only the thread that asks for it.
    """
    if limits.threads_now() != 1:
        raise SandboxError("the process has several threads; Landlock would hold only one of them")
    os.environ.clear()
    # One thread each, without a look at the machine: scikit-learn would count processors in
    # /sys/fs/cgroup, which is closed from here on, and joblib in the same place.
    os.environ.update(ONE_THREAD)
    limits.close_others(profile.keep)
    readable = (*_PYTHON, *profile.readable)
    layers = ["rlimits", "no_new_privs"]
    if profile.namespaces and namespaces.enter():
        layers.append("namespaces")
    has_landlock = landlock.version() > 0
    if privileges.drop(readable, profile.writable, may_read_all=has_landlock):
        layers.append("uid")
    limits.limit(
        memory_bytes=profile.memory_bytes, cpu_s=profile.cpu_s, file_bytes=profile.file_bytes
    )
    privileges.forbid_new()
    missing = []
    try:
        landlock.restrict((*readable, *_SYSTEM), profile.writable)
        layers.append(f"landlock-{landlock.version()}")
    except landlock.LandlockError as error:
        missing.append(f"Landlock ({error})")
    try:
        seccomp.install()
        layers.append("seccomp")
    except seccomp.SeccompError as error:
        missing.append(f"seccomp ({error})")
    if missing and not profile.degraded:
        raise SandboxError(
            f"this host lacks {' and '.join(missing)}, so uploaded code cannot be held. Use Linux"
            " 5.13 or newer, or accept the risk with KUBESERVE_SANDBOX=degraded"
        )
    return tuple(sorted(layers))


def detect(*, namespaces: bool = True) -> tuple[str, ...]:
    """Give the layers this host offers, by locking a short-lived process and asking it."""
    answer = subprocess.run(  # noqa: S603  the interpreter itself, constant arguments
        [sys.executable, "-I", "-m", "runtime.sandbox", "namespaces" if namespaces else "none"],
        capture_output=True,
        check=False,
        timeout=30,
        env={},
    )
    if answer.returncode != 0:
        return ()
    layers: list[str] = json.loads(answer.stdout)
    return tuple(layers)
