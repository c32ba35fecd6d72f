"""Hostile uploads, each a name and a function that writes the file."""

from importlib import import_module

from tests.hostile.corpus.registry import ATTACKS, PROVED, RUNS, TELLING, Call, code, dumped, fitted

for _kind in ("files", "network", "processes", "limits", "results", "pickles"):
    import_module(f"{__name__}.{_kind}")  # registers its attacks

__all__ = ["ATTACKS", "PROVED", "RUNS", "TELLING", "Call", "code", "dumped", "fitted"]
