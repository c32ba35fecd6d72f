"""From what was booked and watched to what reports say."""

import json
from collections import Counter
from xml.etree import ElementTree

import numpy as np
import pytest

from loadtests.evaluating import (
    evidence,
    limited,
    missed_after_s,
    phase_result,
    points,
    scale_ups,
    step_holds,
    stretches,
    within,
    woken,
)
from loadtests.histogram import counted, to_pairs
from loadtests.plan import PlanError
from loadtests.recording import Interval, summed
from loadtests.reports import compare, junit, page, write
from loadtests.result import (
    Generated,
    Latencies,
    Result,
    Scale,
    Started,
    Totals,
)
from loadtests.shapes import Phase
from loadtests.slo import Objectives, bounds_s, judge, overall

STEADY = (Phase("steady", 10, 100, 100),)


def interval(count=100, took=0.02, **more) -> Interval:
    counts = counted(np.full(count, took))
    sums = {"sent": count, "good": count, "in_time": count, "busy_s": 0.1, "wall_s": 1.0}
    return Interval(counts, counts.copy(), **{**sums, **more})


def test_intervals_travel_and_add_up():
    one = interval(errors=Counter({"HTTP 503": 2}), queued=3, missed=1)
    read = Interval.from_message(json.loads(json.dumps(one.to_message())))
    total = summed({0: one, 1: read})
    assert (total.sent, total.queued, total.missed, total.wall_s) == (200, 6, 2, 2.0)
    assert total.errors == {"HTTP 503": 4}
    assert (total.latency == 2 * one.latency).all()


def test_a_request_may_be_late_by_a_part_of_the_tightest_limit():
    assert missed_after_s(Objectives(p50="20ms", p95="100ms")) == pytest.approx(0.005)
    assert missed_after_s(Objectives(p50="1ms")) == 0.001
    assert missed_after_s(Objectives(error_rate=0)) == 0.01


@pytest.mark.parametrize(
    ("booked", "said"),
    [
        pytest.param([interval()] * 10, None, id="at ease"),
        pytest.param([interval(missed=5)] * 10, None, id="few late"),
        pytest.param([interval(missed=6)] * 10, "6% of the requests", id="many late"),
        pytest.param([interval(busy_s=0.95)] * 2 + [interval()] * 8, "in 20%", id="busy"),
        pytest.param([interval(busy_s=0.95)] + [interval()] * 9, None, id="busy for a moment"),
        pytest.param([], None, id="nothing sent"),
    ],
)
def test_the_generator_was_the_limit(booked, said):
    found = limited(booked, 0.005)
    assert said in found[0] if said else found == ()


def test_a_step_holds_or_says_why_not():
    objectives = Objectives(p95="30ms")
    first = evidence({0: interval()}, 100, 0.01)
    assert step_holds(objectives, None, first, due=100) == (True, "holds")
    slow = evidence({0: interval(took=0.2)}, 100, 0.01)
    assert step_holds(objectives, first, slow, due=100) == (False, "p95 failed")
    assert step_holds(Objectives(), first, slow, due=100)[1] == (
        "p95 is more than 5 times that of the first step"
    )
    behind = evidence({0: interval(count=50)}, 100, 0.01)
    assert "50 of about 100" in step_holds(objectives, first, behind, due=100)[1]
    late = evidence({0: interval(missed=50)}, 100, 0.01)
    assert "late" in step_holds(objectives, first, late, due=100)[1]


def test_points_have_rates_and_quantiles():
    booked = {0: interval(), 1: interval(count=50, good=40), 9: interval(count=0)}
    first, second = points(booked, STEADY, 1.0)
    assert (first.at, first.wanted, first.good, first.busy) == (0, 100, 100, 0.1)
    assert (second.sent, second.bad) == (50, 10)
    assert first.p95 == pytest.approx(0.02, rel=0.01)


def test_a_phase_has_its_intervals():
    two = stretches((Phase("a", 2, 1, 1), Phase("b", 3, 5, 5)))
    booked = {place: interval(count=place + 1) for place in range(5)}
    assert sorted(within(booked, 1.0, two[1].begin, two[1].end)) == [2, 3, 4]
    assert phase_result(two[0], booked, 1.0).sent == 3
    assert (two[1].begin, two[1].end) == (2, 5)


def scaled(*seen: tuple[float, int, int]) -> list[Scale]:
    return [Scale(at=at, ready=ready, desired=wanted, concurrency=0) for at, ready, wanted in seen]


def test_a_scale_up_lasts_from_the_rise_until_all_are_there():
    phases = (Phase("rest", 5, 10, 10), Phase("peak", 10, 200, 200), Phase("rest", 5, 10, 10))
    seen = scaled((0, 1, 1), (5.2, 1, 1), (7, 1, 3), (8, 2, 3), (9.5, 3, 3), (16, 3, 3))
    (found,) = scale_ups(phases, seen)
    assert (found.at, found.before, found.after, found.seconds) == (5, 1, 3, pytest.approx(4.5))
    (never,) = scale_ups(phases, scaled((6, 1, 1), (7, 1, 3), (14, 2, 3)))
    assert never.seconds is None
    assert scale_ups(phases, scaled((0, 1, 1), (6, 1, 1))) == []
    assert scale_ups((), seen) == []


def test_a_burst_without_a_good_answer_woke_nobody():
    burst = woken(3.0, interval(count=5, took=0.04))
    assert burst.first == pytest.approx(0.04, rel=0.01)
    timed_out = woken(3.0, interval(count=5, took=10, good=0))
    assert timed_out.first is None
    seen = evidence({0: interval()}, 0, 0.01, wakes=[timed_out])
    assert seen.wakes == (float("inf"),)


