"""Run mutants in children that may die of them, and say of which.

A child has so much memory and, for each mutant, so much processor time (not time of a clock, which
a busy machine stretches); it tells the number before it begins and the outcome after it. What it
dies of is the last number's.
"""

import os
import resource
import signal
import traceback
import warnings
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from itertools import islice
from multiprocessing import get_context
from multiprocessing.connection import Connection
from typing import Final

import numpy as np

from tests.unit.plan.fuzzing.contract import outcome
from tests.unit.plan.fuzzing.hostile import Random
from tests.unit.plan.fuzzing.mutants import Mutant

MEMORY_BYTES: Final = 1 << 30  # beyond what the parent has
PROCESSOR_S: Final = 5.0
BATCH: Final = 2_000

Make = Callable[[int], Mutant]

_fork: Final = get_context("fork")


@dataclass(slots=True)
class Found:
    """How many mutants of each kind came to what, and those that broke the contract."""

    outcomes: Counter[tuple[str, str]] = field(default_factory=Counter)
    faults: list[str] = field(default_factory=list)

    @property
    def tried(self) -> int:
        """All of them."""
        return self.outcomes.total()

    def table(self) -> str:
        """The outcomes of each kind, a line each."""
        lines = []
        for kind in sorted({kind for kind, _ in self.outcomes}):
            some = {what: n for (of, what), n in sorted(self.outcomes.items()) if of == kind}
            lines.append(f"{kind:8} {sum(some.values()):7}  {some}")
        return "\n".join(lines)


def hunt(make: Make, numbers: Iterable[int]) -> Found:
    """Try the mutants of these numbers."""
    found, more = Found(), iter(numbers)
    left: list[int] = []
    while left or (left := list(islice(more, BATCH))):
        left = _run_child(make, left, found)
    return found


def _run_child(make: Make, numbers: list[int], found: Found) -> list[int]:
    """Have a child try these; gives those that it left behind."""
    ours, theirs = _fork.Pipe(duplex=False)
    child = _fork.Process(target=_child, args=(make, numbers, theirs))
    child.start()
    theirs.close()
    begun = ended = 0
    try:
        while True:
            said = ours.recv()
            if said is None:
                begun += 1
                continue
            ended += 1
            kind, what, detail = said
            found.outcomes[kind, what] += 1
            if detail:
                found.faults.append(detail)
    except EOFError:
        child.join()
    if begun > ended:
        made = make(numbers[ended])
        found.outcomes[made.kind, "died"] += 1
        found.faults.append(f"{made.name}: {_death(child.exitcode)}")
    elif child.exitcode:
        raise RuntimeError(f"the fuzzing's child ended with {child.exitcode} between two mutants")
    return numbers[begun:]


def _death(code: int | None) -> str:
    if code == -signal.SIGPROF:
        return f"more than {PROCESSOR_S} s of processor time"
    return f"the process ended with {code}"


def _child(make: Make, numbers: list[int], told: Connection) -> None:
    signal.signal(signal.SIGPROF, signal.SIG_DFL)
    warnings.simplefilter("ignore")  # numbers that overflow are an answer; tests raise them
    limit = _address_space() + MEMORY_BYTES
    resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    for number in numbers:
        told.send(None)
        signal.setitimer(signal.ITIMER_PROF, PROCESSOR_S)
        said = verdict(make(number), np.random.default_rng(number))
        signal.setitimer(signal.ITIMER_PROF, 0.0)
        told.send(said)
    told.close()
    os._exit(0)


def _address_space() -> int:
    with open("/proc/self/statm") as file:
        return int(file.read().split()[0]) * resource.getpagesize()


def verdict(made: Mutant, random: Random) -> tuple[str, str, str]:
    """Give kind, outcome and, of a fault, whose it is and where it was."""
    try:
        return made.kind, outcome(made, random), ""
    except Exception as error:  # noqa: BLE001  (whatever it is, it is what was looked for)
        frames = traceback.extract_tb(error.__traceback__)
        ours = [frame for frame in frames if "/runtime/plan/" in frame.filename] or list(frames)
        place = f"{os.path.basename(ours[-1].filename)}:{ours[-1].lineno}"
        what = f"{type(error).__name__} at {place}: {str(error)[:200]}"
        return made.kind, "broke", f"{made.name}: {what}"
