"""The life of a load test, as data."""

from enum import StrEnum


class LoadTestState(StrEnum):
    """What became of a test.

    finished     all of it ran; what it showed is its verdict
    failed       there was no test, or its endpoint went away
    interrupted  cancelled, or cut off with the control plane; what was measured is kept
    """

    QUEUED = "queued"
    RUNNING = "running"
    FINISHED = "finished"
    FAILED = "failed"
    INTERRUPTED = "interrupted"


ENDED = frozenset({LoadTestState.FINISHED, LoadTestState.FAILED, LoadTestState.INTERRUPTED})
MOVES: dict[LoadTestState, frozenset[LoadTestState]] = {
    LoadTestState.QUEUED: frozenset({LoadTestState.RUNNING, LoadTestState.INTERRUPTED}),
    LoadTestState.RUNNING: ENDED,
    **{state: frozenset() for state in ENDED},
}


def may_move(now: LoadTestState, then: LoadTestState) -> bool:
    """Tell whether a test may go from one state to another."""
    return then in MOVES[now]
