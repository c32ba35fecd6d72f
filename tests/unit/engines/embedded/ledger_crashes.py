"""Kills a process amid what it does to a ledger, at every line and every byte; says what is left.

A process of its own without threads, because it forks: `python -m ... FOLDER`.
"""

import json
import os
import resource
import signal
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from controlplane import files
from controlplane.engines.embedded import ledger as module
from controlplane.engines.embedded.ledger import Entry, Ledger
from controlplane.engines.embedded.metering import Meter
from controlplane.engines.embedded.wire import LocalEndpoint
from controlplane.engines.engine import Condition, EndpointId
from runtime.launch import RevisionLaunch

ID = EndpointId("6d1c6a4e-0c5e-4f0e-9d5c-2f1f8a3b7c10")
REVISION = RevisionLaunch("iris-00001", "iris", 1, "cache/a.plan", "ab" * 32)
OLD = LocalEndpoint(ID, "acme", "iris", 1, "https://issuer", "kubeserve", (REVISION,))
NEW = replace(OLD, generation=2, revisions=(REVISION._replace(version=2),), timeout_s=9.0)
PORTS = range(18100, 18110)
Act = Callable[[Ledger], None]


def opened(folder: Path) -> Ledger:
    """Give what a supervisor that starts reads."""
    ledger = Ledger(folder, PORTS)
    ledger.load()
    return ledger


def replaced(ledger: Ledger) -> None:
    """Take over a newer state."""
    ledger.save(Entry(NEW, 18100, OLD, meter=Meter(requests=5)))


def counted(ledger: Ledger) -> None:
    """Note counters and a transition."""
    entry = ledger.entries[ID]
    entry.meter.requests = 6
    entry.turned("Ready", Condition.FALSE)
    ledger.save_history(entry)


def forgotten(ledger: Ledger) -> None:
    """Delete the endpoint."""
    ledger.forget(ID)


ACTS: dict[str, Act] = {act.__name__: act for act in (replaced, counted, forgotten)}


def begin(folder: Path) -> Ledger:
    """Write the state before the act, over whatever a crash left."""
    for path in folder.iterdir():
        path.unlink()
    ledger = opened(folder)
    entry = Entry(OLD, 18100, OLD, meter=Meter(requests=5))
    entry.turned("Ready", Condition.TRUE)
    ledger.save(entry)
    ledger.save_history(entry)
    return ledger


def left(folder: Path) -> list[object]:
    """Say what a start finds; nothing for no endpoint."""
    ledger = opened(folder)
    return [
        [e.desired.generation, e.port, e.proven == OLD, e.meter.requests, sorted(e.transitions)]
        for e in ledger.entries.values()
    ]


def crashed(folder: Path, act: Act, arm: Callable[[], None]) -> tuple[bool, list[object]]:
    """Act in a child that `arm` makes die; tells whether it did, and what is left."""
    ledger = begin(folder)
    pid = os.fork()
    if pid == 0:
        arm()
        act(ledger)
        os._exit(0)
    _, status = os.waitpid(pid, 0)
    assert os.WIFSIGNALED(status) or os.waitstatus_to_exitcode(status) == 0, status
    return os.WIFSIGNALED(status), left(folder)


def at_line(number: int) -> None:
    """Be killed before the `number`th line of the ledger, and of how it writes."""
    seen = 0

    def trace(frame, event, _argument):  # type: ignore[no-untyped-def]
        nonlocal seen
        if frame.f_code.co_filename not in (module.__file__, files.__file__):
            return None
        seen += event == "line"
        if seen == number:
            os.kill(os.getpid(), signal.SIGKILL)
        return trace

    sys.settrace(trace)


def at_byte(number: int) -> None:
    """Be killed by the write that goes beyond the `number`th byte of a file."""
    signal.signal(signal.SIGXFSZ, signal.SIG_DFL)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_FSIZE, (number, number))


def main(folder: Path) -> None:
    """Print a JSON line for each act and way to die: what was left after each death, in order."""
    for name, act in ACTS.items():
        for arm, step in ((at_line, 1), (at_byte, 37)):
            seen, number, died = [], step, True
            while died:
                died, rest = crashed(folder, act, lambda a=arm, n=number: a(n))  # type: ignore[misc]
                seen.append(rest)
                number += step
            print(json.dumps({"act": name, "arm": arm.__name__, "left": seen}))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
