"""Attacks by name, and how one is written."""

import io
import os
import pickle
from collections.abc import Callable
from string import Template
from typing import Any

import joblib
import numpy as np
from sklearn.linear_model import LinearRegression

from tests.hostile.canaries import Canaries

Attack = Callable[[Canaries], bytes]
ATTACKS: dict[str, Attack] = {}
# Those that are also run where nothing holds them, and there must reach a canary: without this a
# mistyped attack would count as one that was held.
PROVED: set[str] = set()
# Those whose code prints this first, so that a build which never came to them is no success.
TELLING: set[str] = set()
RUNS = "the attack runs"
_FIRST = "print = __import__('functools').partial(__import__('builtins').print, flush=True)"
CALLS = """
import ctypes, os
l = ctypes.CDLL(None, use_errno=True)
def call(*a):
    result = l.syscall(*a)
    if result < 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    return result
"""
# The folder of the role, which the attacker finds by looking for what the builder holds.
WORK = """
import gc, os
d = next((o.work for o in gc.get_objects() if type(o).__name__ == 'Place'), '/tmp')
"""
X86 = os.uname().machine == "x86_64"


def attack(function: Attack) -> Attack:
    ATTACKS[function.__name__] = function
    return function


_SOURCES: dict[str, str] = {}


def scripts(*, proved: bool = False, before: str = "", **sources: str) -> None:
    """Register pickles that run Python sources, in which $words stand for the canaries' places."""
    for name, source in sources.items():
        _SOURCES[name] = before + source
        ATTACKS[name] = _script(name)
        TELLING.add(name)
        if proved:
            PROVED.add(name)


def _script(name: str) -> Attack:
    return lambda c: pickle.dumps(Call(exec, source_of(name, c), {}))


def source_of(name: str, canaries: Canaries) -> str:
    """Give the Python that an attack of `scripts` runs."""
    return _told(Template(_SOURCES[name]).substitute(canaries.words()))


class Call:
    """Calls a function with arguments when it is loaded."""

    def __init__(self, function: Any, *arguments: Any) -> None:
        self.what = function, arguments

    def __reduce__(self) -> Any:
        return self.what


def code(source: str) -> bytes:
    """A pickle that runs Python source."""
    return pickle.dumps(Call(exec, _told(source), {}))


def _told(source: str) -> str:
    return f"{_FIRST}\nprint({RUNS!r})\n{source}"


def fitted() -> LinearRegression:
    return LinearRegression().fit(np.arange(12.0).reshape(6, 2), np.arange(6.0))


def dumped(value: Any) -> bytes:
    file = io.BytesIO()
    joblib.dump(value, file)
    return file.getvalue()
