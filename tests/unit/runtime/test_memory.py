import subprocess
import sys

# Blocks above 512 bytes are the C library's; the last one keeps those below it in the heap.
FREED = """
from runtime.memory import give_back

def anonymous_kib():
    for line in open("/proc/self/smaps_rollup"):
        if line.startswith("Anonymous:"):
            return int(line.split()[1])

blocks = [bytes(2048) for _ in range(20_000)]
last = bytes(2048)
del blocks
before = anonymous_kib()
give_back()
print(before - anonymous_kib())
"""


def test_what_was_freed_is_given_back() -> None:
    ran = subprocess.run([sys.executable, "-c", FREED], check=True, capture_output=True, text=True)
    assert int(ran.stdout) > 30_000
