"""The system-call filter: classic BPF written here, for x86_64 and aarch64.

A deny list with three kinds of answer. Numbers above the newest one known to us answer ENOSYS, so a
call that a later kernel adds is not open by default, and the C library takes its older way.
"""

import ctypes
import os
import platform
import struct
from typing import Final

# name:number on x86_64:number on aarch64; "-" where the architecture has no such call.
# Beside the network and starting programs: what reaches another process of the same uid (found open
# by a probe under Landlock alone: prlimit64, sched_*, setpriority, System V and POSIX queues), what
# Landlock does not cover (modes, owners, times, extended attributes, watches on folders), and what
# a kernel without it would leave open (links, folders, devices).
_DENIED: Final = """
    socket:41:198 socketpair:53:199 connect:42:203 bind:49:200 listen:50:201 accept:43:202
    accept4:288:242 sendto:44:206 sendmsg:46:211 sendmmsg:307:269 recvfrom:45:207 recvmsg:47:212
    recvmmsg:299:243 shutdown:48:210 getsockname:51:204 getpeername:52:205 setsockopt:54:208
    getsockopt:55:209 execve:59:221
    execveat:322:281 fork:57:- vfork:58:- ptrace:101:117 process_vm_readv:310:270
    process_vm_writev:311:271 process_madvise:440:440 process_mrelease:448:448 kcmp:312:272
    kill:62:129 tkill:200:130 rt_sigqueueinfo:129:138 rt_tgsigqueueinfo:297:240 pidfd_open:434:434
    pidfd_getfd:438:438 pidfd_send_signal:424:424 mount:165:40 umount2:166:39 mount_setattr:442:442
    open_tree:428:428 move_mount:429:429 fsopen:430:430 fsconfig:431:431 fsmount:432:432
    fspick:433:433 chroot:161:51 pivot_root:155:41 unshare:272:97 setns:308:268 bpf:321:280
    perf_event_open:298:241 keyctl:250:219 add_key:248:217 request_key:249:218 userfaultfd:323:282
    init_module:175:105 finit_module:313:273 delete_module:176:106 kexec_load:246:104
    kexec_file_load:320:294 reboot:169:142 swapon:167:224 swapoff:168:225 open_by_handle_at:304:265
    name_to_handle_at:303:264 memfd_create:319:279 memfd_secret:447:447 fanotify_init:300:262
    fanotify_mark:301:263 quotactl:179:60 quotactl_fd:443:443 acct:163:89 syslog:103:116
    settimeofday:164:170 clock_settime:227:112 adjtimex:159:171 clock_adjtime:305:266
    sethostname:170:161 setdomainname:171:162 vhangup:153:58 iopl:172:- ioperm:173:-
    personality:135:92 lookup_dcookie:212:18 nfsservctl:180:42 shmget:29:194 shmat:30:196
    shmctl:31:195 shmdt:67:197 semget:64:190 semop:65:193 semtimedop:220:192 semctl:66:191
    msgget:68:186 msgsnd:69:189 msgrcv:70:188 msgctl:71:187 mq_open:240:180 mq_unlink:241:181
    mq_timedsend:242:182 mq_timedreceive:243:183 mq_notify:244:184 mq_getsetattr:245:185
    sched_setscheduler:144:119 sched_setparam:142:118 sched_setattr:314:274 setpriority:141:140
    ioprio_set:251:30 migrate_pages:256:238 move_pages:279:239 set_mempolicy_home_node:450:450
    chmod:90:- fchmod:91:52 fchmodat:268:53 fchmodat2:452:452 chown:92:- fchown:93:55 lchown:94:-
    fchownat:260:54 utime:132:- utimes:235:- utimensat:280:88 futimesat:261:- setxattr:188:5
    lsetxattr:189:6 fsetxattr:190:7 getxattr:191:8 lgetxattr:192:9 fgetxattr:193:10 listxattr:194:11
    llistxattr:195:12 flistxattr:196:13 removexattr:197:14 lremovexattr:198:15 fremovexattr:199:16
    inotify_init:253:- inotify_init1:294:26 inotify_add_watch:254:27 mkdir:83:- mkdirat:258:34
    splice:275:76 tee:276:77 vmsplice:278:75 remap_file_pages:216:234 uselib:134:-
    truncate:76:45 mknod:133:- mknodat:259:33 symlink:88:- symlinkat:266:36 link:86:- linkat:265:37
    sync:162:81 syncfs:306:267 setuid:105:146 setgid:106:144 setreuid:113:145 setregid:114:143
    setresuid:117:147 setresgid:119:149 setfsuid:122:151 setfsgid:123:152 setgroups:116:159
    capset:126:91 io_setup:206:0 io_submit:209:2 modify_ldt:154:-
"""

