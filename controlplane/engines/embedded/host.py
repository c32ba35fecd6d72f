"""The engine's face in the control plane: artifacts to local files, commands to the supervisor."""

import asyncio
import contextlib
import functools
import hashlib
import json
import os
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Protocol

from controlplane.engines.embedded import causes
from controlplane.engines.embedded.measuring import measured_from
from controlplane.engines.embedded.shadowing import compared_from
from controlplane.engines.embedded.wire import LocalEndpoint, observed_from
from controlplane.engines.engine import (
    BackendKind,
    Cause,
    Counters,
    DesiredEndpoint,
    DesiredRevision,
    EndpointId,
    LogLine,
    Metered,
    ObservedEndpoint,
    TenantLimits,
    Told,
)
from controlplane.engines.history import Series
from controlplane.engines.metrics import EndpointMetrics, metrics_from
from controlplane.files import sync, write_durably
from runtime.launch import Backend, RevisionLaunch
from runtime.problems import Conflict, EngineUnavailable

ANSWER_WITHIN_S = 15.0
COLLECT_AFTER_S = 1.0
LINE_LIMIT = 64 * 1024 * 1024
READ = 1024 * 1024


class ArtifactSource(Protocol):
    """Where artifacts come from."""

    async def fetch_to(self, sha256: str, path: Path) -> None:
        """Write a blob to a new file."""


class Python(Protocol):
    """How a model is loaded: the path of a Python, None: ours; a folder of packages, None: none."""

    @property
    def interpreter(self) -> str | None: ...

    @property
    def packages(self) -> str | None: ...


class Pythons(Protocol):
    """Where other scikit-learn versions and the packages of models come from."""

    async def serving(
        self,
        version: str | None,
        environment: Mapping[str, Any] | None,
        tenant: str,
        fetch: Callable[[Path], Awaitable[object]],
    ) -> Python:
        """Give what loads a model of a version, made if need be; raises EngineUnavailable.

        environment  the recipe of its packages
        fetch        puts its bundle into a new file
        """


class ArtifactDamaged(RuntimeError):
    """What the store gave is not what it was asked for."""


