"""Files of the host, of other tenants, of the installation: read, written, linked, watched."""

from tests.hostile.corpus.registry import CALLS, WORK, X86, scripts

scripts(
    proved=True,
    shell="import os; os.system('touch $watched/owned')",
    subprocess_call="import subprocess; subprocess.check_output(['touch', '$watched/owned'])",
    exec_writes="open('$watched/owned', 'w').write('x')",
    exec_appends="open('$watched/precious', 'a').write('x')",
    exec_deletes="import os; os.remove('$watched/precious')",
    exec_truncates="import os; os.truncate('$watched/precious', 0)",
    exec_chmods="import os; os.chmod('$watched/precious', 0)",
    exec_renames="import os; os.rename('$watched/precious', '$watched/gone')",
    exec_touches="import os; os.utime('$watched/precious', (1, 1))",
    exec_makes_a_folder="import os; os.mkdir('$watched/folder')",
    exec_removes_a_tree="import shutil; shutil.rmtree('$watched/tenants')",
    makes_a_link_outside="import os; os.symlink('/etc/passwd', '$watched/link')",
    makes_a_hard_link_outside="import os; os.link('$watched/precious', '$watched/other')",
    makes_a_pipe_outside="import os; os.mkfifo('$watched/pipe')",
    sets_an_attribute="import os; os.setxattr('$watched/precious', 'user.owned', b'x')",
    changes_an_owner="import os; os.chown('$watched/precious', 12345, 12345)",
    writes_through_a_mapping="""
import mmap
with open('$watched/precious', 'r+b') as f:
    mmap.mmap(f.fileno(), 0)[0:1] = b'x'
""",
    reads_watched="print(open('$watched/precious').read())",
    reads_another_tenant="print(open('$watched/tenants/other/model.joblib').read())",
    reads_by_a_relative_path="print(open('../' * 40 + '$watched/precious').read())",
    reads_by_the_root_of_a_process="print(open('/proc/$victim/root$watched/precious').read())",
    reads_by_its_own_root="print(open('/proc/self/root$watched/precious').read())",
    reads_by_a_mapping="""
import mmap
with open('$watched/precious', 'rb') as f:
    print(mmap.mmap(f.fileno(), 0, prot=mmap.PROT_READ)[:])
""",
    reads_by_copying="""
import os
f = os.open('$watched/precious', os.O_RDONLY)
os.sendfile(1, f, 0, 100)
""",
    reads_with_numpy="import numpy as np; print(np.fromfile('$watched/precious', 'u1').tobytes())",
    reads_passwords="print(open('/etc/passwd').read())",
    reads_parents_environment="""
print(open('/proc/$parent/environ').read())
import os; print(os.environ)
""",
    reads_anothers_environment="print(open('/proc/$victim/environ').read())",
    prints_own_environment="""
import os
print(dict(os.environ))
print(open('/proc/self/environ').read())
""",
    asks_libc_for_the_environment="""
import ctypes
l = ctypes.CDLL(None); l.getenv.restype = ctypes.c_char_p
print(l.getenv(b'KUBESERVE_CANARY'))
""",
    writes_into_the_packages="open('$packages/owned-$tag.py', 'w').write('x')",
    writes_into_the_installation="open('$prefix/owned-$tag.pth', 'w').write('import os')",
    leaves_a_file_in_tmp="open('/tmp/owned-$tag', 'w').write('x')",
    leaves_a_file_in_shared_memory="open('/dev/shm/owned-$tag', 'w').write('x')",
)

