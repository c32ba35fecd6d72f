"""Warm windows on Knative: which PodAutoscalers are written, and that others are left alone."""

from pathlib import Path
from typing import Any

import pytest

from controlplane.artifacts.folder import FolderStore
from controlplane.engines.engine import Scaling
from controlplane.engines.knative import cluster as kube
from controlplane.engines.knative import render
from controlplane.engines.knative.engine import KnativeEngine
from tests.unit.engines.knative.desired import INSTALL, endpoint, revision

MIN_SCALE = "autoscaling.knative.dev/min-scale"
TWO = (revision(1, percent=90), revision(2, percent=10))
CASES = {
    "never had a window": ((revision(),), Scaling(), None, ["0"]),
    "none is open": ((revision(),), Scaling(min_scale=1), 0, ["1"]),
    "one is open": ((revision(),), Scaling(), 2, ["2"]),
    "it wants less than there is": ((revision(),), Scaling(min_scale=3), 2, ["3"]),
    "no more than there may be": ((revision(),), Scaling(max_scale=2), 5, ["2"]),
    "of two the main one": (TWO, Scaling(min_scale=1), 3, ["3", "1"]),
    "one with a tag alone": ((revision(1), revision(2, percent=0, tag="new")), Scaling(min_scale=1),
                             2, ["2", "0"]),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_replicas_of_each_revision(case: str) -> None:
    revisions, scaling, warm, expected = CASES[case]
    wanted = endpoint(*revisions, scaling=scaling, warm=warm)
    rendered = render.revisions(wanted, INSTALL)
    assert [render.least(wanted, one)[MIN_SCALE] for one in rendered] == expected


def test_a_window_changes_no_template() -> None:
    cold, warm = endpoint(warm=None), endpoint(warm=3)
    assert render.revisions(cold, INSTALL) == render.revisions(warm, INSTALL)


class Autoscalers:
    """PodAutoscalers with their annotations; remembers what was written."""

    owned = "app=ours"

    def __init__(self, **annotated: str) -> None:
        self.annotated, self.written = annotated, list[tuple[str, dict[str, str]]]()

    def get(self, kind: kube.Kind, namespace: str, name: str, **_: Any) -> Any:
        assert (kind, namespace) == (kube.POD_AUTOSCALER, "acme")
        if name not in self.annotated:
            return None
        return {"metadata": {"name": name, "annotations": {MIN_SCALE: self.annotated[name]}}}

    def annotate(
        self, kind: kube.Kind, namespace: str, name: str, annotations: dict[str, str]
    ) -> None:
        self.written.append((name, annotations))
        self.annotated[name] = annotations[MIN_SCALE]


async def test_only_what_differs_is_written_and_what_is_not_there_waits(tmp_path: Path) -> None:
    wanted = endpoint(*TWO, warm=2)
    main, other = rendered = render.revisions(wanted, INSTALL)
    cluster = Autoscalers(**{main.name: "0"})
    made: Any = KnativeEngine(cluster, FolderStore(tmp_path), None, INSTALL)  # type: ignore[arg-type]
    for _ in range(2):
        await made._keep_warm(wanted, rendered)
    assert cluster.written == [(main.name, {MIN_SCALE: "2"})]
    cluster.annotated[other.name] = "0"
    await made._keep_warm(endpoint(*TWO, warm=0), rendered)
    assert cluster.written[1:] == [(main.name, {MIN_SCALE: "0"})]
