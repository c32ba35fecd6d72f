"""Environments of other scikit-learn versions: made by uv, kept in a folder, each made once.

    folder/scikit-learn-1.3.2/     a virtual environment; its time of change is that of its last use
    folder/.1.3.2.lock             held while it is made or removed, by one process of this machine

An environment appears by a rename, so what is there is whole. Wheels only: no code of a package
runs while it is installed. What is installed follows from the version alone (`releases`).
"""

import asyncio
import contextlib
import fcntl
import logging
import os
import re
import shutil
import signal
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Collection
from importlib import metadata
from pathlib import Path
from typing import Final

from controlplane.builder.releases import VERSIONS, Release, UnknownRelease, release
from runtime.foreign import command
from runtime.problems import EngineUnavailable

log = logging.getLogger("kubeserve.builds")

Tell = Callable[[str], Awaitable[object]]
InUse = Callable[[], Awaitable[Collection[str]]]

PREFIX: Final = "scikit-learn-"
_MADE_WITHIN_S: Final = 300.0
_LOCK_LOOK_S: Final = 0.2
_RESTED_S: Final = 3600.0  # younger ones may be in use by a build
_MOST_OUTPUT: Final = 64 * 1024
_PASSED_ON: Final = re.compile(
    r"UV_\w+|XDG_\w+|HOME|PATH|TMPDIR|LANG|SSL_CERT_(FILE|DIR)|(https?|all|no)_proxy", re.IGNORECASE
)
_NOT_REACHED: Final = re.compile(
    r"error sending request|failed to fetch|dns error|connect|timed? ?out|\b(40[137]|5\d\d)\b",
    re.IGNORECASE,
)
_NO_WHEEL: Final = re.compile(
    r"no solution found|no matching distribution|no wheels", re.IGNORECASE
)
_CREDENTIALS: Final = re.compile(r"//[^/@\s]*@")


class Unavailable(Exception):
    """There is no environment of this version now; says why and what to do."""

    def __init__(self, reason: str, advice: str) -> None:
        super().__init__(reason)
        self.reason, self.advice = reason, advice


def installed() -> str:
    """Give the version of this installation's scikit-learn."""
    return metadata.version("scikit-learn")


