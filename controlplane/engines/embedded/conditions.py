"""An endpoint's conditions in Knative's words, from what its pool knows."""

from dataclasses import dataclass

from controlplane.engines.embedded.scaler import Scaler
from controlplane.engines.embedded.words import Trouble
from controlplane.engines.engine import Condition

READY, ACTIVE = "Ready", "Active"


@dataclass(frozen=True, slots=True)
class Verdict:
    """One condition without its time."""

    type: str
    status: Condition
    reason: str
    message: str


def ready_of(
    taken: str | None, trouble: Trouble | None, *, lasting: bool, proven: int | None, newest: int,
    ready: int,
) -> Verdict:  # fmt: skip
    """Tell whether the newest state serves or can.

    taken    why the port cannot be listened on
    lasting  False for a first death, which a new worker makes good
    proven   the newest generation that was ready once; `newest` is the one desired
    """
    if taken is not None:
        return Verdict(READY, Condition.FALSE, "PortTaken", taken)
    if trouble is not None and (lasting or proven != newest):
        served = "" if proven in (None, newest) else f"; generation {proven} goes on serving"
        return Verdict(READY, Condition.FALSE, trouble.reason, trouble.message + served)
    if proven != newest:
        text = "The first worker of this release is starting."
        return Verdict(READY, Condition.UNKNOWN, "Deploying", text)
    if trouble is not None:
        text = f"Another worker takes over: {trouble.message}."
        return Verdict(READY, Condition.TRUE, "Restarting", text)
    if ready:
        return Verdict(READY, Condition.TRUE, "Serving", f"{ready} worker(s) ready.")
    text = "No worker runs; the next request starts one."
    return Verdict(READY, Condition.TRUE, "AtZero", text)


def active_of(scaler: Scaler | None, ready: int, full: str | None = None) -> Verdict:
    """Tell whether requests are being served.

    full  why no worker may be started although one is wanted or could be
    """
    if full is not None:
        return Verdict(ACTIVE, Condition.FALSE, "QuotaExceeded", full[0].upper() + full[1:] + ".")
    if scaler is None or scaler.active is False:
        text = "No requests for a window; scaled to zero."
        return Verdict(ACTIVE, Condition.FALSE, "NoTraffic", text)
    if ready == 0 or scaler.active is None:
        text = "Requests wait for a worker to start."
        return Verdict(ACTIVE, Condition.UNKNOWN, "Queued", text)
    return Verdict(ACTIVE, Condition.TRUE, "Serving", "Requests are being served.")