# glibc and OpenBLAS take the older call when these are missing.
_ABSENT: Final = (
    "clone3:435:435 io_uring_setup:425:425 io_uring_enter:426:426 io_uring_register:427:427"
)

_NEWEST: Final = 462  # mseal; from 424 on all architectures number alike

_ARCHITECTURES: Final = {
    # column, AUDIT_ARCH, seccomp, clone, prlimit64, sched_setaffinity, tgkill, prctl, fcntl, ioctl
    "x86_64": (1, 0xC000003E, 317, 56, 302, 203, 234, 157, 72, 16),
    "aarch64": (2, 0xC00000B7, 277, 220, 261, 122, 131, 167, 25, 29),
}

_CLONE_THREAD: Final = 0x00010000
_EPERM, _ENOSYS = 1, 38
_ALLOW: Final = 0x7FFF0000
_ERRNO: Final = 0x00050000
_KILL_PROCESS: Final = 0x80000000
_LOAD, _JEQ, _JGT, _JGE, _JSET, _RETURN = 0x20, 0x15, 0x25, 0x35, 0x45, 0x06
_NUMBER, _ARCH, _ARG0, _ARG1 = 0, 4, 16, 24  # low words: both architectures are little endian
_X32_BIT: Final = 0x40000000

_SET_MODE_FILTER, _TSYNC = 1, 1
_DENIED_PRCTL: Final = (
    1,
    4,
    0x59616D61,
)  # PDEATHSIG, DUMPABLE, PTRACER: all reach past the process
_DENIED_FCNTL: Final = (8, 10, 15)  # SETOWN, SETSIG, SETOWN_EX: signals to others
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
    """Assemble the filter; `pid` is the only one that tgkill and friends may name."""
    column, arch, _, clone, prlimit, affinity, tgkill, prctl, fcntl, ioctl = _ARCHITECTURES[machine]
    code = [
        _op(_LOAD, _ARCH),
        _op(_JEQ, arch, 1, 0),
        _op(_RETURN, _KILL_PROCESS),
        _op(_LOAD, _NUMBER),
        _op(_JGE, _X32_BIT, 0, 1),
        _op(_RETURN, _KILL_PROCESS),
        _op(_JGT, _NEWEST, 0, 1),
        _op(_RETURN, _ERRNO | _ENOSYS),
    ]
    for listed, error in ((_DENIED, _EPERM), (_ABSENT, _ENOSYS)):
        for number in _numbers(listed, column):
            code += [_op(_JEQ, number, 0, 1), _op(_RETURN, _ERRNO | error)]
    # Threads are created by clone with CLONE_THREAD; anything else is a process.
    code += _when(clone, [_op(_LOAD, _ARG0), _op(_JSET, _CLONE_THREAD, 1, 0), _refuse(), _allow()])
    for number in (prlimit, affinity):
        code += _when(number, _only(_ARG0, (0, pid)))
    code += _when(tgkill, _only(_ARG0, (pid,)))
    code += _when(prctl, _not(_ARG0, _DENIED_PRCTL))
    code += _when(fcntl, _not(_ARG1, _DENIED_FCNTL))
    code += _when(ioctl, _only(_ARG1, _ALLOWED_IOCTL))
    return b"".join([*code, _allow()])


def _op(code: int, value: int, true: int = 0, false: int = 0) -> bytes:
    return struct.pack("=HBBI", code, true, false, value)


def _allow() -> bytes:
    return _op(_RETURN, _ALLOW)


def _refuse() -> bytes:
    return _op(_RETURN, _ERRNO | _EPERM)


def _when(number: int, body: list[bytes]) -> list[bytes]:
    """Run `body`, which returns on every way, for one system call."""
    return [_op(_JEQ, number, 0, len(body)), *body]


def _only(argument: int, values: tuple[int, ...]) -> list[bytes]:
    body = [_op(_LOAD, argument)]
    for value in values:
        body += [_op(_JEQ, value, 0, 1), _allow()]
    return [*body, _refuse()]


def _not(argument: int, values: tuple[int, ...]) -> list[bytes]:
    body = [_op(_LOAD, argument)]
    for value in values:
        body += [_op(_JEQ, value, 0, 1), _refuse()]
    return [*body, _allow()]


def _numbers(listed: str, column: int) -> list[int]:
    columns = (entry.split(":") for entry in listed.split())
    return [int(entry[column]) for entry in columns if entry[column] != "-"]
