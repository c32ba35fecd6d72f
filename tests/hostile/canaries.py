"""What hostile uploads aim at, planted for real, and what became of it: the judge of the corpus.

An attack is held when no canary sings: no connection, no byte, mode or time of the watched tree
changed, no other process touched, nothing left in memory shared by processes, no secret in any
output. That it raised something says nothing.
"""

import contextlib
import ctypes
import io
import os
import resource
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import traceback
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import joblib
import numpy as np
import psutil

SECRET: Final = "canary-3f1c9a"
_LIBC: Final = ctypes.CDLL(None, use_errno=True)
_MQ_OPEN, _MQ_UNLINK = (240, 241) if os.uname().machine == "x86_64" else (180, 181)
_GET_FLAGS: Final = 0x80086601


class Canaries:
    """Listeners, a watched tree with a secret, another process with a secret, names to leave."""

    def __init__(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="canaries-", dir="/var/tmp"))
        self.folder.chmod(0o755)
        self.tag = secrets.token_hex(4)
        self.key = int(self.tag, 16) & 0x7FFFFFFF
        self.parent = os.getpid()
        self.watched = self.folder / "watched"
        self._plant_tree()
        self._listen()
        self.victim = subprocess.Popen(
            ["/bin/sleep", "3600"],
            env={"KUBESERVE_CANARY": SECRET},
        )
        self._before = self._state()

    def close(self) -> None:
        self.victim.kill()
        self.victim.wait()
        for place in (self._tcp, self._udp, self._unix, self._abstract):
            place.close()
        shutil.rmtree(self.folder)
        for path in self._left():
            with contextlib.suppress(OSError):
                path.unlink()

    def words(self) -> dict[str, Any]:
        """Give what the attacks are told, by the names in their sources."""
        return {
            "watched": self.watched,
            "port": self._tcp.getsockname()[1],
            "udp": self._udp.getsockname()[1],
            "unix": self._unix.getsockname(),
            "abstract": f"canary-{self.tag}",
            "victim": self.victim.pid,
            "parent": self.parent,
            "tag": self.tag,
            "key": self.key,
            "packages": Path(np.__file__).parent,
            "prefix": sys.prefix,
        }

    def sung(self, output: str = "") -> list[str]:
        """Name every canary that sang since all was planted, and forget it."""
        heard = [name for name, there in self._visits() if there]
        after = self._state()
        heard += [name for name, value in after.items() if value != self._before[name]]
        self._before = after
        if SECRET in output:
            heard.append("secret")
        if "root:x:" in output:
            heard.append("passwords")
        if "ESCAPED" in output:  # what an attack says itself, where nobody else would see it
            heard.append("its own word")
        return heard

    def _plant_tree(self) -> None:
        for folder in (self.watched, self.watched / "tenants", self.watched / "tenants/other"):
            folder.mkdir()
            folder.chmod(0o777)
        for path in (self.watched / "precious", self.watched / "tenants/other/model.joblib"):
            path.write_text(SECRET)
            path.chmod(0o666)

    def _listen(self) -> None:
        self._tcp = socket.create_server(("127.0.0.1", 0))
        self._udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._udp.bind(("127.0.0.1", 0))
        self._unix, self._abstract = socket.socket(socket.AF_UNIX), socket.socket(socket.AF_UNIX)
        self._unix.bind(str(self.folder / "socket"))
        (self.folder / "socket").chmod(0o777)
        self._abstract.bind(f"\0canary-{self.tag}")
        for place in (self._unix, self._abstract):
            place.listen()
        for place in (self._tcp, self._udp, self._unix, self._abstract):
            place.setblocking(False)

    def _visits(self) -> Iterator[tuple[str, bool]]:
        for name, place in (("tcp", self._tcp), ("unix", self._unix), ("abstract", self._abstract)):
            visited = False
            with contextlib.suppress(BlockingIOError):
                place.accept()[0].close()
                visited = True
            yield name, visited
        with contextlib.suppress(BlockingIOError):
            self._udp.recv(100)
            yield "udp", True

    def _state(self) -> dict[str, Any]:
        return {
            "tree": _tree(self.watched),
            "victim": _process(self.victim),
            "parent": _limits_of(self.parent),
            "host name": socket.gethostname(),
            "left behind": self._left(),
            "shared memory": list(_system_v(self.key)),
            "message queue": _queue(f"canary-{self.tag}"),
        }

    def _left(self) -> list[Path]:
        places = ("/dev/shm", "/tmp", "/var/tmp", sys.prefix, Path(np.__file__).parent)
        return sorted(path for place in places for path in Path(place).glob(f"owned-{self.tag}*"))


