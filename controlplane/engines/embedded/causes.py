"""Why an endpoint on this machine is as it is: from what the supervisor sees and the log. Pure."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Final

from controlplane.engines.engine import (
    Cause,
    Condition,
    DesiredEndpoint,
    LogLine,
    ObservedEndpoint,
    Status,
)
from controlplane.redaction import redacted

LINES: Final = 5
LOGS: Final = "kubeserve logs {name}"
NEXT: Final = {
    "BadPlan": "Push the model again and deploy the new version; "
    "`kubeserve rollback {name}` serves the one before meanwhile.",
    "BadLaunch": "This is a fault of KubeServe's, not the model's: report it with `" + LOGS + "`.",
    "CrashLoop": "Read `" + LOGS + "`; deploy a version that starts, or `kubeserve rollback "
    "{name}`. Killed by 137 means most often that memory ran out.",
    "PortTaken": "Stop the program that listens there (`ss -ltnp`), or give KubeServe other ports "
    "with KUBESERVE_PORTS.",
    "QuotaExceeded": "`kubeserve quota` shows what is used; delete endpoints that are not needed, "
    "give those that are warm --min-scale 0, or ask the operator for more replicas.",
    "NotTaken": "If it lasts, `kubeserve status` shows what is down, and home/logs/api.log says "
    "what was refused.",
}


def cause(
    desired: DesiredEndpoint, seen: ObservedEndpoint | None, log: Sequence[LogLine], now: datetime
) -> Cause:
    """Name what an endpoint is doing or what is wrong with it.

    log  the newest lines of its workers, oldest first
    """
    if seen is None:
        return _fault("NotTaken", "The engine has not taken this endpoint over yet.", (), desired)
    if seen.observed_generation < desired.generation:
        behind = f"generation: {seen.observed_generation} runs, {desired.generation} is wanted"
        text = "The engine has not taken the newest release over yet."
        return _fault("NotTaken", text, (behind,), desired)
    ready, active = seen.condition("Ready"), seen.condition("Active")
    facts = (*map(_fact, filter(None, (ready, active))), f"replicas: {seen.replicas} ready")
    if ready is not None and ready.status is Condition.FALSE:
        written = tuple(f"log of {one.replica}: {redacted(one.text)}" for one in log[-LINES:])
        return _fault(ready.reason, _sentence(ready.message), facts + written, desired)
    if active is not None and active.reason == "QuotaExceeded":
        return _fault(active.reason, active.message, facts, desired)
    if ready is not None and ready.reason == "Deploying":
        return Cause("Starting", True, f"{ready.message} ({_seconds(ready, now)} s so far)", facts)
    if seen.replicas:
        start = _last_start(seen)
        text = f"{seen.replicas} worker(s) answer requests."
        return Cause("Serving", True, text, facts + start)
    if active is not None and active.reason == "Queued":
        text = f"Requests wait for a worker to start ({_seconds(active, now)} s so far)."
        return Cause("Starting", True, text, facts)
    text = "No worker runs, because nobody asks; the next request starts one."
    return Cause("Idle", True, text, facts + _last_start(seen))


def _fault(reason: str, message: str, evidence: tuple[str, ...], desired: DesiredEndpoint) -> Cause:
    step = NEXT.get(reason, "Read `" + LOGS + "`.").format(name=desired.name)
    return Cause(reason, False, message, evidence, step)


def _fact(status: Status) -> str:
    moment = status.since.astimezone(UTC).isoformat(timespec="seconds")
    return f"{status.type}={status.status} {status.reason} since {moment}: {status.message}"


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:] + ("" if text.endswith(".") else ".")


def _seconds(status: Status, now: datetime) -> int:
    return max(0, round((now - status.since).total_seconds()))


def _last_start(seen: ObservedEndpoint) -> tuple[str, ...]:
    if seen.cold_start is None:
        return ()
    phases = ", ".join(f"{name} {ms:.1f} ms" for name, ms in seen.cold_start.phases_ms.items())
    return (f"last cold start: {seen.cold_start.total_ms:.1f} ms ({phases})",)
