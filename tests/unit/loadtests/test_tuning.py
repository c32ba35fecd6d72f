"""Tuning by recorded curves: where the knee is, what is proposed, and when nothing is."""

from types import SimpleNamespace

import pytest

from loadtests.histogram import empty
from loadtests.plan import PlanError
from loadtests.result import PhaseResult, Result
from loadtests.slo import Evidence, Objectives, Outcome, judge
from loadtests.tuning.document import Tuning
from loadtests.tuning.proposing import (
    Measured,
    Now,
    Step,
    cold_start_limit,
    knee,
    lasts_s,
    propose,
    step_s,
    to_prove,
)
from loadtests.tuning.replica import Replica, Used, used_in
from loadtests.tuning.tune import Search, Tune, _judged

P95 = Objectives(p95="50ms")
NOW = Now(0, "concurrency", None, 70.0, 0, 4)


def step(rate, in_flight, *, holds=True, because="holds", limited=()):
    return Step(
        rate=rate, throughput=rate, in_flight=in_flight, p50=0.01, p95=0.02, p99=0.03,
        holds=holds, because=because, limited=limited,
    )  # fmt: skip


# A forest of 500 trees: 10 ms a call, of which one core makes few.
SLOW = [
    step(50, 0.6), step(100, 1.5), step(200, 6.0), step(230, 11.0),
    step(264, 60.0, holds=False, because="p95 failed"), step(400, 400.0, holds=False),
]  # fmt: skip
# Iris: in flight is next to nothing until it is too much.
FAST = [step(50, 0.02), step(800, 0.31), step(1600, 0.9), step(3200, 90.0, holds=False)]


def cold(*seconds, limit=0.05):
    seen = Evidence(empty(), empty(), 6, 6, 6, 0.0, wakes=seconds)
    return judge(Objectives.model_construct(cold_start=limit), seen)[0]


QUICK = cold(*[0.02] * 6)


def proposal(steps, objectives=P95, now=NOW, metric=None, cold_start=QUICK, cpu_us=200.0):
    return propose(Measured(steps, cold_start, cpu_us), objectives, now, metric)


def test_the_knee_is_the_greatest_rate_below_which_all_held():
    found = knee(SLOW)
    assert (found.step.rate, found.beyond.rate) == (230, 264)
    assert knee([step(50, 1, holds=False), step(100, 1)]) is None
    assert knee(FAST[:2]).beyond is None


def test_a_slow_model_is_scaled_by_requests_in_flight():
    made = proposal(SLOW)
    assert (made.metric, made.target) == ("concurrency", 11.0)
    # 7.7 in flight lie between 6 at 200/s and 11 at 230/s.
    assert made.rate == pytest.approx(210.2, abs=0.1)
    # At 230/s the twelfth behind would still be answered within 50 ms; twice the usual is room.
    assert made.container_concurrency == 22
    assert made.target <= made.container_concurrency


def test_a_fast_model_is_scaled_by_rate_since_too_few_are_in_flight():
    made = proposal(FAST)
    assert (made.metric, made.target, made.rate) == ("rps", 1600.0, 1120.0)
    assert made.container_concurrency == 80  # 1600/s for 50 ms
    assert proposal(FAST, metric="concurrency").metric == "concurrency"
    assert proposal(SLOW, metric="rps").target == 230.0


def test_no_limit_of_the_api_is_exceeded():
    too_much = step(1e5, 900, holds=False)
    made = proposal([step(90_000, 50), too_much], Objectives(p99="1s"))
    assert made.container_concurrency == 1000
    tiny = proposal([step(0.5, 0.002), too_much], metric="concurrency")
    assert (tiny.target, tiny.container_concurrency) == (0.01, 1)


@pytest.mark.parametrize("beyond", [[], [step(3200, 90, holds=False, limited=("late",))]])
def test_a_replica_that_may_take_more_gets_no_limit_of_what_it_took(beyond):
    assert proposal(FAST[:3] + beyond).container_concurrency == 0
    kept = NOW._replace(container_concurrency=9)
    assert proposal(FAST[:3] + beyond, now=kept).container_concurrency == 9


@pytest.mark.parametrize(
    ("objectives", "limit"),
    [(P95, 0.05), (Objectives(p50="5ms", p99="90ms"), 0.09),
     (Objectives(p95="50ms", cold_start="2s"), 2.0)],
)  # fmt: skip
def test_a_first_answer_must_come_within_what_is_promised_of_it_or_of_most(objectives, limit):
    assert cold_start_limit(objectives) == pytest.approx(limit)


@pytest.mark.parametrize(
    ("cold_start", "min_scale", "proposed"),
    [(QUICK, 0, 0), (QUICK, 2, 0), (cold(*[0.9] * 6), 0, 1), (cold(*[0.9] * 6), 2, 2),
     (cold(0.02), 0, 1)],
    ids=["quick", "kept for nothing", "slow", "slow, more are kept", "too few to tell"],
)  # fmt: skip
def test_nobody_is_kept_warm_only_where_starts_are_surely_quick(cold_start, min_scale, proposed):
    made = proposal(FAST, now=NOW._replace(min_scale=min_scale), cold_start=cold_start)
    assert made.min_scale == proposed


def test_throughput_that_is_promised_has_its_replicas():
    assert proposal(FAST, Objectives(p95="50ms", throughput=9000)).max_scale == 9
    assert proposal(FAST, Objectives(p95="50ms", throughput=900)).max_scale == 4


def test_cpu_is_what_requests_take_and_none_where_it_was_not_measured():
    assert proposal(FAST).cpu_millis == 250  # 1120/s of 200 us
    assert proposal(FAST, cpu_us=None).cpu_millis is None
    assert [one.setting for one in proposal(FAST).changes if not one.applies] == ["cpu"]


