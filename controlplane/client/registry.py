"""Models, versions and aliases: pushing one, waiting for its build, looking around."""

from collections.abc import Callable, Iterator
from typing import Any

from controlplane.client.core import Core
from controlplane.client.errors import BuildFailed, TimedOut
from controlplane.client.results import Model, Version
from controlplane.client.steps import Flow, Measure, Pause, Upload, members
from controlplane.client.upload import source_of

Progress = Callable[[int, int], None]
Looked = Callable[[Version], object]
FIRST_LOOK_S = 0.05
SLOWEST_LOOK_S = 1.0


def looks() -> Iterator[Pause]:
    """Pause for ever longer between looks at something that is being waited for."""
    pause = FIRST_LOOK_S
    while True:
        yield Pause(pause)
        pause = min(SLOWEST_LOOK_S, pause * 1.05)  # late by a twentieth of the wait at most


class Registry:
    """Flows of the registry."""

    def __init__(self, core: Core) -> None:
        self._core = core

    def models(self) -> Flow[list[Model]]:
        """List models."""
        return list(map(Model.read, (yield from self._core.listed("models"))))

    def model(self, name: str) -> Flow[Model]:
        """Read one model."""
        return Model.read((yield from self._core.get(self._core.url("models", name))))

    def create_model(self, name: str, description: str) -> Flow[Model]:
        """Make a model without versions."""
        body = {"name": name, "description": description}
        return Model.read((yield from self._core.post(self._core.url("models"), body)))

    def delete_model(self, name: str) -> Flow[None]:
        """Delete a model and its versions."""
        yield from self._core.delete(self._core.url("models", name))

    def versions(self, model: str) -> Flow[list[Version]]:
        """List the versions of a model."""
        return list(map(Version.read, (yield from self._core.listed("models", model, "versions"))))

    def version(self, model: str, which: int | str) -> Flow[Version]:
        """Read one version by number or alias."""
        url = self._core.url("models", model, "versions", str(which))
        return Version.read((yield from self._core.get(url)))

    def set_alias(self, model: str, alias: str, version: int) -> Flow[None]:
        """Point an alias at a version."""
        url = self._core.url("models", model, "aliases", alias)
        yield from self._core.call("PUT", url, {"version": version})

    def delete_alias(self, model: str, alias: str) -> Flow[None]:
        """Remove an alias."""
        yield from self._core.delete(self._core.url("models", model, "aliases", alias))

    def push(
        self, file: Any, name: str, progress: Progress | None, wait: bool, timeout_s: float
    ) -> Flow[Version]:
        """Upload a file as a new version; wait for its build."""
        source = source_of(file)
        size, digest = yield Measure(source)
        url = self._core.url("models", name, "versions")
        body = Upload(source, size, progress)
        answer = yield from self._core.call("POST", url, body, {"content-digest": digest})
        version = Version.read(members(answer, url))
        if not wait:
            return version
        return (yield from self.wait_for_version(name, version.number, timeout_s))

    def wait_for_version(
        self, model: str, number: int, timeout_s: float, looked: Looked | None = None
    ) -> Flow[Version]:
        """Wait until a version is built; raises BuildFailed or TimedOut."""
        until = self._core.clock() + timeout_s
        pauses = looks()
        while True:
            version = yield from self.version(model, number)
            if looked is not None:
                looked(version)
            if version.state == "failed":
                raise BuildFailed(version)
            if version.settled:
                return version
            if self._core.clock() >= until:
                raise TimedOut(
                    f"{model}:{number} is still {version.state} after {timeout_s:g} s; "
                    "the build goes on"
                )
            yield next(pauses)