class EmbeddedEngine:
    """Implements `controlplane.engines.engine.Engine` over the supervisor's socket."""

    drifts = False
    measures = shadows = True
    lag_s = 2.0  # workers tell each second, and are asked each second

    def __init__(
        self,
        home: Path,
        artifacts: ArtifactSource,
        issuer: str,
        pythons: Pythons | None = None,
    ) -> None:
        self._folder = home / "engine"
        self._artifacts, self._issuer, self._pythons = artifacts, issuer, pythons
        # Between a file landing and the ledger naming it, nothing may be collected.
        self._files = asyncio.Lock()
        self._collecting: asyncio.Task[None] | None = None

    async def apply(self, desired: DesiredEndpoint) -> None:
        """Fetch what is missing, then hand over; durable once this returns."""
        pythons = {r.name: await self._python(r, desired.tenant) for r in desired.revisions}
        async with self._files:
            plans = self._folder / "plans"
            plans.mkdir(mode=0o700, parents=True, exist_ok=True)
            revisions = tuple(
                [await self._local(r, plans, pythons[r.name]) for r in desired.revisions]
            )
            local = LocalEndpoint(
                id=desired.id,
                tenant=desired.tenant,
                name=desired.name,
                generation=desired.generation,
                issuer=self._issuer,
                audience=desired.audience,
                revisions=revisions,
                scaling=desired.scaling,
                container_concurrency=desired.container_concurrency,
                timeout_s=desired.timeout_s,
                shadow=desired.shadow,
                warm=desired.warm or 0,
                payload_log=desired.payload_log,
            )
            await self._ask({"do": "apply", "endpoint": local.to_json()})
        self._collect_later()

    async def files(self) -> frozenset[str]:
        """Name every file that workers may open, Pythons and folders of packages too."""
        return frozenset((await self._ask({"do": "files"}))["files"])

    async def observe(self, endpoint: EndpointId) -> ObservedEndpoint | None:
        """Tell what is there; None when nothing is."""
        answer = await self._ask({"do": "observe", "id": endpoint})
        return next((observed_from(o) for o in answer["endpoints"]), None)

    async def observe_all(self) -> tuple[ObservedEndpoint, ...]:
        """Tell everything that is there."""
        answer = await self._ask({"do": "observe", "id": None})
        return tuple(observed_from(o) for o in answer["endpoints"])

    async def usage(
        self, since: Mapping[EndpointId, datetime]  # noqa: ARG002  (counters go on from any time)
    ) -> tuple[Metered, ...]:
        """Read the counters of every endpoint; the supervisor's go on over its restarts."""
        answer = await self._ask({"do": "usage"})
        return tuple(
            Metered(EndpointId(o["endpoint"]), o["source"], Counters(**o["counters"]))
            for o in answer["usage"]
        )

    async def told(self, endpoint: EndpointId) -> Told:
        """Read what each revision answered since the supervisor started, and how they differ."""
        answer = await self._ask({"do": "measures", "id": endpoint})
        return Told(
            tuple(map(measured_from, answer["measures"])),
            tuple(map(compared_from, answer["compared"])),
        )

    async def decisions(self, endpoint: EndpointId) -> tuple[Mapping[str, Any], ...]:
        """Tell what the autoscaler of an endpoint saw and decided lately."""
        return tuple((await self._ask({"do": "decisions", "id": endpoint}))["decisions"])

    async def series(self, endpoint: EndpointId, minutes: int) -> Series:
        """Tell what was measured of an endpoint since the supervisor started."""
        told = await self._ask({"do": "series", "id": endpoint, "minutes": minutes})
        values = {name: tuple(each) for name, each in told["values"].items()}
        return Series(told["every_s"], tuple(told["at"]), values)

    async def metrics(self) -> tuple[EndpointMetrics, ...]:
        """Tell what the supervisor counted of each endpoint since it started."""
        reader, writer = await self._connect()
        found: list[EndpointMetrics] = []
        try:
            async with asyncio.timeout(ANSWER_WITHIN_S):
                writer.write(b'{"do": "metrics"}\n')
                _checked(await reader.readline())
                while line := await reader.readline():
                    document = json.loads(line)
                    if document.get("over"):
                        return tuple(found)
                    found.append(metrics_from(document))
        except (TimeoutError, ConnectionError) as error:
            raise EngineUnavailable(
                f"the supervisor did not answer metrics: {error!r}", retry_after_s=2
            ) from error
        finally:
            writer.close()
        raise EngineUnavailable("the supervisor hung up amid its metrics", retry_after_s=2)

    async def delete(self, endpoint: EndpointId) -> None:
        """Remove the endpoint; nothing there is success."""
        await self._ask({"do": "delete", "id": endpoint})
        self._collect_later()

    async def publish_keys(self, document: bytes, tenants: Mapping[str, bytes]) -> None:
        """Replace the keys files of workers, which read them at once."""
        theirs = {name: text.decode() for name, text in tenants.items()}
        await self._ask({"do": "keys", "document": document.decode(), "tenants": theirs})

    async def publish_limits(
        self, otherwise: TenantLimits, limits: Mapping[str, TenantLimits]
    ) -> None:
        """Tell the supervisor how many workers each tenant may have; no more is bounded here."""
        tenants = {tenant: one.replicas for tenant, one in limits.items()}
        document = {"otherwise": otherwise.replicas, "tenants": tenants}
        await self._ask({"do": "limits", "document": document})

    async def explain(self, desired: DesiredEndpoint) -> Cause:
        """Name the cause of the state an endpoint is in."""
        seen = await self.observe(desired.id)
        log: list[LogLine] = []
        if seen is not None:
            with contextlib.suppress(Conflict):  # deleted meanwhile
                log += [x async for x in self.logs(desired.id, tail=causes.LINES, follow=False)]
        return causes.cause(desired, seen, log, datetime.now(UTC))

    async def logs(
        self, endpoint: EndpointId, *, tail: int, follow: bool
    ) -> AsyncIterator[LogLine]:
        """Give the last lines, then new ones while `follow`."""
        reader, writer = await self._connect()
        try:
            request = {"do": "logs", "id": endpoint, "tail": tail, "follow": follow}
            writer.write(json.dumps(request).encode() + b"\n")
            _checked(await reader.readline())
            while line := await reader.readline():
                entry = json.loads(line)
                at, members = datetime.fromisoformat(entry["at"]), entry.get("members", {})
                yield LogLine(at, entry["replica"], entry["text"], members)
        finally:
            writer.close()

    async def _connect(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        path = self._folder / "supervisor.sock"
        try:
            return await asyncio.open_unix_connection(str(path), limit=LINE_LIMIT)
        except OSError as error:
            raise EngineUnavailable(
                f"the supervisor does not answer on {path} ({error.strerror or error}); "
                "`kubeserve up` starts it, home/logs/supervisor.log says why it ended",
                retry_after_s=2,
            ) from error

    async def _ask(self, request: dict[str, Any]) -> dict[str, Any]:
        reader, writer = await self._connect()
        try:
            async with asyncio.timeout(ANSWER_WITHIN_S):
                writer.write(json.dumps(request).encode() + b"\n")
                await writer.drain()
                return _checked(await reader.readline())
        except (TimeoutError, ConnectionError) as error:
            raise EngineUnavailable(
                f"the supervisor did not answer {request['do']}: {error!r}", retry_after_s=2
            ) from error
        finally:
            writer.close()

    async def _python(self, revision: DesiredRevision, tenant: str) -> Python | None:
        if revision.backend is BackendKind.PLAN or self._pythons is None:
            return None
        return await self._pythons.serving(
            revision.sklearn_version,
            revision.environment,
            tenant,
            functools.partial(self._artifacts.fetch_to, revision.artifact_sha256),
        )

    async def _local(
        self, revision: DesiredRevision, plans: Path, python: Python | None
    ) -> RevisionLaunch:
        artifact = plans / revision.artifact_sha256
        if not artifact.exists():
            await self._materialise(revision.artifact_sha256, artifact)
        signature: str | None = None
        if revision.backend is BackendKind.FALLBACK:
            text = json.dumps(revision.signature, sort_keys=True).encode()
            path = plans / f"{hashlib.sha256(text).hexdigest()}.signature.json"
            if not path.exists():
                await asyncio.to_thread(write_durably, path, text)
            signature = str(path)
        return RevisionLaunch(
            name=revision.name,
            model=revision.model,
            version=revision.version,
            artifact=str(artifact),
            sha256=revision.artifact_sha256,
            percent=revision.percent,
            tag=revision.tag,
            backend=Backend(revision.backend.value),
            signature=signature,
            sklearn=None if signature is None else revision.sklearn_version,
            interpreter=None if python is None else python.interpreter,
            packages=None if python is None else python.packages,
        )

    async def _materialise(self, sha256: str, artifact: Path) -> None:
        incoming = artifact.with_name(f".{sha256}.incoming")
        incoming.unlink(missing_ok=True)
        try:
            await self._artifacts.fetch_to(sha256, incoming)
            found = await asyncio.to_thread(_landed, incoming)
            if found != sha256:
                raise ArtifactDamaged(
                    f"artifact {sha256} came out of the store as {found}: "
                    "the store is damaged; upload the model again"
                )
            os.replace(incoming, artifact)
            await asyncio.to_thread(sync, artifact.parent)
        finally:
            incoming.unlink(missing_ok=True)

    def _collect_later(self) -> None:
        # Once for many changes: it looks at every file there is.
        if self._collecting is None or self._collecting.done():
            self._collecting = asyncio.create_task(self._collect())

    async def _collect(self) -> None:
        await asyncio.sleep(COLLECT_AFTER_S)
        async with self._files:
            try:
                kept = await self.files()
            except EngineUnavailable:
                return  # files that nobody opens wait for the next change
            await asyncio.to_thread(_remove_all_but, self._folder / "plans", kept)


def _remove_all_but(folder: Path, kept: frozenset[str]) -> None:
    for path in folder.iterdir():
        if str(path) not in kept:
            path.unlink(missing_ok=True)


def _checked(line: bytes) -> dict[str, Any]:
    if not line:
        raise EngineUnavailable("the supervisor hung up without an answer", retry_after_s=2)
    answer: dict[str, Any] = json.loads(line)
    if not answer.get("ok"):
        raise Conflict(f"the engine refused: {answer.get('error')}")
    return answer


def _landed(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb+") as file:
        while block := file.read(READ):
            digest.update(block)
        os.fsync(file.fileno())
    return digest.hexdigest()
