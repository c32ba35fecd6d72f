"""Environments for pods: made here, packed once, kept in the object store under their names.

Pods reach no package index. So whoever does, the control plane, makes what a build or a replica
needs, of wheels and without running anything of them, and gives it as an archive.
"""

import asyncio
import contextlib
import functools
import logging
import os
import platform
import shutil
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Protocol, TypeVar

from controlplane.builder.asking import Question, here
from controlplane.builder.environments import PREFIX, Tell, installed, name, pins
from controlplane.builder.needs import Parts, Recipe, recipe_of
from controlplane.builder.packages import WHAT, Fetch, Packages
from controlplane.builder.uv import Unavailable, made_within
from runtime.archive import Archive, BadArchive, Part, pack
from runtime.problems import EngineUnavailable

log = logging.getLogger("kubeserve.builds")

Result = TypeVar("Result")
Fill = Callable[[Path], Awaitable[None]]

# Of one making: packages unpacked and packed. The chart's `scratchSize` has room for uploads too.
MOST_DISK_BYTES: Final = 3 << 30
_LOOK_S: Final = 1.0
_FILE: Final = "archive.zip"
# For what Python and machine, and by which rules: a name is never given to two things.
_MADE_FOR: Final = f"cp3{sys.version_info.minor}-{platform.machine()}-1"
# Tests that came with packages of the index: a fifth of it. numpy's are imported by numpy.
_TESTED: Final = ("sklearn", "scipy", "pandas")


class Shelf(Protocol):
    """Where archives are kept by name; raises StoreUnavailable."""

    async def find(self, name: str) -> Archive | None:
        """Give one that is there whole, which counts as a use of it."""

    async def put(self, name: str, file: Path, unpacked_bytes: int) -> Archive:
        """Keep one."""

    async def fetch_to(self, sha256: str, path: Path) -> None:
        """Write an upload to a new file."""


@dataclass(frozen=True, slots=True)
class _Way:
    """How what is missing comes to be: `fetch` gives the upload; or it does not, without `make`."""

    fetch: Fetch
    tell: Tell | None = None
    make: bool = True

    async def say(self, words: str) -> None:
        if self.tell is not None:
            await self.tell(words)


