"""The sandbox itself, as root and as an ordinary user, with and without namespaces.

The ordinary user's sandbox is the harder one: the process keeps the number of the service and of
its siblings, so nothing but Landlock and the filter separates them.
"""

import ctypes
import json
import multiprocessing  # noqa: F401  loaded before the fork: inside, the disk is closed
import os
import resource
import signal
import socket
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from runtime.sandbox import Profile, detect, lock

USER = 54321
LIBC = ctypes.CDLL(None, use_errno=True)


@pytest.fixture(scope="module")
def sibling() -> Iterator[int]:
    """A process of the ordinary user's, outside any sandbox."""
    pid = os.fork()
    if pid == 0:
        if os.geteuid() == 0:
            os.setresuid(USER, USER, USER)
        signal.pause()
        os._exit(0)
    yield pid
    assert psutil.pid_exists(pid)
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)


def inside(body: Callable[[], object], *, user: bool, namespaces: bool, work: Path) -> object:
    """Run `body` locked in a fork and give what it returned, or the name of what it raised."""
    read, write = os.pipe()
    pid = os.fork()
    if pid == 0:
        result: object = None
        try:
            os.close(read)
            if user and os.geteuid() == 0:
                os.chown(work, USER, USER)
                os.setgroups([])
                os.setresgid(USER, USER, USER)
                os.setresuid(USER, USER, USER)
                LIBC.prctl(4, 1, 0, 0, 0)  # dumpable, as a process that never was root is
            layers = lock(
                Profile(
                    writable=(str(work),),
                    keep=(write,),
                    namespaces=namespaces,
                    memory_bytes=256 << 20,
                )
            )
            result = {"layers": layers, "value": body()}
        except BaseException as error:  # noqa: BLE001  whatever it was, it is the answer
            result = {"error": type(error).__name__, "text": str(error)}
        os.write(write, json.dumps(result, default=str).encode())
        os._exit(0)
    os.close(write)
    with os.fdopen(read, "rb") as file:
        answer = file.read()
    os.waitpid(pid, 0)
    return json.loads(answer)


def refused(number: int) -> str:
    if number >= 0:
        return "done"
    return "refused"


def shared_memory() -> str:
    return refused(LIBC.shmget(777, 4096, 0o1666))


def message_queue() -> str:
    return refused(
        LIBC.syscall(240 if os.uname().machine == "x86_64" else 180, b"q", 66, 384, None)
    )


ATTEMPTS: dict[str, Callable[[int], object]] = {
    "kill": lambda pid: os.kill(pid, 9),
    "kill group": lambda pid: os.killpg(pid, 9),
    "pidfd": lambda pid: os.pidfd_open(pid),
    "rlimit": lambda pid: resource.prlimit(pid, resource.RLIMIT_NOFILE, (1, 1)),
    "affinity": lambda pid: os.sched_setaffinity(pid, {0}),
    "priority": lambda pid: os.setpriority(os.PRIO_PROCESS, pid, 19),
    "scheduler": lambda pid: os.sched_setscheduler(pid, os.SCHED_BATCH, os.sched_param(0)),
    "environ": lambda pid: Path(f"/proc/{pid}/environ").read_bytes(),
    "memory": lambda pid: os.open(f"/proc/{pid}/mem", os.O_RDONLY),
    "fork": lambda pid: os.fork(),
    "exec": lambda pid: os.execv("/bin/true", ["true"]),
    "socket": lambda pid: socket.socket(),
    "unix socket": lambda pid: socket.socketpair(),
    "passwords": lambda pid: Path("/etc/passwd").read_bytes(),
    "home": lambda pid: os.listdir("/root"),
    "shm": lambda pid: Path("/dev/shm/x").write_bytes(b"x"),
    "packages": lambda pid: Path(sys.prefix, "owned").write_bytes(b"x"),
    "root": lambda pid: os.setuid(0),
    "chmod": lambda pid: os.chmod("/tmp", 0o700),
    "memfd": lambda pid: os.memfd_create("x"),
}


@pytest.mark.parametrize("namespaces", [True, False], ids=["namespaces", "no namespaces"])
@pytest.mark.parametrize("user", [True, False], ids=["ordinary user", "as we are"])
@pytest.mark.parametrize("attempt", ATTEMPTS)
def test_attempt_is_refused(
    attempt: str, user: bool, namespaces: bool, sibling: int, tmp_path: Path
) -> None:
    result = inside(
        lambda: ATTEMPTS[attempt](sibling), user=user, namespaces=namespaces, work=tmp_path
    )
    assert isinstance(result, dict)
    assert result.get("error") in ("PermissionError", "ProcessLookupError"), result


@pytest.mark.parametrize("attempt", [shared_memory, message_queue])
def test_channel_between_tenants_is_refused(attempt: Callable[[], str], tmp_path: Path) -> None:
    result = inside(attempt, user=True, namespaces=False, work=tmp_path)
    assert isinstance(result, dict)
    assert result["value"] == "refused"


@pytest.mark.parametrize("namespaces", [True, False], ids=["namespaces", "no namespaces"])
@pytest.mark.parametrize("user", [True, False], ids=["ordinary user", "as we are"])
def test_honest_work_goes_on(user: bool, namespaces: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    def work() -> object:
        (folder / "file").write_bytes(b"x")
        return (folder / "file").read_bytes().decode(), [n for n in os.environ if "SECRET" in n]

    monkeypatch.setenv("KUBESERVE_SECRET", "x")
    # Not pytest's folder: an ordinary user may not enter that of root.
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        result = inside(work, user=user, namespaces=namespaces, work=folder)
    assert isinstance(result, dict)
    assert result["value"] == ["x", []], result
    assert {"rlimits", "no_new_privs", "seccomp"} <= set(result["layers"])


def test_memory_is_limited(tmp_path: Path) -> None:
    result = inside(lambda: bytearray(1 << 30), user=False, namespaces=False, work=tmp_path)
    assert isinstance(result, dict)
    assert result["error"] == "MemoryError"


def test_detect_tells_the_layers_of_this_host() -> None:
    assert {"rlimits", "no_new_privs", "seccomp"} <= set(detect(namespaces=False))
