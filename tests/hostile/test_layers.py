"""The sandbox itself: as root and as an ordinary user, with layers missing, and each layer alone.

The ordinary user's sandbox is the harder one: the process keeps the number of the service and of
its siblings, so nothing but Landlock, the filter and the namespaces separates them.
"""

import ctypes
import errno
import json
import multiprocessing  # noqa: F401  loaded before the fork: inside, the disk is closed
import os
import resource
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from runtime.sandbox import (
    Profile,
    cgroups,
    detect,
    enclose,
    landlock,
    limits,
    lock,
    privileges,
    root,
    seccomp,
)
from tests.hostile import lacking

USER = 54321
LIBC = ctypes.CDLL(None, use_errno=True)
MIB = 1 << 20
Body = Callable[[], object]
as_root = pytest.mark.skipif(os.geteuid() != 0, reason="needs root")


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


@pytest.fixture
def work() -> Iterator[Path]:
    # Not pytest's folder: an ordinary user may not enter that of root.
    with tempfile.TemporaryDirectory(dir="/var/tmp") as place:
        os.chmod(place, 0o777)
        yield Path(place)


def inside(enter: Callable[[int], object], body: Body) -> dict[str, Any]:
    """Run `enter` and then `body` in a fork; gives what both returned, or what was raised.

    enter  gets the descriptor of the answer, which has to stay open
    """
    read, write = os.pipe()
    pid = os.fork()
    if pid == 0:
        result: object = None
        try:
            os.close(read)
            entered = enter(write)
            result = {"entered": entered, "value": body()}
        except BaseException as error:  # noqa: BLE001  whatever it was, it is the answer
            result = {"error": type(error).__name__, "text": str(error)}
        os.write(write, json.dumps(result, default=str).encode())
        os._exit(0)
    os.close(write)
    with os.fdopen(read, "rb") as file:
        answer = file.read()
    code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    found: dict[str, Any] = json.loads(answer) if answer else {"ended": code}
    return found


def become_user(*folders: Path) -> None:
    if os.geteuid() == 0:
        for folder in folders:
            os.chown(folder, USER, USER)
        os.setgroups([])
        os.setresgid(USER, USER, USER)
        os.setresuid(USER, USER, USER)
        LIBC.prctl(4, 1, 0, 0, 0)  # dumpable, as a process that never was root is


def locked(
    work: Path, *, user: bool = False, without: tuple[int, ...] = (), degraded: bool = False
) -> Callable[[int], object]:
    """All layers but those that the host lacks."""

    def enter(answer: int) -> object:
        if user:
            become_user(work)
        if without:
            lacking.lack(without)
        profile = Profile(
            writable=(str(work),), keep=(answer,), memory_bytes=256 * MIB, degraded=degraded
        )
        return lock(profile, enclose())

    return enter


def fork_nine() -> None:
    for _ in range(9):
        if os.fork() == 0:
            LIBC.prctl(1, signal.SIGKILL, 0, 0, 0)  # ends with whoever forked it
            signal.pause()


def shared_memory() -> None:
    if LIBC.shmget(777, 4096, 0o1666) < 0:
        raise PermissionError


def message_queue() -> None:
    if LIBC.syscall(240 if lacking.X86 else 180, b"q", 66, 384, None) < 0:
        raise PermissionError


def watch() -> None:
    if LIBC.inotify_add_watch(LIBC.inotify_init(), b"/var/tmp", 0xFFF) < 0:
        raise PermissionError


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
    "logs": lambda pid: os.listdir("/var/log"),
    "shm": lambda pid: Path("/dev/shm/x").write_bytes(b"x"),
    "packages": lambda pid: Path(sys.prefix, "owned").write_bytes(b"x"),
    "root": lambda pid: os.setuid(0),
    "chmod": lambda pid: os.chmod("/tmp", 0o700),
    "memfd": lambda pid: os.memfd_create("x"),
    "watch": lambda pid: watch(),
    "shared memory": lambda pid: shared_memory(),
    "message queue": lambda pid: message_queue(),
}
REFUSALS = ("PermissionError", "ProcessLookupError", "FileNotFoundError", "OSError")
# What a host may lack while uploads are still held: one of the two file-system layers.
LACKS = {
    "nothing": (),
    "namespaces": lacking.NAMESPACES,
    "private root": lacking.MOUNTS,
    "Landlock": lacking.LANDLOCK,
}


