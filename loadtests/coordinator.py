"""Runs a test: starts generators, hands them their jobs, watches, stops them, and sums up.

It sends no load itself: what it does meanwhile (asking the API, writing) makes no request late.
"""

# What gevent replaces is taken before it is.
import loadtests.generator  # noqa: F401  # isort: skip

import contextlib
import os
import subprocess
import sys
from collections import deque
from collections.abc import Callable, Iterator
from pathlib import Path
from socket import socket
from typing import Any, Final

import gevent
from locust.env import Environment
from locust.runners import MasterRunner
from locust.stats import (
    CSV_STATS_INTERVAL_SEC,
    PERCENTILES_TO_REPORT,
    RequestStats,
    StatsCSVFileWriter,
)

from controlplane.client import ApiError, ClientError
from loadtests import jobs
from loadtests.counting import book
from loadtests.evaluating import (
    Stretch,
    evidence,
    interval_s,
    missed_after_s,
    phase_result,
    step_holds,
    stretches,
    within,
    woken,
)
from loadtests.histogram import quantile_s
from loadtests.jobs import Job
from loadtests.plan import Plan
from loadtests.recording import Interval, summed
from loadtests.result import PhaseResult, Woken
from loadtests.shapes import Knee, Wake, at
from loadtests.slo import Evidence
from loadtests.target import Source, Target
from loadtests.users import USERS
from loadtests.watching import DELETED, Watch, wait_for_zero, wall

WORKERS_WITHIN_S: Final = 120.0
ELSEWHERE_WITHIN_S: Final = 600.0  # a node may have to come first
LEAD_S: Final = 1.0  # between the jobs and the start, so that all generators are there
TURN_S: Final = 0.05
TOLD_EVERY_S: Final = 1.0
GRACE_S: Final = 5.0  # beyond the load and the time-out of its last request
BOOKED_WITHIN_S: Final = 2.5  # what a generator has sent is told at the next second
GRACEFUL_S: Final = 5.0

Tell = Callable[[dict[str, Any]], None]


class NoGenerators(RuntimeError):
    """Generators did not come; the message says how many did."""