class Environments:
    """Gives the Python of an exact scikit-learn version, and makes its environment at first.

    kept    more are removed, the longest unused first, but none that was used within an hour
    in_use  tells of Pythons that endpoints need, whatever their age; EngineUnavailable: not now
    """

    def __init__(
        self,
        folder: Path,
        kept: int = 8,
        *,
        within_s: float = _MADE_WITHIN_S,
        uv: str | None = None,
    ) -> None:
        self._folder, self._kept, self._within_s = folder, kept, within_s
        self._uv = uv
        self.in_use: InUse | None = None

    async def interpreter(self, version: str, tell: Tell | None = None) -> str:
        """Give the path of the version's Python; raises Unavailable.

        tell  is told in words when it has to be made, which takes a while
        """
        try:
            found = release(version)
        except UnknownRelease as error:
            raise Unavailable(error.reason, error.advice) from error
        try:
            async with asyncio.timeout(self._within_s), self._locked(version):
                place = self._place(version)
                if not _python(place).exists():
                    if tell is not None:
                        await tell(f"Preparing scikit-learn {version}, once for all its models.")
                    await self._make(found, place)
                os.utime(place)
        except TimeoutError as error:
            raise _later(version, f"took longer than {self._within_s:g} s") from error
        except OSError as error:
            log.warning("an environment of scikit-learn %s: %s", version, error)
            raise _later(version, f"failed: {error.strerror or 'uv is missing'}") from error
        await self._make_room()
        return str(_python(place))

    async def serving(self, version: str) -> str | None:
        """Give the Python that serves a model of a version, None: ours; raises EngineUnavailable.

        Whoever waits for an endpoint tries again; the version was built with it, so it can be had.
        """
        if version == installed():
            return None
        try:
            return await self.interpreter(version)
        except Unavailable as error:
            raise EngineUnavailable(f"{error.reason} {error.advice}", retry_after_s=10) from error

    async def discard(self, version: str) -> None:
        """Remove an environment that does not work, so that the next use makes it anew."""
        async with self._locked(version):
            await asyncio.to_thread(_remove, self._place(version))

    def _place(self, version: str) -> Path:
        return self._folder / f"{PREFIX}{version}"

    @contextlib.asynccontextmanager
    async def _locked(self, version: str) -> AsyncIterator[None]:
        descriptor = self._lock(version)
        try:
            while not _taken(descriptor):  # noqa: ASYNC110  another process's lock has no event
                await asyncio.sleep(_LOCK_LOOK_S)
            yield
        finally:
            os.close(descriptor)

    def _lock(self, version: str) -> int:
        # Others may pass, since locked processes of another uid read what is inside.
        self._folder.mkdir(parents=True, exist_ok=True, mode=0o755)
        flags = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW
        return os.open(self._folder / f".{version}.lock", flags, 0o600)

    async def _make(self, wanted: Release, place: Path) -> None:
        making = self._folder / f".making-{wanted.version}"
        await asyncio.to_thread(_remove, place)  # its Python is gone
        await asyncio.to_thread(shutil.rmtree, making, ignore_errors=True)  # a crash left it
        log.info("making an environment of scikit-learn %s", wanted.version)
        try:
            base = await self._base(wanted)
            python = str(_python(making))
            for arguments in (
                ("venv", "--relocatable", "--no-project", "--python", base, str(making)),
                (
                    *("pip", "install", "--only-binary", ":all:", "--no-deps"),
                    *("--compile-bytecode", "--strict", "--python", python, *wanted.requirements),
                ),
            ):
                code, output = await self._run(self._program(), *arguments)
                if code != 0:
                    raise self._refused(wanted.version, output)
            # Imports all that a build imports, by its own way.
            code, output = await self._run(*command(python, "controlplane.builder.child"))
            if code != 0:
                log.error("scikit-learn %s does not work here:\n%s", wanted.version, output)
                raise _later(wanted.version, "failed: what was installed cannot be imported")
            # Power may fail after the rename, and half a file would be there for good.
            await asyncio.to_thread(os.sync)
            making.rename(place)
        finally:
            await asyncio.to_thread(shutil.rmtree, making, ignore_errors=True)

    def _program(self) -> str:
        if self._uv is None:
            # Here, since images that make no environments have no uv.
            from uv import find_uv_bin

            self._uv = find_uv_bin()
        return self._uv

    async def _base(self, wanted: Release) -> str:
        """Give a Python that the release has wheels for: ours, or one that is on this machine."""
        low, high = wanted.pythons
        if low <= sys.version_info.minor <= high:
            return sys.executable
        code, output = await self._run(
            *(self._program(), "python", "find", "--no-project", "--system"),
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

    async def _run(self, *arguments: str) -> tuple[int, str]:
        """Run a program to its end; it and all that it started end with a cancellation."""
        process = await asyncio.create_subprocess_exec(
            *arguments,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
            cwd=self._folder,
            env=_variables(),
            start_new_session=True,
        )
        assert process.stdout is not None  # noqa: S101  asked for a pipe
        output = bytearray()
        try:
            while block := await process.stdout.read(8192):
                output += block[: _MOST_OUTPUT - len(output)]
        except BaseException:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            raise
        finally:
            code = await asyncio.shield(process.wait())
        return code, output.decode("utf-8", "replace")

    def _refused(self, version: str, output: str) -> Unavailable:
        shown = _CREDENTIALS.sub("//…@", output)
        log.warning("no environment of scikit-learn %s:\n%s", version, shown)
        if "No space left" in output:
            return _later(version, "failed: the disk is full")
        if _NO_WHEEL.search(output):
            return _later(version, "failed: the package index has no wheel for this machine")
        if _NOT_REACHED.search(output):
            return _later(version, "failed: the package index cannot be reached")
        return _later(version, "failed")

    async def _make_room(self) -> None:
        """Remove what is beyond the bound; one that is being made or removed is left alone."""
        present = [place for place in map(self._place, VERSIONS) if _python(place).exists()]
        if len(present) <= self._kept:
            return
        used = {place: _last_used(place) for place in present}
        newest = max(used.values())
        try:
            needed = set(await self.in_use()) if self.in_use is not None else set()
        except EngineUnavailable:
            return
        excess = len(present) - self._kept
        for place in sorted(present, key=used.__getitem__):
            rested = newest - used[place] >= _RESTED_S and str(_python(place)) not in needed
            if excess and rested and await self._end(place, used[place]):
                excess -= 1

    async def _end(self, place: Path, last_used: float) -> bool:
        """Remove one, unless it is being made, removed or used since."""
        descriptor = self._lock(place.name.removeprefix(PREFIX))
        try:
            if not _taken(descriptor) or _last_used(place) != last_used:
                return False
            log.info("removing %s, the longest unused", place.name)
            await asyncio.to_thread(_remove, place)
            return True
        finally:
            os.close(descriptor)


def _python(place: Path) -> Path:
    return place / "bin" / "python"


def _last_used(place: Path) -> float:
    try:
        return place.stat().st_mtime
    except FileNotFoundError:  # removed by another process just now
        return 0.0


def _taken(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _remove(place: Path) -> None:
    """Remove a folder; half of it is never under its name."""
    going = place.with_name(f".going-{place.name}")
    shutil.rmtree(going, ignore_errors=True)
    with contextlib.suppress(FileNotFoundError):
        place.rename(going)
    shutil.rmtree(going, ignore_errors=True)


def _variables() -> dict[str, str]:
    """What uv is told: index, proxies, certificates, cache; no secret of ours."""
    passed = {name: value for name, value in os.environ.items() if _PASSED_ON.fullmatch(name)}
    return passed | {"UV_NO_PROGRESS": "1", "UV_PYTHON_DOWNLOADS": "never"}


def _later(version: str, what: str) -> Unavailable:
    return Unavailable(
        f"Making an environment of scikit-learn {version} {what}.",
        "Push the same file again to try once more; if this stays, ask the operator.",
    )
