"""What the replicas of an endpoint wrote: merged by time, followed over restarts and new pods."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Final

from controlplane.engines.engine import LogLine
from controlplane.engines.knative import cluster as kube
from controlplane.engines.knative.cluster import Cluster
from controlplane.engines.knative.names import Document
from controlplane.engines.knative.streams import Stream
from runtime.lines import spoken
from runtime.problems import EngineUnavailable, Problem

CONTAINER: Final = "runtime"
QUEUE: Final = 10_000
LOOK_S: Final = 1.0


async def follow(
    cluster: Cluster, namespace: str, selector: str, *, tail: int, following: bool
) -> AsyncIterator[LogLine]:
    """Give the last lines of all pods in order of time, then what they write from now on."""
    pods = await _pods(cluster, namespace, selector)
    batches = await asyncio.gather(*(_last(cluster, namespace, pod, tail) for pod in pods))
    # Once each: of a container that is down, the last log and the one before are the same.
    found = {(line.at, line.replica, line.text): line for batch in batches for line in batch}
    lines = sorted(found.values(), key=lambda line: line.at)
    newest: dict[str, datetime] = {}
    for line in lines[max(0, len(lines) - tail) :]:
        newest[line.replica] = line.at
        yield line
    if following:
        async for line in _Following(cluster, namespace, selector, newest).lines():
            yield line


async def _pods(cluster: Cluster, namespace: str, selector: str) -> list[Document]:
    found, _ = await asyncio.to_thread(cluster.list, kube.POD, namespace, selector)
    return found


async def _last(cluster: Cluster, namespace: str, pod: Document, tail: int) -> list[LogLine]:
    lines: list[LogLine] = []
    # What a container wrote before it was restarted is what one looks for after a crash.
    for previous in (True, False) if _restarts(pod) else (False,):
        lines += await asyncio.to_thread(_read, cluster, namespace, pod, tail, previous)
    return lines


def _read(
    cluster: Cluster, namespace: str, pod: Document, tail: int, previous: bool
) -> list[LogLine]:
    name = pod["metadata"]["name"]
    try:
        text = cluster.logs(namespace, name, CONTAINER, tail=tail, previous=previous)
        return [line for raw in text if (line := parsed(raw, name))]
    except EngineUnavailable:
        raise
    except Problem:
        return []  # a container that has not started yet has no log


def _restarts(pod: Document) -> int:
    states = (pod.get("status") or {}).get("containerStatuses") or ()
    return sum(int(s.get("restartCount", 0)) for s in states if s.get("name") == CONTAINER)


def parsed(raw: str, replica: str) -> LogLine | None:
    """Split the time that the kubelet puts in front of each line; None for what has none."""
    at, _, text = raw.partition(" ")
    try:
        # Nanoseconds, of which Python keeps six digits.
        whole, _, fraction = at.rstrip("Z").partition(".")
        moment = datetime.fromisoformat(f"{whole}.{fraction[:6]:0<6}").replace(tzinfo=UTC)
    except ValueError:
        return None
    return LogLine(moment, replica, *spoken(text))


class _Following:
    """One reader a running container; new pods and restarts get theirs within a second."""

    def __init__(
        self, cluster: Cluster, namespace: str, selector: str, newest: dict[str, datetime]
    ) -> None:
        self._cluster, self._namespace, self._selector = cluster, namespace, selector
        self._newest = newest
        self._queue: asyncio.Queue[LogLine] = asyncio.Queue(QUEUE)
        self._readers: dict[tuple[str, int], asyncio.Task[None]] = {}

    async def lines(self) -> AsyncIterator[LogLine]:
        looking = asyncio.create_task(self._look())
        try:
            while True:
                line = await self._queue.get()
                if line.at > self._newest.get(line.replica, datetime.min.replace(tzinfo=UTC)):
                    self._newest[line.replica] = line.at
                    yield line
        finally:
            for task in (looking, *self._readers.values()):
                task.cancel()

    async def _look(self) -> None:
        while True:
            with contextlib.suppress(EngineUnavailable):  # it may be back at the next look
                for pod in await _pods(self._cluster, self._namespace, self._selector):
                    key = (pod["metadata"]["name"], _restarts(pod))
                    reader = self._readers.get(key)
                    if reader is None or (reader.done() and _running(pod)):
                        self._readers[key] = asyncio.create_task(self._pump(key[0]))
            await asyncio.sleep(LOOK_S)

    async def _pump(self, pod: str) -> None:
        text = Stream(
            lambda: self._cluster.logs(self._namespace, pod, CONTAINER, tail=1000, follow=True)
        )
        with contextlib.suppress(Problem):  # gone, or not started yet: the next look decides
            async for raw in text:
                line = parsed(raw, pod)
                if line is not None:
                    await self._queue.put(line)


def _running(pod: Document) -> bool:
    return bool((pod.get("status") or {}).get("phase") == "Running")