class Archives:
    """Gives the parts of what a model needs, each made at its first use.

    folder  for work, with that of the packages' environments in it; emptied
    """

    def __init__(self, packages: Packages, shelf: Shelf, folder: Path) -> None:
        self._packages, self._shelf, self._folder = packages, shelf, folder
        # One at a time: each takes all cores for a while, and half a gigabyte of disk.
        self._alone = asyncio.Lock()
        shutil.rmtree(folder, ignore_errors=True)  # a crash left it

    async def asked(
        self,
        question: Question,
        known: Recipe | None,
        tenant: str,
        upload: str,
        tell: Tell | None,
    ) -> tuple[tuple[Part, ...], Recipe | None]:
        """Answer a build; raises Unavailable.

        known   what an earlier build of the same version came to
        upload  its digest; wheels are taken from it
        """
        way = _Way(functools.partial(self._shelf.fetch_to, upload), tell)
        theirs, ours = dict(question.place), here()
        if theirs != ours:
            raise Unavailable(
                "The builder's image and the control plane do not hold the same packages, so none"
                " can be chosen for both.",
                "Ask the operator to take all three images of one release of KubeServe.",
            )
        needs, version = question.needs, question.version
        async with self._work():
            chosen = self._packages.recipe(needs, version, known, way.fetch, tell)
            recipe = await self._within_disk(chosen)
        return await self._parts(version, recipe, tenant, way), recipe

    async def serving(
        self,
        version: str | None,
        environment: Mapping[str, Any] | None,
        tenant: str,
        upload: str,
        *,
        make: bool = True,
    ) -> tuple[Part, ...]:
        """Give what serves a model, nothing where our own will do; raises EngineUnavailable.

        version      of scikit-learn that wrote the model, None: unknown
        environment  the recipe that its version was built with, None: it needs no packages
        upload       digest of the model or bundle, which wheels are taken from
        make         what is not there; else it is only looked for
        """
        recipe = None if environment is None else recipe_of(environment)
        way = _Way(functools.partial(self._shelf.fetch_to, upload), make=make)
        try:
            return await self._parts(version or installed(), recipe, tenant, way)
        except Unavailable as error:
            raise EngineUnavailable(f"{error.reason} {error.advice}", retry_after_s=10) from error

    async def _parts(
        self, version: str, recipe: Recipe | None, tenant: str, way: _Way
    ) -> tuple[Part, ...]:
        if recipe is None:
            return () if version == installed() else (await self._environment(version, (), way),)
        parts, found = recipe.parts(installed(), pins(recipe.sklearn)), []
        if parts.other:
            found.append(await self._environment(recipe.sklearn, parts.lines, way))
        if parts.beside:
            found.append(await self._beside(recipe.key(tenant), parts, way))
        return tuple(found)

    async def _environment(self, version: str, lines: tuple[str, ...], way: _Way) -> Part:
        pins(version)  # it becomes part of a name: only if it is known

        async def fill(folder: Path) -> None:
            await way.say(f"Preparing scikit-learn {version}, once for all its models.")
            await self._packages.environments.fill(folder, version, lines)
            await asyncio.to_thread(_without_tests, folder)

        what = f"the environment of scikit-learn {version}"
        return Part(what, await self._have(PREFIX + name(version, lines), what, fill, way), True)

    async def _beside(self, key: str, parts: Parts, way: _Way) -> Part:
        async def fill(folder: Path) -> None:
            await way.say("Installing the packages that the model needs.")
            await asyncio.to_thread(folder.mkdir)
            await self._packages.fill(folder, sys.executable, parts, way.fetch)

        return Part(WHAT, await self._have(f"packages-{key}", WHAT, fill, way), False)

    async def _have(self, name: str, what: str, fill: Fill, way: _Way) -> Archive:
        place = f"{name}-{_MADE_FOR}"
        found = await self._shelf.find(place)
        if found is not None:
            return found
        if not way.make:
            raise Unavailable(f"{_capital(what)} is not in the object store.", "It is made again.")
        async with self._work() as work:
            found = await self._shelf.find(place)  # whoever was before us may have made it
            if found is None:
                log.info("making %s", place)
                async with made_within(self._packages.environments.within_s, what):
                    unpacked = await self._within_disk(_packed(work, what, fill))
                found = await self._shelf.put(place, work / _FILE, unpacked)
            return found

    async def _within_disk(self, doing: Coroutine[Any, Any, Result]) -> Result:
        """Do something, and give it up when it takes too much disk.

        What is asked for is a tenant's choice, its size is known only when it is there, and where
        the disk of our pod is full, our pod is thrown out.
        """
        task = asyncio.create_task(doing)
        try:
            while not (await asyncio.wait((task,), timeout=_LOOK_S))[0]:
                if await asyncio.to_thread(_disk_bytes, self._folder) > MOST_DISK_BYTES:
                    raise Unavailable(
                        f"What the model needs takes more than {MOST_DISK_BYTES >> 20} MiB.",
                        "Leave out what it does not need to predict.",
                    )
            return await task
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    @contextlib.asynccontextmanager
    async def _work(self) -> AsyncIterator[Path]:
        """Lend an empty folder; what uv keeps for a next time goes with it."""
        async with self._alone:
            work = self._folder / "making"
            for folder in (work, self._packages.environments.folder):
                await asyncio.to_thread(folder.mkdir, parents=True)
            try:
                yield work
            finally:
                await asyncio.to_thread(shutil.rmtree, self._folder, ignore_errors=True)


async def _packed(work: Path, what: str, fill: Fill) -> int:
    """Fill a folder and make a file of it; gives how many bytes it is unpacked."""
    site = work / "site"
    await fill(site)
    try:
        return await asyncio.to_thread(pack, site, work / _FILE)
    except BadArchive as error:
        raise Unavailable(
            f"{_capital(what)} cannot be given to pods: {error}.",
            "Leave out what the model does not need to predict.",
        ) from error


def _disk_bytes(folder: Path) -> int:
    """Add up what is on disk; uv's cache and what is made of it are one file under two names."""
    found: dict[int, int] = {}
    for at, _, files in os.walk(folder):
        for file in files:
            with contextlib.suppress(FileNotFoundError):  # removed just now
                status = os.lstat(os.path.join(at, file))
                found[status.st_ino] = status.st_blocks * 512
    return sum(found.values())


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def _without_tests(folder: Path) -> None:
    for package in _TESTED:
        for tests in list((folder / package).rglob("tests")):
            shutil.rmtree(tests, ignore_errors=True)
    shutil.rmtree(folder / "bin", ignore_errors=True)
