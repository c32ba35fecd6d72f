"""Environments in a build's pod: asked for, fetched over signed addresses, unpacked."""

import asyncio
import contextlib
import shutil
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path

from controlplane.builder.asking import MOST_BYTES, Answer, Question, here
from controlplane.builder.environments import Tell
from controlplane.builder.instructions import Form
from controlplane.builder.needs import Asked, Recipe
from controlplane.builder.packages import Python
from controlplane.builder.uv import Unavailable
from runtime.archive import BadArchive, Part, install, interpreter


@dataclass(frozen=True, slots=True)
class Counter:
    """Where a build asks.

    question  form to POST it with; answer: signed address to GET it from
    folder    of ours, for what comes
    within_s  the answer comes, or nobody gives one
    waiting   is entered while there is nothing to do but to wait
    """

    question: Form
    answer: str
    folder: Path
    within_s: float
    waiting: Callable[[], AbstractContextManager[None]] = contextlib.nullcontext


class Delivered:
    """Implements `controlplane.builder.loaders.Pythons`. A build asks once."""

    def __init__(self, counter: Counter) -> None:
        self._counter = counter
        self._answer: Answer | None = None

    async def python(
        self,
        asked: Asked,
        version: str,
        tell: Tell | None,  # noqa: ARG002  (who makes it tells)
    ) -> tuple[Python, Recipe | None]:
        """Give what loads a file; raises Unavailable, TransferError."""
        if self._answer is None:
            self._answer = await self._ask(Question(version, asked.needs, here()))
        answer = self._answer
        if answer.refused is not None:
            raise Unavailable(*answer.refused)
        found = Python()
        for part, url in answer.parts:
            await self._fetch(part, url)
            folder = part.folder(self._counter.folder)
            found = (
                Python(str(interpreter(folder)), found.packages)
                if part.python
                else Python(found.interpreter, str(folder))
            )
        return found, answer.recipe

    async def discard(self, version: str, lines: tuple[str, ...]) -> None:  # noqa: ARG002
        """Remove what came; the next use fetches it again."""
        await asyncio.to_thread(shutil.rmtree, self._counter.folder, ignore_errors=True)

    async def _ask(self, question: Question) -> Answer:
        from controlplane.builder.transfer import TransferError, send, told

        counter = self._counter
        await send(counter.question, question.write())
        with counter.waiting():
            raw = await told(counter.answer, counter.within_s, MOST_BYTES)
        if raw is None:
            raise TransferError(
                f"nobody answered within {counter.within_s:g} s which environment the model gets"
            )
        return Answer.read(raw)

    async def _fetch(self, part: Part, url: str) -> None:
        from controlplane.builder.transfer import Differs, Undelivered, fetch

        root, archive = self._counter.folder, part.archive
        if part.folder(root).exists():
            return
        root.mkdir(mode=0o700, exist_ok=True)
        file = root / archive.sha256
        try:
            await fetch(url, file, archive.sha256, archive.size_bytes)
            await asyncio.to_thread(install, file, part, root)
        except (Differs, BadArchive) as error:
            raise Undelivered(f"{part.what}: {error}") from error
        finally:
            file.unlink(missing_ok=True)
