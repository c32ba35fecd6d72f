"""The cases that are easy to get wrong, each as one statement."""

import pytest

from controlplane.autoscaler.accounting import Concurrency
from controlplane.autoscaler.decider import Decider
from controlplane.autoscaler.policy import (
    NANOSECONDS,
    ScalePolicy,
    nanoseconds,
    panic_window_ns,
    targets,
)
from controlplane.autoscaler.windows import Averages, BucketedWindow, DelayWindow, MetricWindows

S = NANOSECONDS
POLICY = ScalePolicy(target_value=10.0, total_value=100.0)


def load(stable: float, panic: float | None = None) -> Averages:
    return Averages(stable, stable if panic is None else panic)


def test_one_pod_more_even_if_the_rate_rounds_to_none() -> None:
    slow = ScalePolicy(target_value=1.0, total_value=1.0, max_scale_up_rate=1.1)
    assert Decider(slow, 0, 0).decide(0, 2, load(3)).desired_pods == 3


def test_no_brake_on_the_way_down_when_unreachable() -> None:
    policy = ScalePolicy(target_value=10.0, total_value=100.0, reachable=False)
    assert Decider(policy, 0, 0).decide(0, 8, load(0)).desired_pods == 0
    assert Decider(POLICY, 0, 0).decide(0, 8, load(0)).desired_pods == 4


def test_panic_holds_the_highest_count_until_the_window_has_passed() -> None:
    decider = Decider(POLICY, 0, 0)
    assert decider.decide(0, 1, load(20)).panicking
    assert decider.decide(60 * S, 2, load(0)).desired_pods == 2
    assert decider.panicking
    after = decider.decide(60 * S + 1, 2, load(0))
    assert (after.panicking, after.desired_pods) == (False, 1)


def test_a_restart_with_several_pods_does_not_scale_down() -> None:
    decider = Decider(POLICY, ready_at_creation=5, now_ns=0)
    assert decider.decide(2 * S, 5, load(1)).desired_pods == 5


@pytest.mark.parametrize(("ready", "metric"), [(None, load(1)), (1, None)])
def test_no_decision_without_pods_or_metric(ready: int | None, metric: Averages | None) -> None:
    assert not Decider(POLICY, 0, 0).decide(0, ready, metric).valid


def test_scale_down_waits_for_the_delay_window() -> None:
    policy = ScalePolicy(target_value=10.0, total_value=100.0, scale_down_delay_ns=6 * S)
    decider = Decider(policy, 0, 0)
    wanted = [
        decider.decide(t * S, 2, load(20 if t == 0 else 0)).desired_pods for t in (0, 2, 4, 6)
    ]
    assert wanted == [2, 2, 2, 1]


def test_the_larger_of_two_decisions_in_one_tick_stands() -> None:
    window = DelayWindow(2 * S)
    window.record(0, 5)
    window.record(S, 3)
    assert window.current() == 5
    window.record(2 * S, 3)
    assert window.current() == 3


def test_a_young_window_is_averaged_over_its_age() -> None:
    window = BucketedWindow(60 * S)
    window.record(0, 10)
    window.record(S, 20)
    assert window.average(S) == 15
    assert window.average(3 * S) == 15  # silence after the last write is left out
    window.record(3 * S, 30)
    assert window.average(3 * S) == 15  # silence before it counts as zero


def test_no_data_is_no_decision_unless_silence_means_no_requests() -> None:
    windows = MetricWindows(60 * S, 6 * S)
    assert windows.averages(0, empty_is_zero=False) is None
    assert windows.averages(0, empty_is_zero=True) == Averages(0.0, 0.0)


@pytest.mark.parametrize(
    ("arguments", "want"),
    [
        (("concurrency", 0, None, 70.0), (70.0, 100.0)),
        (("concurrency", 8, None, 70.0), (8 * 0.7, 8.0)),
        (("concurrency", 8, 20.0, 70.0), (8 * 0.7, 8.0)),
        (("concurrency", 0, 20.0, 100.0), (20.0, 20.0)),
        (("rps", 8, None, 70.0), (140.0, 200.0)),
        (("concurrency", 0, 0.01, 1.0), (0.01, 0.01)),
    ],
)
def test_targets(
    arguments: tuple[str, int, float | None, float], want: tuple[float, float]
) -> None:
    assert targets(*arguments) == pytest.approx(want)


@pytest.mark.parametrize(("stable_s", "want_s"), [(60, 6), (6, 1), (25, 3), (24, 2), (1, 1)])
def test_panic_window(stable_s: int, want_s: int) -> None:
    assert panic_window_ns(stable_s * S, 10.0) == want_s * S


def test_concurrency_is_the_area_under_the_requests_in_flight() -> None:
    requests = Concurrency(0)
    requests.start(0)
    requests.start(S // 2)
    requests.finish(S)
    assert requests.report(S) == (1.5, 2)
    assert requests.report(2 * S) == (1.0, 0)
    requests.finish(2 * S)
    assert requests.report(2 * S) == (0.0, 0)


def test_seconds_become_whole_nanoseconds() -> None:
    assert nanoseconds(0.1) == 100_000_000
    assert nanoseconds(-1.5) == -1_500_000_000
