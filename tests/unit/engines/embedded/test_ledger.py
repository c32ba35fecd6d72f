"""The supervisor's memory: whole after any death, of use without what may be lost."""

import itertools
import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from controlplane.engines.embedded.ledger import Entry, Ledger, LedgerError, PortsExhausted
from controlplane.engines.embedded.metering import Meter
from controlplane.engines.engine import Condition, EndpointId, Scaling
from tests.unit.engines.embedded import ledger_crashes
from tests.unit.engines.embedded.ledger_crashes import ID, NEW, OLD, PORTS, REVISION, begin, opened

OTHER = EndpointId("0f6f6a0e-58f8-4b40-8f0d-6d6a3b0f5a11")


@pytest.fixture(scope="module")
def crashes(tmp_path_factory):
    """What was left after each of some hundred deaths, by what was done and how it died."""
    done = subprocess.run(
        [sys.executable, "-m", ledger_crashes.__name__, str(tmp_path_factory.mktemp("ledger"))],
        cwd=Path(__file__).parents[4],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    return {(line["act"], line["arm"]): line["left"] for line in lines}


METER = json.dumps(Meter(requests=7).to_json()).encode()
METERED = b'{"meter": %b, "transitions": {}}'
BEFORE = [[1, 18100, True, 5, ["Ready"]]]
AFTER = {
    "replaced": [[2, 18100, True, 5, ["Ready"]]],
    "counted": [[1, 18100, True, 6, ["Ready"]]],
    "forgotten": [],
}


@pytest.mark.parametrize(
    ("act", "arm", "least"),
    [
        ("replaced", "at_line", 10),
        ("replaced", "at_byte", 10),
        ("counted", "at_line", 10),
        ("counted", "at_byte", 2),
        ("forgotten", "at_line", 5),
    ],
)
def test_killed_at_any_line_or_byte_it_is_the_old_or_the_new(crashes, act, arm, least):
    left = crashes[act, arm]
    assert len(left) > least
    # The old one, then from one moment on the new one, and nothing else at any time.
    assert [kind for kind, _ in itertools.groupby(left)] == [BEFORE, AFTER[act]]


def test_what_is_saved_is_read_back_equal(tmp_path):
    full = replace(
        NEW,
        scaling=Scaling(min_scale=1, max_scale=7, metric="rps", target=12.5, window_s=6),
        container_concurrency=3,
        revisions=(REVISION._replace(percent=90), REVISION._replace(percent=10, tag="new")),
    )
    entry = Entry(full, 18103, OLD, meter=Meter(requests=3, starts=2, busy_s=1.5))
    entry.turned("Ready", Condition.UNKNOWN)
    ledger = Ledger(tmp_path, PORTS)
    ledger.load()
    ledger.save(entry)
    ledger.save_history(entry)
    assert opened(tmp_path).entries == {ID: entry}
    assert opened(tmp_path).entries[ID].meter.source == entry.meter.source


def test_what_a_death_left_lying_about_goes_with_the_next_start(tmp_path):
    begin(tmp_path)
    whole = set(tmp_path.iterdir())
    (tmp_path / f".{ID}.json.4711").write_text("half")
    (tmp_path / f".{ID}.history").write_text("half")
    (tmp_path / f"{OTHER}.history").write_text("of one that was forgotten")
    opened(tmp_path)
    assert set(tmp_path.iterdir()) == whole


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\0" * 4096,
        b"\xff\xfe",
        b"[]",
        b"null",
        b'{"meter": 7',
        b'{"meter": 7}',
        b'{"meter": {"source": "a"}, "transitions": {}}',
        METERED % b'{"source": "a", "requests": null}',
        METERED % b"[]",
        b'{"meter": %b, "transitions": []}' % METER,
        b'{"meter": %b, "transitions": {"Ready": ["Perhaps", "now"]}}' % METER,
        b'{"meter": %b, "transitions": {"Ready": ["True", 5]}}' % METER,
        None,
    ],
)
def test_a_history_that_is_lost_or_damaged_begins_anew_and_the_endpoint_is_whole(tmp_path, content):
    begin(tmp_path)
    history = tmp_path / f"{ID}.history"
    if content is None:
        history.unlink()
    else:
        history.write_bytes(content)
    assert opened(tmp_path).entries == {ID: Entry(OLD, 18100, OLD)}


@pytest.mark.parametrize(
    "content",
    [
        "",
        "[]",
        "null",
        '{"version": 1}',
        '{"version": 2}',
        '{"version": 2, "proven": null, "port": "x", "desired": {}}',
        '{"version": 2, "proven": null, "port": 18100, "desired": []}',
        '{"version": 2, "proven": null, "port": 18100, "desired": {"id": "../etc"}}',
    ],
)
def test_an_entry_that_cannot_be_read_stops_the_start_and_says_what_to_do(tmp_path, content):
    begin(tmp_path)
    path = tmp_path / f"{ID}.json"
    path.write_text(content)
    with pytest.raises(LedgerError, match="move it away and deploy again") as caught:
        opened(tmp_path)
    assert str(path) in str(caught.value)


def test_forgetting_leaves_nothing_and_twice_is_once(tmp_path):
    ledger = begin(tmp_path)
    for _ in range(2):
        ledger.forget(ID)
        assert (ledger.entries, list(tmp_path.iterdir())) == ({}, [])
    assert opened(tmp_path).entries == {}


def test_a_port_belongs_to_one_endpoint_until_it_is_forgotten(tmp_path):
    ledger = begin(tmp_path)
    assert ledger.free_port(lambda port: port != 18101) == 18102
    ledger.ports = range(18100, 18101)
    with pytest.raises(PortsExhausted, match="KUBESERVE_PORTS"):
        ledger.free_port(lambda _: True)
    ledger.forget(ID)
    assert ledger.free_port(lambda _: True) == 18100


def test_only_a_change_of_status_is_a_transition(tmp_path):
    entry = begin(tmp_path).entries[ID]
    since = entry.transitions["Ready"]
    assert not entry.turned("Ready", Condition.TRUE)
    assert entry.transitions["Ready"] is since
    assert entry.turned("Ready", Condition.FALSE)
    assert entry.transitions["Ready"].at >= since.at


def test_files_of_the_newest_and_of_the_last_that_worked_are_kept(tmp_path):
    ledger = begin(tmp_path)
    newer = REVISION._replace(artifact="cache/b.plan", signature="cache/b.json")
    ledger.save(Entry(replace(NEW, revisions=(newer,)), 18100, OLD))
    assert opened(tmp_path).files() == {"cache/a.plan", "cache/b.plan", "cache/b.json"}


def test_only_the_owner_reads_it(tmp_path):
    opened(tmp_path / "new")
    assert (tmp_path / "new").stat().st_mode & 0o777 == 0o700
    begin(tmp_path / "new")
    assert (tmp_path / "new" / f"{ID}.json").stat().st_mode & 0o777 == 0o600
