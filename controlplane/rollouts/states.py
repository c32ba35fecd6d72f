"""Where a rollout stands."""

from enum import StrEnum


class State(StrEnum):
    """All but RUNNING are ends."""

    RUNNING = "running"
    DONE = "done"
    ROLLED_BACK = "rolled-back"
    CANCELLED = "cancelled"
    SUPERSEDED = "superseded"  # somebody else moved the traffic
