"""What samples allow to say, and the verdicts that are made of it."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binom

from loadtests.histogram import counted, edge_s, from_pairs, quantile_s, to_pairs
from loadtests.intervals import quantile_ranks, samples_needed, share_interval
from loadtests.slo import Evidence, Objectives, Outcome, judge, overall

PASSED, FAILED, INCONCLUSIVE = Outcome.PASSED, Outcome.FAILED, Outcome.INCONCLUSIVE


def seen(latencies, good=None, rate=100.0, **more) -> Evidence:
    counts = counted(np.asarray(latencies, float))
    sent = int(counts.sum())
    answered = sent if good is None else good
    service = counted(np.asarray(more.pop("service", latencies), float))
    return Evidence(counts, service, sent, answered, more.pop("in_time", answered), rate, **more)


@given(st.integers(1, 3000), st.sampled_from([0.5, 0.9, 0.95, 0.99, 0.999]))
def test_ranks_are_those_of_the_binomial_distribution(samples, share):
    low, high = quantile_ranks(samples, share)
    first = int(binom.ppf(0.025, samples, share))
    assert low == (first or None)
    last = int(binom.ppf(0.975, samples, share)) + 1
    assert high == (last if last <= samples else None)


@pytest.mark.parametrize(("share", "needed"), [(0.5, 6), (0.95, 72), (0.99, 368)])
def test_a_quantile_is_bounded_from_so_many_samples_on(share, needed):
    assert samples_needed(share) == needed
    assert quantile_ranks(needed - 1, share).high is None
    assert quantile_ranks(needed, share).high == needed


def test_intervals_hold_the_true_quantile_as_often_as_they_say():
    random = np.random.default_rng(1)
    low, high = quantile_ranks(400, 0.95)
    assert low is not None
    assert high is not None
    held = 0
    for _ in range(2000):
        ordered = np.sort(random.exponential(size=400))
        held += ordered[low - 1] <= -np.log(0.05) <= ordered[high - 1]
    assert 0.94 <= held / 2000 <= 0.98


@given(st.integers(0, 500), st.integers(1, 500))
def test_a_share_lies_in_its_interval(hits, more):
    low, high = share_interval(hits, hits + more)
    assert 0 <= low <= hits / (hits + more) <= high <= 1


@given(st.lists(st.floats(1e-6, 90), min_size=1, max_size=200))
def test_a_histogram_gives_quantiles_to_half_a_step(durations):
    counts = counted(np.array(durations))
    assert counts.sum() == len(durations)
    for share in (0.01, 0.5, 1.0):
        rank = max(1, int(np.ceil(share * len(durations))))
        true = sorted(durations)[rank - 1]
        assert quantile_s(counts, share) == pytest.approx(true, rel=0.0101)
    assert (from_pairs(to_pairs(counts)) == counts).all()


def test_what_is_no_histogram_is_refused():
    for pairs in ([[-1, 2]], [[1 << 20, 2]], [[3, -2]]):
        with pytest.raises(ValueError, match="no step"):
            from_pairs(pairs)
    assert edge_s(0) == 1e-6


LATENCY = [0.02] * 500
CASES = {
    "clearly below": (Objectives(p95="30ms"), seen(LATENCY), PASSED),
    "clearly above": (Objectives(p95="15ms"), seen(LATENCY), FAILED),
    "too few": (Objectives(p95="30ms"), seen(LATENCY[:71]), INCONCLUSIVE),
    "none": (Objectives(p95="30ms"), seen([]), INCONCLUSIVE),
    "around the limit": (Objectives(p50="20ms"), seen([0.015, 0.025] * 50), INCONCLUSIVE),
    "above, but sent late": (
        Objectives(p95="15ms"), seen(LATENCY, service=[0.001] * 500), INCONCLUSIVE,
    ),
    "below, generator at its limit": (
        Objectives(p95="30ms"), seen(LATENCY, limited=("busy",)), INCONCLUSIVE,
    ),
    "above, generator at its limit": (
        Objectives(p95="15ms"), seen(LATENCY, limited=("busy",)), INCONCLUSIVE,
    ),
    "below, cut short": (Objectives(p95="30ms"), seen(LATENCY, cut="interrupted"), INCONCLUSIVE),
    "above, cut short": (Objectives(p95="15ms"), seen(LATENCY, cut="interrupted"), FAILED),
    "few errors": (Objectives(error_rate="1%"), seen(LATENCY * 10, good=4990), PASSED),
    "many errors": (Objectives(error_rate="1%"), seen(LATENCY, good=450), FAILED),
    "errors, too few to tell": (Objectives(error_rate="0.1%"), seen(LATENCY), INCONCLUSIVE),
    "no error allowed, none": (Objectives(error_rate=0), seen(LATENCY), PASSED),
    "no error allowed, one": (Objectives(error_rate=0), seen(LATENCY, good=499), FAILED),
    "keeps up": (Objectives(throughput=100), seen(LATENCY * 10), PASSED),
    "does not keep up": (Objectives(throughput=100), seen(LATENCY, in_time=300), FAILED),
    "was not asked for so much": (Objectives(throughput=200), seen(LATENCY), INCONCLUSIVE),
    "wakes fast": (Objectives(cold_start="50ms"), seen([], wakes=(0.02,) * 6), PASSED),
    "wakes slowly": (Objectives(cold_start="10ms"), seen([], wakes=(0.02,) * 6), FAILED),
    "woke five times": (Objectives(cold_start="50ms"), seen([], wakes=(0.02,) * 5), INCONCLUSIVE),
    "never woke": (
        Objectives(cold_start="50ms"), seen([], wakes=(float("inf"),) * 6), FAILED,
    ),
    "grows fast": (Objectives(scale_up="5s"), seen([], scale_ups=(3.0,) * 6), PASSED),
    "did not grow": (Objectives(scale_up="5s"), seen([]), INCONCLUSIVE),
}  # fmt: skip


@pytest.mark.parametrize(("asked", "evidence", "outcome"), CASES.values(), ids=CASES)
def test_a_verdict_is(asked, evidence, outcome):
    (verdict,) = judge(asked, evidence)
    assert verdict.outcome is outcome
    assert verdict.because
    assert overall((verdict,)) is outcome


def test_a_verdict_tells_samples_and_margin():
    (verdict,) = judge(Objectives(p95="40ms"), seen(LATENCY))
    assert verdict.samples == 500
    assert verdict.margin == pytest.approx(0.5, abs=0.01)
    assert verdict.low == verdict.high == pytest.approx(0.02, rel=0.01)


@given(st.lists(st.floats(1e-5, 10), min_size=0, max_size=400), st.booleans(), st.booleans())
def test_nothing_passes_when_the_load_was_not_the_one_asked_for(latencies, limited, cut):
    evidence = seen(
        latencies, limited=("busy",) if limited else (), cut="interrupted" if cut else None
    )
    asked = Objectives(p50="10ms", p95="1s", p99="5s", error_rate="1%", throughput=1)
    outcomes = {verdict.outcome for verdict in judge(asked, evidence)}
    if limited or cut:
        assert PASSED not in outcomes
    if limited:
        assert FAILED not in outcomes


def test_one_failure_fails_all_and_nothing_asked_is_no_verdict():
    verdicts = judge(Objectives(p50="1ms", p95="1m", error_rate=0), seen(LATENCY))
    assert [one.outcome for one in verdicts] == [FAILED, PASSED, PASSED]
    assert overall(verdicts) is FAILED
    assert overall(()) is None
