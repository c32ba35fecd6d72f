"""Programs, processes, signals, tracing, and what processes of one machine share."""

from tests.hostile.corpus.registry import CALLS, X86, scripts

scripts(
    proved=True,
    before=CALLS,
    kills_another="os.kill($victim, 9)",
    stops_another="os.kill($victim, 19); import time; time.sleep(0.1); os._exit(0)",
    kills_by_a_descriptor="import signal; signal.pidfd_send_signal(os.pidfd_open($victim), 9)",
    kills_a_thread=f"call({234 if X86 else 131}, $victim, $victim, 9)",
    kills_by_queueing=f"""
info = (ctypes.c_char * 128)(); ctypes.cast(info, ctypes.POINTER(ctypes.c_int))[0] = 9
ctypes.cast(info, ctypes.POINTER(ctypes.c_int))[2] = -1
call({129 if X86 else 138}, $victim, 9, info)
""",
    kills_by_owning_a_file="""
import fcntl
r, w = os.pipe()
fcntl.fcntl(r, fcntl.F_SETOWN, $victim); fcntl.fcntl(r, 10, 9)
fcntl.fcntl(r, fcntl.F_SETFL, os.O_ASYNC | os.O_NONBLOCK); os.write(w, b'x')
import time; time.sleep(0.1)
""",
    kills_from_a_child="""
pid = os.fork()
if pid == 0:
    os.setsid(); os.kill($victim, 9); os._exit(0)
os.waitpid(pid, 0)
""",
    starves_another="import resource; resource.prlimit($victim, resource.RLIMIT_NOFILE, (1, 1))",
    slows_another="os.setpriority(os.PRIO_PROCESS, $victim, 19)",
    pins_another="os.sched_setaffinity($victim, {0})",
    reschedules_another="os.sched_setscheduler($victim, os.SCHED_IDLE, os.sched_param(0))",
    slows_anothers_files=f"call({251 if X86 else 30}, 1, $victim, 3 << 13)",
    offers_another_to_the_oom_killer="open('/proc/$victim/oom_score_adj', 'w').write('1000')",
    starves_its_parent="import resource; resource.prlimit($parent, resource.RLIMIT_CORE, (0, 0))",
    reads_anothers_memory=f"""
class V(ctypes.Structure): _fields_ = [('base', ctypes.c_void_p), ('len', ctypes.c_size_t)]
line = [x for x in open('/proc/$victim/maps') if '[stack]' in x][0].split()[0]
start, end = (int(x, 16) for x in line.split('-'))
size = end - start
b = ctypes.create_string_buffer(size)
call({310 if X86 else 270}, $victim, ctypes.byref(V(ctypes.addressof(b), size)), 1,
     ctypes.byref(V(start, size)), 1, 0)
i = b.raw.find(b'KUBESERVE'); print(b.raw[i:i + 60])
""",
    reads_anothers_memory_as_a_file="""
line = [x for x in open('/proc/$victim/maps') if '[stack]' in x][0].split()[0]
a, b = (int(x, 16) for x in line.split('-'))
f = open('/proc/$victim/mem', 'rb', 0); f.seek(a); m = f.read(b - a)
i = m.find(b'KUBESERVE'); print(m[i:i + 60])
""",
    traces_another="""
l.ptrace.argtypes = [ctypes.c_long] * 4
assert l.ptrace(0x4206, $victim, 0, 0) == 0; print('ESCAPED')
""",
    makes_shared_memory="l.shmget($key, 4096, 0o1666)",
    makes_a_semaphore="l.semget($key, 1, 0o1666)",
    makes_a_queue="l.msgget($key, 0o1666)",
    makes_a_posix_queue=f"call({240 if X86 else 180}, b'canary-$tag', 66, 0o666, None)",
    starts_by_posix_spawn="""
os.waitpid(os.posix_spawn('/bin/touch', ['touch', '$watched/owned'], {}), 0)
""",
    becomes_a_program="os.execv('/bin/touch', ['touch', '$watched/owned'])",
    becomes_a_program_in_memory="""
f = os.memfd_create('x'); os.write(f, open('/bin/touch', 'rb').read())
os.execve(f, ['touch', '$watched/owned'], {})
""",
    starts_by_vfork="""
import _posixsubprocess, subprocess
subprocess.Popen(['/bin/touch', '$watched/owned'], close_fds=False).wait()
""",
    starts_by_a_raw_call=f"""
pid = call({56 if X86 else 220}, 17, 0, 0, 0, 0)
if pid == 0:
    open('$watched/owned', 'w').close(); os._exit(0)
os.waitpid(pid, 0)
""",
    starts_by_clone3="""
arguments = (ctypes.c_uint64 * 8)(); arguments[4] = 17
pid = call(435, arguments, 64)
if pid == 0:
    open('$watched/owned', 'w').close(); os._exit(0)
os.waitpid(pid, 0)
""",
    starts_by_multiprocessing="""
import multiprocessing as m
p = m.get_context('fork').Process(target=open, args=('$watched/owned', 'w')); p.start(); p.join()
""",
    starts_in_a_terminal="import pty; pty.spawn(['/bin/touch', '$watched/owned'])",
)