@as_root
@pytest.mark.parametrize("lacks", LACKS)
@pytest.mark.parametrize("user", [True, False], ids=["ordinary user", "root"])
def test_attempts_are_refused(lacks: str, user: bool, sibling: int, work: Path) -> None:
    def each() -> dict[str, str]:
        verdicts = {}
        for name, attempt in ATTEMPTS.items():
            try:
                attempt(sibling)
                verdicts[name] = "done"
            except OSError as error:
                verdicts[name] = type(error).__name__
        return verdicts

    result = inside(locked(work, user=user, without=LACKS[lacks]), each)
    assert {name for name, verdict in result["value"].items() if verdict not in REFUSALS} == set()
    layers = set(result["entered"])
    assert {"rlimits", "no_new_privs", "seccomp"} <= layers
    assert ("landlock-7" in layers or landlock.version() != 7) == (lacks != "Landlock")
    assert ("namespaces" in layers) == (lacks != "namespaces")
    assert ("private-root" in layers) == (lacks not in ("namespaces", "private root"))
    assert ("uid" in layers) != user


@as_root
@pytest.mark.parametrize("user", [True, False], ids=["ordinary user", "root"])
@pytest.mark.parametrize(
    ("lacks", "named"),
    [
        (lacking.SECCOMP, "seccomp"),
        (lacking.LANDLOCK + lacking.NAMESPACES, "Landlock"),
        (lacking.LANDLOCK + lacking.MOUNTS, "Landlock"),
    ],
    ids=["seccomp", "Landlock and namespaces", "Landlock and private root"],
)
def test_host_without_a_needed_layer_is_refused_unless_that_is_accepted(
    lacks: tuple[int, ...], named: str, user: bool, work: Path
) -> None:
    refused = inside(locked(work, user=user, without=lacks), lambda: "went on")
    assert refused["error"] == "SandboxError"
    assert named in refused["text"]
    assert "KUBESERVE_SANDBOX=degraded" in refused["text"]
    accepted = inside(locked(work, user=user, without=lacks, degraded=True), lambda: "went on")
    assert accepted["value"] == "went on"
    assert not any(named.lower() in layer for layer in accepted["entered"])


