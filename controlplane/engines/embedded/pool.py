"""One endpoint: its door, its workers, and when to have how many of which generation.

At zero there is no timer and no worker, only the door.
"""

import asyncio
import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from controlplane.autoscaler.recording import Recorder
from controlplane.engines.embedded.channel import Packet
from controlplane.engines.embedded.conditions import Verdict, active_of
from controlplane.engines.embedded.door import Door
from controlplane.engines.embedded.forker import Exited, Forker
from controlplane.engines.embedded.ledger import Entry
from controlplane.engines.embedded.logs import EndpointLog
from controlplane.engines.embedded.measuring import Measures
from controlplane.engines.embedded.release import Release
from controlplane.engines.embedded.scaler import Scaler
from controlplane.engines.embedded.shadowing import Shadowing
from controlplane.engines.embedded.shares import Shares
from controlplane.engines.embedded.wire import LocalEndpoint
from controlplane.engines.embedded.words import Trouble
from controlplane.engines.embedded.worker import State, Worker
from controlplane.engines.engine import ColdStart
from controlplane.engines.history import History
from runtime.launch import Launch

START_WITHIN_S = 120.0
DRAIN_SLACK_S = 5.0


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What pools share.

    keys_of  gives the keys file of a tenant's workers
    payloads  folder of what workers log of requests, one in it for each endpoint
    shares   workers of each tenant
    changed  counters or conditions changed: worth writing down soon
    proved   the entry's `proven` changed: to be made durable soon
    busy     the pool needs the tick from now on
    """

    forker: Forker
    keys_of: Callable[[str], Path]
    logs: Path
    payloads: Path
    shares: Shares
    changed: Callable[["Pool"], None]
    proved: Callable[["Pool"], None]
    busy: Callable[["Pool"], None]


class Pool:
    """The workers of one endpoint; an `Owner` of them."""

    def __init__(self, entry: Entry, around: Surroundings) -> None:
        self.entry, self._around = entry, around
        self._loop = asyncio.get_running_loop()
        self.log = EndpointLog(around.logs / f"{entry.desired.id}.log")
        self.release = Release(entry)
        self.door = Door(entry.port, self._demanded, self._door_changed)
        self.workers: dict[str, Worker] = {}
        self.measures = Measures()
        self.shadowing = Shadowing(around.forker, self.log)
        self.scaler: Scaler | None = None
        self.decisions = Recorder()
        self.history = History(_wall())
        self.cold_start: ColdStart | None = None
        self.waiting = False
        self.closed = False
        self._counted = 0
        self._retry: asyncio.TimerHandle | None = None
        self._first_byte: float | None = None
        self._number = 0

    def open(self) -> None:
        """Listen, and bring about what the ledger says."""
        self.door.open()

    def _door_changed(self) -> None:
        if self.door.listener is not None:
            self.apply(self.entry.desired)
        self.note()

    # What it is doing

    def of_state(self, *states: State) -> list[Worker]:
        """List the workers in one of the states."""
        return [w for w in self.workers.values() if w.state in states]

    def _current(self, *states: State) -> list[Worker]:
        wanted = self.release.serving.generation
        return [w for w in self.of_state(*states) if w.generation == wanted]

    def _servers(self) -> list[Worker]:
        """List who may be given connections: while a deploy starts, the generation before it."""
        return self._current(State.READY) or self.of_state(State.READY)

    @property
    def wanted(self) -> int:
        """Give how many workers there should be."""
        return self.scaler.wanted if self.scaler is not None else 0

    def count(self) -> None:
        """Bring the meter up to now, and the tenant's share."""
        running = len(self._current(State.STARTING, State.READY))
        self._around.shares.changed(self.entry.desired.tenant, running - self._counted)
        self._counted = running
        starting, ready = self.of_state(State.STARTING), self.of_state(State.READY, State.DRAINING)
        self.entry.meter.workers(time.monotonic(), len(starting), len(ready))

    def note(self) -> tuple[Verdict, Verdict]:
        """Give the conditions Ready and Active, and remember when they changed."""
        self.count()
        ready = len(self.of_state(State.READY))
        self.history.replicas(_wall(), self.wanted, ready)
        full = self._full() if self._hopeless() else None
        verdicts = self.release.verdict(self.door.taken, ready), active_of(self.scaler, ready, full)
        turned = [self.entry.turned(v.type, v.status) for v in verdicts]
        if any(turned):
            self._around.changed(self)
        return verdicts

    # Desired state

    def apply(self, desired: LocalEndpoint) -> None:
        """Take over a desired state that is in the ledger."""
        recovered = self.release.apply(desired)
        self.measures.keep({revision.name for revision in desired.revisions})
        if self.door.listener is None:
            return
        if recovered:
            self._try_no_more()
        self._reconfigure()
        scaling = desired.scaling_now
        trial = not self.release.proven and scaling.initial_scale > 0
        if (trial and not self.release.failed) or scaling.min_scale > 0:
            scaler = self._wake(None)
            scaler.floor = scaling.initial_scale if trial else 0
            scaler.wanted = max(scaler.wanted, scaler.floor, scaling.min_scale)
        elif not self.release.proven and scaling.initial_scale == 0:
            self.entry.proven = desired
            self._around.proved(self)
        self.reconcile()

    def _reconfigure(self) -> None:
        if self.scaler is not None:
            serving = self.release.serving
            now = time.monotonic_ns()
            self.scaler.reconfigure(serving.scaling_now, serving.container_concurrency, now)

    def _try_no_more(self) -> None:
        if self._retry is not None:
            self._retry.cancel()
            self._retry = None

    def close(self) -> None:
        """Stop all of it: the endpoint is deleted."""
        self.closed = True
        self._try_no_more()
        self.shadowing.close()
        self.door.close()
        for worker in tuple(self.workers.values()):
            self._drain(worker)
        self.count()

    # Activation

    def _demanded(self) -> None:
        """A request waits at the door."""
        servers = self._servers()
        if servers:
            self._share(servers, self.door.parking.take())
            return
        if self._hopeless():
            trouble = self._trouble()
            self.door.refuse(
                trouble.message, None if trouble.final else max(1.0, self.release.left())
            )
            self._loop.call_soon(self.reconcile)
            return
        if not self.waiting:
            self.entry.meter.wakes += 1
            self.history.woke(_wall())
        self.waiting = True
        self._wake(time.monotonic())
        self.reconcile()

    def _hopeless(self) -> bool:
        running = self.of_state(State.STARTING, State.READY)
        no_chance = self.release.nothing_works or self.release.looping or self._full() is not None
        return not running and no_chance

    def _full(self) -> str | None:
        """Say that the tenant may have no worker more; None: it may."""
        tenant, shares = self.entry.desired.tenant, self._around.shares
        if shares.room(tenant):
            return None
        return (
            f"the tenant's quota of {shares.limit(tenant)} replica(s) is used by its other "
            "endpoints; wait until one of them is idle, or ask the operator to raise the quota"
        )

    def _trouble(self) -> Trouble:
        full = self._full()
        if full is not None:
            return Trouble("QuotaExceeded", full, final=False)
        return self.release.trouble or Trouble("Starting", "no worker is ready", final=False)

    def _wake(self, first_byte: float | None) -> Scaler:
        if self._first_byte is None:
            self._first_byte = first_byte
        now = time.monotonic_ns()
        scaler = self.scaler
        if scaler is None:
            serving = self.release.serving
            scaler = self.scaler = Scaler(
                serving.scaling_now, serving.container_concurrency, now, recorder=self.decisions
            )
        else:
            scaler.touched(now)
            scaler.wanted = max(1, scaler.wanted)
        self._around.busy(self)
        return scaler

    # Workers: as many as wanted, of the right generation

    def reconcile(self) -> None:
        """Start and drain until what runs is what is wanted."""
        if self.closed or self.door.listener is None:
            return
        self.count()
        wanted = self.wanted
        current = self._current(State.STARTING, State.READY)
        self._start(wanted - len(current))
        self._end_surplus(wanted, current)
        self.shadowing.follow(self.release.serving, self._launch, self.of_state(State.READY))
        idle = not self.of_state(State.STARTING, State.READY)
        if idle and wanted == 0:
            self.scaler = None
        nobody_comes = idle and (self._retry is None or self._hopeless())
        if nobody_comes:
            self.door.watch()
        if self.door.parking.has_data and (nobody_comes or self._servers()):
            self._loop.call_soon(self._data_waits)
        self.note()

    def _data_waits(self) -> None:
        if self.door.parking.has_data and not self.closed:
            self._demanded()

    def _end_surplus(self, wanted: int, current: list[Worker]) -> None:
        surplus = sorted(current, key=lambda w: (w.state is State.READY, w.connections))
        leaving = surplus[: max(0, len(current) - wanted)]
        ready = len(self._current(State.READY))
        if wanted == 0 or ready >= max(1, min(wanted, len(current))):
            serving = self.release.serving.generation
            running = self.of_state(State.STARTING, State.READY)
            leaving += [w for w in running if w.generation != serving]
        for worker in leaving:
            self._drain(worker)

    def _start(self, count: int) -> None:
        listener = self.door.listener
        if count <= 0 or listener is None or self.release.nothing_works:
            return
        left = self.release.left()
        if left > 0:
            if self._retry is None:
                self._retry = self._loop.call_later(left, self._again)
            return
        count = min(count, self._around.shares.room(self.entry.desired.tenant))
        if count <= 0:
            return
        self.door.unwatch()
        serving = self.release.serving
        for _ in range(count):
            self._number += 1
            name = f"{serving.name}-{serving.generation}-{self._number}"
            key = f"{serving.id}/{name}"
            worker = Worker(name, key, serving.generation, self, self._around.forker)
            self.workers[name] = worker
            self.entry.meter.starts += 1
            worker.kill_after(START_WITHIN_S)
            worker.start(self._launch(), listener, self.log, self._first_byte)
            self._first_byte = None
        self.count()

    def _launch(self) -> Launch:
        """Say to a worker what it serves."""
        serving = self.release.serving
        keys = self._around.keys_of(serving.tenant)
        return serving.launch(keys, self.entry.port, self._around.payloads)

    def _again(self) -> None:
        self._retry = None
        self.reconcile()

    def _drain(self, worker: Worker) -> None:
        worker.drain(self.entry.desired.timeout_s + DRAIN_SLACK_S)

    def _share(self, servers: list[Worker], descriptors: list[int]) -> None:
        shares: dict[str, list[int]] = {}
        for descriptor in descriptors:
            least = min(servers, key=lambda w: w.connections)
            least.connections += 1
            shares.setdefault(least.name, []).append(descriptor)
        for worker in servers:
            if worker.name in shares:
                worker.adopt(shares[worker.name])

    def look_at_keys(self) -> None:
        """Have its workers read the keys file now; by themselves they look once a second."""
        for worker in self.workers.values():
            worker.look_at_keys()

    # What workers say

    def on_ready(self, worker: Worker) -> None:
        """Let it serve what waits, take its share from the others, and end what it replaces."""
        worker.cancel_kill()
        self.measures.started(worker.phases)
        worker.ready_at = time.monotonic()
        if self.closed:
            self._drain(worker)
            return
        self.waiting = False
        if self.release.works(worker.generation):
            self._around.proved(self)
        self.shadowing.join(worker)
        ready = self._current(State.READY)
        if self.scaler is not None:
            if len(ready) >= self.scaler.floor:
                self.scaler.floor = 0
            self.scaler.became_ready(time.monotonic_ns(), len(ready))
        servers = self._servers()
        self._share(servers, self.door.parking.take())
        fair = sum(w.connections for w in servers) // len(servers)
        for other in servers:
            if other is not worker and other.connections > fair:
                other.shed(other.connections - fair)
        self.reconcile()

    def on_first_answer(self, phases: dict[str, float], total: float) -> None:
        """Remember how the last start went."""
        self.cold_start = ColdStart(datetime.now(UTC), total, phases)
        self.history.started(_wall(), total / 1000)
        self.measures.started(phases, total)

    def on_stats(self, worker: Worker, packet: Packet) -> None:
        """Feed the scaler with a worker's last second."""
        requests = int(packet.get("requests", 0))
        self.entry.meter.add(packet)
        self.measures.add(packet)
        self.history.answered(_wall(), packet)
        self.shadowing.told_by(packet)
        if self.scaler is not None:
            concurrency = float(packet.get("concurrency", 0.0))
            worker.concurrency = concurrency
            self.scaler.record(time.monotonic_ns(), concurrency, requests)
            if requests and worker.state is State.READY:
                self.scaler.touched(time.monotonic_ns())

    def on_parked(self, worker: Worker, descriptors: list[int]) -> None:
        """Hand its connections to another worker, or keep them until there is one."""
        if self.closed:
            for descriptor in descriptors:
                os.close(descriptor)
            return
        worker.connections = max(0, worker.connections - len(descriptors))
        others = [w for w in self._servers() if w is not worker]
        if others:
            self._share(others, descriptors)
            return
        for descriptor in descriptors:
            self.door.parking.park(descriptor)

    def on_end(self, worker: Worker, how: Exited) -> None:
        """Replace it if it was not asked to end."""
        del self.workers[worker.name]
        if self.closed:
            return
        if not worker.drained:
            self._died(worker, how)
        elif worker.was_ready:
            self.release.ended_well()
        self.reconcile()
        self._around.changed(self)  # what it did until its end

    def _died(self, worker: Worker, how: Exited) -> None:
        self.measures.starts.crashes += 1
        ready_at = worker.ready_at if worker.was_ready else None
        trouble = self.release.died(how, worker.generation, ready_at)
        if trouble is None:
            return
        self.log.write("supervisor", trouble.message)
        if not trouble.final:
            return
        # Back to what worked, or to zero, where requests are refused.
        self._try_no_more()
        self._reconfigure()
        if self.scaler is not None:
            self.scaler.floor = 0
        if self.release.nothing_works:
            self.scaler, self.waiting = None, False

    # The shared tick

    def tick(self, now_ns: int) -> bool:
        """Decide; False once the endpoint is at zero and needs no tick."""
        if self.scaler is None:
            return False
        self.scaler.tick(now_ns, len(self._servers()), waiting=self.waiting)
        self.reconcile()
        return self.scaler is not None


def _wall() -> float:
    return datetime.now(UTC).timestamp()
