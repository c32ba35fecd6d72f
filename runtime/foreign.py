"""Our own code in the Python of another environment, whose packages are not ours.

An environment of another scikit-learn holds that scikit-learn and what belongs to it. Started as a
script by its Python, `python -I FILE MODULE ARGUMENTS…`, this file makes the packages `runtime` and
`controlplane` importable there, and nothing else of the folder they are in: that may be
site-packages, with a numpy that does not fit. Standard library only.
"""

import os
import runpy
import sys
from collections.abc import Mapping, Sequence
from importlib.machinery import ModuleSpec, PathFinder
from types import ModuleType
from typing import Final

_OURS: Final = ("controlplane", "runtime")
_ROOT: Final = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))


def command(interpreter: str | None, module: str) -> tuple[str, ...]:
    """Give the start of a command that runs one of our modules; None: in this environment."""
    if interpreter is None:
        return (sys.executable, "-I", "-m", module)
    return (interpreter, "-I", os.path.abspath(__file__), module)


def environment(interpreter: str | None, usual: Mapping[str, str]) -> dict[str, str]:
    """Give the variables of such a process.

    Old builds of OpenBLAS are wrong or crash on processors that came after them, unless they are
    told a kernel; our own build is new and chooses better by itself.
    """
    told = os.environ.get("OPENBLAS_CORETYPE")
    if interpreter is None or told is None:
        return dict(usual)
    return {**usual, "OPENBLAS_CORETYPE": told}


class _OurCode:
    """A finder of our two packages; what is in them is then found by their own paths."""

    @staticmethod
    def find_spec(
        name: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if path is not None or name not in _OURS:
            return None
        return PathFinder.find_spec(name, [_ROOT], target)


def main() -> None:
    """Run the module that the first argument names, as `-m` would."""
    sys.meta_path.insert(0, _OurCode)
    del sys.argv[0]
    runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main()
