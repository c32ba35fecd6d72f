"""uv, which makes environments: found, run to its end, and what it refuses in words."""

import asyncio
import contextlib
import logging
import os
import re
import signal
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Final

log = logging.getLogger("kubeserve.builds")

_MOST_OUTPUT: Final = 64 * 1024
_MOST_SHOWN: Final = 600
_PASSED_ON: Final = re.compile(
    r"UV_\w+|XDG_\w+|HOME|PATH|TMPDIR|LANG|SSL_CERT_(FILE|DIR)|(https?|all|no)_proxy", re.IGNORECASE
)
_NOT_REACHED: Final = re.compile(
    r"error sending request|failed to fetch|dns error|connect|timed? ?out|\b(40[137]|5\d\d)\b",
    re.IGNORECASE,
)
_NO_SOLUTION: Final = "no solution found"
_NO_WHEEL: Final = re.compile(rf"{_NO_SOLUTION}|no matching distribution|no wheels", re.IGNORECASE)
_CREDENTIALS: Final = re.compile(r"//[^/@\s]*@")
_ADDRESS: Final = re.compile(r"\w+://\S+")


class Unavailable(Exception):
    """There is no environment of this kind now; says why and what to do."""

    def __init__(self, reason: str, advice: str) -> None:
        super().__init__(reason)
        self.reason, self.advice = reason, advice


class Uv:
    """Runs uv, and Pythons that it made, in a folder.

    program  path of it; None: the one that is installed with us
    scratch  folder for its cache and what is temporary, None: the user's own
    """

    def __init__(
        self, folder: Path, program: str | None = None, scratch: Path | None = None
    ) -> None:
        self._folder, self._program, self.scratch = folder, program, scratch

    @property
    def program(self) -> str:
        """Give its path."""
        if self._program is None:
            # Here, since images that make no environments have no uv.
            from uv import find_uv_bin

            self._program = find_uv_bin()
        return self._program

    async def uv(self, *arguments: str) -> tuple[int, str]:
        """Run uv; gives its exit code and what it printed."""
        return await self.run(self.program, *arguments)

    async def run(self, *arguments: str, pass_fds: tuple[int, ...] = ()) -> tuple[int, str]:
        """Run a program to its end; it and all that it started end with a cancellation."""
        process = await asyncio.create_subprocess_exec(
            *arguments,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
            cwd=self._folder,
            env=_variables(self.scratch),
            start_new_session=True,
            pass_fds=pass_fds,
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


def later(what: str, how: str) -> Unavailable:
    """Say of what cannot be made now that another try may do."""
    return Unavailable(
        f"Making {what} {how}.",
        "Push the same file again to try once more; if this stays, ask the operator.",
    )


@contextlib.asynccontextmanager
async def made_within(seconds: float, what: str) -> AsyncIterator[None]:
    """Bound the making of something; what takes longer, or fails here, is Unavailable."""
    try:
        async with asyncio.timeout(seconds):
            yield
    except TimeoutError as error:
        raise later(what, f"took longer than {seconds:g} s") from error
    except OSError as error:
        log.warning("%s: %s", what, error)
        raise later(what, f"failed: {error.strerror or 'uv is missing'}") from error


def refused(what: str, output: str) -> Unavailable:
    """Say why uv did not do it; the index's address is for the log alone."""
    log.warning("no %s:\n%s", what.removeprefix("an "), _CREDENTIALS.sub("//…@", output))
    if "No space left" in output:
        return later(what, "failed: the disk is full")
    if _NO_WHEEL.search(output):
        return later(what, "failed: the package index has no wheel for this machine")
    if _NOT_REACHED.search(output):
        return later(what, "failed: the package index cannot be reached")
    return later(what, "failed")


def contradiction(output: str) -> str | None:
    """Give uv's words for requirements that nothing fulfils, without addresses; None: others."""
    if _NO_SOLUTION not in output.lower():
        return None
    _, _, said = output.partition("ecause ")
    words = " ".join(_ADDRESS.sub("…", said).split())
    return "because " + words[:_MOST_SHOWN] if words else None


def _variables(scratch: Path | None) -> dict[str, str]:
    """What uv is told: index, proxies, certificates, cache; no secret of ours."""
    passed = {name: value for name, value in os.environ.items() if _PASSED_ON.fullmatch(name)}
    if scratch is not None:
        passed |= {"UV_CACHE_DIR": str(scratch / "cache"), "TMPDIR": str(scratch)}
    # Nobody changes what is installed, so a start compares no file with its source.
    ours = {"UV_NO_PROGRESS": "1", "UV_PYTHON_DOWNLOADS": "never"}
    return passed | ours | {"PYC_INVALIDATION_MODE": "UNCHECKED_HASH"}
