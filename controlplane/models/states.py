"""The life of a version, as data."""

from enum import StrEnum


class VersionState(StrEnum):
    UPLOADED = "uploaded"
    BUILDING = "building"
    READY = "ready"
    FAILED = "failed"


# A build that a crash cut off goes back to the queue, and so does a failed version when the same
# file is pushed again; nothing leaves `ready`.
MOVES: dict[VersionState, frozenset[VersionState]] = {
    VersionState.UPLOADED: frozenset({VersionState.BUILDING}),
    VersionState.BUILDING: frozenset(
        {VersionState.READY, VersionState.FAILED, VersionState.UPLOADED}
    ),
    VersionState.READY: frozenset(),
    VersionState.FAILED: frozenset({VersionState.UPLOADED}),
}


def may_move(now: VersionState, then: VersionState) -> bool:
    """Tell whether a version may go from one state to another."""
    return then in MOVES[now]
