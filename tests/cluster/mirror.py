"""A copy of one kind of Kubernetes object in memory, kept by a watch."""

import json
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any, Final

import urllib3
from kubernetes import client, watch

Json = dict[str, Any]
Named = tuple[str, str]  # namespace, name
RELIST_S: Final = 300


class Mirror:
    """A local copy of one kind of object, kept by a watch; each change sets an event."""

    def __init__(self, list_call: Callable[..., Any], changed: threading.Event) -> None:
        # Wrapped: the watch reads a function's docstring, and would make model objects of events.
        self._list = lambda **given: list_call(**given)
        self._changed = changed
        self.objects: dict[Named, Json] = {}
        self._listed = threading.Event()

    def start(self) -> None:
        """Keep the copy from now on, in a thread; returns when it is complete."""
        threading.Thread(target=self._run, daemon=True).start()
        self._listed.wait()

    def _run(self) -> None:
        """List and watch for ever; a broken watch starts with a new list."""
        while True:
            try:
                for kind, found in self._events():
                    meta = found["metadata"]
                    name = meta.get("namespace", ""), meta["name"]
                    if kind == "DELETED":
                        self.objects.pop(name, None)
                    else:
                        self.objects[name] = found
                    self._changed.set()
            except (client.ApiException, urllib3.exceptions.HTTPError) as error:
                print(f"watch: {error!r}", flush=True)
                time.sleep(0.5)  # the API server is away

    def _events(self) -> Iterator[tuple[str, Json]]:
        raw = json.loads(self._list(_preload_content=False).data)
        self.objects = {
            (item["metadata"].get("namespace", ""), item["metadata"]["name"]): item
            for item in raw["items"]
        }
        self._listed.set()
        self._changed.set()
        version = raw["metadata"]["resourceVersion"]
        stream = watch.Watch().stream(
            self._list, resource_version=version, timeout_seconds=RELIST_S
        )
        for event in stream:
            yield event["type"], event["raw_object"]
