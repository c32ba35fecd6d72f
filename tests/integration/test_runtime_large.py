"""A worker that computes for seconds: others are answered meanwhile, and the end waits for it."""

import select
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import numpy as np
import pytest
from sklearn.datasets import make_classification
from sklearn.ensemble import RandomForestClassifier

from runtime.launch import Exit, RevisionLaunch
from runtime.plan import Plan, load
from tests.integration.runtime_rig import Served, digest_of, plan_of, serving
from tests.integration.test_runtime_http import Wire

ROWS: Final = 12_000
COLUMNS: Final = 10


@pytest.fixture(scope="module")
def forest(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A forest whose plan says, as a build would, that a row takes a tenth of a millisecond."""
    x, y = make_classification(1000, COLUMNS, n_informative=6, n_classes=3, random_state=0)
    fitted = RandomForestClassifier(500, random_state=0).fit(x, y)
    names = [f"x{i}" for i in range(COLUMNS)]
    path = tmp_path_factory.mktemp("forest") / "forest.plan"
    return plan_of(path, fitted, names, cost=(500.0, 100.0))


@pytest.fixture
def worker(tmp_path: Path, forest: Path) -> Iterator[Served]:
    revision = RevisionLaunch("iris-00001", "iris", 1, str(forest), digest_of(forest))
    with serving(tmp_path, revisions=(revision,), max_rows=ROWS) as worker:
        yield worker


@pytest.fixture(scope="module")
def plan(forest: Path) -> Plan:
    return load(forest)


@pytest.fixture(scope="module")
def rows() -> "np.ndarray[Any, np.dtype[np.float64]]":
    # Few digits, so that the body stays below its limit.
    return np.random.default_rng(0).normal(size=(ROWS, COLUMNS)).round(2)


def is_answered(wire: Wire) -> bool:
    return bool(select.select([wire.sock], [], [], 0)[0])


def test_small_requests_health_and_metrics_are_answered_while_a_large_one_is_computed(
    worker: Served, plan: Plan, rows: Any
) -> None:
    one = rows[:1].tolist()
    expected = plan.run("predict", rows[:1]).tolist()
    with Wire(worker) as large, Wire(worker) as small:
        large.sock.settimeout(120)
        large.send(large.request(rows.tolist()))
        rounds = 0
        while not is_answered(large):
            small.send(small.request(one))
            status, _, answer = small.answer()
            assert (status, answer["predictions"]) == (200, expected)
            assert worker.ask("/livez")[0] == 200
            assert worker.ask("/readyz")[0] == 200
            assert worker.ask("/metrics")[0] == 200
            rounds += not is_answered(large)
        status, _, answer = large.answer()
        assert status == 200
        assert answer["predictions"] == plan.run("predict", rows).tolist()
        # Of these rounds each was begun and ended while the large request was on its way.
        assert rounds >= 2


def test_a_large_request_is_answered_before_the_worker_ends(
    worker: Served, plan: Plan, rows: Any
) -> None:
    with Wire(worker) as large, Wire(worker) as small:
        large.sock.settimeout(120)
        large.send(large.request(rows.tolist()))
        small.send(small.request(rows[:1].tolist()))
        assert small.answer()[0] == 200
        worker.process.send_signal(signal.SIGTERM)
        status, headers, answer = large.answer()
        assert (status, headers["connection"]) == (200, "close")
        assert answer["predictions"] == plan.run("predict", rows).tolist()
        assert worker.process.wait(20) == Exit.OK


def test_a_client_that_leaves_amid_its_large_request_costs_no_more_than_the_pieces_begun(
    worker: Served, rows: Any
) -> None:
    with Wire(worker) as large:
        large.send(large.request(rows.tolist()))
        assert worker.ask("/livez")[0] == 200
    with Wire(worker) as other:
        other.sock.settimeout(60)
        # Waits for the first, of which no more is begun, and is cut itself.
        other.send(other.request(rows[:500].tolist()))
        status, _, answer = other.answer()
        assert (status, len(answer["predictions"])) == (200, 500)
    assert worker.stop() == Exit.OK
