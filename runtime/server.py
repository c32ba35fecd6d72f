"""A worker: puts the parts together, serves until it is told to stop, leaves nothing unanswered."""

import asyncio
import gc
import os
import signal
import socket
import threading
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Final, NamedTuple

import uvloop

from runtime.app import App
from runtime.backend import LocalBackend, RemoteBackend
from runtime.batching import Batcher
from runtime.control import Control, Packet
from runtime.cores import usable
from runtime.descriptors import room_for_connections
from runtime.edge import Edge
from runtime.gate import Gate
from runtime.last_words import tell
from runtime.launch import Backend, Exit, Launch, LaunchError, RevisionLaunch
from runtime.lifecycle import Departures
from runtime.lines import about, say
from runtime.listening import Arrivals
from runtime.loading import BadArtifact, Phases, close_all, load_all
from runtime.memory import give_back, keep_freed
from runtime.metrics import Metrics
from runtime.predictor import Predictor
from runtime.reports import Reports
from runtime.responses import now, prefix
from runtime.revisions import Revision, Revisions
from runtime.routes import routes
from runtime.tokens import TokenVerifier
from runtime.usage import Usage

if TYPE_CHECKING:
    from runtime.payloads import Recorder

# The interpreter's lock lets no more than about so many gain: a kernel is a fifth of Python.
MOST_THREADS: Final = 4
TICK_S: Final = 1.0
# Before anything is imported for newer keys: the first callers wait for their answers.
UNDISTURBED_S: Final = 3.0
TAKEN_WITHIN_S: Final = 10.0
# Of the drain's time, what is kept for ending processes and threads behind the answers.
ENDING_S: Final = 0.5
# And before that, for streams to tell how far they came.
LAST_LINE_S: Final = 1.0

Loaded = list[tuple[RevisionLaunch, LocalBackend | RemoteBackend]]


class Inherited(NamedTuple):
    """What a worker gets beside its environment.

    listener    the endpoint's socket, shared with other workers
    control     to the supervisor; None under Knative
    phases      of the start so far
    first_byte  monotonic seconds when the first client knocked; totals count from there
    settled     called, perhaps again and again, once it has answered or had a second to itself
    """

    listener: socket.socket
    control: socket.socket | None
    phases: Phases
    first_byte: float
    settled: Callable[[], None] = lambda: None


