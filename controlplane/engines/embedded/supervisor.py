"""The supervisor process: one loop for every endpoint's socket, worker and parked connection."""

import asyncio
import ctypes
import json
import os
import resource
import signal
import socket
import sys
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from controlplane.engines.embedded.control import ControlServer
from controlplane.engines.embedded.door import is_free
from controlplane.engines.embedded.forker import ZYGOTE, Forker
from controlplane.engines.embedded.keys import KeysFiles
from controlplane.engines.embedded.ledger import Entry, Ledger
from controlplane.engines.embedded.observing import metrics, observe
from controlplane.engines.embedded.pool import Pool, Surroundings
from controlplane.engines.embedded.shares import Shares
from controlplane.engines.embedded.wire import LocalEndpoint
from controlplane.engines.engine import EndpointId, Metered, ObservedEndpoint
from controlplane.engines.history import unknown
from controlplane.engines.metrics import EndpointMetrics
from controlplane.files import write_durably
from runtime.consumption import behind, shared_out_bytes
from runtime.lines import say

TICK_S = 1.0
SAVE_AFTER_S = 0.2
SAVE_EVERY = 10  # ticks between two notes of the counters of a busy endpoint
ENGINE = "engine"
PAYLOADS = "payloads"


class Supervisor:
    """All pools, and what the control socket may ask of them."""

    def __init__(self, home: Path, ports: range, zygote: tuple[str, ...] = ZYGOTE) -> None:
        self._folder = home / ENGINE
        for folder in (self._folder, self._folder / "logs", self._folder / "plans"):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.keys = KeysFiles(self._folder)
        self.ledger = Ledger(self._folder / "endpoints", ports)
        self.pools: dict[EndpointId, Pool] = {}
        self.rerouted: set[asyncio.Event] = set()  # whoever follows the routes
        self.forker = Forker(zygote)
        self._limits_file, self._shares = self._folder / "limits.json", Shares()
        self._around = Surroundings(
            forker=self.forker,
            keys_of=self.keys.of,
            logs=self._folder / "logs",
            payloads=self._folder / PAYLOADS,
            shares=self._shares,
            changed=self._changed,
            proved=self._has_proved,
            busy=self._busy,
        )
        self._ticking: set[Pool] = set()
        self._ticks = 0
        self._tick: asyncio.TimerHandle | None = None
        self._unsaved: dict[Pool, bool] = {}  # True: to be made durable
        self._save: asyncio.TimerHandle | None = None
        self.control = ControlServer(self._folder / "supervisor.sock", self)

    async def start(self) -> None:
        """Restore every endpoint of the ledger on its port, at zero, and answer the socket."""
        self.ledger.load()
        self.keys.open()
        if self._limits_file.exists():
            self._shares.set(json.loads(self._limits_file.read_text()))
        self.forker.start()
        for entry in self.ledger.entries.values():
            self._open(entry)
        await self.control.start()

    async def stop(self) -> None:
        """Save and end; workers see the end of file and the zygote its own."""
        await self.control.stop()
        for pool in self.pools.values():
            pool.count()
            self._unsaved.setdefault(pool, False)
        self._save_now()
        for pool in self.pools.values():
            pool.close()
        self.forker.close()

    def _open(self, entry: Entry) -> Pool:
        pool = Pool(entry, self._around)
        self.pools[entry.desired.id] = pool
        pool.open()
        return pool

    # What the control socket asks

    def apply(self, desired: LocalEndpoint) -> None:
        """Take over a desired state: on disk before anything acts on it."""
        entry = self.ledger.entries.get(desired.id)
        if entry is None:
            entry = Entry(desired, self.ledger.free_port(is_free))
            self.ledger.save(entry)
            self._open(entry)
            self._reroute()
            return
        if entry.desired == desired:
            return
        if desired.generation < entry.desired.generation:
            return  # an old state that arrives late
        before, entry.desired = entry.desired, desired
        try:
            self.ledger.save(entry)
        except OSError:
            entry.desired = before
            raise
        self.pools[desired.id].apply(desired)
        self._reroute()

    def observe(self, endpoint: str | None) -> list[ObservedEndpoint]:
        """Tell one endpoint or all."""
        pools = [p for i, p in self.pools.items() if endpoint in (None, i)]
        return [observe(pool) for pool in pools]

    def usage(self) -> list[Metered]:
        """Tell what each endpoint used; on disk before it is told, so it never counts twice."""
        for pool in self.pools.values():
            if pool.workers:
                pool.count()
                self._unsaved.setdefault(pool, False)
        self._save_now()
        return [
            pool.entry.meter.read(key)
            for key, pool in self.pools.items()
            if pool not in self._unsaved
        ]

    def measures(self, endpoint: str) -> dict[str, Any]:
        """Tell what each revision of an endpoint answered, and how those of a shadow differ."""
        pool = self.pools.get(EndpointId(endpoint))
        compared = None if pool is None else pool.shadowing.compared
        return {
            "measures": [] if pool is None else [pool.measures.to_json()],
            "compared": [] if compared is None else [asdict(compared)],
        }

    def decisions(self, endpoint: str) -> list[dict[str, Any]]:
        """Tell what the autoscaler of an endpoint saw and decided lately."""
        pool = self.pools.get(EndpointId(endpoint))
        zero_at = datetime.now(UTC).timestamp() - time.monotonic()
        return [] if pool is None else pool.decisions.to_json(zero_at)

    def series(self, endpoint: str, minutes: int) -> dict[str, Any]:
        """Tell what was measured of an endpoint in the last minutes."""
        pool = self.pools.get(EndpointId(endpoint))
        now = datetime.now(UTC).timestamp()
        return asdict(unknown(now, minutes) if pool is None else pool.history.series(now, minutes))

    async def metrics(self) -> AsyncIterator[EndpointMetrics]:
        """Tell what Prometheus is shown of each endpoint; others go on between two of them."""
        for key, pool in tuple(self.pools.items()):
            pids = [worker.pid for worker in pool.workers.values() if worker.pid is not None]
            # In a thread: the kernel walks all pages of a process, which takes a millisecond.
            memory_bytes = await asyncio.to_thread(_memory_of, pids) if pids else 0
            if key in self.pools:
                yield metrics(pool, memory_bytes)
            await asyncio.sleep(0)

    def delete(self, endpoint: str) -> None:
        """Forget an endpoint; nothing there is success."""
        key = EndpointId(endpoint)
        self.ledger.forget(key)
        pool = self.pools.pop(key, None)
        if pool is not None:
            pool.close()
            pool.log.remove()
            self._ticking.discard(pool)
            self._unsaved.pop(pool, None)
        self._reroute()

    def routes(self) -> list[dict[str, Any]]:
        """Tell a gateway where each endpoint is."""
        return [
            {
                "tenant": entry.desired.tenant,
                "name": entry.desired.name,
                "port": entry.port,
                "timeout_s": entry.desired.timeout_s,
            }
            for entry in self.ledger.entries.values()
        ]

    def _reroute(self) -> None:
        for changed in self.rerouted:
            changed.set()

    def files(self) -> set[str]:
        """Name every file that workers may open; no other one is needed."""
        return self.ledger.files()

    def publish_keys(self, document: str, tenants: Mapping[str, str]) -> None:
        """Replace the keys files of workers, and have them read at once what changed."""
        if self.keys.publish(document, tenants):
            for pool in self.pools.values():
                pool.look_at_keys()

    def publish_limits(self, document: dict[str, Any]) -> None:
        """Take how many workers each tenant may have; remembered for the next start."""
        self._shares.set(document)
        write_durably(self._limits_file, json.dumps(document).encode())

    # The shared tick: it exists only while an endpoint is not at zero

    def _busy(self, pool: Pool) -> None:
        self._ticking.add(pool)
        if self._tick is None:
            self._tick = asyncio.get_running_loop().call_later(TICK_S, self._on_tick)

    def _on_tick(self) -> None:
        now = time.monotonic_ns()
        self._ticks += 1
        for pool in tuple(self._ticking):
            if pool.closed or not pool.tick(now):
                self._ticking.discard(pool)
            elif self._ticks % SAVE_EVERY == 0:
                self._changed(pool)
        self._tick = None
        if self._ticking:
            self._tick = asyncio.get_running_loop().call_later(TICK_S, self._on_tick)

    # What pools want written down: together, and not while a request waits for the loop

    def _changed(self, pool: Pool) -> None:
        self._unsaved.setdefault(pool, False)
        self._save_soon()

    def _has_proved(self, pool: Pool) -> None:
        self._unsaved[pool] = True
        self._save_soon()

    def _save_soon(self) -> None:
        if self._save is None:
            self._save = asyncio.get_running_loop().call_later(SAVE_AFTER_S, self._save_now)

    def _save_now(self) -> None:
        if self._save is not None:
            self._save.cancel()
            self._save = None
        unsaved, self._unsaved = self._unsaved, {}
        for pool, durably in unsaved.items():
            try:
                if durably:
                    self.ledger.save(pool.entry)
                self.ledger.save_history(pool.entry)
            except OSError as error:
                # What is acknowledged is on disk already; these follow with the next change.
                said = {"tenant": pool.entry.desired.tenant, "endpoint": pool.entry.desired.name}
                say(
                    f"it could not be noted: {error}",
                    level="error",
                    logger="kubeserve.supervisor",
                    **said,
                )
                self._unsaved[pool] = durably