def flags_of(path: Path) -> int:
    """Give a file's flags, as lsattr shows them; 0 where the file system has none."""
    flags = ctypes.c_int()
    descriptor = os.open(path, os.O_RDONLY)
    try:
        _LIBC.ioctl(descriptor, ctypes.c_ulong(_GET_FLAGS), ctypes.byref(flags))
    finally:
        os.close(descriptor)
    return flags.value


def _tree(folder: Path) -> list[tuple[Any, ...]]:
    found = []
    for path in sorted(folder.rglob("*")):
        status = path.lstat()
        content = path.read_bytes() if path.is_file() else b""
        attributes = os.listxattr(path, follow_symlinks=False)
        name = path.relative_to(folder).as_posix()
        times = (status.st_mtime_ns, status.st_nlink)
        found.append((name, status.st_mode, status.st_uid, *times, content, attributes))
    return found


def _process(victim: "subprocess.Popen[bytes]") -> object:
    if victim.poll() is not None:
        return "ended"
    process = psutil.Process(victim.pid)
    traced = Path(f"/proc/{victim.pid}/status").read_text().partition("TracerPid:")[2].split()[0]
    stopped = process.status() in (psutil.STATUS_STOPPED, psutil.STATUS_TRACING_STOP)
    return stopped, traced, _limits_of(victim.pid)


def _limits_of(pid: int) -> tuple[object, ...]:
    limits = tuple(resource.prlimit(pid, kind) for kind in range(16))
    score = Path(f"/proc/{pid}/oom_score_adj").read_text()
    niceness, scheduler = os.getpriority(os.PRIO_PROCESS, pid), os.sched_getscheduler(pid)
    io = psutil.Process(pid).ionice()
    return limits, score, niceness, scheduler, sorted(os.sched_getaffinity(pid)), io


def _system_v(key: int) -> Iterator[str]:
    """Give the System V objects of this key, and remove them."""
    for kind, control in (("shm", "shmctl"), ("sem", "semctl"), ("msg", "msgctl")):
        for line in Path(f"/proc/sysvipc/{kind}").read_text().splitlines()[1:]:
            if int(line.split()[0]) & 0xFFFFFFFF == key:
                arguments = (0, 0, 0) if kind == "sem" else (0, None)
                getattr(_LIBC, control)(int(line.split()[1]), *arguments)
                yield kind


def _queue(name: str) -> bool:
    """Tell whether a POSIX message queue of this name is there, and remove it."""
    opened = _LIBC.syscall(_MQ_OPEN, name.encode(), os.O_RDONLY, 0, None)
    if opened < 0:
        return False
    os.close(opened)
    _LIBC.syscall(_MQ_UNLINK, name.encode())
    return True


@contextlib.contextmanager
def planted() -> Iterator[Canaries]:
    """Plant canaries, a secret in our own environment too."""
    before = os.environ.get("KUBESERVE_CANARY")
    os.environ["KUBESERVE_CANARY"] = SECRET
    canaries = Canaries()
    try:
        yield canaries
    finally:
        canaries.close()
        if before is None:
            del os.environ["KUBESERVE_CANARY"]


def run_free(pickled: bytes, within_s: int = 5) -> str:
    """Load a pickle in a fork that nothing holds, and give what it printed."""
    read, write = os.pipe()
    pid = os.fork()
    if pid == 0:
        _load_and_end(pickled, write, within_s)
    os.close(write)
    with os.fdopen(read, "rb") as file:
        said = file.read(1 << 20).decode("utf-8", "replace")
    os.waitpid(pid, 0)
    return said


def _load_and_end(pickled: bytes, write: int, within_s: int) -> None:
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    signal.alarm(within_s)
    try:
        os.dup2(write, 1)
        os.dup2(write, 2)
        sys.stdout = sys.stderr = os.fdopen(1, "w", buffering=1, closefd=False)
        joblib.load(io.BytesIO(pickled))
    except BaseException:  # noqa: BLE001  a fork must not return into pytest
        traceback.print_exc()
    finally:
        os._exit(0)
