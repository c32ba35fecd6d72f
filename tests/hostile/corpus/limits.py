"""Memory, processor, time, disk, descriptors, output: without end."""

from tests.hostile.corpus.registry import WORK, scripts

scripts(
    thread_bomb="""
import threading, time
while True: threading.Thread(target=time.sleep, args=(600,), daemon=True).start()
""",
    allocates_slowly="x = []\nwhile True: x.append(bytearray(1 << 20))",
    allocates_by_numpy="import numpy as np; np.ones((1 << 36,))",
    allocates_by_mapping="""
import mmap
m = [mmap.mmap(-1, 1 << 28, flags=0x4022) for _ in range(400)]
print('ESCAPED')
""",
    allocates_in_threads="""
import threading
x = []
def eat():
    while True: x.append(bytearray(1 << 22))
t = [threading.Thread(target=eat) for _ in range(8)]
[s.start() for s in t]; [s.join() for s in t]
raise SystemExit(1)
""",
    locks_memory="""
import ctypes
l = ctypes.CDLL(None)
assert l.mlockall(3) == 0; print('ESCAPED')
""",
    repeats_a_string="x = 'x'\nwhile True: x += x",
    counts_to_a_huge_number="10 ** 10 ** 10",
    backtracks_without_end="import re; re.match(r'(a+)+b', 'a' * 100)",
    recurses_without_end="import sys; sys.setrecursionlimit(10**9)\ndef f(): f()\nf()",
    sleeps="import time; time.sleep(600)",
    sleeps_in_c="import select; select.poll().poll()",
    spins="while True: pass",
    spins_in_threads="""
import threading
def spin():
    while True: pass
[threading.Thread(target=spin).start() for _ in range(8)]
""",
    waits_for_input="import sys; sys.stdin.read(); input()",
    ignores_signals="""
import signal, time
for s in range(1, 65):
    try: signal.signal(s, signal.SIG_IGN)
    except (OSError, ValueError): pass
time.sleep(600)
""",
    opens_without_end="""
import os
while True: os.dup(0)
""",
    prints_without_end="while True: print('\\x1b[2J\\x07' * 1000)",
    prints_binary_without_end="import os\nwhile True: os.write(1, os.urandom(1 << 16))",
)

scripts(
    before=WORK,
    fills_the_disk="""
i = 0
while True:
    open(f'{d}/{i}', 'wb').write(bytes(1 << 22)); i += 1
""",
    fills_the_disk_by_one_file="""
with open(f'{d}/big', 'wb') as f:
    while True: f.write(bytes(1 << 22))
""",
    fills_the_disk_by_reserving="""
os.posix_fallocate(os.open(d + '/x', 66), 0, 1 << 40); print('ESCAPED')
""",
    makes_files_without_end="""
i = 0
while True:
    open(f'{d}/{i}', 'wb').close(); i += 1
""",
)
