"""Waiting for an endpoint to be at zero, as engines tell of it: at once, or a moment later."""

from types import SimpleNamespace
from typing import Any

import pytest

from loadtests import watching
from loadtests.watching import EVERY_S, SEEN_WITHIN_S, wait_for_zero


class Told:
    """An endpoint whose replicas are told one after the other, the last for good."""

    def __init__(self, *replicas: int) -> None:
        self.replicas, self.asked, self.at = replicas, 0, 0.0

    def endpoint(self, _: str) -> Any:
        told = self.replicas[min(self.asked, len(self.replicas) - 1)]
        self.asked += 1
        return SimpleNamespace(replicas=told)

    def sleep(self, seconds: float) -> None:
        self.at += seconds


def waited(monkeypatch: pytest.MonkeyPatch, *replicas: int) -> tuple[str | None, Told]:
    told = Told(*replicas)
    monkeypatch.setattr(watching, "wall", lambda: told.at)
    monkeypatch.setattr(watching.gevent, "sleep", told.sleep)
    return wait_for_zero(told, "e", 60, lambda: None), told


def test_a_zero_of_before_the_answer_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    because, told = waited(monkeypatch, 0, 0, 1, 1, 0)
    assert (because, told.asked) == (None, 5)


def test_a_zero_that_stays_is_one(monkeypatch: pytest.MonkeyPatch) -> None:
    because, told = waited(monkeypatch, 0)
    assert because is None
    assert SEEN_WITHIN_S < told.at <= SEEN_WITHIN_S + 2 * EVERY_S


def test_what_does_not_go_to_zero_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    because, _ = waited(monkeypatch, 1)
    assert because is not None
    assert "not at zero within 60 s" in because
