"""Packages that models bring or ask for: resolved once, locked with hashes, kept in folders.

An environment is two parts. The Python with scikit-learn and its companions is imported before a
process locks itself, so it holds these packages of the index alone. Everything else, a tenant's
wheels too, is a folder beside it, which only locked processes read and import from: a `.pth` file,
a `sitecustomize`, a package under another's name run nothing outside.
"""

import asyncio
import contextlib
import hashlib
import json
import logging
import os
import re
import shutil
import sys
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from controlplane.builder import validate
from controlplane.builder.environments import COMPANIONS, Environments, Tell, installed, pins
from controlplane.builder.needs import Asked, Needs, Parts, Recipe, Wheel, recipe_of, versions_of
from controlplane.builder.uv import Unavailable, contradiction, later, made_within, refused
from runtime.bundle import MOST_WHEEL_BYTES
from runtime.problems import EngineUnavailable

log = logging.getLogger("kubeserve.builds")

# Puts the bundle into a new file.
Fetch = Callable[[Path], Awaitable[object]]

WHAT: Final = "the environment of the model's packages"
MOST_BYTES: Final = 4 << 30
_WORK: Final = ".work-"
_LEFT_S: Final = 3600.0  # far longer than anything is made for
_ASKED: Final = [*COMPANIONS, "threadpoolctl>=3.8"]
_HASH: Final = re.compile(r"\s*\\?\s+(--hash=sha256:[0-9a-f]{64})")
_UNPACKING: Final = {"memory_bytes": 1 << 30, "cpu_s": 120, "file_bytes": MOST_WHEEL_BYTES}


@dataclass(frozen=True, slots=True)
class Python:
    """How a model is loaded.

    interpreter  path of its Python, None: ours
    packages     folder that is added once the process is locked, None: nothing is
    lines        what that Python holds where it is not the release's own
    """

    interpreter: str | None = None
    packages: str | None = None
    lines: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _Question:
    """What uv is asked: scikit-learn of a version, its companions, and more.

    preferred  versions, by name, that are taken unless something speaks against it
    """

    folder: Path
    python: str
    version: str
    preferred: Mapping[str, str]

    def write(self, asked: Path, chosen: Path, more: list[str]) -> None:
        """Write what is asked, and the preferred versions to where the answer comes."""
        self.folder.mkdir(mode=0o700)
        lines = [f"scikit-learn=={self.version}", *_ASKED, *more]
        asked.write_text("\n".join(lines) + "\n")
        chosen.write_text("".join(f"{name}=={v}\n" for name, v in self.preferred.items()))


