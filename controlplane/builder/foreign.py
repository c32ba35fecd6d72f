"""Models of another scikit-learn: which Python loads a file, and its warm process.

A warm process of another version is kept for a while after its last build, two at the most.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Collection
from dataclasses import dataclass
from typing import Final

from controlplane.builder.environments import Environments, Tell, Unavailable, installed
from controlplane.builder.warm import Warm, WarmError

IDLE_S: Final = 300.0
_MOST: Final = 2  # as many as there are builds at once, so there is always one to take


def version_of(found: Collection[str], *, possible: bool) -> str | None:
    """Choose the version that a file is loaded with, None: ours; raises Unavailable.

    found     the versions that are written in the file
    possible  there can be environments of other versions here
    """
    here = installed()
    if set(found) <= {here}:
        return None
    written = " and ".join(sorted(found))
    if len(found) > 1:
        raise Unavailable(
            f"Parts of the model were saved with scikit-learn {written}; each could give wrong"
            " answers in silence in the other's version.",
            "Fit all of it with one version, save and push again.",
        )
    if not possible:
        raise Unavailable(
            f"The model was saved with scikit-learn {written}; this installation has {here} and"
            " builds no other. Loading it here could give wrong answers in silence.",
            f"Fit and save it with scikit-learn=={here}, then push again.",
        )
    return written


@dataclass(slots=True)
class _Kept:
    warm: Warm
    users: int = 0
    last_used_s: float = 0.0
    idle: asyncio.TimerHandle | None = None


class Foreign:
    """The warm processes of other versions."""

    def __init__(
        self, environments: Environments | None, *, pandas: bool = True, idle_s: float = IDLE_S
    ) -> None:
        self._environments, self._pandas, self._idle_s = environments, pandas, idle_s
        self._kept: dict[str, _Kept] = {}
        self._changing = asyncio.Lock()
        self._ending: set[asyncio.Task[None]] = set()

    @property
    def possible(self) -> bool:
        """True when models of other versions are built here."""
        return self._environments is not None

    @contextlib.asynccontextmanager
    async def process(self, version: str, tell: Tell | None) -> AsyncIterator[Warm]:
        """Lend a version's warm process; raises Unavailable, and WarmError when it is broken."""
        if self._environments is None:
            raise RuntimeError("there are no environments of other versions here")
        interpreter = await self._environments.interpreter(version, tell)
        async with self._changing:
            kept = self._kept.get(version)
            if kept is None:
                await self._make_room()
                warm = Warm(pandas=self._pandas, interpreter=interpreter)
                kept = self._kept[version] = _Kept(warm)
            kept.users += 1
            if kept.idle is not None:
                kept.idle.cancel()
        try:
            await self._started(version, kept.warm)
            yield kept.warm
        finally:
            kept.users -= 1
            loop = asyncio.get_running_loop()
            kept.last_used_s = loop.time()
            if not kept.users:
                kept.idle = loop.call_later(self._idle_s, self._end_later, version, kept)

    async def _started(self, version: str, warm: Warm) -> None:
        try:
            await warm.start()
        except WarmError:
            # Its files may be damaged; whoever tries again gets new ones.
            if self._environments is not None:
                await self._environments.discard(version)
            raise

    async def _make_room(self) -> None:
        idle = [name for name, kept in self._kept.items() if not kept.users]
        idle.sort(key=lambda name: self._kept[name].last_used_s)
        for name in idle[: max(0, len(self._kept) + 1 - _MOST)]:
            await self._end(name)

    def _end_later(self, version: str, kept: _Kept) -> None:
        async def end() -> None:
            async with self._changing:
                if self._kept.get(version) is kept and not kept.users:
                    await self._end(version)

        task = asyncio.create_task(end())
        self._ending.add(task)
        task.add_done_callback(self._ending.discard)

    async def _end(self, version: str) -> None:
        kept = self._kept.pop(version)
        if kept.idle is not None:
            kept.idle.cancel()
        await kept.warm.close()

    async def close(self) -> None:
        """End them all."""
        async with self._changing:
            for version in list(self._kept):
                await self._end(version)
        await asyncio.gather(*self._ending, return_exceptions=True)
