"""Why an endpoint is not well, in words a person can act on."""

import signal
from dataclasses import dataclass

from controlplane.engines.embedded.forker import Exited
from runtime.launch import Exit


@dataclass(frozen=True, slots=True)
class Trouble:
    """One reason for Ready=False. `final`: starting it again cannot help, a deploy can."""

    reason: str
    message: str
    final: bool
    generation: int = -1


def trouble_of(how: Exited, generation: int, *, was_ready: bool) -> Trouble | None:
    """Say why a worker that nobody asked to end has ended; None for a clean end."""
    if how.code == Exit.OK:
        return None
    if how.code == Exit.BAD_PLAN:
        text = "the worker refused the plan (exit 65); the log says why: build the version again"
        return Trouble("BadPlan", text, final=True, generation=generation)
    if how.code == Exit.BAD_LAUNCH:
        text = "the worker refused its settings (exit 64); the log says which"
        return Trouble("BadLaunch", text, final=True, generation=generation)
    when = "while serving" if was_ready else "while starting"
    return Trouble("CrashLoop", f"the worker {_end(how)} {when}", False, generation)


def _end(how: Exited) -> str:
    if how.signal == signal.SIGKILL:
        return "was killed by SIGKILL (137), which out of memory also does,"
    if how.signal is not None:
        return f"was killed by {_name(how.signal)} ({128 + how.signal})"
    if how.code is not None:
        return f"ended with exit code {how.code} (see the log)"
    return f"ended unseen, {how.unseen},"


def _name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"  # most real-time signals have a number only
