"""From raw results to lines: what is compared with what, and what is said beside it."""

import json

import numpy as np
import pytest

from loadtests.benchmarks import cores, http, payloads, peers, start


def run(rps: float, **more: float) -> dict[str, float]:
    return {"rps": rps, "p50_us": 100.0, "p99_us": 200.0, "cpu_us": 1e6 / rps} | more


def over_http(ours: float, ceiling: float, generator: str = "wrk"):
    runs = {
        http.OURS: [run(ours)],
        http.FLOOR: [run(10_000.0)],
        http.NAIVE: [run(1_000.0)],
        http.TUNED: [run(2_000.0)],
        http.CEILING: [run(ceiling)],
    }
    return {"generator": generator, "runs": {str(c): runs for c in http.CONNECTIONS}}


def test_http_is_held_against_uvicorn_and_fastapi():
    lines = http.rows(over_http(30_000.0, 100_000.0))
    assert [line.met for line in lines] == [True, True, True, False, None]
    assert [line.figure[:3] for line in lines[3:]] == ["30 ", "15 "]
    assert "30,000 against 10,000" in lines[0].note
    assert "generator-bound" not in lines[0].note


@pytest.mark.parametrize(("ours", "bound"), [(81_000.0, True), (79_000.0, False)])
def test_a_rate_near_the_generators_limit_is_marked(ours, bound):
    assert ("generator-bound" in http.rows(over_http(ours, 100_000.0))[0].note) is bound


def test_it_is_said_when_wrk_could_not_be_had():
    assert "driven by Python" in http.rows(over_http(30_000.0, 100_000.0, "python"))[0].note


def test_payloads_are_held_against_prediction_and_request():
    runs = {
        payloads.OURS: [run(900.0)],
        payloads.READS: [run(2_000.0)],  # 500 us
        payloads.PREDICT: [{"us": 500.0, "cpu_us": 500.0}],
    }
    (line,) = payloads.rows({"runs": {"a body": runs}, "skipped": {}})
    assert (line.figure, line.met) == ("90 %", True)
    assert "900 of 1,000" in line.note


def test_a_skipped_payload_is_a_line_with_the_reason():
    (line,) = payloads.rows({"runs": {}, "skipped": {"binary": "not listed"}})
    assert (line.what, line.figure, line.met, line.note) == (
        "binary",
        "skipped",
        None,
        "not listed",
    )


def test_a_binary_request_says_where_its_parts_end():
    rows = np.arange(6.0).reshape(3, 2)
    request = payloads.binary(1, "iris", rows, {})
    end = int(request.headers["inference-header-content-length"])
    head, raw = json.loads(request.body[:end]), request.body[end:]
    assert end % 8 == 0
    assert head["inputs"][0]["shape"] == [3, 2]
    assert head["inputs"][0]["parameters"] == {"binary_data_size": len(raw)}
    assert np.frombuffer(raw, "<f8").tolist() == rows.ravel().tolist()


def test_peers_are_told_with_their_versions_and_those_missing_with_the_reason():
    runs = {"1": {peers.OURS: [run(1_000.0)], "MLServer": [run(100.0)]}}
    raw = {
        "peers": {"MLServer": {"versions": {"mlserver": "1.7.1"}, "runs": runs}},
        "without": {"KServe": "no wheel"},
    }
    one, other = peers.rows(raw)
    assert one.what == "requests/s against MLServer (mlserver 1.7.1), 1 connection, 1 row"
    assert one.figure.startswith("10 ")
    assert (other.what, other.figure, other.note) == ("KServe", "not compared", "no wheel")


def test_starts_are_held_against_an_import_of_numpy():
    forked = {"ms": [14.0], "cpu_ms": [8.0], "phases": [{"load": 1.0}], "memory": [{"uss_mb": 7.0}]}
    sides = {start.OURS: [190.0], start.NUMPY: [100.0]}
    loads = {
        "ms": {"thorough": [3.0], "load": [0.5], "read": [0.2], "build": [0.2]},
        "size_bytes": 960,
    }
    raw = {
        "process": {
            "ms": sides,
            "cpu_ms": sides,
            "phases": [{"import": 100.0, "total": 190.0}],
            "memory": [{"rss_mb": 60.0}],
        },
        "zygote": {f"small model, {start.FORK}": forked, f"500 trees, {start.FORK}": forked},
        "load": {"small model": loads},
    }
    assert [line.met for line in start.rows(raw)] == [True, True, True, False, True]


def on_cores(seconds: float, late: float):
    small = {
        f"{name}, {what}, ms": 1.0 for name in (cores.ROW, cores.READY) for what in ("median",)
    }
    late_ms = {
        f"{name}, {what}, ms": late
        for name in (cores.ROW, cores.READY)
        for what in ("p99", "worst")
    }
    return {"s": seconds} | small | late_ms


def test_a_large_call_is_compared_over_cores_and_small_ones_held_to_a_limit():
    runs = {cores.ONE: [on_cores(4.0, 120.0)], cores.TWO: [on_cores(2.0, 30.0)]}
    gain, row, ready = cores.rows({"runs": runs})
    assert (gain.figure, gain.met) == ("2 \N{MULTIPLICATION SIGN}", None)
    assert (row.figure, row.met, ready.met) == ("120 ms", False, False)
    assert "on two cores 30 ms" in row.note


def test_one_core_alone_is_said():
    (line,) = cores.rows({"skipped": "this machine has one core"})
    assert (line.figure, line.note) == ("skipped", "this machine has one core")