class Worker:
    """One process serving one endpoint."""

    def __init__(self, launch: Launch, inherited: Inherited, loaded: Loaded) -> None:
        loop = asyncio.get_running_loop()
        clock = time.monotonic
        self.launch, self.inherited, self.loaded, self.loop = launch, inherited, loaded, loop
        self.ready = False
        self.stopping = asyncio.Event()
        self.metrics = Metrics(launch.tenant, launch.endpoint)
        gate = Gate(launch.container_concurrency, launch.max_body_bytes)
        self.batcher = Batcher(loop, gate, clock, min(usable(), MOST_THREADS))
        self.recorder: Recorder | None = None
        self.tokens = TokenVerifier(
            launch.keys_file,
            launch.issuer,
            launch.audience,
            clock=time.time,  # noqa: TID251  (tokens expire by wall time)
        )
        self.predictor = Predictor(launch, self.tokens, self.batcher, self.metrics)
        if launch.payloads:
            self._log_payloads(loaded)
        self.revisions = Revisions(
            [self._revision(launched, backend) for launched, backend in loaded],
            int.from_bytes(os.urandom(4)) / 2**32,
            chosen_before=launch.chosen_before,
        )
        self.predictor.revisions = self.revisions
        self.edge = Edge(self.predictor, routes(launch), self.batcher, self.metrics)
        self.edge.max_body_bytes, self.edge.body_s = launch.max_body_bytes, launch.timeout_s
        self.edge.max_connections = room_for_connections()
        self.edge.streams = self.predictor.streams
        app = App(launch, self.revisions, self.tokens, self.metrics, lambda: self.ready)
        self.edge.app = app.answer
        self.control = (
            None
            if inherited.control is None
            else Control(loop, inherited.control, self._packet, self._supervisor_gone)
        )
        self.departures = Departures(loop, self.edge, self.control)
        sampler = self.predictor.sampler
        self.reports = Reports(self.revisions, self.edge, self.metrics, gate, sampler)
        self.metrics.before_read = self.reports.gauges
        self.usage = Usage(loop, launch, lambda: self.reports.counted(clock()))
        self.arrivals = Arrivals(loop, self.edge.protocol)
        self._grown = False  # large bodies came; what they took is still ours

    def _revision(
        self, launched: RevisionLaunch, backend: LocalBackend | RemoteBackend
    ) -> Revision:
        remote = launched.backend is Backend.FALLBACK
        lane = self.batcher.lane(backend, remote=remote)
        revision = Revision(launched, self.launch.endpoint, backend, lane, time.monotonic())
        self.metrics.revisions[launched.name] = launched, revision.counts
        return revision

    def _log_payloads(self, loaded: Loaded) -> None:
        """Log a share of the requests from now on; before lanes are opened, which answer them."""
        # Only here: most endpoints log nothing.
        from runtime.payload_log import read_log
        from runtime.payloads import Recorder, sink_of

        log, wall = read_log(self.launch.payloads), time.time  # noqa: TID251  (they are dated)
        signatures = {launched.name: backend.signature for launched, backend in loaded}
        source = os.urandom(16).hex()
        try:
            sink = sink_of(log, source)
        except (LaunchError, OSError) as error:
            tell(f"nothing is logged of requests: {error}")
            return
        recorder = Recorder(self.loop, log, source, signatures, sink, wall)
        self.batcher.answered = recorder.around(self.batcher.answered)
        self.predictor.recorder = self.recorder = recorder
        self.metrics.payloads = lambda: recorder.counts.outcomes()

    async def serve(self) -> Exit:
        """Serve until told to stop; gives the exit code."""
        for number in (signal.SIGTERM, signal.SIGINT):
            self.loop.add_signal_handler(number, self.stop)
        self._tick()
        self.arrivals.listen(self.inherited.listener)
        self._started()
        await self.stopping.wait()
        self.arrivals.close()
        return await self._end()

    def stop(self) -> None:
        """Begin to drain."""
        if not self.stopping.is_set():
            say("told to stop: answering what was asked, then ending")
        self.ready = False
        self.stopping.set()

    def _started(self) -> None:
        self.ready = True
        phases = self.inherited.phases
        self.metrics.start_ms = phases.ms
        if self.control is not None:
            self.control.send({"t": "ready", "phases": dict(phases.ms)})
        self.predictor.on_first = self._answered
        if self.launch.keys_from:
            self.loop.call_later(UNDISTURBED_S, self._keep_keys)
            self.loop.call_later(UNDISTURBED_S, self.usage.begin)
        served = ", ".join(
            f"{r.launch.model}:{r.launch.version} as {r.launch.name} ({r.launch.percent} %)"
            for r in self.revisions.all
        )
        took = sum(phases.ms.values())
        parts = ", ".join(f"{name} {ms:.1f}" for name, ms in phases.ms.items())
        say(f"serving {served}; ready after {took:.1f} ms ({parts})")

    def _keep_keys(self) -> None:
        """Look in the object store for newer keys from now on, in a thread."""

        def take(document: bytes) -> None:
            renewed = asyncio.run_coroutine_threadsafe(self._renew(document), self.loop)
            renewed.result(TAKEN_WITHIN_S)

        def look() -> None:
            # Only here: an HTTP client takes as long to import as a small plan to load.
            from runtime.renewal import Renewal

            try:
                renewal = Renewal(os.environ, take)
            except LaunchError as error:
                tell(f"the keys are not renewed: {error}")
                return
            renewal.run()

        threading.Thread(target=look, name="keys", daemon=True).start()

    async def _renew(self, document: bytes) -> None:
        self.tokens.renew(document)

    def _answered(self, request_id: str | None, trace_id: str | None) -> None:
        phases = self.inherited.phases
        phases.end("answer")
        total = round((phases.since - self.inherited.first_byte) * 1000, 3)
        self.metrics.start_ms = {**phases.ms, "total": total}
        if self.control is not None:
            self.control.send({"t": "first_answer", "phases": dict(phases.ms), "total": total})
        else:  # a fork shares its heap with the zygote, which gave back
            give_back()
        self.inherited.settled()
        parts = ", ".join(f"{name} {ms:.1f}" for name, ms in phases.ms.items())
        said = f"first answer after {total:.1f} ms ({parts})"
        say(said, request_id=request_id, trace_id=trace_id)

    def _look_at_keys(self) -> None:
        """Read the keys file again; heads that were admitted are looked at anew."""
        self.tokens.refresh()
        self.predictor.tick()

    def _tick(self) -> None:
        """Once a second: what must not cost a request anything."""
        self._look_at_keys()
        date = now()
        for revision in self.revisions.all:
            revision.prefix = prefix(revision.launch.name, date)
        self.edge.sweep()
        self._tidy()
        if self.recorder is not None:
            self.recorder.tick()
        if self.control is not None and self.ready:
            self.control.send(self.reports.stats(time.monotonic()))
            self.inherited.settled()
        self.loop.call_later(TICK_S, self._tick)

    def _tidy(self) -> None:
        """Give back what large bodies took, once there was none for a second."""
        if self.edge.bulky:
            self.edge.bulky, self._grown = False, True
        elif self._grown and not self.edge.gate.holds():
            self._grown = False
            give_back()

    def _packet(self, packet: Packet, descriptors: list[int]) -> None:
        kind = packet.get("t")
        if kind == "adopt":
            self._adopt(descriptors)
            return
        if kind == "shadow":
            self._sample(packet, descriptors)
            return
        for descriptor in descriptors:
            os.close(descriptor)
        if kind == "shed":
            self.departures.shed(int(packet.get("count", 0)))
        elif kind == "drain":
            self.stop()
        elif kind == "keys":
            self._look_at_keys()

    def _sample(self, packet: Packet, descriptors: list[int]) -> None:
        """Begin to send copies of requests to a shadow, or end it."""
        sampler = self.predictor.sampler
        if not descriptors:
            sampler.stop()
            return
        (descriptor,) = descriptors
        sock = socket.socket(fileno=descriptor)
        sampler.start(sock, str(packet["revision"]), float(packet["share"]))

    def _adopt(self, descriptors: list[int]) -> None:
        if self.stopping.is_set() and self.control is not None:
            self.control.park(descriptors)  # whatever they carry travels with them
            return
        self.arrivals.adopt(descriptors)

    def _supervisor_gone(self) -> None:
        # At once: whoever comes next owns the port, and two owners would answer with two versions.
        os._exit(Exit.SUPERVISOR_GONE)

    async def _end(self) -> Exit:
        """Answer what was read, let every connection go, release everything."""
        self.edge.closing = self.control is None
        if self.edge.closing:
            self.predictor.close()
        await self.arrivals.settled()
        drain_s = max(0.0, self.launch.drain_s - ENDING_S)
        self.loop.call_later(max(0.0, drain_s - LAST_LINE_S), self.predictor.streams.stop)
        cut = await self.departures.drain(drain_s)
        if cut:
            say(f"the drain took too long: {cut} connections were cut", level="warning")
        await self.batcher.close()
        if self.recorder is not None:
            await self.recorder.end()
        if self.launch.keys_from and not await self.usage.end():
            say("the object store took no last word of what was used", level="warning")
        await close_all(self.loaded)
        if self.control is not None:
            self.control.read()
            self.control.send(self.reports.stats(time.monotonic()))
            self.control.send({"t": "drained"})
            await self.control.sent()
        return Exit.OK


async def serve(launch: Launch, inherited: Inherited) -> Exit:
    """Load, warm, serve; gives the exit code."""
    about(tenant=launch.tenant, endpoint=launch.endpoint)
    try:
        loaded = await load_all(launch, inherited.phases)
    except BadArtifact as error:
        tell(f"cannot serve: {error}")
        return Exit.BAD_PLAN
    # What is there now stays for the whole life, so the collector need not look at it again.
    gc.freeze()
    gc.enable()
    keep_freed()
    return await Worker(launch, inherited, loaded).serve()


def run(launch: Launch, inherited: Inherited) -> Exit:
    """Run a worker on a loop of its own."""
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(serve(launch, inherited))