scripts(
    before=WORK,
    reads_by_a_symbolic_link="""
os.symlink('$watched/precious', d + '/link'); print(open(d + '/link').read())
""",
    reads_by_a_hard_link="""
os.link('$watched/precious', d + '/link'); print(open(d + '/link').read())
""",
    leaves_a_link_for_the_parent="""
for name in ('draft', 'raw', 'plan', 'result.json'):
    try: os.unlink(d + '/' + name)
    except OSError: pass
    os.symlink('$watched/precious', d + '/' + name)
os._exit(0)
""",
    leaves_a_pipe_for_the_parent="os.mkfifo(d + '/result.json'); os._exit(0)",
    leaves_a_folder_for_the_parent="os.mkdir(d + '/result.json'); os._exit(0)",
    writes_into_the_other_roles="""
done = 0
for place in ('verify/plan', 'inspect/raw', 'plan', 'load2/x', '../upload'):
    try: open(os.path.join(os.path.dirname(d), place), 'wb').write(b'x'); done += 1
    except OSError: pass
print('ESCAPED' if done else 'nothing'); os._exit(0)
""",
)

scripts(
    reads_block_devices="""
import glob
for path in [*glob.glob('/dev/vd*'), *glob.glob('/dev/sd*'), '/dev/mem', '/dev/kmsg']:
    try: print('ESCAPED', len(open(path, 'rb').read(10)))
    except OSError: pass
raise SystemExit(1)
""",
    reads_every_open_descriptor="""
import os
for n in range(3, 4096):
    for name in ('$watched/precious', '../' * 20 + '$watched/precious', 'etc/passwd'):
        try: print(os.read(os.open(name, os.O_RDONLY, dir_fd=n), 100))
        except OSError: pass
""",
    lists_the_processes="""
import os
print([open(f'/proc/{p}/cmdline').read() for p in os.listdir('/proc') if p.isdigit()])
print(open('/proc/$victim/environ').read())
""",
)

scripts(
    before=CALLS,
    watches_a_folder="""
w = l.inotify_init(); assert w >= 0
assert l.inotify_add_watch(w, b'$watched', 0xfff) >= 0; print('ESCAPED')
""",
    mounts_a_file_system="""
os.makedirs('$watched/m', exist_ok=True)
assert l.mount(b'tmpfs', b'$watched', b'tmpfs', 0, None) == 0; print('ESCAPED')
""",
    takes_its_root_away="""
assert l.umount2(b'/', 2) == 0 or l.chroot(b'..') == 0
print(open('$watched/precious').read())
""",
    leaves_by_a_second_root="""
os.mkdir('x'); os.chroot('x'); os.chdir('../' * 40); os.chroot('.')
print(open('$watched/precious').read())
""",
    opens_by_a_handle=f"""
h = (ctypes.c_char * 136)(); ctypes.cast(h, ctypes.POINTER(ctypes.c_uint))[0] = 128
m = ctypes.c_int()
call({303 if X86 else 264}, -100, b'$watched/precious', h, ctypes.byref(m), 0)
f = call({304 if X86 else 265}, os.open('$watched', os.O_RDONLY), h, 0)
print(os.read(f, 100))
""",
    clones_a_tree="""
f = call(428, -100, b'$watched', 1)
print(os.read(os.open('precious', os.O_RDONLY, dir_fd=f), 100))
""",
    makes_a_device="""
os.mknod('$watched/disk', 0o60666, os.makedev(254, 0)); print('ESCAPED')
""",
    sets_flags_of_what_it_was_given="""
import fcntl, struct
done = 0
for n in range(3, 256):
    try: fcntl.ioctl(n, 0x40086602, struct.pack('l', 0xC0)); done += 1
    except OSError: pass
print('ESCAPED' if done else 'none')
raise SystemExit(1)
""",
    changes_what_it_was_given="""
done = 0
for n in range(3, 256):
    for act in (lambda: os.ftruncate(n, 0), lambda: os.fchmod(n, 0o777), lambda: os.utime(n),
                lambda: os.pwrite(n, b'x', 0), lambda: os.fchown(n, 1, 1),
                lambda: os.pwrite(os.open(f'/proc/self/fd/{n}', os.O_RDWR), b'x', 0)):
        try: act(); done += 1
        except OSError: pass
print('ESCAPED' if done else 'nothing')
raise SystemExit(1)
""",
)