def result(took=0.02, objectives=None, endpoint="iris", rate=100.0, **more) -> Result:
    """Give the result of a test of ten seconds."""
    asked = objectives or Objectives(p95="30ms", error_rate="1%")
    booked = {place: interval(took=took) for place in range(10)}
    total = summed(booked)
    verdicts = judge(asked, evidence(booked, rate, 0.01))
    bounds = {name: bounds_s(total.latency, q) for name, q in (("p50", 0.5), ("p95", 0.95))}
    latencies = [
        Latencies(name=name, seconds=took, low=low, high=high)
        for name, (low, high) in bounds.items()
    ]
    latencies.append(Latencies(name="p99", seconds=took, low=None, high=None))
    shape = {"kind": "steady", "rate": rate, "duration": "10s"}
    given = {
        "endpoint": endpoint, "endpoint_id": "id", "rows_from": "rows.csv", "verdicts": verdicts,
        "plan": {"shape": shape, "format": "v2", "rows": 1, "timeout": "10s", "seed": 1,
                 "arrivals": "poisson", "connections": 64},
        "started_at": "2026-11-29T20:00:00Z", "verdict": overall(verdicts), "cut": None,
        "knee": None, "counts": to_pairs(total.latency), "points": points(booked, STEADY, 1.0),
        "totals": Totals(seconds=10, rate=rate, sent=1000, good=1000, in_time=1000, missed=0,
                         queued=0, errors={}, latencies=latencies, mean=took),
        "phases": [phase_result(stretches(STEADY)[0], booked, 1.0)],
        "scale": scaled((0, 0, 1), (1, 1, 1), (9, 2, 2)), "scale_ups": [], "wakes": [],
        "cold_starts": [Started(at="2026-11-29T20:00:01Z", total_ms=12.5,
                                phases_ms={"spawn": 4.0, "<load>": 8.5})],
        "generated": Generated(processes=1, busy=0.1, missed_share=0, missed_after=0.01,
                               limited=[]),
        "environment": {"revisions": "iris:1 100 % (plan)"}, "notes": [],
    }  # fmt: skip
    return Result.model_validate({**given, **more})


def test_a_result_that_was_written_is_read(tmp_path):
    made = result()
    files = write(made, None, tmp_path)
    assert Result.model_validate_json((tmp_path / "report.json").read_text()) == made
    assert sorted(files) == ["html", "json", "junit"]


def test_junit_shows_each_objective_and_lets_nothing_inconclusive_look_green():
    asked = Objectives(p50="1m", p95="15ms", p99="1m", throughput=5000)
    suite = ElementTree.fromstring(junit.render(result(objectives=asked))).find("testsuite")
    assert suite is not None
    assert (suite.get("tests"), suite.get("failures"), suite.get("errors")) == ("4", "1", "1")
    kinds = {case.get("name"): case[0].tag for case in suite}
    assert kinds == {
        "p50 ≤ 1 min": "system-out",
        "p95 ≤ 15 ms": "failure",
        "p99 ≤ 1 min": "system-out",
        "throughput ≥ 5,000/s": "error",
    }


def test_a_comparison_says_what_confidence_allows():
    slower = {one.name: one for one in compare.changes(result(0.02), result(0.03))}
    assert (slower["p95"].says, slower["p95"].change) == ("worse", "+50.0%")
    assert (slower["p99"].says, slower["errors"].says) == ("no difference seen",) * 2
    faster = {one.name: one for one in compare.changes(result(0.03), result(0.02))}
    assert faster["p50"].says == "better"
    assert compare.different_load(result(), result(rate=200.0)) == ["shape"]
    assert compare.different_load(result(), result()) == []


def test_only_a_report_of_the_same_endpoint_is_compared_with(tmp_path):
    path = tmp_path / "report.json"
    path.write_text(result().model_dump_json())
    assert compare.read(path, "iris").endpoint == "iris"
    with pytest.raises(PlanError, match="of endpoint iris, not of wine"):
        compare.read(path, "wine")
    path.write_text("{}")
    with pytest.raises(PlanError, match=r"is not the report\.json"):
        compare.read(path, "iris")
    with pytest.raises(PlanError, match="cannot be read"):
        compare.read(tmp_path / "none.json", "iris")


def test_the_page_asks_nobody_and_shows_names_as_text():
    hostile = "<script>alert(1)</script>"
    made = result(endpoint="iris", rows_from=hostile, notes=[hostile], cut=hostile)
    text = page.render(made, made, compare.changes(made, made))
    assert hostile not in text
    assert "&lt;load&gt;" in text
    assert "default-src &#39;none&#39;" in text or "default-src 'none'" in text
    for outside in ("http://", "https://", "//cdn", "@import", "<script", "url("):
        assert outside not in text
    assert text.count('<figure class="chart">') == 5
    assert "inconclusive" in page.render(result(objectives=Objectives(p99="20ms")), None, [])


def test_a_test_in_which_nothing_was_sent_has_a_page():
    nothing = result(
        counts=[], points=[], phases=[], scale=[], cold_starts=[], verdicts=[], verdict=None,
        totals={"seconds": 10, "rate": 100, "sent": 0, "good": 0, "in_time": 0, "missed": 0,
                "queued": 0, "errors": {}, "latencies": [], "mean": None},
        cut="a generator was lost",
    )  # fmt: skip
    assert "a generator was lost" in page.render(nothing, None, [])
