"""The system-call filter: classic BPF written here, for x86_64 and aarch64.

An allow list: what numpy, scikit-learn, pandas and the C library were seen to need, and of that
only what stays inside the process. All else answers EPERM; a few new calls, and those that a later
kernel adds, answer ENOSYS, upon which the C library takes its older way.
"""

import ctypes
import os
import platform
import struct
from typing import Final

# name:number on x86_64:number on aarch64; "-" where the architecture has no such call. The most
# frequent come first, as the filter compares from the top.
ALLOWED: Final = """
    read:0:63 write:1:64 futex:202:98 mmap:9:222 munmap:11:215 madvise:28:233 mprotect:10:226
    brk:12:214 mremap:25:216 openat:257:56 open:2:- close:3:57 fstat:5:80 newfstatat:262:79 stat:4:-
    lstat:6:- statx:332:291 lseek:8:62 pread64:17:67 pwrite64:18:68 writev:20:66 getdents64:217:61
    readlink:89:- readlinkat:267:78 access:21:- faccessat:269:48 faccessat2:439:439 getcwd:79:17
    statfs:137:43 unlink:87:- unlinkat:263:35 rename:82:- renameat:264:38 renameat2:316:276
    ftruncate:77:46 msync:26:227 dup:32:23 dup2:33:- dup3:292:24 pipe:22:- pipe2:293:59 poll:7:-
    ppoll:271:73 select:23:- pselect6:270:72 epoll_create1:291:20 epoll_ctl:233:21 epoll_wait:232:-
    epoll_pwait:281:22 eventfd2:290:19 sched_yield:24:124 sched_getaffinity:204:123
    set_robust_list:273:99 rseq:334:293 gettid:186:178 exit:60:93 exit_group:231:94
    rt_sigaction:13:134 rt_sigprocmask:14:135 rt_sigreturn:15:139 sigaltstack:131:132
    restart_syscall:219:128 clock_gettime:228:113 clock_getres:229:114 clock_nanosleep:230:115
    nanosleep:35:101 gettimeofday:96:169 time:201:- getpid:39:172 getppid:110:173 getuid:102:174
    geteuid:107:175 getgid:104:176 getegid:108:177 uname:63:160 sysinfo:99:179 getrusage:98:165
    times:100:153 getrandom:318:278
"""

# These are looked at more closely: see `program`.
LOOKED_AT: Final = """
    clone:56:220 prlimit64:302:261 tgkill:234:131 prctl:157:167 fcntl:72:25 ioctl:16:29
"""

# glibc and OpenBLAS take the older call when these are missing.
ABSENT: Final = """
    clone3:435:435 io_uring_setup:425:425 io_uring_enter:426:426 io_uring_register:427:427
    openat2:437:437 fchmodat2:452:452
"""

_NEWEST: Final = 462  # mseal; from 424 on all architectures number alike

_ARCHITECTURES: Final = {
    # column, AUDIT_ARCH, seccomp
    "x86_64": (1, 0xC000003E, 317),
    "aarch64": (2, 0xC00000B7, 277),
}

_EPERM, _ENOSYS = 1, 38
_ALLOW: Final = 0x7FFF0000
_ERRNO: Final = 0x00050000
_KILL_PROCESS: Final = 0x80000000
_LOAD, _JEQ, _JGT, _JGE, _JSET, _RETURN = 0x20, 0x15, 0x25, 0x35, 0x45, 0x06
_NUMBER, _ARCH, _ARG0, _ARG1 = 0, 4, 16, 24  # low words: both architectures are little endian
_X32_BIT: Final = 0x40000000

_SET_MODE_FILTER, _TSYNC = 1, 1
_CLONE_THREAD: Final = 0x00010000
# What glibc and musl make a thread with; namespaces, tracing and pidfds are none of it.
_CLONE_OF_THREADS: Final = 0x007D0F00
_ALLOWED_PRCTL: Final = (15, 16, 0x53564D41)  # SET_NAME, GET_NAME, SET_VMA: a thread's, a map's
# DUPFD, GETFD, SETFD, GETFL, SETFL, DUPFD_CLOEXEC. Others reach past the process: locks, leases,
# signals at input (SETOWN, SETSIG), seals.
_ALLOWED_FCNTL: Final = (0, 1, 2, 3, 4, 1030)
# What Python asks of files. Others change a file that is open for reading alone: the owner of an
# upload could set its flags (FS_IOC_SETFLAGS), or make it unchangeable for ever (verity).
_ALLOWED_IOCTL: Final = (
    *(0x5401, 0x5413),  # TCGETS, TIOCGWINSZ: is it a terminal, how wide
    *(0x541B, 0x5421, 0x5450, 0x5451),  # FIONREAD, FIONBIO, FIONCLEX, FIOCLEX
)