def _memory_of(pids: Sequence[int]) -> int:
    return sum(shared_out_bytes(one) for pid in pids for one in behind(pid))


def ports_from(text: str) -> range:
    """Read KUBESERVE_PORTS, "18100-18999"."""
    try:
        low, high = (int(part) for part in text.split("-"))
        if not 1024 <= low <= high <= 65535:
            raise ValueError
    except ValueError:
        raise SystemExit(
            f"KUBESERVE_PORTS is {text!r}; it must be like 18100-18999, within 1024-65535"
        ) from None
    return range(low, high + 1)


async def _run(home: Path, ports: range, zygote: tuple[str, ...]) -> None:
    supervisor = Supervisor(home, ports, zygote)
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))  # a parked connection is one each
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    await supervisor.start()
    await stop.wait()
    await supervisor.stop()


def main(home: Path, ports: range | None = None, zygote: tuple[str, ...] = ZYGOTE) -> None:
    """Run until told to stop; ends with the process that started it."""
    ctypes.CDLL(None).prctl(1, signal.SIGKILL, 0, 0, 0)  # PR_SET_PDEATHSIG
    if ports is None:
        ports = ports_from(os.environ.get("KUBESERVE_PORTS", "18100-18999"))
    with suppress(KeyboardInterrupt):
        asyncio.run(_run(home, ports, zygote))


def is_running(path: Path) -> bool:
    """Tell whether a supervisor answers on a control socket."""
    with socket.socket(socket.AF_UNIX) as probe:
        try:
            probe.connect(str(path))
        except OSError:
            return False
    return True


if __name__ == "__main__":
    main(Path(sys.argv[1]))
