"""All layers together, in the only order that works; closed when a needed one is missing."""

import json
import os
import subprocess
import sys
import sysconfig
from dataclasses import dataclass
from importlib.util import find_spec
from typing import Final

from runtime.sandbox import cgroups, landlock, limits, privileges, root, seccomp
from runtime.sandbox.cgroups import Group
from runtime.sandbox.namespaces import Enclosure

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
    degraded: bool = False


def python_paths() -> tuple[str, ...]:
    """The Python installation and this package's own code: readable inside."""
    roots = {sys.prefix, sys.base_prefix, *sysconfig.get_paths().values()}
    roots.add(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
    # Installed beside the interpreter's own folders, as in our images, by a .pth file.
    numpy = find_spec("numpy")
    if numpy is not None and numpy.origin is not None:
        roots.add(os.path.dirname(os.path.dirname(os.path.abspath(numpy.origin))))
    return tuple(sorted(path for path in roots if os.path.isdir(path)))


ONE_THREAD: Final = {
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    "JOBLIB_MULTIPROCESSING": "0",
}


# Looked up now: it reads files, which a process that changed its uid may no longer do.
_PYTHON = python_paths()


def lock(
    profile: Profile, enclosure: Enclosure | None = None, group: Group | None = None
) -> tuple[str, ...]:
    """Lock this process in for good and give the layers that are on.

    Raises SandboxError when seccomp or the file-system layer (Landlock or the private root) is
    missing, unless `degraded`. The process must have a single thread: Landlock holds only the
    thread that asks for it.

    enclosure  the namespaces it is in already
    group      the control group it has joined already
    """
    if limits.threads_now() != 1:
        raise SandboxError("the process has several threads; Landlock would hold only one of them")
    layers = ["rlimits", "no_new_privs", *([f"cgroup-v{group.version}"] if group else ())]
    os.environ.clear()
    # One thread each, without a look at the machine: scikit-learn would count processors in
    # /sys/fs/cgroup, which is closed from here on, and joblib in the same place.
    os.environ.update(ONE_THREAD)
    limits.close_others((*profile.keep, *([enclosure.alive] if enclosure else ())))
    limits.limit(
        memory_bytes=profile.memory_bytes, cpu_s=profile.cpu_s, file_bytes=profile.file_bytes
    )
    readable = (*_PYTHON, *profile.readable)
    layers += _become_nobody(readable, profile.writable, enclosure)
    privileges.forbid_new()
    missing = []
    try:
        landlock.restrict((*readable, *_SYSTEM), profile.writable)
        layers.append(f"landlock-{landlock.version()}")
    except landlock.LandlockError as error:
        if "private-root" not in layers:
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


def _become_nobody(
    readable: tuple[str, ...], writable: tuple[str, ...], enclosure: Enclosure | None
) -> list[str]:
    """Change the root and the uid where that is allowed; gives the layers that this made."""
    another = privileges.may_become_another()  # asks /proc, which an own root has not
    parent = os.getppid() if privileges.dies_with_parent() else None
    layers = []
    if enclosure is not None:
        layers.append("namespaces")
        if root.make((*readable, *_SYSTEM), writable):
            layers.append("private-root")
    number = os.getpid() if enclosure is None else enclosure.outside
    held = "private-root" in layers or landlock.version() > 0
    if not another:
        privileges.give_up_capabilities()
    elif privileges.drop(readable, writable, number=number, may_read_all=held):
        layers.append("uid")
    # The kernel forgets it when the uid changes: prctl(2).
    if enclosure is not None:
        enclosure.die_with_it()
        os.close(enclosure.alive)
    elif parent is not None:
        privileges.die_with_parent(parent)
    return layers


def detect() -> tuple[str, ...]:
    """Give the layers this host offers, by locking a short-lived process and asking it."""
    group = cgroups.make(memory_bytes=256 << 20)
    try:
        answer = subprocess.run(  # noqa: S603  the interpreter itself, our own arguments
            [sys.executable, "-I", "-m", "runtime.sandbox", *cgroups.to_words(group)],
            capture_output=True,
            check=False,
            timeout=30,
            env={},
        )
    finally:
        if group is not None:
            group.remove()
    if answer.returncode != 0:
        return ()
    layers: list[str] = json.loads(answer.stdout)
    return tuple(layers)
