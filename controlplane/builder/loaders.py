"""Who loads a file: the warm process of a Python, and the packages added behind its lock."""

import asyncio
import contextlib
import shutil
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

from controlplane.builder.environments import Environments, Tell, installed, pins
from controlplane.builder.foreign import Foreign, version_of
from controlplane.builder.needs import Needs, Recipe
from controlplane.builder.packages import Packages, Python
from controlplane.builder.report import Limits
from controlplane.builder.uv import Unavailable
from controlplane.builder.warm import Warm


@dataclass(frozen=True, slots=True)
class Asked:
    """What a file is to be loaded with.

    versions  of scikit-learn that are written in it
    source    the upload, where wheels are taken from
    recipe    what an earlier build of the same version came to, None: to be resolved
    """

    versions: frozenset[str]
    needs: Needs
    tenant: str
    source: Path
    recipe: Recipe | None


@dataclass(frozen=True, slots=True)
class Loader:
    """A warm process; with a recipe where more than scikit-learn's own packages is needed."""

    warm: Warm
    packages: str | None = None
    recipe: Recipe | None = None


class Loaders:
    """Gives loaders: our own warm process, and those of other Pythons.

    environments  of other versions and packages; None: what needs one is refused
    """

    def __init__(
        self, warm: Warm, environments: Environments | None, limits: Limits, *, pandas: bool
    ) -> None:
        self._warm, self._environments = warm, environments
        self._foreign = Foreign(environments, pandas=pandas)
        self._packages = None if environments is None else packages_of(environments, limits)

    @contextlib.asynccontextmanager
    async def loader(self, asked: Asked, tell: Tell | None) -> AsyncIterator[Loader]:
        """Lend what loads a file; raises Unavailable."""
        possible = self._environments is not None
        version = version_of(asked.versions, asked.needs, possible=possible)
        python, recipe = Python(), None
        if asked.needs.beyond(pins(version)):
            recipe, python = await self._with_packages(asked, version, tell)
        elif version != installed() and self._environments is not None:
            python = Python(await self._environments.interpreter(version, tell))
        if python.interpreter is None:
            yield Loader(self._warm, python.packages, recipe)
            return
        async with self._foreign.process(version, python) as warm:
            yield Loader(warm, python.packages, recipe)

    async def _with_packages(
        self, asked: Asked, version: str, tell: Tell | None
    ) -> tuple[Recipe, Python]:
        if self._packages is None:
            wanted = [*asked.needs.requirements, *(wheel.file for wheel in asked.needs.wheels)]
            raise Unavailable(
                f"The model asks for packages ({', '.join(wanted)[:300]}); this installation"
                f" has scikit-learn {version} with its own packages alone and installs no others.",
                "Put what the model imports into code/ (--code), and ask for no other versions"
                " than those that are here: "
                + ", ".join(f"{name} {held}" for name, held in sorted(pins(version).items()))
                + ".",
            )

        async def fetch(path: Path) -> None:
            await asyncio.to_thread(shutil.copyfile, asked.source, path)

        recipe = asked.recipe
        if recipe is None or recipe.sklearn != version or recipe.wheels != asked.needs.wheels:
            recipe = await self._packages.resolve(asked.needs, version, fetch, tell)
        return recipe, await self._packages.ready(recipe, asked.tenant, fetch, tell)

    async def close(self) -> None:
        """End the warm processes of other Pythons."""
        await self._foreign.close()


def packages_of(environments: Environments, limits: Limits) -> Packages:
    """Give the packages of environments, with the sandbox of builds."""
    sandbox = {"degraded": limits.sandbox == "degraded", "namespaces": limits.namespaces}
    return Packages(environments, sandbox)