@as_root
@pytest.mark.parametrize("lacks", LACKS)
@pytest.mark.parametrize("user", [True, False], ids=["ordinary user", "root"])
def test_honest_work_goes_on(
    lacks: str, user: bool, work: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def honest() -> object:
        (work / "file").write_bytes(b"x")
        (work / "file").unlink()
        (work / "file").write_bytes(b"y")
        secrets = [name for name in os.environ if "SECRET" in name]
        return (work / "file").read_bytes().decode(), os.listdir(work), secrets, os.getcwd() != ""

    monkeypatch.setenv("KUBESERVE_SECRET", "x")
    result = inside(locked(work, user=user, without=LACKS[lacks]), honest)
    assert result["value"] == ["y", ["file"], [], True], result


# Each layer alone: the others are off, and what it is there for still fails.


def test_limits_alone_bound_memory_files_and_processor(work: Path) -> None:
    def limited(answer: int) -> None:
        limits.limit(memory_bytes=64 * MIB, cpu_s=1, file_bytes=MIB)

    assert inside(limited, lambda: bytearray(1 << 30))["error"] == "MemoryError"
    assert inside(limited, lambda: (work / "x").write_bytes(bytes(2 * MIB)))["error"] == "OSError"
    assert inside(limited, lambda: [os.dup(0) for _ in range(999)])["error"] == "OSError"

    def spin() -> None:
        while True:
            pass

    assert inside(limited, spin) == {"ended": -signal.SIGKILL}


@as_root
def test_limits_alone_bound_the_threads_of_a_user(work: Path) -> None:
    def limited(answer: int) -> None:
        become_user()
        limits.limit(memory_bytes=None, cpu_s=None, file_bytes=MIB, threads=4)

    assert inside(limited, lambda: fork_nine())["error"] == "BlockingIOError"


@as_root
def test_own_number_alone_closes_what_belongs_to_others(sibling: int, work: Path) -> None:
    (work / "secret").write_text("x")
    (work / "secret").chmod(0o600)

    def another(answer: int) -> bool:
        return privileges.drop((), (), number=os.getpid(), may_read_all=False)

    assert inside(another, lambda: (work / "secret").read_text())["error"] == "PermissionError"
    assert inside(another, lambda: os.kill(sibling, 9))["error"] == "PermissionError"
    assert inside(another, lambda: os.setuid(0))["error"] == "PermissionError"
    assert inside(another, lambda: os.chroot("/"))["error"] == "PermissionError"


@as_root
def test_no_new_privileges_alone_keeps_a_setuid_program_from_being_root(work: Path) -> None:
    program = work / "id"
    shutil.copy("/usr/bin/id", program)
    program.chmod(0o4755)

    def who() -> str:
        return subprocess.check_output([program, "-u"], text=True).strip()

    def forbidden(answer: int) -> None:
        become_user()
        privileges.forbid_new()

    assert inside(lambda answer: become_user(), who)["value"] == "0"
    assert inside(forbidden, who)["value"] == str(USER)


@as_root
def test_landlock_alone_closes_files_signals_and_tcp(sibling: int, work: Path) -> None:
    def landlocked(answer: int) -> None:
        become_user()
        privileges.forbid_new()
        landlock.restrict(("/usr", "/lib", sys.prefix, sys.base_prefix), ())

    (work / "secret").write_text("x")
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        for body in (
            lambda: (work / "secret").read_text(),
            lambda: (work / "new").write_text("x"),
            lambda: os.listdir("/"),
            lambda: os.kill(sibling, 9),
            lambda: Path(f"/proc/{sibling}/environ").read_bytes(),
            lambda: socket.socket().connect(("127.0.0.1", port)),
        ):
            assert inside(landlocked, body)["error"] == "PermissionError"


@as_root
def test_filter_alone_closes_its_system_calls(sibling: int, work: Path) -> None:
    def filtered(answer: int) -> None:
        become_user(work)
        privileges.forbid_new()
        seccomp.install()

    (work / "given").write_text("x")
    given = os.open(work / "given", os.O_RDONLY)
    for name in (
        *("kill", "kill group", "pidfd", "rlimit", "affinity", "priority", "scheduler", "fork"),
        *("exec", "socket", "unix socket", "root", "chmod", "memfd", "watch", "shared memory"),
        "message queue",
    ):
        result = inside(filtered, lambda name=name: ATTEMPTS[name](sibling))  # type: ignore[misc]
        assert result["error"] == "PermissionError", name
    for body in (
        lambda: os.symlink("/", work / "link"),
        lambda: os.link(work / "given", work / "link"),
        lambda: os.mkdir(work / "folder"),
        lambda: os.mkfifo(work / "pipe"),
        lambda: _set_flags(given),
    ):
        assert inside(filtered, body)["error"] == "PermissionError"
    # The owner could do it: that is what the filter is for.
    assert inside(lambda answer: become_user(work / "given"), lambda: _set_flags(given))["value"]
    os.close(given)


def test_the_kernel_refuses_every_call_outside_the_list(work: Path) -> None:
    column = 1 if lacking.X86 else 2
    named = (seccomp.numbers(listed, column) for listed in (seccomp.ALLOWED, seccomp.LOOKED_AT))
    numbers = set(range(512)) - {number for one in named for number in one.values()}
    # uretprobe and uprobe: kernels pass them by every filter, and answer at their own probes alone.
    numbers -= {335, 336} if lacking.X86 else set()

    def each() -> list[tuple[int, int]]:
        done = []
        for number in sorted(numbers):
            answer = LIBC.syscall(number, -1, -1, -1, -1, -1, -1)
            if answer != -1 or ctypes.get_errno() not in (errno.EPERM, errno.ENOSYS):
                done.append((number, ctypes.get_errno()))
        return done

    assert inside(locked(work), each)["value"] == []


def _set_flags(descriptor: int) -> bool:
    import fcntl

    fcntl.ioctl(descriptor, 0x40086602, (0x40).to_bytes(8, "little"))
    return True


@as_root
@pytest.mark.parametrize("user", [True, False], ids=["ordinary user", "root"])
def test_namespaces_alone_hide_network_processes_and_shared_memory(
    user: bool, sibling: int
) -> None:
    def enclosed(answer: int) -> bool:
        if user:
            become_user()
        return enclose() is not None

    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        reached = inside(enclosed, lambda: socket.socket().connect(("127.0.0.1", port)))
    assert reached["error"] == "OSError"
    assert "unreachable" in reached["text"]
    assert inside(enclosed, lambda: os.kill(sibling, 0))["error"] == "ProcessLookupError"
    assert inside(enclosed, lambda: os.getpid())["value"] == 1
    held = LIBC.shmget(778, 4096, 0o1666)
    try:
        found = inside(enclosed, lambda: LIBC.shmget(778, 4096, 0))
        assert found["value"] == -1
    finally:
        LIBC.shmctl(held, 0, None)
    inside(enclosed, lambda: socket.sethostname("owned"))
    assert socket.gethostname() != "owned"


@as_root
@pytest.mark.parametrize("user", [True, False], ids=["ordinary user", "root"])
def test_private_root_alone_holds_its_paths_and_nothing_else(user: bool, work: Path) -> None:
    def rooted(answer: int) -> bool:
        if user:
            become_user(work)
        enclose()
        return root.make(("/usr", "/lib", "/dev/null"), (str(work),))

    names = inside(rooted, lambda: sorted(os.listdir("/")))
    assert names["entered"] is True
    assert set(names["value"]) == {"usr", "lib", "dev", "var"}
    for gone in ("/etc/passwd", "/proc/1/environ", "/root", "/home", f"/proc/{os.getpid()}"):
        assert inside(rooted, lambda gone=gone: os.stat(gone))["error"] == "FileNotFoundError"
    for body in (
        lambda: Path("/usr/owned").write_text("x"),
        lambda: Path("/owned").write_text("x"),
        lambda: os.mkdir("/var/tmp/owned"),
    ):
        assert "ead-only" in inside(rooted, body)["text"]
    assert inside(rooted, lambda: (work / "x").write_text("x"))["value"] == 1
    assert (work / "x").read_text() == "x"
    assert inside(rooted, lambda: os.readlink("/lib"))["value"] == os.readlink("/lib")


@as_root
def test_group_alone_bounds_memory_and_processes() -> None:
    group = cgroups.make(memory_bytes=64 * MIB, processes=4)
    if group is None:
        pytest.skip("no control groups of our own here")
    try:
        eaten = inside(lambda answer: group.join(), lambda: len(bytearray(b"x") * (256 * MIB)))
        assert eaten == {"ended": -signal.SIGKILL}
        assert group.memory_was_used_up()
        forked = inside(lambda answer: group.join(), lambda: fork_nine())
        assert forked["error"] == "BlockingIOError"
    finally:
        for folder in group.folders:
            for pid in Path(folder, "cgroup.procs").read_text().split():
                os.kill(int(pid), signal.SIGKILL)
        _gone(group)


def _gone(group: cgroups.Group) -> None:
    for folder in group.folders:
        while Path(folder, "cgroup.procs").read_text():
            os.sched_yield()
    group.remove()
    assert not any(map(os.path.exists, group.folders))


def test_detect_tells_the_layers_of_this_host() -> None:
    assert {"rlimits", "no_new_privs", "seccomp"} <= set(detect())


@pytest.mark.parametrize(
    ("lacks", "missing"),
    [
        (lacking.LANDLOCK, ["landlock"]),
        (lacking.SECCOMP, ["seccomp"]),
        (lacking.NAMESPACES + lacking.LANDLOCK, ["landlock", "namespaces", "private-root"]),
    ],
)
def test_detect_tells_what_this_host_lacks(lacks: tuple[int, ...], missing: list[str]) -> None:
    layers = inside(lambda answer: lacking.lack(lacks), detect)["value"]
    for layer in ("landlock", "seccomp", "namespaces", "private-root"):
        assert any(one.startswith(layer) for one in layers) == (layer not in missing)