class SeccompError(OSError):
    """The kernel refused the filter, or this architecture has none here."""


class _Program(ctypes.Structure):
    _fields_ = (("length", ctypes.c_ushort), ("filter", ctypes.c_char_p))


def available() -> bool:
    """True when the kernel takes filters and this architecture is known."""
    if platform.machine() not in _ARCHITECTURES:
        return False
    with open("/proc/self/status", encoding="utf-8", errors="replace") as status:
        return any(line.startswith("Seccomp:") for line in status)


def install() -> None:
    """Switch the filter on for every thread, for good. Needs no_new_privs."""
    machine = platform.machine()
    if machine not in _ARCHITECTURES:
        raise SeccompError(_ENOSYS, f"no system-call filter for {machine}")
    code = program(machine, os.getpid())
    libc = ctypes.CDLL(None, use_errno=True)
    wanted = _Program(len(code) // 8, code)
    number = _ARCHITECTURES[machine][2]
    if libc.syscall(number, _SET_MODE_FILTER, _TSYNC, ctypes.byref(wanted)) != 0:
        error = ctypes.get_errno()
        raise SeccompError(error, f"seccomp: {os.strerror(error)}")


def program(machine: str, pid: int) -> bytes:
    """Assemble the filter; `pid` is the only one that prlimit64 and tgkill may name."""
    column, arch, _ = _ARCHITECTURES[machine]
    code = [
        _op(_LOAD, _ARCH),
        _op(_JEQ, arch, 1, 0),
        _op(_RETURN, _KILL_PROCESS),
        _op(_LOAD, _NUMBER),
        _op(_JGE, _X32_BIT, 0, 1),
        _op(_RETURN, _KILL_PROCESS),
    ]
    for number in numbers(ALLOWED, column).values():
        code += _when(number, [_allow()])
    looked_at = numbers(LOOKED_AT, column)
    code += _when(looked_at["clone"], _a_thread())
    code += _when(looked_at["prlimit64"], _only(_ARG0, (0, pid)))
    code += _when(looked_at["tgkill"], _only(_ARG0, (pid,)))
    code += _when(looked_at["prctl"], _only(_ARG0, _ALLOWED_PRCTL))
    code += _when(looked_at["fcntl"], _only(_ARG1, _ALLOWED_FCNTL))
    code += _when(looked_at["ioctl"], _only(_ARG1, _ALLOWED_IOCTL))
    for number in numbers(ABSENT, column).values():
        code += _when(number, [_refuse(_ENOSYS)])
    code += [_op(_JGT, _NEWEST, 0, 1), _refuse(_ENOSYS)]
    return b"".join([*code, _refuse()])


def numbers(listed: str, column: int) -> dict[str, int]:
    """Give the calls of a list by name, without those that the architecture does not have."""
    columns = (entry.split(":") for entry in listed.split())
    return {entry[0]: int(entry[column]) for entry in columns if entry[column] != "-"}


def _op(code: int, value: int, true: int = 0, false: int = 0) -> bytes:
    return struct.pack("=HBBI", code, true, false, value)


def _allow() -> bytes:
    return _op(_RETURN, _ALLOW)


def _refuse(error: int = _EPERM) -> bytes:
    return _op(_RETURN, _ERRNO | error)


def _when(number: int, body: list[bytes]) -> list[bytes]:
    """Run `body`, which returns on every way, for one system call."""
    return [_op(_JEQ, number, 0, len(body)), *body]


def _only(argument: int, values: tuple[int, ...]) -> list[bytes]:
    body = [_op(_LOAD, argument)]
    for value in values:
        body += [_op(_JEQ, value, 0, 1), _allow()]
    return [*body, _refuse()]


def _a_thread() -> list[bytes]:
    """Allow clone to make a thread of this process; anything else is a process."""
    return [
        _op(_LOAD, _ARG0),
        _op(_JSET, _CLONE_THREAD, 0, 2),
        _op(_JSET, 0xFFFFFFFF & ~_CLONE_OF_THREADS, 1, 0),
        _allow(),
        _refuse(),
    ]