class Run:
    """One test while it runs. `where`: HOST:PORT for generators elsewhere; None: they are here."""

    def __init__(
        self,
        plan: Plan,
        target: Target,
        client: Source,
        folder: Path,
        tell: Tell,
        where: str | None,
    ) -> None:
        self.plan, self.target = plan, target
        self._client, self._folder, self._tell, self._where = client, folder, tell, where
        self.missed_after = missed_after_s(plan.objectives)
        self.each = interval_s(plan)
        self.stretches = stretches(plan.shape.phases())
        self.ends = self.stretches[-1].end if self.stretches else 0.0
        self.intervals: dict[int, Interval] = {}
        self.wakes: list[Woken] = []
        self.steps: list[PhaseResult] = []
        self.cut: str | None = None
        self.notes: list[str] = []
        self.start = 0.0
        self.watch: Watch | None = None
        self._inbox: deque[tuple[str, dict[str, Any]]] = deque()
        self._done: set[int] = set()
        self._refused = False
        self._token = ""
        self._told_at = 0.0
        self._interrupted = False
        self._stats: RequestStats | None = None

    def interrupt(self) -> None:
        """End the test early; what was measured is kept."""
        self._interrupted = True

    def run(self) -> None:
        """Run it to its end; raises NoGenerators, KeyboardInterrupt, and the SDK's errors."""
        self._token = self._client.token(self.plan.endpoint)
        with self._master() as (environment, runner), self._workers(runner):
            with self._csv(environment):
                self._hand_out(runner)
                self.watch = Watch(self._client, self.target.endpoint, self.start)
                # One too many gets a user as well, without a job: Locust would choose others.
                came = len(runner.clients.ready)
                runner.start(came, spawn_rate=came)
                try:
                    if isinstance(self.plan.shape, Wake):
                        self._wake(runner, self.plan.shape)
                    else:
                        self._offer(runner)
                finally:
                    self._halt(runner)
                    self.watch.close()
            if self.watch.silent:
                self.notes.append(
                    f"The control plane did not answer {self.watch.silent} looks at the endpoint."
                )

    @contextlib.contextmanager
    def _master(self) -> Iterator[tuple[Environment, MasterRunner]]:
        environment = Environment(user_classes=[USERS[self.plan.format]], catch_exceptions=False)
        host, port = "127.0.0.1", _free_port()
        if self._where is not None:
            host, _, text = self._where.rpartition(":")
            port = int(text)
        runner = environment.create_master_runner(host, port)
        for kind in (jobs.BOOKED, jobs.FAILED):
            runner.register_message(kind, self._listener(kind))
        self._port, self._stats = port, environment.stats
        try:
            yield environment, runner
        finally:
            runner.quit()

    def _listener(self, kind: str) -> Any:
        def take(environment: Environment, msg: Any) -> None:  # noqa: ARG001  (Locust names them)
            self._inbox.append((kind, msg.data))

        return take

    @contextlib.contextmanager
    def _workers(self, runner: MasterRunner) -> Iterator[None]:
        """Start generators here, or wait for those elsewhere."""
        with contextlib.ExitStack() as stack:
            started = list[subprocess.Popen[bytes]]()
            if self._where is None:
                log = stack.enter_context((self._folder / "generators.log").open("ab"))
                started += [
                    stack.enter_context(_generator(self._port, log))
                    for _ in range(self.plan.processes)
                ]
            else:
                self._tell({"event": "waiting", "for": self.plan.processes, "at": self._where})
            within_s = WORKERS_WITHIN_S if self._where is None else ELSEWHERE_WITHIN_S
            until = wall() + within_s
            while len(runner.clients.ready) < self.plan.processes:
                if self._interrupted:
                    raise KeyboardInterrupt
                if wall() > until or any(one.poll() is not None for one in started):
                    raise NoGenerators(
                        f"{len(runner.clients.ready)} of {self.plan.processes} generators came"
                        f" within {within_s:g} s{self._log_named(started)}"
                    )
                gevent.sleep(TURN_S)
            yield

    def _log_named(self, started: list[subprocess.Popen[bytes]]) -> str:
        return f"; see {self._folder / 'generators.log'}" if started else ""

    @contextlib.contextmanager
    def _csv(self, environment: Environment) -> Iterator[None]:
        """Have Locust write its CSV files."""
        writer = StatsCSVFileWriter(
            environment, PERCENTILES_TO_REPORT, str(self._folder / "locust"), full_history=True
        )
        greenlet = gevent.spawn(writer)
        try:
            yield
        finally:
            gevent.sleep(2 * CSV_STATS_INTERVAL_SEC)  # it has written all by then
            greenlet.kill()
            writer.close_files()

    def _hand_out(self, runner: MasterRunner) -> None:
        plan, target = self.plan, self.target
        self.start = wall() + (LEAD_S if self.ends else 0.0)
        chosen = list(runner.clients.ready)[: plan.processes]
        for worker, client in enumerate(chosen):
            job = Job(
                worker=worker,
                workers=plan.processes,
                host=target.host,
                port=target.port,
                tls=target.tls,
                name=target.name,
                path=target.path,
                format=plan.format,
                ready=target.ready,
                token=self._token,
                phases=plan.shape.phases(),
                arrivals=plan.arrivals,
                seed=plan.seed,
                connections=plan.connections // plan.processes,
                timeout_s=plan.timeout,
                missed_s=self.missed_after,
                interval_s=self.each,
                ends_s=self.ends or float("inf"),
                starts_at=self.start,
            )
            runner.send_message(jobs.JOB, job.to_message(), client.id)

    def _offer(self, runner: MasterRunner) -> None:
        until = self.start + self.ends + self.plan.timeout + GRACE_S
        while len(self._done) < self.plan.processes and self.cut is None:
            self._turn(runner)
            if wall() > until:
                self.cut = "a generator did not end in time"
            if isinstance(self.plan.shape, Knee) and self._knee_found():
                return
        if isinstance(self.plan.shape, Knee) and self.cut is None:
            self._knee_found(all_told=True)

    def _wake(self, runner: MasterRunner, shape: Wake) -> None:
        for number in range(shape.times):
            self._tell({"event": "waiting", "for": "zero", "at": number + 1, "of": shape.times})
            because = wait_for_zero(
                self._client, self.plan.endpoint, shape.zero_within, lambda: self._turned(runner)
            )
            if because is not None:
                self.cut = self.cut or because
                return
            began = wall()
            runner.send_message(jobs.BURST, {"number": number, "size": shape.burst})
            until = began + self.plan.timeout + GRACE_S
            while self.cut is None and self._burst(number).sent < shape.burst:
                self._turn(runner)
                if wall() > until:
                    self.cut = "a generator did not answer for a burst"
            self.wakes.append(woken(began - self.start, self._burst(number)))

    def _burst(self, number: int) -> Interval:
        return self.intervals.get(number) or Interval()

    def _turned(self, runner: MasterRunner) -> str | None:
        self._turn(runner)
        return self.cut

    def _turn(self, runner: MasterRunner) -> None:
        """Let the others run, tell, then take what has come and see to what has changed."""
        gevent.sleep(TURN_S)
        now = wall()
        if now - self._told_at >= TOLD_EVERY_S:
            self._told_at = now
            self._renew(runner)
            self._progress(now - self.start)
        # Last, since the API may have been slow: who waits for this has its own patience.
        while self._inbox:
            self._take(*self._inbox.popleft())
        if self._interrupted:
            self.cut = "it was interrupted"
        elif self.watch is not None and self.watch.gone:
            self.cut = DELETED
        elif len(runner.clients) - len(runner.clients.missing) < self.plan.processes:
            self.cut = "a generator was lost"

    def _take(self, kind: str, data: dict[str, Any]) -> None:
        if kind == jobs.FAILED:
            self.cut = f"a generator failed: {data['because']}"
            return
        for place, message in data["intervals"]:
            interval = Interval.from_message(message)
            self.intervals.setdefault(int(place), Interval()).add(interval)
            if self._stats is not None:
                book(self._stats, self.target.path, interval)
        self._refused = self._refused or data["refused"] > 0
        if data["done"]:
            self._done.add(int(data["worker"]))

    def _renew(self, runner: MasterRunner) -> None:
        """Hand out another token in time, or where this one was refused."""
        refused = self._token if self._refused else None
        self._refused = False
        try:
            token = self._client.token(self.plan.endpoint, refused=refused)
        except ClientError as error:
            # The control plane may be away for a moment; what is refused meanwhile is counted.
            missing = isinstance(error, ApiError) and error.status == 404
            note = f"No new token: {error}"
            if not missing and note not in self.notes:
                self.notes.append(note)
            return
        if token != self._token:
            self._token = token
            runner.send_message(jobs.TOKEN, {"token": token})

    def _progress(self, moment: float) -> None:
        """Tell how it goes: the last whole second that generators have told of."""
        place = int(moment / self.each - BOOKED_WITHIN_S)
        last = self.intervals.get(max(self.intervals, default=0) if not self.ends else place)
        scale = self.watch.scale[-1] if self.watch is not None and self.watch.scale else None
        shown = (
            self.stretches[at(self.plan.shape.phases(), moment)].phase.name if self.ends else "wake"
        )
        told: dict[str, Any] = {
            "event": "progress",
            "at_s": round(max(moment, 0.0), 1),
            "of_s": self.ends or None,
            "phase": shown,
            "sent": sum(one.sent for one in self.intervals.values()),
            "errors": sum(one.sent - one.good for one in self.intervals.values()),
            "replicas": scale.ready if scale else None,
            "desired": scale.desired if scale else None,
        }
        if last is not None:
            told["rate"] = last.sent / self.each
            for name, share in (("p50", 0.5), ("p95", 0.95), ("p99", 0.99)):
                value = quantile_s(last.latency, share)
                told[f"{name}_ms"] = None if value is None else 1e3 * value
        self._tell(told)

    def _knee_found(self, *, all_told: bool = False) -> bool:
        """Judge each step that is over; True behind the first one that does not hold.

        all_told  the generators have told of all they sent
        """
        while len(self.steps) < len(self.stretches):
            stretch = self.stretches[len(self.steps)]
            if not all_told and wall() - self.start < stretch.end + BOOKED_WITHIN_S:
                return False
            self.steps.append(self._judged(stretch))
            if not self.steps[-1].holds:
                return True
        return False

    def _judged(self, stretch: Stretch) -> PhaseResult:
        first = self.stretches[0]
        before = None if stretch == first else self.of_step(first)
        seen = self.of_step(stretch)
        holds, because = step_holds(self.plan.objectives, before, seen, stretch.phase.requests)
        result = phase_result(stretch, self.intervals, self.each)
        told = {"holds": holds, "because": because, "limited": list(seen.limited)}
        return result.model_copy(update=told)

    def of_step(self, stretch: Stretch) -> Evidence:
        """Give the evidence of one step."""
        return evidence(
            within(self.intervals, self.each, stretch.begin, stretch.end),
            stretch.phase.start,
            self.missed_after,
            cut=self.cut,
        )

    def _halt(self, runner: MasterRunner) -> None:
        """Stop the generators and take what they have not told yet."""
        runner.send_message(jobs.HALT, {})
        until = wall() + self.plan.timeout + GRACE_S
        while len(self._done) < self.plan.processes and wall() < until:
            gevent.sleep(TURN_S)
            while self._inbox:
                self._take(*self._inbox.popleft())
            if self.cut == "a generator was lost":
                return

    @property
    def total(self) -> Interval:
        """Give the sums of all intervals."""
        return summed(self.intervals)


@contextlib.contextmanager
def _generator(port: int, log: Any) -> Iterator[subprocess.Popen[bytes]]:
    """Run a generator here; it ends with us."""
    process = subprocess.Popen(
        [sys.executable, "-m", "loadtests", "worker", f"127.0.0.1:{port}", "--while-stdin"],
        stdin=subprocess.PIPE,
        stdout=log,
        stderr=subprocess.STDOUT,
        env=os.environ.copy(),
    )
    try:
        yield process
    finally:
        if process.stdin is not None:
            process.stdin.close()
        try:
            process.wait(GRACEFUL_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _free_port() -> int:
    with socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