def test_a_proposal_is_tested_for_as_many_samples_as_its_verdicts_take():
    made = proposal(FAST)
    wanted = to_prove(made, Objectives(p99="50ms", throughput=5000))
    assert wanted.to_json() == {"p99": "50ms", "error_rate": 0.01, "throughput": 1120.0}
    assert lasts_s(wanted, made.rate, 4.0) == 12.0
    assert lasts_s(wanted, 10.0, 4.0) == pytest.approx(147.2)
    assert lasts_s(wanted, 0.1, 4.0) == 600.0


@pytest.mark.parametrize(
    ("objectives", "rate", "seconds"),
    [(P95, 50.0, 4.0), (P95, 5.0, 14.4), (Objectives(p99="1s"), 50.0, 7.36), (P95, 0.1, 60.0)],
)
def test_a_step_lasts_until_its_answers_say_something(objectives, rate, seconds):
    assert step_s(objectives, rate, 4.0) == pytest.approx(seconds)


class Machine:
    """Answers searches: what is above `most` does not hold; `chance`: nor these, the first time."""

    def __init__(self, most, chance=()):
        self.most, self.chance, self.tried = most, set(chance), []

    def __call__(self, name, shape):
        found = []
        for phase in shape.phases():
            self.tried.append(phase.start)
            holds = phase.start <= self.most and phase.start not in self.chance
            self.chance.discard(phase.start)
            found.append(
                PhaseResult(
                    name=phase.name, begin=0, end=phase.seconds, start_rate=phase.start,
                    end_rate=phase.start, sent=9, good=9, p50=0.01, p95=0.02, p99=0.03,
                    concurrency=1.0, holds=holds, because="p95 failed",
                )
            )  # fmt: skip
            if not holds:
                break
        return Result.model_construct(phases=found, scale=[])


def searched(machine, **more):
    search = Search(machine, Tuning(endpoint="iris", objectives=P95, **more))
    search.find()
    return search


def test_a_search_ends_within_a_step_of_the_knee():
    found = knee(searched(Machine(1000)).steps)
    assert found.step.rate <= 1000 < found.beyond.rate <= 1.16 * found.step.rate


def test_a_search_begins_lower_where_not_even_the_first_rate_holds():
    found = knee(searched(Machine(8)).steps)
    assert 6.9 < found.step.rate <= 8
    hopeless = Machine(1)
    assert knee(searched(hopeless).steps) is None
    assert hopeless.tried == [50.0, 5.0]


def test_what_fails_by_chance_and_holds_when_tried_again_is_no_knee():
    found = knee(searched(Machine(1000, chance=[200.0])).steps)
    assert 860 < found.step.rate <= 1000


def test_a_search_goes_no_further_than_it_may():
    machine = Machine(1e9)
    assert knee(searched(machine, rate=300).steps).beyond is None
    assert max(machine.tried) <= 300


def test_a_generator_that_was_the_limit_makes_a_proposal_inconclusive_and_never_passed():
    limited = [*FAST[:3], step(3200, 90, holds=False, limited=("the generator sent late",))]
    passed = SimpleNamespace(
        verdicts=[SimpleNamespace(outcome=Outcome.PASSED)], totals=SimpleNamespace(seconds=30.0)
    )
    measured = Measured(limited, QUICK, None)
    outcome, because = _judged(measured, proposal(limited), passed)
    assert (outcome, "generator sent late" in because) == (Outcome.INCONCLUSIVE, True)
    measured = Measured(FAST, QUICK, None)
    assert _judged(measured, proposal(FAST), passed)[0] is Outcome.PASSED
    nothing = Measured([step(5, 3, holds=False, because="p95 failed")], QUICK, None)
    assert _judged(nothing, None, None) == (
        Outcome.FAILED,
        "not even 5 requests a second held: p95 failed",
    )


def endpoint(slo=None, revisions=True):
    served = SimpleNamespace(model="iris", version=1, percent=100)
    return SimpleNamespace(
        name="iris", raw={"slo": slo}, revisions=(served,) if revisions else ()
    )  # fmt: skip


def client(of, rollouts=()):
    known = [SimpleNamespace(is_over=over) for over in rollouts]
    return SimpleNamespace(endpoint=lambda name: of, rollouts=lambda name: known)


@pytest.mark.parametrize(
    ("of", "more", "said"),
    [
        (client(endpoint()), {}, "kubeserve slo iris --p95 50ms"),
        (client(endpoint({"error_rate": 0.01})), {}, "Say within what iris must answer"),
        (client(endpoint()), {"slo": "endpoint"}, "promises nothing"),
        (client(endpoint({"p95": "50ms"}, revisions=False)), {}, "serves nothing yet"),
        (client(endpoint({"p95": "50ms"}), [False, True]), {"apply": True}, "under way"),
    ],
    ids=["nothing asked", "no latency", "no promise", "nothing served", "a rollout"],
)
def test_what_cannot_be_tuned_is_refused_before_anything_is_made(of, more, said):
    with pytest.raises(PlanError, match=said):
        Tune(Tuning(endpoint="iris", **more), of, None, print)


def test_a_copy_takes_nobodys_place():
    with (
        pytest.raises(PlanError, match="kubeserve delete iris-tune"),
        Replica(client(endpoint()), endpoint()),
    ):
        pass


def test_processor_time_is_read_of_a_workers_metrics():
    text = (
        "# HELP process_cpu_seconds_total x\nprocess_cpu_seconds_total 1.5\n"
        'kubeserve_requests_total{code="200",revision="a"} 40.0\n'
        'kubeserve_requests_total{code="400",revision="a"} 2.0\n'
    )
    assert used_in(text) == Used(1.5, 42.0)
    assert used_in("") is None
