"""Which endpoints the engine names as changed, also of what no watch saw."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from controlplane.artifacts.folder import FolderStore
from controlplane.engines.knative import engine, names
from controlplane.engines.knative.engine import KnativeEngine
from controlplane.engines.knative.names import Document


def service(endpoint: str, version: str) -> Document:
    """Give the metadata of one endpoint's KService."""
    return {"metadata": {"labels": {names.ENDPOINT: endpoint}, "resourceVersion": version}}


class Watched:
    """Lists and watches one after the other, each as it was written down."""

    def __init__(self, *turns: tuple[list[Document], list[tuple[str, Document]]]) -> None:
        self.turns = iter(turns)
        self.events: list[tuple[str, Document]] = []

    def list(self, *_: object, **__: object) -> tuple[list[Document], str]:
        found, self.events = next(self.turns)
        return found, "1"

    def watch(self, *_: object, **__: object) -> Iterator[tuple[str, Document]]:
        yield from self.events


async def test_what_changed_between_two_watches_is_named(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(engine, "WATCH_AGAIN_S", 0.0)
    changed = ("MODIFIED", service("b", "3"))
    gone = ("DELETED", service("c", "4"))
    cluster = Watched(
        ([service("a", "1"), service("b", "2"), service("c", "2")], [changed, gone]),
        # In between: d came, a went; b is as the watch said, and c is known to be gone.
        ([service("b", "3"), service("d", "5")], [("ADDED", service("e", "6"))]),
    )
    made = KnativeEngine(cluster, FolderStore(tmp_path), None, None)  # type: ignore[arg-type]
    named = made.changes()
    assert {await anext(named) for _ in range(3)} == {"a", "b", "c"}
    assert [await anext(named) for _ in range(2)] == ["b", "c"]
    assert {await anext(named) for _ in range(2)} == {"a", "d"}
    assert await anext(named) == "e"
