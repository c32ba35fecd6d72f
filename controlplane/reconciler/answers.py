"""What builds in pods ask for, answered: environments that they cannot make themselves.

Level-triggered as builds are: a question stands in the store until its build is forgotten, and an
answer too, so whoever comes after a crash answers what is open and reads what was answered.
"""

import functools
import uuid
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from typing import Protocol

from controlplane.artifacts.exchange import Exchange
from controlplane.builder.asking import MOST_BYTES, Answer, Question
from controlplane.builder.environments import Tell
from controlplane.builder.loaders import none_here
from controlplane.builder.needs import Recipe, recipe_of
from controlplane.builder.report import Report
from controlplane.builder.uv import Unavailable
from controlplane.models.service import VersionToBuild
from runtime.archive import Part


class Environments(Protocol):
    """Makes what builds in pods ask for."""

    async def asked(
        self, question: Question, known: Recipe | None, tenant: str, upload: str, tell: Tell
    ) -> tuple[tuple[Part, ...], Recipe | None]:
        """Answer a build; raises Unavailable, StoreUnavailable.

        known   what an earlier build of the same version came to
        upload  its digest
        """


@dataclass(frozen=True, slots=True)
class Answers:
    """Answers the builds of a version.

    environments  None: models that need one are refused
    expires_s     how long an answer's addresses are good for
    tell          is told by version, in words, what takes long
    """

    exchange: Exchange
    environments: Environments | None
    expires_s: float
    tell: Callable[[uuid.UUID, str], Awaitable[object]]

    async def answer(self, name: str, version: VersionToBuild, question: Question) -> None:
        """Make what a build asks for and say where it is, unless that was said."""
        if await self.exchange.read(name, MOST_BYTES) is None:
            answer = await self._prepared(version, question)
            await self.exchange.write(name, answer.write())

    async def _prepared(self, version: VersionToBuild, question: Question) -> Answer:
        known = None if version.environment is None else recipe_of(version.environment)
        tell = functools.partial(self.tell, version.id)
        try:
            if self.environments is None:
                raise none_here(question.version, question.needs)
            parts, recipe = await self.environments.asked(
                question, known, version.tenant, version.sha256, tell
            )
        except Unavailable as error:
            return Answer(refused=(error.reason, error.advice))
        sign = self.exchange.presign_get
        signed = [(part, await sign(part.archive.sha256, self.expires_s)) for part in parts]
        return Answer(tuple(signed), question.version, recipe)

    async def said(self, name: str, report: Report) -> Report:
        """Say what a model was loaded with: as we answered, not as its pod says."""
        raw = await self.exchange.read(name, MOST_BYTES)
        answer = Answer() if raw is None else Answer.read(raw)
        if not answer.version:
            return report
        recipe = None if answer.recipe is None else answer.recipe.to_json()
        return replace(report, sklearn_version=answer.version, environment=recipe)
