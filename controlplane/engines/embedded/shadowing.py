"""One endpoint's shadow: a process beside its workers that compares two of its revisions.

Workers write copies of requests to one end of a datagram socket, the shadow reads the other. What
it does not read in time is dropped by them, so it may be slow, hang or die.
"""

import os
import socket
import uuid
from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Any, Final

from controlplane.engines.embedded.channel import Packet
from controlplane.engines.embedded.forker import Exited, Forker
from controlplane.engines.embedded.logs import EndpointLog
from controlplane.engines.embedded.wire import LocalEndpoint
from controlplane.engines.embedded.words import trouble_of
from controlplane.engines.embedded.worker import Worker
from controlplane.engines.engine import Compared, DesiredShadow, summed
from runtime.launch import Launch, RevisionLaunch

END_WITHIN_S: Final = 5.0
START_WITHIN_S: Final = 120.0
MOST_DEATHS: Final = 3
BUFFER_BYTES: Final = 1024 * 1024


class Shadowing:
    """The shadow of one endpoint, or none; an `Owner` of its process."""

    def __init__(self, forker: Forker, log: EndpointLog) -> None:
        self._forker, self._log = forker, log
        self._wanted: DesiredShadow | None = None
        self._pair: tuple[RevisionLaunch, ...] = ()
        self._process: Worker | None = None
        self._ends: tuple[socket.socket, socket.socket] | None = None
        self._now = self._ended = Compared("")
        self._deaths = 0

    @property
    def compared(self) -> Compared | None:
        """Tell how the two differ so far; None: nothing is compared."""
        return None if self._wanted is None else summed(self._ended, self._now)

    def follow(
        self, serving: LocalEndpoint, launch: Callable[[], Launch], workers: Iterable[Worker]
    ) -> None:
        """Run what is wanted beside the workers that are ready; without any there is none."""
        wanted, pair = serving.shadow, _pair(serving)
        if wanted != self._wanted or [*map(_unrouted, pair)] != [*map(_unrouted, self._pair)]:
            self._end()
            self._wanted, self._pair, self._deaths = wanted, pair, 0
            self._now, self._ended = Compared(""), Compared(uuid.uuid4().hex)
        ready = [*workers]
        if not ready:
            self._end()
        elif wanted is not None and self._process is None and self._deaths < MOST_DEATHS:
            self._start(serving, launch(), wanted)
            for worker in ready:
                self.join(worker)

    def join(self, worker: Worker) -> None:
        """Have a worker that is ready send copies too."""
        if self._ends is not None and self._wanted is not None:
            packet = {
                "t": "shadow", "revision": self._wanted.running, "share": self._wanted.share
            }  # fmt: skip
            worker.copy_to(packet, os.dup(self._ends[0].fileno()))

    def told_by(self, stats: Packet) -> None:
        """Count what a worker could not copy."""
        if self._wanted is not None and (missed := int(stats.get("not_copied", 0))):
            self._ended = replace(self._ended, not_copied=self._ended.not_copied + missed)

    def close(self) -> None:
        """End it for good."""
        self._end()
        self._wanted = None

    def _start(self, serving: LocalEndpoint, launch: Launch, wanted: DesiredShadow) -> None:
        ends = self._ends = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
        ends[0].setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, BUFFER_BYTES)
        name = f"{serving.name}-shadow"
        process = Worker(name, f"{serving.id}/{name}-{uuid.uuid4().hex[:8]}", 0, self, self._forker)
        told = launch._replace(
            revisions=tuple(
                one._replace(percent=100 * (one.name == wanted.running)) for one in self._pair
            ),
            compares=f"{wanted.running} {wanted.candidate}",
            payloads="",
        )
        self._process = process
        process.kill_after(START_WITHIN_S)
        process.start(told, ends[1], self._log, None)

    def _end(self) -> None:
        process, self._process = self._process, None
        if process is not None:
            process.drain(END_WITHIN_S)
        if self._ends is not None:
            for end in self._ends:
                end.close()
            self._ends = None
        self._ended, self._now = summed(self._ended, self._now), Compared("")

    # What its process says

    def on_ready(self, worker: Worker) -> None:
        """Let it live."""
        worker.cancel_kill()

    def on_first_answer(self, phases: dict[str, float], total: float) -> None:
        """Nothing: it answers nobody."""

    def on_stats(self, worker: Worker, packet: Packet) -> None:
        """Take its counts, which are those of its life."""
        if worker is self._process:
            self._now = compared_from({"source": "", **packet["compared"]})

    def on_parked(self, worker: Worker, descriptors: list[int]) -> None:  # noqa: ARG002
        """Close what it should not have."""
        for descriptor in descriptors:
            os.close(descriptor)

    def on_end(self, worker: Worker, how: Exited) -> None:
        """Keep what it counted; another one is started with the next look, three times."""
        if worker is not self._process:
            return
        self._end()
        self._deaths += 1
        trouble = trouble_of(how, 0, was_ready=worker.was_ready)
        if self._deaths >= MOST_DEATHS and trouble is not None:
            self._ended = replace(self._ended, trouble=trouble.message)


def _pair(serving: LocalEndpoint) -> tuple[RevisionLaunch, ...]:
    if serving.shadow is None:
        return ()
    both = (serving.shadow.running, serving.shadow.candidate)
    return tuple(one for one in serving.revisions if one.name in both)


def _unrouted(revision: RevisionLaunch) -> RevisionLaunch:
    """Give a revision but for its share of the traffic, which changes while it is compared."""
    return revision._replace(percent=0, tag=None)


def compared_from(document: dict[str, Any]) -> Compared:
    """Read counts as a shadow, or the supervisor, tells them."""
    return Compared(**{**document, "worst": tuple(document["worst"])})
