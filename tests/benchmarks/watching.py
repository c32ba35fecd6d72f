"""What happens to objects and when, as a watch tells it: their own times are whole seconds."""

import json
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from types import TracebackType

from tests.cluster.build import binary
from tests.cluster.kube import Cluster, Json

SELECTOR = "serving.knative.dev/service"  # the label of a service's pods
Seen = Callable[[str, Json], None]


class Watch:
    """Follows `kubectl get --watch` in a thread; `seen(type, object)` is called with each event."""

    def __init__(self, cluster: Cluster, seen: Seen, *arguments: str) -> None:
        command = [str(binary("kubectl")), "get", "--watch", "--output-watch-events", "-o", "json"]
        self._process = subprocess.Popen(
            [*command, *arguments], env=cluster.environment, stdout=subprocess.PIPE, text=True
        )
        self._changed = threading.Condition()
        self._seen = seen
        self._thread = threading.Thread(target=self._follow, daemon=True)

    def __enter__(self) -> "Watch":
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._process.terminate()
        self._process.wait()
        self._thread.join()

    def until(self, holds: Callable[[], bool], what: str, within_s: float) -> None:
        """Wait until what was seen makes a condition true."""
        with self._changed:
            if not self._changed.wait_for(holds, within_s):
                raise TimeoutError(f"{what}: not within {within_s:g} s")

    def _follow(self) -> None:
        assert self._process.stdout is not None
        for event in documents(self._process.stdout):
            with self._changed:
                self._seen(event["type"], event["object"])
                self._changed.notify_all()


def documents(lines: Iterator[str]) -> Iterator[Json]:
    """Split a stream of JSON documents, each of one line or of many."""
    decoder, text = json.JSONDecoder(), ""
    for line in lines:
        text += line
        if not line.startswith("}") and not text.startswith('{"'):
            continue
        try:
            document, end = decoder.raw_decode(text)
        except ValueError:
            continue
        text = text[end:].lstrip()
        yield document


def conditions(thing: Json) -> dict[str, str]:
    """Give the conditions of an object: type to status."""
    found = thing.get("status", {}).get("conditions", [])
    return {one["type"]: one["status"] for one in found}


class Pods:
    """When each pod got how far, in seconds of the monotonic clock."""

    def __init__(self) -> None:
        self.steps: dict[str, dict[str, float]] = {}
        self.services: dict[str, str] = {}
        self.alive: set[str] = set()

    def seen(self, kind: str, pod: Json) -> None:
        """Take an event of a watch."""
        now, name = time.monotonic(), pod["metadata"]["name"]
        if kind == "DELETED" or "deletionTimestamp" in pod["metadata"]:
            # It takes no requests any more; its queue-proxy lingers for 30 s doing nothing.
            self.alive.discard(name)
            return
        self.alive.add(name)
        self.services[name] = pod["metadata"]["labels"].get(SELECTOR, "")
        steps = self.steps.setdefault(name, {})
        held = conditions(pod)
        states = pod.get("status", {}).get("containerStatuses", [])
        reached = {
            "created": True,
            "scheduled": held.get("PodScheduled") == "True",
            "started": bool(states) and all("running" in one["state"] for one in states),
            "ready": held.get("Ready") == "True",
        }
        for step in (step for step, there in reached.items() if there):
            steps.setdefault(step, now)

    def of(self, service: str) -> list[str]:
        """Name the pods there are of a service."""
        return [name for name in self.alive if self.services[name] == service]
