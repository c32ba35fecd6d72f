"""What is imported late, against the places that import it."""

import ast
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

import runtime
from runtime import late

ROOT = Path(runtime.__path__[0])
# Of what never runs in a worker of the zygote, or not before another process is waited for.
ELSEWHERE = {
    "__main__.py": {"runtime.fetch", "runtime.lean", "runtime.loading", "runtime.server"},
    "estimators.py": {"pandas"},
    "fetch.py": {"runtime.archive"},
    "lean.py": {"asyncio", "hashlib", "uvloop"},
    "loading.py": {"runtime.fallback.front"},
    "payloads.py": {"hmac", "runtime.payload_forms"},  # of hashed columns, and of pods
    "server.py": {"runtime.renewal"},
    "usage.py": {"runtime.telling"},
}

BY_NAME = {"encodings.utf_8_sig"}  # of an encoding


def inside_functions(path: Path) -> Iterator[str]:
    """Give the modules whose imports stand inside of functions."""
    for function in ast.walk(ast.parse(path.read_text())):
        if isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef):
            for node in ast.walk(function):
                if isinstance(node, ast.Import):
                    yield from (alias.name for alias in node.names)
                elif isinstance(node, ast.ImportFrom):
                    assert node.module is not None
                    yield node.module


def test_the_list_is_of_all_imports_inside_of_functions() -> None:
    found = set[str]()
    for path in ROOT.rglob("*.py"):
        found |= set(inside_functions(path)) - ELSEWHERE.get(str(path.relative_to(ROOT)), set())
    assert found == set(late.MODULES) - BY_NAME


def test_the_whole_list_can_be_imported() -> None:
    late.import_all()
    for name in late.MODULES:
        assert import_module(name).__name__ == name