class Packages:
    """Resolves needs, and makes what recipes say.

    sandbox  more of the profile of the process that unpacks wheels
    """

    def __init__(self, environments: Environments, sandbox: Mapping[str, Any] = {}) -> None:
        self.environments, self._sandbox = environments, {**_UNPACKING, **sandbox}

    async def python(
        self, asked: Asked, version: str, tell: Tell | None
    ) -> tuple[Python, Recipe | None]:
        """Give what loads a file, and the recipe if it needs packages; raises Unavailable."""

        async def fetch(path: Path) -> None:
            await asyncio.to_thread(shutil.copyfile, asked.source, path)

        recipe = await self.recipe(asked.needs, version, asked.recipe, fetch, tell)
        if recipe is not None:
            return await self.ready(recipe, asked.tenant, fetch, tell), recipe
        if version == installed():
            return Python(), None
        return Python(await self.environments.interpreter(version, tell)), None

    async def discard(self, version: str, lines: tuple[str, ...]) -> None:
        """Remove an environment that does not work, so that the next use makes it anew."""
        await self.environments.discard(version, lines)

    async def recipe(
        self, needs: Needs, version: str, known: Recipe | None, fetch: Fetch, tell: Tell | None
    ) -> Recipe | None:
        """Choose what a model needs beside the version's own environment, if it needs anything.

        known  what an earlier build of the same version came to
        Raises Unavailable.
        """
        if not needs.beyond(pins(version)):
            return None
        if known is not None and known.sklearn == version and known.wheels == needs.wheels:
            return known
        return await self.resolve(needs, version, fetch, tell)

    async def resolve(self, needs: Needs, version: str, fetch: Fetch, tell: Tell | None) -> Recipe:
        """Choose exact versions for what a model needs; raises Unavailable."""
        if tell is not None:
            await tell("Choosing the versions of the packages that the model needs.")
        async with made_within(self.environments.within_s, WHAT), self._folder() as folder:
            wheels = await self._wheels(needs.wheels, fetch, folder)
            python = await self.environments.base(version)
            own = [
                f"{wheel.name} @ {path.as_uri()}"
                for wheel, path in zip(needs.wheels, wheels, strict=True)
            ]
            without = [word for w in needs.wheels for word in ("--no-emit-package", w.name)]
            # What is there is preferred, so that most models share the release's own Python.
            first = _Question(folder / "all", python, version, pins(version))
            lock = await self._chosen(first, [*needs.requirements, *own], without)
            # What scikit-learn of these versions needs, without anything of the model's own: also
            # for the day on which ours is of other versions.
            second = _Question(folder / "base", python, version, dict(versions_of(lock)))
            return Recipe(version, lock, needs.wheels, await self._chosen(second, [], []))

    async def _chosen(
        self, question: "_Question", more: list[str], arguments: list[str]
    ) -> tuple[str, ...]:
        """Have uv choose versions; gives their lock."""
        folder = question.folder
        asked, chosen = folder / "asked.txt", folder / "chosen.txt"
        await asyncio.to_thread(question.write, asked, chosen, more)
        code, output = await self.environments.uv.uv(
            *("pip", "compile", str(asked), "--output-file", str(chosen)),
            *("--python", question.python, "--only-binary", ":all:", "--generate-hashes"),
            *("--no-header", "--no-annotate", "--no-emit-index-url", "--no-strip-extras"),
            *arguments,
        )
        if code != 0:
            raise self._unresolved(output)
        return _lines(await asyncio.to_thread(chosen.read_text))

    async def ready(
        self, recipe: Recipe, tenant: str, fetch: Fetch, tell: Tell | None = None
    ) -> Python:
        """Give the Python of a recipe, made if need be; raises Unavailable."""
        parts = recipe.parts(installed(), pins(recipe.sklearn))
        interpreter: str | None = None
        if parts.other:
            interpreter = await self.environments.interpreter(recipe.sklearn, tell, parts.lines)
        if not parts.beside:
            return Python(interpreter, None, parts.lines)

        async def make(making: Path) -> None:
            if tell is not None:
                await tell("Installing the packages that the model needs.")
            await asyncio.to_thread(making.mkdir, mode=0o755)
            await self.fill(making, interpreter or sys.executable, parts, fetch)

        async with made_within(self.environments.within_s, WHAT):
            kept = self.environments.packages
            place = await kept.have(recipe.key(tenant), make)
        await kept.make_room()
        return Python(interpreter, str(place), parts.lines)

    async def serving(
        self, version: str | None, environment: Mapping[str, Any] | None, tenant: str, fetch: Fetch
    ) -> Python:
        """Give the Python that serves a model; raises EngineUnavailable.

        Whoever waits for an endpoint tries again; the version was built with it, so it can be had.

        version      of scikit-learn that wrote the model, None: unknown
        environment  the recipe that its version was built with, None: it needs no packages
        """
        try:
            if environment is not None:
                return await self.ready(recipe_of(environment), tenant, fetch)
            if version is None or version == installed():
                return Python()
            return Python(await self.environments.interpreter(version))
        except Unavailable as error:
            raise EngineUnavailable(f"{error.reason} {error.advice}", retry_after_s=10) from error

    @contextlib.asynccontextmanager
    async def _folder(self) -> AsyncIterator[Path]:
        """Lend an empty folder; a name of its own, since uv remembers wheels by their paths."""
        folder = self.environments.folder / f"{_WORK}{uuid.uuid4().hex}"
        folder.mkdir(mode=0o700, parents=True)
        try:
            await asyncio.to_thread(_sweep, folder)
            yield folder
        finally:
            await asyncio.to_thread(shutil.rmtree, folder, ignore_errors=True)

    async def fill(self, making: Path, python: str, parts: Parts, fetch: Fetch) -> None:
        """Install packages and wheels into a folder; raises Unavailable."""
        into = ("--target", str(making), "--python", python, "--only-binary", ":all:", "--no-deps")
        rest, wheels = parts.rest, parts.wheels
        async with self._folder() as folder:
            if rest:
                locked = folder / "locked.txt"
                await asyncio.to_thread(locked.write_text, "\n".join(rest))
                given = ("--require-hashes", "--requirement", str(locked))
                machine = self.environments.index_wheels
                await self._pip("--compile-bytecode", *into, *machine, *given)
            if wheels:
                paths = await self._wheels(wheels, fetch, folder)
                # Not into uv's cache: it is everybody's, and they are one tenant's.
                given = ("--no-cache", "--no-index", "--compile-bytecode")
                await self._pip(*given, *into, *map(str, paths))
        size = await asyncio.to_thread(_size, making)
        if size > MOST_BYTES:
            raise Unavailable(
                f"The packages that the model needs take {size >> 20} MiB; {MOST_BYTES >> 20} MiB"
                " are the limit.",
                "Leave out what it does not need to predict.",
            )

    async def _pip(self, *arguments: str) -> None:
        code, output = await self.environments.uv.uv("pip", "install", *arguments)
        if code != 0:
            raise refused(WHAT, output)

    async def _wheels(
        self, wheels: tuple[Wheel, ...], fetch: Fetch, folder: Path
    ) -> tuple[Path, ...]:
        """Give wheels of a bundle as files, each with the digest that was recorded."""
        if not wheels:
            return ()
        bundle, numbered, named = folder / "bundle", folder / "numbered", folder / "wheels"
        await fetch(bundle)
        numbered.mkdir(mode=0o700)
        named.mkdir(mode=0o700)
        opened = os.open(bundle, os.O_RDONLY | os.O_CLOEXEC)
        try:
            code, output = await self.environments.uv.run(
                *(sys.executable, "-I", "-m", "controlplane.builder.unpack", str(opened)),
                *(str(numbered), json.dumps(self._sandbox), *(wheel.file for wheel in wheels)),
                pass_fds=(opened,),
            )
        finally:
            os.close(opened)
        if code != 0:
            log.error("the wheels of a bundle could not be taken out:\n%s", output)
            raise later(WHAT, "failed: its wheels could not be taken out")
        return tuple(
            [
                await asyncio.to_thread(_named, numbered / str(number), wheel, named)
                for number, wheel in enumerate(wheels)
            ]
        )

    def _unresolved(self, output: str) -> Unavailable:
        because = contradiction(output)
        if because is None:
            return refused(WHAT, output)
        return Unavailable(
            f"No versions fulfil what the model asks for: {because}",
            "Change requirements.txt; only wheels for this machine are taken, and scikit-learn has"
            " the version that the model was saved with.",
        )


