"""What one replica does for all: reconcile, build, publish the keys, sweep."""

import asyncio
import contextlib
import json
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Final, NoReturn

from controlplane import telemetry
from controlplane.artifacts.exchange import Exchange
from controlplane.artifacts.reports import Reports
from controlplane.artifacts.store import Store
from controlplane.audit import service as audit
from controlplane.endpoints import service as endpoints
from controlplane.engines.engine import EndpointId, Engine, TenantLimits
from controlplane.loadtests import service as loadtests
from controlplane.models.storage import Storage
from controlplane.oauth.service import OAuth
from controlplane.payloads import taking
from controlplane.reconciler import metering, payloads, sweep, watching
from controlplane.reconciler.builds import Builds
from controlplane.reconciler.endpoints import keep_warm, reconcile
from controlplane.reconciler.loadtests import LoadTests, Site
from controlplane.reconciler.loop import Loop
from controlplane.reconciler.pod_forms import PodForms, Signing
from controlplane.reconciler.pod_keys import PodKeys
from controlplane.reconciler.replaying import Replayer
from controlplane.reconciler.versions import VersionBuilds
from controlplane.reconciler.webhooks import Deliveries
from controlplane.rollouts import service as rollouts
from controlplane.rollouts.asking import Means
from controlplane.tenants import service as tenants
from controlplane.tenants.limits import Limits
from controlplane.usage import service as usage
from controlplane.usage.service import Kept
from controlplane.wakes import Wake
from controlplane.webhooks import service as webhooks
from controlplane.webhooks.sending import Sender
from runtime import payload_forms
from runtime.problems import EngineUnavailable

ROLLOUT_EVERY_S: Final = 1.0
PUBLISH_RESYNC_S: Final = 15.0
PUBLISH_AGAIN_S: Final = 0.2


@dataclass(frozen=True, slots=True)
class Duties:
    """What the loops work with.

    changes   names endpoints that changed in the engine, where it can tell
    exchange  what pods read and write of the store, where there are pods
    reports   what pods of endpoints tell there of what they counted
    shelf     environments that pods read there
    storage   what tenants may store, and have otherwise
    loadtests where load tests are run; None: they are not
    payloads  what is made of logged requests; None: they are not looked at
    payload_forms  signs what pods hand over logged requests with, where there are pods
    ingress   where endpoints are reached if their names do not resolve here
    audit_kept  how long events of the audit log are kept
    usage_kept  how long usage is
    sender    of messages to webhooks
    """

    store: Store
    engine: Engine
    builds: Builds
    builds_at_once: int
    oauth: OAuth
    issuer: str
    storage: Storage
    changes: Callable[[], AsyncIterator[EndpointId]] | None = None
    exchange: Exchange | None = None
    reports: Reports | None = None
    shelf: sweep.Shelf | None = None
    loadtests: Site | None = None
    ingress: str | None = None
    payloads: taking.Site | None = None
    payload_forms: Signing | None = None
    audit_kept: timedelta = timedelta(days=365)
    usage_kept: Kept = field(default_factory=Kept)
    sender: Sender = field(default_factory=Sender)


class Work:
    """The loops, from the moment this replica leads until it does not any more."""

    def __init__(self, duties: Duties) -> None:
        self.duties = duties
        # Asked before each step: a process that stood still for a while may lead no longer.
        self.may_act: Callable[[], bool] = lambda: True
        self._running: _Loops | None = None

    async def run(self) -> None:
        """Do all of it until cancelled; may be run again afterwards."""
        loops = self._running = _Loops(self.duties, lambda: self.may_act())
        try:
            await loops.run()
        finally:
            self._running = None
            await loops.close()
            usage.end_metering()

    def wake(self, wake: Wake, key: str = "") -> None:
        """Look at something now; nothing happens while another replica leads."""
        if self._running is not None:
            self._running.wake(wake, key)

    async def publish_keys(self) -> None:
        """Hand keys and revocations to the engine now, if they changed and this replica leads."""
        if self._running is not None:
            await self._running.publish_keys()

    async def publish_limits(self) -> None:
        """Hand what tenants may run to the engine now, if it changed and this replica leads."""
        if self._running is not None:
            await self._running.publish_limits()

    @property
    def keys_published(self) -> bool:
        """Tell whether the engine has got the keys from this replica since it leads."""
        return self._running is not None and self._running.published is not None