scripts(
    before=CALLS,
    fork_bomb="while True: os.fork()",
    forks_and_leaves="import time\nif os.fork() == 0:\n    os.setsid(); time.sleep(600)",
    kills_parent="os.kill($parent, 9)",
    kills_everyone="os.kill(-1, 9)",
    kills_own_parent="os.kill(os.getppid(), 9)",
    kills_its_group="os.killpg(0, 9)",
    traces_parent="assert l.ptrace(16, $parent, 0, 0) == 0; print('ESCAPED')",
    outlives_its_parent="""
assert l.prctl(1, 0, 0, 0, 0) == 0; print('ESCAPED')
""",
    becomes_readable_again="assert l.prctl(4, 1, 0, 0, 0) == 0; print('ESCAPED')",
    new_namespace="assert l.unshare(0x10000000) == 0; print('ESCAPED')",
    joins_a_namespace="assert l.setns(os.open('/proc/1/ns/net', 0), 0) == 0; print('ESCAPED')",
    becomes_root="os.setuid(0); print('ESCAPED')",
    takes_capabilities=f"""
head = (ctypes.c_uint32 * 2)(0x20080522, 0); caps = (ctypes.c_uint32 * 6)(*[2**32 - 1] * 6)
call({126 if X86 else 91}, head, caps); print('ESCAPED')
""",
    raises_its_limits="""
import resource
resource.setrlimit(resource.RLIMIT_AS, (-1, -1)); print('ESCAPED')
""",
    renames_the_host="assert l.sethostname(b'owned', 5) == 0; print('ESCAPED')",
    sets_the_clock="import time; time.clock_settime(0, 0); print('ESCAPED')",
    asks_the_kernels_doors=f"""
for name, number, *arguments in (
    ('bpf', {321 if X86 else 280}, 0, b'x' * 128, 128),
    ('perf', {298 if X86 else 241}, b'x' * 128, 0, -1, -1, 0),
    ('userfaultfd', {323 if X86 else 282}, 1),
    ('io_uring', 425, 8, b'x' * 128),
    ('add_key', {248 if X86 else 217}, b'user', b'owned', b'x', 1, -3),
    ('memfd_secret', 447, 0),
    ('finit_module', {313 if X86 else 273}, 0, b'', 0),
    ('kexec', {246 if X86 else 104}, 0, 0, 0, 0),
    ('fanotify', {300 if X86 else 262}, 0, 0),
    ('kcmp', {312 if X86 else 272}, os.getpid(), os.getpid(), 0, 0, 0),
    ('personality', {135 if X86 else 92}, 0x0400000),
    ('later', 463, 0), ('much later', 600, 0),
):
    try: call(number, *arguments); print('ESCAPED', name)
    except OSError as error:
        if error.errno not in (1, 38): print('ESCAPED: the kernel looked at', name, error)
raise SystemExit(1)
""",
    calls_by_another_table=(
        "call(0x40000000 + 39); print('ESCAPED')" if X86 else "call(1 << 30); print('ESCAPED')"
    ),
    calls_as_32_bit="""
import mmap, platform
m = mmap.mmap(-1, 4096, prot=7)
m.write(bytes.fromhex('b814000000cd80c3'))  # getpid of 32 bits: another number, another table
f = ctypes.CFUNCTYPE(ctypes.c_int)(ctypes.addressof(ctypes.c_char.from_buffer(m)))
print('ESCAPED' if platform.machine() == 'x86_64' and f() > 0 else 'no')
raise SystemExit(1)
""",
)