def _sweep(newest: Path) -> None:
    """Remove what crashes left beside a folder that was made just now."""
    now = newest.stat().st_mtime
    for other in newest.parent.glob(f"{_WORK}*"):
        with contextlib.suppress(FileNotFoundError):  # done with just now
            if now - other.stat().st_mtime > _LEFT_S:
                shutil.rmtree(other, ignore_errors=True)


def _named(numbered: Path, wheel: Wheel, folder: Path) -> Path:
    """Copy a wheel out of the locked process's folder; raises Unavailable when it is another."""
    path = folder / wheel.file
    try:
        opened = validate.open_plain(numbered, MOST_WHEEL_BYTES)
    except validate.Untrusted as error:
        raise later(WHAT, f"failed: {wheel.file} could not be taken out") from error
    with os.fdopen(opened, "rb") as file, path.open("xb") as own:
        shutil.copyfileobj(file, own, 1 << 20)
    with path.open("rb") as file:
        if hashlib.file_digest(file, "sha256").hexdigest() != wheel.sha256:
            raise later(WHAT, f"failed: {wheel.file} is not the wheel that was looked into")
    return path


def _lines(text: str) -> tuple[str, ...]:
    """Give a lock as one line a package, in order."""
    return tuple(sorted(_HASH.sub(r" \1", text).split("\n")[:-1]))


def _size(folder: Path) -> int:
    return sum(
        os.lstat(os.path.join(at, name)).st_blocks * 512
        for at, _, names in os.walk(folder)
        for name in names
    )
