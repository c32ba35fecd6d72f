"""One endpoint: its listening socket, parked connections and workers, and when to have how many.

At zero it is two things the kernel holds (a listening socket, parked connections) and no timer. The
backlog is the queue of an activation: new connections wait in it until a worker accepts them.
"""

import asyncio
import os
import socket
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from controlplane.engines.embedded.backoff import Backoff
from controlplane.engines.embedded.channel import Packet
from controlplane.engines.embedded.forker import Exited, Forker
from controlplane.engines.embedded.ledger import Entry
from controlplane.engines.embedded.logs import EndpointLog
from controlplane.engines.embedded.parking import Parking
from controlplane.engines.embedded.refusal import refuse
from controlplane.engines.embedded.scaler import Scaler
from controlplane.engines.embedded.wire import LocalEndpoint
from controlplane.engines.embedded.words import Trouble, trouble_of
from controlplane.engines.embedded.worker import State, Worker
from controlplane.engines.engine import ColdStart

BACKLOG = 4096
START_WITHIN_S = 120.0
DRAIN_SLACK_S = 5.0
BIND_AGAIN_S = 2.0


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What pools share.

    changed  the entry must be written to the ledger soon
    busy     the pool needs the tick from now on
    """

    forker: Forker
    keys_file: Path
    logs: Path
    changed: Callable[[], None]
    busy: Callable[["Pool"], None]


class Pool:
    """The workers of one endpoint; an `Owner` of them."""

    def __init__(self, entry: Entry, around: Surroundings) -> None:
        self.entry, self._around = entry, around
        self._loop = asyncio.get_running_loop()
        self.log = EndpointLog(around.logs / f"{entry.desired.id}.log")
        self.parking = Parking(self._parked_data)
        self.workers: dict[str, Worker] = {}
        self.scaler: Scaler | None = None
        self.trouble: Trouble | None = None
        self.cold_start: ColdStart | None = None
        self.waiting = False
        self.backoff = Backoff()
        self.closed = False
        self._listener: socket.socket | None = None
        self._watching = False
        self._retry: asyncio.TimerHandle | None = None
        self._first_byte: float | None = None
        self._number = 0

    def open(self) -> None:
        """Listen on the port; somebody else's port is tried again until it is free."""
        listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM | socket.SOCK_NONBLOCK)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind(("127.0.0.1", self.entry.port))
            listener.listen(BACKLOG)
        except OSError as error:
            listener.close()
            self.trouble = Trouble(
                "PortTaken",
                f"port {self.entry.port} cannot be listened on ({error.strerror}): another process "
                "has it; it is tried again every two seconds",
                final=False,
            )
            self._retry = self._loop.call_later(BIND_AGAIN_S, self.open)
            return
        if self.trouble is not None and self.trouble.reason == "PortTaken":
            self.trouble = None
        self._listener = listener
        self.apply(self.entry.desired)

    # What it is doing

    @property
    def serving(self) -> LocalEndpoint:
        """Give what new workers serve: the newest state unless it failed and an older one works."""
        proven = self.entry.proven
        failed = self.trouble is not None and self.trouble.final
        return proven if failed and proven is not None else self.entry.desired

    @property
    def proven(self) -> bool:
        """Tell whether a worker of the newest generation was ready once."""
        proven = self.entry.proven
        return proven is not None and proven.generation == self.entry.desired.generation

    def of_state(self, *states: State) -> list[Worker]:
        """List the workers in one of the states."""
        return [w for w in self.workers.values() if w.state in states]

    def _current(self, *states: State) -> list[Worker]:
        wanted = self.serving.generation
        return [w for w in self.of_state(*states) if w.generation == wanted]

    # Desired state

    def apply(self, desired: LocalEndpoint) -> None:
        """Take over a desired state that is in the ledger."""
        self.entry.desired = desired
        if self._listener is None:
            return
        if self.trouble is not None and self.trouble.generation != desired.generation:
            self.trouble = None
            self.backoff.forget()
        scaling = desired.scaling
        now = time.monotonic_ns()
        if self.scaler is not None:
            self.scaler.reconfigure(scaling, desired.container_concurrency, now)
        trial = not self.proven and scaling.initial_scale > 0
        if (trial and not (self.trouble and self.trouble.final)) or scaling.min_scale > 0:
            self._wake(None)
            if self.scaler is not None:
                self.scaler.floor = max(scaling.initial_scale, 0) if trial else 0
                self.scaler.wanted = max(self.scaler.wanted, self.scaler.floor, scaling.min_scale)
        elif not self.proven and scaling.initial_scale == 0:
            self.entry.proven = desired
            self._around.changed()
        self.reconcile()

    def close(self) -> None:
        """Stop all of it: the endpoint is deleted."""
        self.closed = True
        self._unwatch()
        if self._retry is not None:
            self._retry.cancel()
        if self._listener is not None:
            self._listener.close()
            self._listener = None
        self.parking.close()
        for worker in tuple(self.workers.values()):
            worker.drain(self.entry.desired.timeout_s + DRAIN_SLACK_S)

    # Activation

    def _watch(self) -> None:
        if not self._watching and self._listener is not None:
            self._watching = True
            self._loop.add_reader(self._listener.fileno(), self._knocked)

    def _unwatch(self) -> None:
        if self._watching and self._listener is not None:
            self._loop.remove_reader(self._listener.fileno())
        self._watching = False

    def _knocked(self) -> None:
        self._unwatch()
        self._demand()

    def _parked_data(self) -> None:
        ready = self._current(State.READY)
        if ready:
            self._spread(ready, self.parking.take())
            return
        self._demand()

    def _demand(self) -> None:
        """A request waits and no worker is ready for it."""
        self.waiting = True
        if self._hopeless() and self._listener is not None:
            trouble = self.trouble or Trouble("Starting", "no worker is ready", final=False)
            retry = None if trouble.final else max(1.0, self.backoff.left(time.monotonic()))
            refuse(self._listener, self.parking.take(only_ready=True), trouble.message, retry)
            self.waiting = False
            self._loop.call_soon(self.reconcile)
            return
        self._wake(time.monotonic())
        self.reconcile()

    def _hopeless(self) -> bool:
        if self.of_state(State.STARTING, State.READY):
            return False
        if self.trouble is not None and self.trouble.final and self.entry.proven is None:
            return True
        return self.backoff.failures >= 3 and self.backoff.left(time.monotonic()) > 0

    def _wake(self, first_byte: float | None) -> None:
        if self._first_byte is None:
            self._first_byte = first_byte
        if self.scaler is None:
            desired = self.entry.desired
            self.scaler = Scaler(
                desired.scaling, desired.container_concurrency, time.monotonic_ns()
            )
        else:
            self.scaler.touched(time.monotonic_ns())
            self.scaler.wanted = max(1, self.scaler.wanted)
        self._around.busy(self)

    # Workers: as many as wanted, of the right generation

    def reconcile(self) -> None:
        """Start and drain until what runs is what is wanted."""
        if self.closed or self._listener is None:
            return
        wanted = self.scaler.wanted if self.scaler is not None else 0
        current = self._current(State.STARTING, State.READY)
        self._start(wanted - len(current))
        ready = self._current(State.READY)
        if len(ready) >= max(1, min(wanted, len(current))):
            for old in self.of_state(State.STARTING, State.READY):
                if old.generation != self.serving.generation:
                    self._drain(old)
        surplus = sorted(current, key=lambda w: (w.state is State.READY, w.connections))
        for worker in surplus[: max(0, len(current) - wanted)]:
            self._drain(worker)
        if not self.of_state(State.STARTING, State.READY):
            if wanted == 0 and self.scaler is not None:
                self.scaler = None
                self._set_active(active=False)
            if not self._retrying():
                self._watch()
                if self.parking.has_data:
                    self._loop.call_soon(self._parked_data)

    def _retrying(self) -> bool:
        return self._retry is not None and not self._retry.cancelled()

    def _start(self, count: int) -> None:
        serving = self.serving
        if count <= 0 or (self._hopeless_to_start() and not self.waiting):
            return
        left = self.backoff.left(time.monotonic())
        if left > 0:
            if not self._retrying():
                self._retry = self._loop.call_later(left, self._again)
                self._watch_while_hopeless()
            return
        self._unwatch()
        listener = self._listener
        if listener is None:
            return
        for _ in range(count):
            self._number += 1
            name = f"{serving.name}-{serving.generation}-{self._number}"
            worker = Worker(name, serving.generation, self, self._around.forker)
            self.workers[name] = worker
            self.entry.starts_total += 1
            launch = serving.launch(self._around.keys_file, self.entry.port)
            worker.kill_after(START_WITHIN_S)
            worker.start(launch, listener, self.log, self._first_byte)
            self._first_byte = None

    def _hopeless_to_start(self) -> bool:
        return self.trouble is not None and self.trouble.final and self.entry.proven is None

    def _watch_while_hopeless(self) -> None:
        if self._hopeless():
            self._watch()

    def _again(self) -> None:
        self._retry = None
        self.reconcile()

    def _drain(self, worker: Worker) -> None:
        worker.drain(self.entry.desired.timeout_s + DRAIN_SLACK_S)

    def _spread(self, ready: list[Worker], descriptors: list[int]) -> None:
        shares: dict[str, list[int]] = {}
        for descriptor in descriptors:
            least = min(ready, key=lambda w: w.connections)
            least.connections += 1
            shares.setdefault(least.name, []).append(descriptor)
        for worker in ready:
            if worker.name in shares:
                worker.adopt(shares[worker.name])

    # What workers say

    def on_ready(self, worker: Worker) -> None:
        """Let it serve what waits, take its share from the others, and end what it replaces."""
        worker.cancel_kill()
        worker.ready_at = time.monotonic()
        self.waiting = False
        if self.closed:
            self._drain(worker)
            return
        if worker.generation == self.entry.desired.generation and not self.proven:
            self.entry.proven = self.entry.desired
        if worker.generation == self.entry.desired.generation:
            self.trouble = None
        self._set_active(active=True)
        ready = self._current(State.READY)
        if self.scaler is not None:
            if len(ready) >= self.scaler.floor:
                self.scaler.floor = 0
            self.scaler.became_ready(time.monotonic_ns(), len(ready))
        self._spread(ready, self.parking.take())
        fair = sum(w.connections for w in ready) // max(1, len(ready))
        for other in ready:
            if other is not worker and other.connections > fair:
                other.shed(other.connections - fair)
        self.reconcile()

    def on_first_answer(self, phases: dict[str, float], total: float) -> None:
        """Remember how the last start went."""
        self.cold_start = ColdStart(datetime.now(UTC), total, phases)

    def on_stats(self, worker: Worker, packet: Packet) -> None:
        """Feed the scaler with a worker's last second."""
        requests = int(packet.get("requests", 0))
        self.entry.requests_total += requests
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
        others = [w for w in self._current(State.READY) if w is not worker]
        if others:
            self._spread(others, descriptors)
            return
        for descriptor in descriptors:
            self.parking.park(descriptor)

    def on_end(self, worker: Worker, how: Exited) -> None:
        """Replace it if it was not asked to end."""
        del self.workers[worker.name]
        if self.closed:
            return
        asked = worker.drained
        if not asked:
            trouble = trouble_of(how, worker.generation, was_ready=worker.was_ready)
            now = time.monotonic()
            lived = now - worker.ready_at if worker.was_ready else 0.0
            self.backoff.failed(now, lived)
            if trouble is not None and worker.generation == self.entry.desired.generation:
                self.log.write("supervisor", trouble.message)
                self.trouble = trouble
                if trouble.final:
                    self.backoff.forget()
                    self._give_up()
        self.reconcile()

    def _give_up(self) -> None:
        if self.scaler is None:
            return
        self.scaler.floor = 0
        if self.entry.proven is None:
            # Nothing works and a start cannot change that: to zero, where requests are refused.
            self.scaler = None
            if self.waiting:
                self._loop.call_soon(self._demand)

    # The shared tick

    def tick(self, now_ns: int) -> bool:
        """Decide; False once the endpoint is at zero and needs no tick."""
        if self.scaler is None:
            return False
        ready = len(self._current(State.READY))
        self.scaler.tick(now_ns, ready, waiting=self.waiting)
        self.reconcile()
        return self.scaler is not None

    def _set_active(self, *, active: bool) -> None:
        if self.entry.active is not active:
            self.entry.active = active
            self.entry.active_since = datetime.now(UTC)
            self._around.changed()
