"""Backends from a launch: plans are mapped and run once, fallbacks are started and waited for."""

import time

from runtime.backend import LocalBackend, RemoteBackend
from runtime.digests import sha256_of
from runtime.launch import Backend, Launch, RevisionLaunch
from runtime.plan.ops import InputRefused, PlanError
from runtime.plan.plan import Plan, example_row, load


class BadArtifact(ValueError):
    """A revision that will never be served as it is; the message names it and says why."""


class Phases:
    """Milliseconds of a start, by phase; `since` is when the current phase began."""

    __slots__ = ("ms", "since")

    def __init__(self, since: float, ms: dict[str, float] | None = None) -> None:
        self.since, self.ms = since, {} if ms is None else ms

    def end(self, name: str) -> None:
        """End the current phase, which was called so."""
        now = time.monotonic()
        self.ms[name] = self.ms.get(name, 0.0) + round((now - self.since) * 1000, 3)
        self.since = now


def compare(launch: Launch) -> None:
    """Compare the digests of mounted artifacts: who may write a Secret is not who made the plan.

    Raises BadArtifact. The embedded engine compared them when it stored them under that name.
    """
    for revision in launch.revisions:
        try:
            with open(revision.artifact, "rb") as file:
                found = sha256_of(file)
        except OSError as error:
            raise BadArtifact(f"{revision.name}: {error}") from error
        if found != revision.sha256:
            raise BadArtifact(
                f"{revision.name}: {revision.artifact} has the digest {found}, not "
                f"{revision.sha256}: it was changed after the build; deploy the version again"
            )


def load_plan(revision: RevisionLaunch) -> Plan:
    """Map and check a plan. Its digest was compared when it was stored, under that very name."""
    try:
        return load(revision.artifact, thorough=False)
    except (PlanError, OSError) as error:
        raise BadArtifact(f"{revision.name}: {error}") from error


def warm(plan: Plan, revision: RevisionLaunch) -> None:
    """Answer one row with each output, so that no caller pays for what happens only once."""
    row = example_row(plan.node)
    for output in plan.signature.outputs:
        try:
            plan.run(output.name, row)
        except InputRefused:
            continue  # the row was made up; being refused is an answer too
        except Exception as error:  # a plan that cannot answer must not become ready
            raise BadArtifact(f"{revision.name}: {output.name} fails: {error!r}") from error


async def load_all(
    launch: Launch, phases: Phases
) -> list[tuple[RevisionLaunch, LocalBackend | RemoteBackend]]:
    """Load every routed revision; raises BadArtifact."""
    loaded: list[tuple[RevisionLaunch, LocalBackend | RemoteBackend]] = []
    plans: list[tuple[RevisionLaunch, Plan]] = []
    try:
        for revision in launch.revisions:
            if revision.backend is Backend.PLAN:
                plans.append((revision, load_plan(revision)))
                loaded.append(plans[-1])
            else:
                loaded.append((revision, await _start(revision, launch)))
        phases.end("load")
        for revision, plan in plans:
            warm(plan, revision)
    except BadArtifact:
        await close_all(loaded)
        raise
    phases.end("warm")
    return loaded


async def _start(revision: RevisionLaunch, launch: Launch) -> RemoteBackend:
    # Only here: a worker without fallbacks never pays for what starts processes.
    from runtime.fallback.front import start

    try:
        return await start(revision, launch)
    except ValueError as error:
        raise BadArtifact(f"{revision.name}: {error}") from error


async def close_all(loaded: list[tuple[RevisionLaunch, LocalBackend | RemoteBackend]]) -> None:
    """End the processes behind the fallbacks."""
    for revision, backend in loaded:
        if revision.backend is Backend.FALLBACK:
            await backend.close()  # type: ignore[union-attr]  # a fallback is remote
