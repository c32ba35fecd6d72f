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

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from controlplane.builder.kept import InUse, Kept
from controlplane.builder.releases import NAMES, Release, UnknownRelease, release
from controlplane.builder.uv import Unavailable, Uv, later, made_within, refused
from runtime.foreign import command

log = logging.getLogger("kubeserve.builds")

Tell = Callable[[str], Awaitable[object]]

PREFIX: Final = "scikit-learn-"
# What a model of scikit-learn may need beside it.
COMPANIONS: Final = ("numpy", "scipy", "joblib", "pandas", "threadpoolctl")
MADE_WITHIN_S: Final = 300.0


def installed() -> str:
    """Give the version of this installation's scikit-learn."""
    return metadata.version("scikit-learn")


def pins(version: str) -> dict[str, str]:
    """Give what a version's own environment holds, by name; raises Unavailable."""
    if version == installed():
        return _ours()
    return dict(line.split("==") for line in _release(version).requirements)


def _ours() -> dict[str, str]:
    """Follow what scikit-learn and its companions need, and no further.

    What else is installed here need not be where a model is opened: a pod's image has less.
    """
    found: dict[str, str] = {}
    asked = [*COMPANIONS, "scikit-learn"]
    while asked:
        name = asked.pop()
        try:
            package = metadata.distribution(name)
        except metadata.PackageNotFoundError:
            continue
        found[name] = package.version
        needs = map(Requirement, package.requires or ())
        here = (one for one in needs if one.marker is None or one.marker.evaluate({"extra": ""}))
        asked += {canonicalize_name(one.name) for one in here} - found.keys()
    return {name: version for name, version in found.items() if name in NAMES}


def _release(version: str) -> Release:
    try:
        return release(version)
    except UnknownRelease as error:
        raise Unavailable(error.reason, error.advice) from error


class Environments:
    """Gives the Python of an exact scikit-learn version, and makes its environment at first.

    kept     how many there are of a kind, see `Kept`
    scratch  folder for what uv downloads, None: the user's own cache
    machine  that wheels of the index are for, as uv names it; None: this one
    """

    def __init__(
        self,
        folder: Path,
        kept: int = 8,
        *,
        within_s: float = MADE_WITHIN_S,
        uv: str | None = None,
        scratch: Path | None = None,
        machine: str | None = None,
    ) -> None:
        self.folder, self.within_s = folder, within_s
        self.index_wheels = () if machine is None else ("--python-platform", machine)
        self.uv = Uv(folder, uv, scratch)
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

        async with made_within(self.within_s, _what(version)):
            place = await self._kept.have(name(version, lines), make)
        await self._kept.make_room()
        return str(place / "bin" / "python")

    async def discard(self, version: str, lines: Sequence[str] = ()) -> None:
        """Remove an environment that does not work, so that the next use makes it anew."""
        await self._kept.discard(name(version, lines))

    async def _make(self, wanted: Release, making: Path, lines: Sequence[str]) -> None:
        what = _what(wanted.version)
        log.info("making %s", what)
        base = await self._base(wanted)
        python = str(making / "bin" / "python")
        venv = ("venv", "--relocatable", "--no-project", "--python", base, str(making))
        await self._did(what, *venv)
        await self._install(wanted, making / "locked.txt", lines, "--strict", "--python", python)
        # Imports all that a build imports, by its own way.
        code, output = await self.uv.run(*command(python, "controlplane.builder.child"))
        if code != 0:
            log.error("scikit-learn %s does not work here:\n%s", wanted.version, output)
            raise later(what, "failed: what was installed cannot be imported")

    async def fill(self, folder: Path, version: str, lines: Sequence[str] = ()) -> None:
        """Put what a version's environment holds into a folder; raises Unavailable.

        Nothing of it is run here: it is for a Python elsewhere that is as ours.
        """
        wanted = _release(version)
        log.info("making %s for pods", _what(version))
        if not _runs(wanted):
            raise _no_python(wanted)
        into = ("--target", str(folder), "--python", sys.executable, *self.index_wheels)
        await self._install(wanted, folder.with_name("locked.txt"), lines, *into)

    async def _install(
        self, wanted: Release, locked: Path, lines: Sequence[str], *where: str
    ) -> None:
        given: tuple[str, ...] = wanted.requirements
        if lines:
            await asyncio.to_thread(locked.write_text, "\n".join(lines))
            given = ("--require-hashes", "--requirement", str(locked))
        await self._did(
            _what(wanted.version),
            *("pip", "install", "--only-binary", ":all:", "--no-deps", "--compile-bytecode"),
            *(*where, *given),
        )

    async def _did(self, what: str, *arguments: str) -> None:
        code, output = await self.uv.uv(*arguments)
        if code != 0:
            raise refused(what, output)

    async def base(self, version: str) -> str:
        """Give a Python that a version's packages are chosen for; raises Unavailable."""
        return sys.executable if version == installed() else await self._base(_release(version))

    async def _base(self, wanted: Release) -> str:
        """Give a Python that the release has wheels for: ours, or one that is on this machine."""
        if _runs(wanted):
            return sys.executable
        low, high = wanted.pythons
        code, output = await self.uv.uv(
            *("python", "find", "--no-project", "--system"),
            f">=3.{low},<3.{high + 1}",
        )
        if code == 0:
            return output.strip().splitlines()[-1]
        raise _no_python(wanted)


def _runs(wanted: Release) -> bool:
    """Tell whether our Python is one that a release has wheels for."""
    low, high = wanted.pythons
    return low <= sys.version_info.minor <= high


def _no_python(wanted: Release) -> Unavailable:
    low, high = wanted.pythons
    pythons = f"Python 3.{low}" + (f" to 3.{high}" if high > low else "")
    return Unavailable(
        f"Models of scikit-learn {wanted.version} need {pythons}; this installation has"
        f" Python 3.{sys.version_info.minor} alone.",
        "Ask the operator to install one beside it, or fit the model with a newer version.",
    )


def _what(version: str) -> str:
    return f"an environment of scikit-learn {version}"


def name(version: str, lines: Sequence[str]) -> str:
    """Name an environment."""
    if not lines:
        return version
    return f"{version}-{hashlib.sha256(chr(10).join(lines).encode()).hexdigest()[:16]}"
