"""Why a rollout is where it is. Pure."""

from typing import Any

from controlplane.engines.engine import Cause
from controlplane.rollouts.states import State

MEND = "Correct the model, push it and roll it out again."


def cause(rollout: dict[str, Any]) -> Cause:
    """Explain a rollout's document."""
    endpoint, reason = rollout["endpoint"], rollout["reason"] or "nothing is known yet"
    candidate = f"{rollout['candidate']['model']}:{rollout['candidate']['version']}"
    at = f"step {rollout['step']} of {len(rollout['steps'])}"
    facts = (f"{at}, {rollout['percent']} % to {candidate}", *map(_fact, rollout["checks"]))
    match State(rollout["state"]):
        case State.RUNNING:
            text = f"{candidate} is in {at}: {reason}."
            step = f"Wait, or `kubeserve rollout {endpoint} --cancel`."
            return Cause("RollingOut", True, text, facts, step)
        case State.DONE:
            return Cause("RolledOut", True, f"{candidate} has all traffic: {reason}.", facts)
        case State.ROLLED_BACK:
            text = f"{candidate} gave the traffic back: {reason}."
            return Cause("RolledBack", False, text, facts, MEND)
        case State.CANCELLED:
            return Cause("Cancelled", True, f"{candidate} was {reason}.", facts)
        case State.SUPERSEDED:
            text = f"The rollout of {candidate} ended: {reason}."
            return Cause("Superseded", True, text, facts, f"`kubeserve releases {endpoint}`.")


def _fact(check: dict[str, Any]) -> str:
    return f"{check['verdict']} {check['name']}: {check['message']}"
