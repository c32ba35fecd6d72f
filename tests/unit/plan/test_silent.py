"""Functions in which numpy does not warn, whoever calls them."""

import warnings
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import numpy as np
import pytest

from runtime.plan import ops
from runtime.plan.ops import silent

ZERO = np.zeros(1)


@silent
def divided(depth: int = 0) -> float:
    """Divide by zero, in calls inside of each other."""
    return divided(depth - 1) if depth else float((1.0 / ZERO)[0])


def test_it_says_nothing_inside_and_changes_nothing_outside():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert divided(depth=3) == np.inf
        with pytest.raises(RuntimeWarning):
            1.0 / ZERO
    with np.errstate(divide="raise"):
        assert divided() == np.inf
        with pytest.raises(FloatingPointError):
            1.0 / ZERO


def test_what_is_raised_inside_is_raised():
    @silent
    def refuses() -> None:
        raise KeyError("why")

    with pytest.raises(KeyError, match="why"):
        refuses()
    assert divided() == np.inf


def test_several_threads_are_in_it_at_once():
    together = Barrier(4)

    @silent
    def waits() -> float:
        together.wait(10.0)
        return float((1.0 / ZERO)[0])

    with warnings.catch_warnings(), ThreadPoolExecutor(4) as pool:
        warnings.simplefilter("error")
        found = [pool.submit(waits) for _ in range(4)]
        assert [one.result() for one in found] == [np.inf] * 4


def test_where_numpy_keeps_it_by_thread_it_is_put_back(monkeypatch):
    monkeypatch.setattr(ops, "SILENT", None)

    @silent
    def inverse(depth: int) -> float:
        return inverse(depth - 1) if depth else float((1.0 / ZERO)[0])

    before = np.geterr()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert inverse(2) == np.inf
    assert np.geterr() == before
