"""Models of another scikit-learn: which Python loads a file, and its warm process.

A warm process of another version is kept for a while after its last build, two at the most.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Collection
from dataclasses import dataclass
from typing import Final, Protocol

from controlplane.builder.environments import installed
from controlplane.builder.needs import Needs
from controlplane.builder.packages import Python
from controlplane.builder.releases import VERSIONS
from controlplane.builder.uv import Unavailable
from controlplane.builder.warm import Warm, WarmError

IDLE_S: Final = 300.0
_MOST: Final = 2  # as many as there are builds at once, so there is always one to take


def version_of(found: Collection[str], needs: Needs) -> str:
    """Choose the version that a file is loaded with; raises Unavailable.

    found  the versions that are written in the file
    needs  what came with it may ask for a version too
    """
    here = installed()
    if not found:  # classes of the model's own write none
        found = {_asked(needs, here)}
    if set(found) == {here} and needs.allows(here):
        return here
    written = " and ".join(sorted(found))
    if len(found) > 1:
        raise Unavailable(
            f"Parts of the model were saved with scikit-learn {written}; each could give wrong"
            " answers in silence in the other's version.",
            "Fit all of it with one version, save and push again.",
        )
    if not needs.allows(written):
        raise Unavailable(
            f"The model was saved with scikit-learn {written}; its requirements.txt asks for"
            " another version.",
            f"Write scikit-learn=={written} there, or fit and save the model with what it says.",
        )
    return written


def _asked(needs: Needs, here: str) -> str:
    """Choose a version by requirements alone: ours if it will do, else the newest that does."""
    if needs.allows(here):
        return here
    fitting = [version for version in VERSIONS if needs.allows(version)]
    return fitting[-1] if fitting else needs.exact() or here


@dataclass(slots=True)
class _Kept:
    warm: Warm
    users: int = 0
    last_used_s: float = 0.0
    idle: asyncio.TimerHandle | None = None


class Discards(Protocol):
    """Removes environments that do not work."""

    async def discard(self, version: str, lines: tuple[str, ...]) -> None:
        """Remove one, so that the next use makes it anew."""


class Foreign:
    """The warm processes of other versions."""

    def __init__(
        self, pythons: Discards | None, *, pandas: bool = True, idle_s: float = IDLE_S
    ) -> None:
        self._pythons, self._pandas, self._idle_s = pythons, pandas, idle_s
        # By path of the Python.
        self._kept: dict[str, _Kept] = {}
        self._changing = asyncio.Lock()
        self._ending: set[asyncio.Task[None]] = set()

    @contextlib.asynccontextmanager
    async def process(self, version: str, python: Python) -> AsyncIterator[Warm]:
        """Lend the warm process of a Python with this version; WarmError when it is broken."""
        interpreter = python.interpreter
        if interpreter is None:
            raise ValueError("our own Python has a warm process already")
        async with self._changing:
            kept = self._kept.get(interpreter)
            if kept is None:
                await self._make_room()
                warm = Warm(pandas=self._pandas, interpreter=interpreter)
                kept = self._kept[interpreter] = _Kept(warm)
            kept.users += 1
            if kept.idle is not None:
                kept.idle.cancel()
        try:
            await self._started(version, python, kept.warm)
            yield kept.warm
        finally:
            kept.users -= 1
            loop = asyncio.get_running_loop()
            kept.last_used_s = loop.time()
            if not kept.users:
                kept.idle = loop.call_later(self._idle_s, self._end_later, interpreter, kept)

    async def _started(self, version: str, python: Python, warm: Warm) -> None:
        try:
            await warm.start()
        except WarmError:
            # Its files may be damaged; whoever tries again gets new ones.
            if self._pythons is not None:
                await self._pythons.discard(version, python.lines)
            raise

    async def _make_room(self) -> None:
        idle = [name for name, kept in self._kept.items() if not kept.users]
        idle.sort(key=lambda name: self._kept[name].last_used_s)
        for name in idle[: max(0, len(self._kept) + 1 - _MOST)]:
            await self._end(name)

    def _end_later(self, interpreter: str, kept: _Kept) -> None:
        async def end() -> None:
            async with self._changing:
                if self._kept.get(interpreter) is kept and not kept.users:
                    await self._end(interpreter)

        task = asyncio.create_task(end())
        self._ending.add(task)
        task.add_done_callback(self._ending.discard)

    async def _end(self, interpreter: str) -> None:
        kept = self._kept.pop(interpreter)
        if kept.idle is not None:
            kept.idle.cancel()
        await kept.warm.close()

    async def close(self) -> None:
        """End them all."""
        async with self._changing:
            for interpreter in list(self._kept):
                await self._end(interpreter)
        await asyncio.gather(*self._ending, return_exceptions=True)