def engine_limits(limits: Limits) -> TenantLimits:
    """Give those of a tenant's limits that an engine holds it to."""
    return TenantLimits(limits.cpu_millis, limits.memory_mib, limits.replicas)


class _Loops:
    def __init__(self, duties: Duties, may_act: Callable[[], bool]) -> None:
        self._duties, self._may_act = duties, may_act
        self._builds = VersionBuilds(duties.builds, duties.builds_at_once, duties.storage)
        self._loadtests = None if duties.loadtests is None else LoadTests(duties.loadtests)
        self._endpoints: Loop[uuid.UUID] = Loop("endpoints", self._reconcile, endpoints.all_ids)
        # Each second a step that goes wrong lasts is a second of wrong answers.
        self._rollouts: Loop[uuid.UUID] = Loop(
            "rollouts", self._carry_on, rollouts.under_way, soon_s=ROLLOUT_EVERY_S
        )
        self._rollout_means = Means(
            duties.storage.quotas, Replayer(duties.oauth.token_for, duties.ingress)
        )
        self._deliveries = Deliveries(duties.sender, duties.oauth, may_act)
        self._publish_due, self._pods_due = asyncio.Event(), asyncio.Event()
        self.published: tuple[bytes, dict[str, bytes]] | None = None
        self._twice = False
        self._limits: object = None
        self._usage_done: date | None = None

    async def run(self) -> None:
        duties = self._duties
        jobs: list[Awaitable[None]] = [
            self._builds.run(),
            self._endpoints.run(),
            self._rollouts.run(),
            self._deliveries.run(),
            self._keep_published(),
            keep_warm(self._endpoints.wake),
            metering.run(duties.engine, duties.reports),
            watching.run(duties.engine, self._may_act),
            sweep.run(
                duties.store,
                duties.engine,
                builds=duties.builds,
                exchange=duties.exchange,
                shelf=duties.shelf,
                more={
                    "grants and codes": lambda: duties.oauth.forget(datetime.now(UTC)),
                    "events of the audit log": self._forget_events,
                    "hours of usage": self._forget_usage,
                    "left-overs of load tests": self._tidy_loadtests,
                    "load tests": lambda: loadtests.forget(duties.store, datetime.now(UTC)),
                    "events of webhooks": lambda: webhooks.forget(datetime.now(UTC)),
                    "files of logged requests": self._sweep_payloads,
                },
            ),
        ]
        if self._loadtests is not None:
            jobs.append(self._loadtests.run())
        if duties.payloads is not None:
            jobs.append(payloads.run(duties.payloads, self._may_act))
        if duties.exchange is not None:
            jobs.append(self._keep_pods_keys(PodKeys(duties.exchange, duties.oauth.signed_keys)))
        if duties.exchange is not None and duties.reports is not None:
            jobs.append(self._keep_forms(PodForms(duties.exchange, duties.reports)))
        if duties.exchange is not None and duties.payload_forms is not None:
            forms = PodForms(duties.exchange, duties.payload_forms, name=payload_forms.FORM)
            jobs.append(self._keep_forms(forms))
        if duties.changes is not None:
            jobs.append(self._follow(duties.changes))
        async with asyncio.TaskGroup() as group:
            for job in jobs:
                group.create_task(_without_end(job))

    async def _tidy_loadtests(self) -> int:
        return 0 if self._loadtests is None else await self._loadtests.tidy()

    async def _sweep_payloads(self) -> int:
        site = self._duties.payloads
        return 0 if site is None else await taking.sweep(site, datetime.now(UTC))

    async def _forget_events(self) -> int:
        return await audit.forget(datetime.now(UTC) - self._duties.audit_kept)

    async def _forget_usage(self) -> int:
        """Once a day, since it looks through all of it; sooner where one time left a rest."""
        now = datetime.now(UTC)
        if self._usage_done == now.date():
            return 0
        done = await usage.forget_old(self._duties.usage_kept, now)
        if not done:
            self._usage_done = now.date()
        return done

    async def close(self) -> None:
        await self._rollouts.close()
        await self._endpoints.close()
        await self._builds.close()
        await self._deliveries.close()
        if self._loadtests is not None:
            await self._loadtests.close()

    def wake(self, wake: Wake, key: str) -> None:
        match wake:
            case Wake.VERSIONS:
                self._builds.wake()
            case Wake.ENDPOINT:
                self._endpoints.wake(uuid.UUID(key))
                self._rollouts.wake(uuid.UUID(key))
            case Wake.KEYS | Wake.LIMITS:
                self._publish_due.set()
            case Wake.ALL:
                self._builds.wake()
                self._endpoints.look()
                self._rollouts.look()
                self._publish_due.set()
                self._deliveries.wake()
                self._look_at_loadtests()
            case Wake.LOADTEST:
                self._look_at_loadtests()
            case Wake.WEBHOOKS:
                self._deliveries.wake()
            case Wake.LEADER:
                pass

    def _look_at_loadtests(self) -> None:
        if self._loadtests is not None:
            self._loadtests.wake()

    async def _reconcile(self, endpoint: uuid.UUID) -> bool:
        if not self._may_act():
            return False
        duties = self._duties
        return await reconcile(endpoint, duties.engine, duties.issuer, duties.reports)

    async def _carry_on(self, endpoint: uuid.UUID) -> bool:
        if not self._may_act():
            return False
        duties = self._duties
        return await rollouts.carry_on(
            endpoint, duties.engine, datetime.now(UTC), self._rollout_means
        )

    async def publish_limits(self) -> None:
        quotas = self._duties.storage.quotas
        different = await quotas.of_all_that_differ()
        limits = {tenant: engine_limits(own) for tenant, own in different.items()}
        if limits != self._limits:
            await self._duties.engine.publish_limits(engine_limits(quotas.defaults), limits)
            self._limits = limits

    async def publish_keys(self) -> None:
        """Hand the keys to the engine if they changed; what it has may sign when its time comes."""
        await self._publish()
        if self._may_act() and await self._duties.oauth.rotate(self._published_kids()):
            await self._publish()

    def _published_kids(self) -> set[str]:
        known = b'{"keys": []}' if self.published is None else self.published[0]
        return {key["kid"] for key in json.loads(known)["keys"]}

    async def _publish(self) -> None:
        documents = await self._duties.oauth.keys_documents(datetime.now(UTC))
        if documents != self.published:
            await self._duties.engine.publish_keys(*documents)
            self.published, self._twice = documents, False
            self._pods_due.set()

    async def _publish_once_more(self) -> None:
        """Hand over what did not change for a while a second time.

        A kubelet that looked at the first word may have looked before it had seen the new keys.
        """
        if self.published is not None and not self._twice:
            await self._duties.engine.publish_keys(*self.published)
            self._twice = True

    async def _keep_published(self) -> None:
        quiet = False
        while True:
            pause = PUBLISH_RESYNC_S
            self._publish_due.clear()
            try:
                # Limits first: with the keys an engine has all it needs to make tenants' places.
                await self.publish_limits()
                await self.publish_keys()
                if quiet:
                    await self._publish_once_more()
            except EngineUnavailable:
                pause = PUBLISH_AGAIN_S
            except Exception:  # noqa: BLE001  (logged; the next resync tries again)
                telemetry.log.exception("keys and limits could not be published")
            try:
                async with asyncio.timeout(pause):
                    await self._publish_due.wait()
                quiet = False
            except TimeoutError:
                quiet = True

    async def _keep_pods_keys(self, keys: PodKeys) -> None:
        """Beside the engine's: an object store that is away keeps no engine from its keys."""
        while True:
            self._pods_due.clear()
            try:
                if self.published is not None and self._may_act():
                    await keys.hand(*self.published, await tenants.names())
            except Exception:  # noqa: BLE001  (logged; the next look tries again)
                telemetry.log.exception("the keys could not be put into the object store")
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(PUBLISH_RESYNC_S):
                    await self._pods_due.wait()

    async def _keep_forms(self, forms: PodForms) -> None:
        while True:
            try:
                if self._may_act():
                    await forms.hand(await tenants.names())
            except Exception:  # noqa: BLE001  (logged; the next look tries again)
                telemetry.log.exception("forms could not be put into the object store")
            await asyncio.sleep(PUBLISH_RESYNC_S)

    async def _follow(self, changes: Callable[[], AsyncIterator[EndpointId]]) -> None:
        async for endpoint in changes():
            self._endpoints.wake(uuid.UUID(endpoint))


async def _without_end(job: Awaitable[None]) -> NoReturn:
    """Run a loop; that it ends is a fault, which ends and restarts all of them."""
    await job
    raise RuntimeError("a loop of the leader ended")
