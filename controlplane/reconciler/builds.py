"""Where a version is built: on this machine, or by what else keeps this contract."""

import asyncio
import functools
import shutil
import uuid
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from controlplane.artifacts.store import Blob, Store
from controlplane.builder.job import Builder, Order
from controlplane.builder.needs import recipe_of
from controlplane.builder.report import Outcome, Report
from controlplane.models import service as models
from controlplane.models.service import VersionToBuild

Unfinished = Callable[[], Awaitable[frozenset[uuid.UUID]]]


@dataclass(frozen=True, slots=True)
class Built:
    """How a build ended; `plan` is stored and checked (outcome plan only)."""

    report: Report
    plan: Blob | None = None


class Builds(Protocol):
    """Builds versions. The caller records what comes back before it calls `forget`.

    attempts  how often one version is begun at most, when we crash or fail while it is built
    """

    @property
    def attempts(self) -> int:
        """Give the bound."""

    async def start(self) -> None:
        """Begin; what a crash left half done is taken up or removed."""

    async def build(self, version: VersionToBuild) -> Built:
        """Build one version; never raises for a bad model.

        May be called again for the same version after a crash or a cancellation, and then goes on
        with what there is.
        """

    async def forget(self, version: VersionToBuild) -> None:
        """Remove what a recorded build left; nothing there is success."""

    async def tidy(self, unfinished: Unfinished) -> int:
        """Remove what builds of finished versions left; gives how much.

        unfinished  asked after what is there was listed: a build that begins meanwhile is safe
        """

    async def close(self) -> None:
        """Stop what goes on between builds; builds that run are cancelled by whoever began them."""


def _order(version: VersionToBuild) -> Order:
    """Have a version built again with what its first build resolved."""
    known = version.environment
    return Order(version.tenant, None if known is None else recipe_of(known))


class LocalBuilds:
    """Builds in processes of this machine, each in a folder of its own."""

    attempts = models.MAX_ATTEMPTS

    def __init__(self, store: Store, builder: Builder, work: Path) -> None:
        self._store, self._builder, self._work = store, builder, work

    async def start(self) -> None:
        """Begin with an empty folder."""
        await asyncio.to_thread(shutil.rmtree, self._work, ignore_errors=True)
        self._work.mkdir(parents=True, mode=0o700)

    async def build(self, version: VersionToBuild) -> Built:
        """Build one version from its stored file."""
        folder = self._work / uuid.uuid4().hex
        try:
            folder.mkdir(mode=0o700)
            source = folder / "model"
            await self._store.fetch_to(version.sha256, source)
            work = folder / "work"
            work.mkdir(mode=0o700)
            tell = functools.partial(models.build_tells, version.id)
            report = await self._builder.build(source, work, tell, _order(version))
            if report.outcome is not Outcome.PLAN:
                return Built(report)
            if report.plan_path is None:
                raise RuntimeError("the builder reports a plan and names none")
            return Built(report, await self._store.put_file(report.plan_path))
        finally:
            await asyncio.to_thread(shutil.rmtree, folder, ignore_errors=True)

    async def forget(self, version: VersionToBuild) -> None:
        """Do nothing: a build removes its folder."""

    async def tidy(self, unfinished: Unfinished) -> int:  # noqa: ARG002  (the seam's)
        """Do nothing: a build removes its folder."""
        return 0

    async def close(self) -> None:
        """Do nothing: there is nothing between builds."""
