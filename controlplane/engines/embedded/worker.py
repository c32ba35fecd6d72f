"""One worker process as the supervisor sees it, from the fork to its end."""

import asyncio
import os
import socket
import time
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol

from controlplane.engines.embedded.channel import MAX_DESCRIPTORS, Channel, Packet
from controlplane.engines.embedded.forker import Exited, Forker
from controlplane.engines.embedded.logs import EndpointLog, LineReader
from runtime.launch import Launch

UNSEEN_END_S = 2.0


class State(StrEnum):
    STARTING = "starting"
    READY = "ready"
    DRAINING = "draining"
    ENDED = "ended"


class Owner(Protocol):
    """What happens to a worker matters to its endpoint."""

    def on_ready(self, worker: "Worker") -> None: ...
    def on_first_answer(self, phases: dict[str, float], total: float) -> None: ...
    def on_stats(self, worker: "Worker", packet: Packet) -> None: ...
    def on_parked(self, worker: "Worker", descriptors: list[int]) -> None: ...
    def on_end(self, worker: "Worker", how: Exited) -> None: ...


@dataclass(slots=True)
class Worker:
    """One process.

    name        as logs show it; two tenants' endpoints may be called alike, and their workers too
    key         by which the zygote knows it, unique in the supervisor
    generation  of the desired state that it serves
    """

    name: str
    key: str
    generation: int
    owner: Owner
    forker: Forker
    state: State = State.STARTING
    was_ready: bool = False
    drained: bool = False
    ready_at: float = 0.0
    concurrency: float = 0.0
    pid: int | None = None
    connections: int = 0
    in_flight: int = 0
    running: int = 0
    streams_open: int = 0
    phases: dict[str, float] = field(default_factory=dict)
    _channel: Channel | None = None
    _lines: LineReader | None = None
    _timer: asyncio.TimerHandle | None = None
    _asked: float = 0.0
    _awaited: bool = False

    def start(
        self, launch: Launch, listener: socket.socket, log: EndpointLog, first_byte: float | None
    ) -> None:
        """Fork it; the answer comes later, as `on_ready` or `on_end`."""
        self._asked, self._awaited = time.monotonic(), first_byte is not None
        try:
            descriptors = self._connect(listener, log)
        except OSError as error:
            how = Exited(None, None, f"the supervisor has no means for it ({error.strerror})")
            asyncio.get_running_loop().call_soon(self._finish, how)
            return
        self.forker.fork(
            self.key, launch.to_env(), descriptors, first_byte, self._forked, self._exited
        )

    def _connect(self, listener: socket.socket, log: EndpointLog) -> list[int]:
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._channel = Channel(ours, self._packet, self._eof)
        with theirs:
            self._lines = LineReader(log, self.name)
            try:
                listening = os.dup(listener.fileno())
            except OSError:
                os.close(self._lines.write_end)
                raise
            return [listening, theirs.detach(), self._lines.write_end]

    def adopt(self, descriptors: list[int]) -> None:
        """Give it connections to serve."""
        for at in range(0, len(descriptors), MAX_DESCRIPTORS):
            part = descriptors[at : at + MAX_DESCRIPTORS]
            if self._channel is None or not self._channel.send({"t": "adopt"}, part):
                self.owner.on_parked(self, part)

    def shed(self, count: int) -> None:
        """Ask for `count` connections back as they become idle."""
        if self._channel is not None:
            self._channel.send({"t": "shed", "count": count})

    def look_at_keys(self) -> None:
        """Tell it that the keys file changed."""
        if self._channel is not None:
            self._channel.send({"t": "keys"})

    def copy_to(self, packet: Packet, descriptor: int) -> None:
        """Have it send copies of requests to a socket, which is its own from now on."""
        if self._channel is None or not self._channel.send(packet, [descriptor]):
            os.close(descriptor)

    def drain(self, within_s: float) -> None:
        """Let it answer what it read and park the rest; killed if it takes longer than allowed."""
        if self.state in (State.DRAINING, State.ENDED):
            return
        self.state, self.drained = State.DRAINING, True
        if self._channel is not None:
            self._channel.send({"t": "drain"})
        self.kill_after(within_s)

    def kill_after(self, seconds: float) -> None:
        """Kill it unless it ended or `cancel_kill` came first."""
        self.cancel_kill()
        self._timer = asyncio.get_running_loop().call_later(seconds, self.kill)

    def cancel_kill(self) -> None:
        """Let it live: it did in time what it was asked."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def kill(self) -> None:
        """End it at once; at end of file it exits, should the signal not reach it."""
        self.forker.kill(self.key)

    def _forked(self, pid: int) -> None:
        self.pid = pid
        self.phases["fork"] = (time.monotonic() - self._asked) * 1000

    def _packet(self, packet: Packet, descriptors: list[int]) -> None:
        kind = packet.get("t")
        if kind == "park":
            self.owner.on_parked(self, descriptors)
            return
        for descriptor in descriptors:
            os.close(descriptor)
        if kind == "ready" and self.state is State.STARTING:
            self.state, self.was_ready = State.READY, True
            self.phases.update(packet.get("phases", {}))
            self.owner.on_ready(self)
        elif kind == "first_answer" and self._awaited:
            # Started by a deploy, it waited for its first caller; that is no cold start.
            phases = {**self.phases, **packet.get("phases", {})}
            self.owner.on_first_answer(phases, float(packet.get("total", 0.0)))
        elif kind == "stats":
            self.connections = int(packet.get("connections", 0))
            self.in_flight = int(packet.get("in_flight", 0))
            self.running = int(packet.get("running", 0))
            self.streams_open = int(packet.get("streams_open", 0))
            self.owner.on_stats(self, packet)

    def _eof(self, unsent: list[int]) -> None:
        self._channel = None
        if unsent:
            self.owner.on_parked(self, unsent)
        if self.state is State.ENDED:
            return
        if not self.forker.will_tell(self.key):
            self._finish(Exited(None, None))
            return
        # Its exit code follows from the zygote a moment later.
        loop = asyncio.get_running_loop()
        loop.call_later(UNSEEN_END_S, self._finish, Exited(None, None))

    def _exited(self, how: Exited) -> None:
        if self._channel is not None:
            # Connections that it parked before it ended are still in the channel.
            self._channel.read()
        self._finish(how)

    def _finish(self, how: Exited) -> None:
        if self.state is State.ENDED:
            return
        self.state = State.ENDED
        self.cancel_kill()
        self.forker.forget(self.key)
        if self._channel is not None:
            self._channel.close()
        if self._lines is not None:
            self._lines.finish()
        self.owner.on_end(self, how)
