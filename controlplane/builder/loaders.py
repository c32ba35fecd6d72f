"""Who loads a file: the warm process of a Python, and the packages added behind its lock."""

import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Protocol

from controlplane.builder.environments import Environments, Tell, installed, pins
from controlplane.builder.foreign import Foreign, version_of
from controlplane.builder.needs import Asked, Needs, Recipe
from controlplane.builder.packages import Packages, Python
from controlplane.builder.report import Limits
from controlplane.builder.uv import Unavailable
from controlplane.builder.warm import Warm


@dataclass(frozen=True, slots=True)
class Loader:
    """A warm process; with a recipe where more than scikit-learn's own packages is needed."""

    warm: Warm
    packages: str | None = None
    recipe: Recipe | None = None


class Pythons(Protocol):
    """Where there are other versions of scikit-learn, and packages of models."""

    async def python(
        self, asked: Asked, version: str, tell: Tell | None
    ) -> tuple[Python, Recipe | None]:
        """Give what loads a file, and the recipe if it needs packages; raises Unavailable."""

    async def discard(self, version: str, lines: tuple[str, ...]) -> None:
        """Remove an environment that does not work, so that the next use makes it anew."""


class Loaders:
    """Gives loaders: our own warm process, and those of other Pythons.

    pythons  of other versions and packages; None: what needs one is refused
    """

    def __init__(self, warm: Warm, pythons: Pythons | None, *, pandas: bool) -> None:
        self._warm, self._pythons = warm, pythons
        self._foreign = Foreign(pythons, pandas=pandas)

    @contextlib.asynccontextmanager
    async def loader(self, asked: Asked, tell: Tell | None) -> AsyncIterator[Loader]:
        """Lend what loads a file; raises Unavailable."""
        version = version_of(asked.versions, asked.needs)
        python, recipe = Python(), None
        if version != installed() or asked.needs.beyond(pins(version)):
            if self._pythons is None:
                raise none_here(version, asked.needs)
            python, recipe = await self._pythons.python(asked, version, tell)
        if python.interpreter is None:
            yield Loader(self._warm, python.packages, recipe)
            return
        async with self._foreign.process(version, python) as warm:
            yield Loader(warm, python.packages, recipe)

    async def close(self) -> None:
        """End the warm processes of other Pythons."""
        await self._foreign.close()


def none_here(version: str, needs: Needs) -> Unavailable:
    """Say that what a model needs is not made in this installation."""
    if version != installed():
        return Unavailable(
            f"The model was saved with scikit-learn {version}; this installation has {installed()}"
            " and builds no other. Loading it here could give wrong answers in silence.",
            f"Fit and save it with scikit-learn=={installed()}, then push again.",
        )
    wanted = [*needs.requirements, *(wheel.file for wheel in needs.wheels)]
    return Unavailable(
        f"The model asks for packages ({', '.join(wanted)[:300]}); this installation"
        f" has scikit-learn {version} with its own packages alone and installs no others.",
        "Put what the model imports into code/ (--code), and ask for no other versions"
        " than those that are here: "
        + ", ".join(f"{name} {held}" for name, held in sorted(pins(version).items()))
        + ".",
    )


def packages_of(environments: Environments, limits: Limits) -> Packages:
    """Give the packages of environments, with the sandbox of builds."""
    sandbox = {"degraded": limits.sandbox == "degraded", "namespaces": limits.namespaces}
    return Packages(environments, sandbox)
