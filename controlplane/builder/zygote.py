"""The warm process: imports scikit-learn once, then forks the locked processes of a build.

It never reads a byte of a tenant: it gets descriptors and hands them to the child it forks, which
locks itself before it touches them. So every fork starts from the same clean memory.

    job → zygote   {"id", "role": inspect | load | verify, "work", "arguments", "profile"}
                   + [output, input…]
    zygote → job   {"id", "pid"} + [pidfd], later {"id", "status", "used_up": cpu | memory | null}
"""

import array
import contextlib
import importlib
import json
import os
import select
import signal
import socket
import sys
import traceback
from dataclasses import dataclass
from typing import Any, Final

from runtime import arrowless
from runtime.sandbox import cgroups, die_with_parent, enclose
from runtime.sandbox.namespaces import PID_BYTES

MESSAGE_BYTES: Final = 64 * 1024
# Interpreter and libraries; the limit of the address space is exact, that of the group is not.
BASE_BYTES: Final = 512 << 20
# The libraries would start threads at import; a locked process must have one only.
ENVIRONMENT: Final = {
    "PATH": "/usr/bin:/bin",
    "LANG": "C.UTF-8",
    "OPENBLAS_NUM_THREADS": "1",
    "OMP_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    "JOBLIB_MULTIPROCESSING": "0",
    "PYTHONDONTWRITEBYTECODE": "1",
}


@dataclass(frozen=True, slots=True)
class _Forked:
    """A build's process: the order it was made for, its processor time, its control group."""

    order: int
    cpu_s: int
    group: cgroups.Group | None

    def used_up(self, code: int, used_s: float) -> str | None:
        """Name the limit for which the kernel ended it, None when it ended otherwise."""
        if code != -signal.SIGKILL:
            return None
        if self.group is not None and self.group.memory_was_used_up():
            return "memory"
        # Under a busy hypervisor what is counted for the limit was seen to be 1.13 of this.
        return "cpu" if used_s >= 0.8 * self.cpu_s else None


def serve(control: socket.socket) -> None:
    """Fork on request until the other end closes."""
    children: dict[int, _Forked] = {}
    wake_read, wake_write = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
    signal.set_wakeup_fd(wake_write, warn_on_full_buffer=False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    poll = select.poll()
    poll.register(control, select.POLLIN)
    poll.register(wake_read, select.POLLIN)
    while True:
        ready = {descriptor for descriptor, _ in poll.poll()}
        if wake_read in ready:
            os.read(wake_read, 4096)
            _reap(control, children)
        if control.fileno() in ready:
            message, descriptors, _, _ = socket.recv_fds(control, MESSAGE_BYTES, 8)
            if not message:
                break
            _fork(control, json.loads(message), descriptors, children)
    _end(children)


def _end(children: dict[int, _Forked]) -> None:
    for pid in children:
        os.kill(pid, signal.SIGKILL)
    for pid, forked in children.items():
        os.waitpid(pid, 0)
        if forked.group is not None:
            forked.group.remove()


def _fork(
    control: socket.socket,
    order: dict[str, Any],
    descriptors: list[int],
    children: dict[int, _Forked],
) -> None:
    parent = os.getpid()
    profile = order["profile"]
    group = cgroups.make(memory_bytes=profile["memory_bytes"] + BASE_BYTES)
    told, report = os.pipe()
    pid = os.fork()
    if pid == 0:
        code = 70
        try:
            signal.set_wakeup_fd(-1)
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            control.close()
            os.close(told)
            _child(order | {"parent": parent}, descriptors, report, group)
            code = 0
        except BaseException:  # noqa: BLE001  a forked child must never return into the server loop
            traceback.print_exc()
        finally:
            os._exit(code)
    for descriptor in (*descriptors, report):
        os.close(descriptor)
    children[pid] = _Forked(order["id"], profile["cpu_s"], group)
    # That of the process in namespaces, if there are any; nothing when it ended before.
    inner = int.from_bytes(os.read(told, PID_BYTES), "little") or pid
    os.close(told)
    pidfd = _opened(inner, pid)
    _send(control, {"id": order["id"], "pid": inner}, [pidfd])
    os.close(pidfd)


def _opened(inner: int, pid: int) -> int:
    """Open the process of a role, or who waits for it outside where it has ended already.

    It ends so soon when we were stopped meanwhile; our own child is there until we reap it.
    """
    try:
        return os.pidfd_open(inner)
    except ProcessLookupError:
        return os.pidfd_open(pid)


def _child(
    order: dict[str, Any], descriptors: list[int], report: int, group: cgroups.Group | None
) -> None:
    from controlplane.builder import child

    os.setsid()
    output, *files = descriptors
    nothing = os.open("/dev/null", os.O_RDONLY)
    os.dup2(nothing, 0)
    os.dup2(output, 1)
    os.dup2(output, 2)
    die_with_parent(order["parent"])
    profile = order["profile"]
    group = cgroups.joined(group)
    place = child.Place(order["work"], enclose(report, wanted=profile.pop("namespaces")), group)
    child.run(order["role"], files, place, order["arguments"], profile)
    sys.stdout.flush()


def _reap(control: socket.socket, children: dict[int, _Forked]) -> None:
    for pid in list(children):
        done, status, usage = os.wait4(pid, os.WNOHANG)
        if done:
            forked, code = children.pop(pid), os.waitstatus_to_exitcode(status)
            used_up = forked.used_up(code, usage.ru_utime + usage.ru_stime)
            if forked.group is not None:
                forked.group.remove()
            _send(control, {"id": forked.order, "status": code, "used_up": used_up}, [])


def _send(control: socket.socket, message: dict[str, Any], descriptors: list[int]) -> None:
    rights = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", descriptors).tobytes())]
    control.sendmsg([json.dumps(message).encode()], rights if descriptors else [])


def main() -> None:
    die_with_parent(int(sys.argv[2]))
    control = socket.socket(fileno=int(sys.argv[1]))
    arrowless.hide()
    from controlplane.builder import child, verify  # noqa: F401  the imports are the point
    from controlplane.builder.lower import registry  # noqa: F401
    from runtime.estimators import look_at_libraries
    from runtime.plan.graph import import_families

    # For bundles, into which only our own Python looks; another's has no `packaging`.
    for needed in ("controlplane.builder.requirements", "packaging.tags"):
        with contextlib.suppress(ImportError):
            importlib.import_module(needed)
    look_at_libraries()
    import_families()
    with contextlib.suppress(BrokenPipeError):  # the job went away while we imported
        _send(control, {"ready": True}, [])
        # Models fitted with data frames want it: seconds at each build, or once here.
        if "pandas" in sys.argv[3:]:
            with contextlib.suppress(ImportError):
                importlib.import_module("pandas")
        serve(control)


if __name__ == "__main__":
    main()
