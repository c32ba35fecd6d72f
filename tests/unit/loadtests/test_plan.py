"""Plans and shapes: what is read, what is refused, and when requests are due."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from loadtests.plan import PlanError, held_to, plan_from
from loadtests.shapes import Phase, at, expected, moments
from loadtests.slo import Objectives, objectives_from
from loadtests.units import duration, seconds, share

STEADY = {"kind": "steady", "rate": 100, "duration": "60s"}


@pytest.mark.parametrize(
    ("text", "value"),
    [("50ms", 0.05), ("1.5s", 1.5), ("10m", 600), ("2h", 7200), ("200us", 2e-4), (" 3 s ", 3)],
)
def test_a_duration_has_its_unit(text, value):
    assert seconds(text) == pytest.approx(value)


@pytest.mark.parametrize("text", ["50", 50, 0.05, "", "fast", "-1s", "1e3s", None, "5 parsecs"])
def test_a_duration_without_one_is_refused(text):
    with pytest.raises(ValueError, match="unit, such as 50ms"):
        seconds(text)


@given(st.floats(1e-6, 1e5))
def test_a_duration_that_was_written_is_read(value):
    assert seconds(duration(value)) == pytest.approx(value, rel=1e-6)


@pytest.mark.parametrize(("text", "value"), [("0.1%", 0.001), (0.25, 0.25), ("1", 1), (0, 0)])
def test_a_share_is_read(text, value):
    assert share(text) == pytest.approx(value)


@pytest.mark.parametrize("text", ["2", "101%", -0.1, "much", None, True, "nan"])
def test_what_is_no_share_is_refused(text):
    with pytest.raises(ValueError, match=r"such as 0\.1%"):
        share(text)


FAULTS = {
    "no rate": ({"shape": {"kind": "steady"}}, "shape.steady.rate: Field required"),
    "no such shape": ({"shape": {"kind": "wave"}}, "'steady', 'soak', 'ramp'"),
    "negative": ({"shape": {**STEADY, "rate": -1}}, "shape.steady.rate"),
    "unknown": ({"speed": 3}, "speed: Extra inputs are not permitted"),
    "no unit": ({"objectives": {"p95": "50"}}, "objectives.p95: write a duration with its unit"),
    "forever": ({"shape": {**STEADY, "duration": "900h"}}, "shape.steady.duration"),
    "too many": ({"shape": {**STEADY, "rate": 1e6, "duration": "20h"}}, "1e+09 requests"),
    "steps without end": (
        {"shape": {"kind": "knee", "factor": 1.0000000000000002}}, "of 200 at most",
    ),
    "from next to nothing": ({"shape": {"kind": "knee", "start": 5e-324}}, "takes 1.9e+03 steps"),
    "cold starts of a steady load": ({"objectives": {"cold_start": "1s"}}, "by the shape wake"),
    "bursts of two": ({"shape": {"kind": "wake"}, "processes": 2}, "from one process"),
    "throughput of bursts": (
        {"shape": {"kind": "wake"}, "objectives": {"throughput": 5}}, "bursts have no rate",
    ),
    "fewer connections than processes": ({"processes": 8, "connections": 4}, "raise connections"),
}  # fmt: skip


@pytest.mark.parametrize(("change", "said"), FAULTS.values(), ids=FAULTS)
def test_a_wrong_plan_is_refused_with_its_place(change, said):
    with pytest.raises(PlanError) as caught:
        plan_from({"endpoint": "iris", "shape": STEADY, **change})
    assert said in str(caught.value)


def test_a_plan_that_was_written_is_read_as_it_was():
    shape = {"kind": "spike", "rate": 10, "peak": 90, "duration": "2.5s", "times": 3}
    plan = plan_from({"endpoint": "iris", "shape": shape, "objectives": {"p95": "15ms"}})
    assert plan_from(plan.model_dump(mode="json", exclude_none=True)) == plan
    assert [phase.name for phase in plan.shape.phases()] == ["rest", "peak"] * 3 + ["rest"]


PROMISE = Objectives.model_validate(
    {"p95": "50ms", "error_rate": "0.1%", "throughput": 80, "cold_start": "1s", "scale_up": "9s"}
)
HELD_TO = {
    "where nothing is asked": ({}, {"p95": "50ms", "error_rate": 0.001, "throughput": 80.0}),
    "nothing, said so": ({"objectives": {}}, {}),
    "what is asked alone": ({"objectives": {"p50": "1ms"}}, {"p50": "1ms"}),
    "with what is asked": (
        {"slo": "endpoint", "objectives": {"p95": "20ms"}},
        {"p95": "20ms", "error_rate": 0.001, "throughput": 80.0},
    ),
    "bursts, to starts": (
        {"shape": {"kind": "wake"}}, {"error_rate": 0.001, "cold_start": "1s"},
    ),
    "peaks, to scale-ups": (
        {"shape": {"kind": "spike", "rate": 5, "peak": 90}},
        {"p95": "50ms", "error_rate": 0.001, "scale_up": "9s"},
    ),
}  # fmt: skip


@pytest.mark.parametrize(("change", "asked"), HELD_TO.values(), ids=HELD_TO)
def test_an_endpoint_is_held_to_what_it_promises_as_far_as_a_shape_tells(change, asked):
    plan = held_to(plan_from({"endpoint": "iris", "shape": STEADY, **change}), PROMISE)
    assert plan.objectives.to_json() == asked
    assert plan_from(plan.model_dump(mode="json", exclude_none=True)) == plan


@pytest.mark.parametrize(
    ("promised", "said"),
    [(None, "promises nothing"), (Objectives(cold_start="1s"), "nothing that such a load")],
)
def test_nobody_is_held_to_a_promise_that_was_not_made(promised, said):
    plan = plan_from({"endpoint": "iris", "shape": STEADY})
    assert held_to(plan, promised) == plan
    with pytest.raises(PlanError, match=said):
        held_to(plan.model_copy(update={"slo": "endpoint"}), promised)


def test_promises_of_older_rows_are_read():
    assert objectives_from({"p99_ms": 50.5, "error_rate": 0.001}) == Objectives(
        p99="50.5ms", error_rate=0.001
    )
    assert objectives_from(PROMISE.to_json()) == PROMISE
    assert objectives_from(None) is objectives_from({}) is None


@st.composite
def some_phases(draw):
    rates = st.floats(0.5, 2000)
    return tuple(
        Phase("p", draw(st.floats(0.1, 20)), draw(rates), draw(rates))
        for _ in range(draw(st.integers(1, 4)))
    )


def due(phases, arrivals, **part):
    found = list(moments(phases, arrivals, **part))
    return np.concatenate(found) if found else np.empty(0)


@given(some_phases(), st.integers(1, 4))
def test_constant_arrivals_are_as_many_as_expected_whoever_sends_them(phases, workers):
    ends = sum(phase.seconds for phase in phases)
    parts = [due(phases, "constant", worker=i, workers=workers) for i in range(workers)]
    together = np.sort(np.concatenate(parts))
    assert abs(len(together) - expected(phases, 0, ends)) <= workers
    assert all((np.diff(part) >= -1e-9).all() for part in parts)
    assert together.min(initial=0) >= 0
    assert together.max(initial=0) <= ends * (1 + 1e-9)
    half = ends / 2
    assert abs((together < half).sum() - expected(phases, 0, half)) <= workers + 1


@given(some_phases(), st.integers(0, 5))
def test_poisson_arrivals_are_as_many_as_a_poisson_number(phases, seed):
    ends = sum(phase.seconds for phase in phases)
    found = due(phases, "poisson", seed=seed)
    mean = expected(phases, 0, ends)
    assert abs(len(found) - mean) < 6 * np.sqrt(mean) + 6
    assert (due(phases, "poisson", seed=seed) == found).all()


def test_gaps_of_poisson_arrivals_are_exponential():
    gaps = np.diff(due((Phase("steady", 20, 1000, 1000),), "poisson"))
    assert gaps.mean() == pytest.approx(1e-3, rel=0.03)
    assert gaps.std() == pytest.approx(1e-3, rel=0.03)


def test_generators_of_one_load_send_other_requests():
    phases = (Phase("steady", 5, 100, 100),)
    first, second = (due(phases, "poisson", worker=i, workers=2) for i in (0, 1))
    assert not np.isin(first, second).any()


def test_a_moment_has_its_phase():
    phases = (Phase("a", 2, 1, 1), Phase("b", 3, 1, 1))
    assert [at(phases, moment) for moment in (0, 1.9, 2, 4.9, 99)] == [0, 0, 1, 1, 1]
