"""The shadow of a rollout: a process that answers copies of requests with both revisions.

It has the lowest priority the kernel knows, reads from a socket that workers write to and never
wait for, and is nobody's server: that it is slow, fails or dies changes no caller's answer.
"""

import asyncio
import os
import socket
from collections.abc import Sequence
from typing import Any, Final, cast

import uvloop

from runtime.backend import LocalBackend, RemoteBackend
from runtime.codecs.request import Call
from runtime.comparing import Comparison
from runtime.compute import Results, checked
from runtime.control import Control, Packet
from runtime.last_words import tell
from runtime.launch import Backend, Exit, Launch, RevisionLaunch
from runtime.lines import about, say
from runtime.loading import BadArtifact, close_all, load_all
from runtime.plan.ops import InputRefused
from runtime.problems import InvalidInput, Malformed
from runtime.sampling import MOST_BYTES, unpacked
from runtime.server import Inherited

TELL_EVERY_S: Final = 1.0
MOST_READ: Final = MOST_BYTES + 4096
REFUSALS: Final = (InvalidInput, Malformed, InputRefused)


class Side:
    """One of the two revisions."""

    def __init__(self, launch: RevisionLaunch, backend: LocalBackend | RemoteBackend) -> None:
        self.name, self.signature = launch.name, backend.signature
        self._remote, self._backend = launch.backend is Backend.FALLBACK, backend

    async def answer(self, call: Call, outputs: Sequence[str]) -> Results:
        """Give some outputs; raises what the model raises."""
        found = {}
        for name in outputs:
            if self._remote:
                array = await cast("RemoteBackend", self._backend).run(name, call.inputs)
            else:
                array = cast("LocalBackend", self._backend).run(name, call.inputs)
            found[name] = checked(array, call.rows)
        return found


class Shadow:
    """Compares what comes until it is told to stop."""

    def __init__(self, launch: Launch, running: Side, candidate: Side) -> None:
        self._running, self._candidate = running, candidate
        self._max_rows = launch.max_rows
        self.comparison = Comparison(running.signature, candidate.signature)

    async def take(self, packet: bytes) -> None:
        """Compare one request; what the running revision cannot answer tells nothing."""
        decode, body = unpacked(packet)
        try:
            call = decode(body, self._running.signature, max_rows=self._max_rows)
            usual = await self._running.answer(call, self.comparison.outputs)
        except Exception:  # noqa: BLE001  (its caller has been told what was wrong)
            return
        if not call.rows:
            return
        try:
            same = decode(body, self._candidate.signature, max_rows=self._max_rows)
            other = await self._candidate.answer(same, self.comparison.outputs)
        except Exception as error:  # noqa: BLE001  (a model may raise anything; it is counted)
            self.comparison.unanswered(call.rows, refused=isinstance(error, REFUSALS))
            return
        self.comparison.add(call.inputs, usual, other)


async def _serve(launch: Launch, inherited: Inherited) -> Exit:
    loop, stopping = asyncio.get_running_loop(), asyncio.Event()
    try:
        loaded = await load_all(launch, inherited.phases)
    except BadArtifact as error:
        tell(f"cannot compare: {error}")
        return Exit.BAD_PLAN
    sides = {revision.name: Side(revision, backend) for revision, backend in loaded}
    running, candidate = (sides[name] for name in launch.compares.split(" "))
    shadow = Shadow(launch, running, candidate)
    if inherited.control is None:
        raise ValueError("a shadow has a supervisor")

    def on_packet(packet: Packet, descriptors: list[int]) -> None:
        for descriptor in descriptors:
            os.close(descriptor)
        if packet.get("t") == "drain":
            stopping.set()

    control = Control(loop, inherited.control, on_packet, lambda: os._exit(Exit.SUPERVISOR_GONE))
    control.send({"t": "ready", "phases": dict(inherited.phases.ms)})
    say(f"comparing {candidate.name} with {running.name}")
    jobs = [
        loop.create_task(_read(inherited.listener, shadow)),
        loop.create_task(_report(control, shadow)),
    ]
    stopped = loop.create_task(stopping.wait())
    await asyncio.wait([*jobs, stopped], return_when=asyncio.FIRST_COMPLETED)
    for job in jobs:
        if job.done():
            job.result()  # without end: that it ended is a fault
        job.cancel()
    await close_all(loaded)
    control.send(_told(shadow))
    await control.sent()
    return Exit.OK


async def _read(sock: socket.socket, shadow: Shadow) -> None:
    loop = asyncio.get_running_loop()
    sock.setblocking(False)
    while True:
        await shadow.take(await loop.sock_recv(sock, MOST_READ))


async def _report(control: Control, shadow: Shadow) -> None:
    while True:
        await asyncio.sleep(TELL_EVERY_S)
        control.send(_told(shadow))


def _told(shadow: Shadow) -> dict[str, Any]:
    return {"t": "stats", "compared": shadow.comparison.to_json()}


def run(launch: Launch, inherited: Inherited) -> Exit:
    """Run a shadow on a loop of its own."""
    # What it does not get of the processor shows as requests that were dropped, nowhere else.
    about(tenant=launch.tenant, endpoint=launch.endpoint)
    os.sched_setscheduler(0, os.SCHED_IDLE, os.sched_param(0))
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(_serve(launch, inherited))
