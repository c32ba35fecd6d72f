"""Environments of other scikit-learn versions: made by uv, kept in a folder, each made once.

    folder/scikit-learn-1.3.2/          a virtual environment
    folder/scikit-learn-1.3.2-HASH/     one with other companions than the release's own
    folder/packages-HASH/               what else models need (`packages`), read by them alone

Wheels only: no code of a package runs while it is installed. What is installed follows from the
version alone (`releases`), or from a lock with hashes.
"""

import asyncio
import hashlib
import logging
import sys
from collections.abc import Awaitable, Callable, Sequence
from importlib import metadata
from pathlib import Path
from typing import Final

from controlplane.builder.kept import InUse, Kept
from controlplane.builder.releases import NAMES, Release, UnknownRelease, release
from controlplane.builder.uv import Unavailable, Uv, later, made_within, refused
from runtime.foreign import command

log = logging.getLogger("kubeserve.builds")

Tell = Callable[[str], Awaitable[object]]

PREFIX: Final = "scikit-learn-"
_MADE_WITHIN_S: Final = 300.0


def installed() -> str:
    """Give the version of this installation's scikit-learn."""
    return metadata.version("scikit-learn")


def pins(version: str) -> dict[str, str]:
    """Give what a version's own environment holds, by name; raises Unavailable."""
    if version == installed():
        found = {name: _version(name) for name in NAMES}
        return {name: held for name, held in found.items() if held is not None}
    return dict(line.split("==") for line in _release(version).requirements)


def _version(name: str) -> str | None:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None


def _release(version: str) -> Release:
    try:
        return release(version)
    except UnknownRelease as error:
        raise Unavailable(error.reason, error.advice) from error


class Environments:
    """Gives the Python of an exact scikit-learn version, and makes its environment at first.

    kept  how many there are of a kind, see `Kept`
    """

    def __init__(
        self,
        folder: Path,
        kept: int = 8,
        *,
        within_s: float = _MADE_WITHIN_S,
        uv: str | None = None,
    ) -> None:
        self.folder, self.within_s = folder, within_s
        self.uv = Uv(folder, uv)
        self._kept = Kept(folder, PREFIX, kept, "bin/python")
        self.packages = Kept(folder, "packages-", kept)

    def ask(self, in_use: InUse) -> None:
        """Keep what endpoints need."""
        self._kept.in_use = self.packages.in_use = in_use

    async def interpreter(
        self, version: str, tell: Tell | None = None, lines: Sequence[str] = ()
    ) -> str:
        """Give the path of the version's Python; raises Unavailable.

        tell   is told in words when it has to be made, which takes a while
        lines  what it holds, locked with hashes, where that is not what `releases` says
        """
        found = _release(version)

        async def make(making: Path) -> None:
            if tell is not None:
                await tell(f"Preparing scikit-learn {version}, once for all its models.")
            await self._make(found, making, lines)

        async with made_within(self.within_s, f"an environment of scikit-learn {version}"):
            place = await self._kept.have(name(version, lines), make)
        await self._kept.make_room()
        return str(place / "bin" / "python")

    async def discard(self, version: str, lines: Sequence[str] = ()) -> None:
        """Remove an environment that does not work, so that the next use makes it anew."""
        await self._kept.discard(name(version, lines))

    async def _make(self, wanted: Release, making: Path, lines: Sequence[str]) -> None:
        what = f"an environment of scikit-learn {wanted.version}"
        log.info("making %s", what)
        base = await self._base(wanted)
        python = str(making / "bin" / "python")
        given: tuple[str, ...] = wanted.requirements
        venv = ("venv", "--relocatable", "--no-project", "--python", base, str(making))
        await self._did(what, *venv)
        if lines:
            locked = making / "locked.txt"
            await asyncio.to_thread(locked.write_text, "\n".join(lines))
            given = ("--require-hashes", "--requirement", str(locked))
        await self._did(
            what,
            *("pip", "install", "--only-binary", ":all:", "--no-deps"),
            *("--compile-bytecode", "--strict", "--python", python, *given),
        )
        # Imports all that a build imports, by its own way.
        code, output = await self.uv.run(*command(python, "controlplane.builder.child"))
        if code != 0:
            log.error("scikit-learn %s does not work here:\n%s", wanted.version, output)
            raise later(what, "failed: what was installed cannot be imported")

    async def _did(self, what: str, *arguments: str) -> None:
        code, output = await self.uv.uv(*arguments)
        if code != 0:
            raise refused(what, output)

    async def base(self, version: str) -> str:
        """Give a Python that a version's packages are chosen for; raises Unavailable."""
        return sys.executable if version == installed() else await self._base(_release(version))

    async def _base(self, wanted: Release) -> str:
        """Give a Python that the release has wheels for: ours, or one that is on this machine."""
        low, high = wanted.pythons
        if low <= sys.version_info.minor <= high:
            return sys.executable
        code, output = await self.uv.uv(
            *("python", "find", "--no-project", "--system"),
            f">=3.{low},<3.{high + 1}",
        )
        if code == 0:
            return output.strip().splitlines()[-1]
        pythons = f"Python 3.{low}" + (f" to 3.{high}" if high > low else "")
        raise Unavailable(
            f"Models of scikit-learn {wanted.version} need {pythons}; this installation has"
            f" Python 3.{sys.version_info.minor} alone.",
            "Ask the operator to install one beside it, or fit the model with a newer version.",
        )


def name(version: str, lines: Sequence[str]) -> str:
    """Name an environment."""
    if not lines:
        return version
    return f"{version}-{hashlib.sha256(chr(10).join(lines).encode()).hexdigest()[:16]}"
