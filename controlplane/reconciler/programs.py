"""Where load tests run as programs: beside us, or in pods."""

import uuid
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple, Protocol

from controlplane.loadtests.service import TestToRun


class Way(NamedTuple):
    """How generators reach an endpoint: its own address for them, and the one to connect to."""

    url: str
    address: str


class Program(Protocol):
    """A test that runs."""

    def tell(self, line: Mapping[str, Any], *, passing: bool = False) -> None:
        """Tell it something. `passing`: a later line says more, so this one may be left out."""

    def end(self) -> None:
        """Have it stop: it still says how the test was."""

    def events(self) -> AsyncIterator[dict[str, Any]]:
        """Give what it tells until it ends; raises ValueError for what is no event."""

    async def wait(self) -> int:
        """Wait until it has ended and its reports are in its folder; gives its exit code."""

    def how(self, code: int) -> str:
        """Say how it ended that said nothing more."""

    async def kill(self) -> None:
        """End it now."""

    async def leave(self) -> None:
        """Let go of it, whether or not it has ended."""


class Programs(Protocol):
    """Starts tests.

    look_every_s  how often they are told of their endpoint
    around_s      beyond the load itself: until a test has begun, and until its reports are there
    """

    look_every_s: float
    around_s: float

    def way(self, tenant: str, endpoint: str, tag: str | None, url: str) -> Way:
        """Say how an endpoint with such a public address is reached."""

    async def start(self, test: TestToRun, folder: Path, first: Mapping[str, Any]) -> Program:
        """Start a test whose reports are to be in a folder."""

    async def again(self, test: TestToRun, folder: Path, after: int) -> Program | None:
        """Take over a test of a control plane that is gone; None: it does not go on.

        Then what it left is in the folder. `after`: the `n` of the last event that was kept.
        """

    async def forget(self, test: uuid.UUID, tenant: str) -> None:
        """Remove what runs or is left of a test."""

    async def tidy(self, running: Callable[[], Awaitable[list[uuid.UUID]]]) -> int:
        """Remove what is left of tests that do not run any more; gives how many."""

    def last_words(self, folder: Path) -> str:
        """Give the end of what a test wrote for operators."""
