"""What an endpoint is doing, in words: from what is wanted and what the engine sees. Pure."""

from typing import Any

from controlplane.engines.engine import Condition, ObservedEndpoint, Status

Words = dict[str, Any]


def status_of(
    generation: int, seen: ObservedEndpoint | None, failure: str | None
) -> tuple[Words, Words]:
    """Give the Ready and the Active condition as documents.

    seen     None: the engine has nothing of it yet, or could not be asked
    failure  why the engine could not be asked
    """
    if failure is not None:
        unknown = _words(Condition.UNKNOWN, "EngineUnavailable", failure)
        return unknown, unknown
    if seen is None:
        waiting = _words(Condition.UNKNOWN, "Deploying", "The engine has not taken it over yet.")
        return waiting, waiting
    active = _of(seen.condition("Active"))
    if seen.observed_generation < generation:
        # Nothing an engine says of an older wish is true of this one.
        return (
            _words(Condition.UNKNOWN, "Deploying", "The newest release is being rolled out."),
            active,
        )
    return _of(seen.condition("Ready")), active


def _of(status: Status | None) -> Words:
    if status is None:
        return _words(Condition.UNKNOWN, "Unknown", "The engine has not said yet.")
    return {
        "status": str(status.status),
        "reason": status.reason,
        "message": status.message,
        "since": status.since.isoformat(),
    }


def _words(status: Condition, reason: str, message: str) -> Words:
    return {"status": str(status), "reason": reason, "message": message, "since": None}
