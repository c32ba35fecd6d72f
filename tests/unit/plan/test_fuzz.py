"""No file, however it was made, ends a process, hangs it, or takes its memory.

`TEST_FUZZ_S=600` goes on for so many seconds, from `TEST_FUZZ_SEED` on, which is printed if it is
drawn. A fault names its mutant, `SEED:NUMBER`; `TEST_FUZZ_ONE=SEED:NUMBER` tries that one alone.
"""

import itertools
import os
import random
import time
from collections.abc import Iterable, Iterator
from functools import partial

import pytest

from tests.unit.plan.fuzzing.attacks import attack, attacks
from tests.unit.plan.fuzzing.hunt import hunt
from tests.unit.plan.fuzzing.mutants import KINDS, mutant, seeds

USUAL = range(2_000)
SECONDS = float(os.environ.get("TEST_FUZZ_S", "0"))
ONE = os.environ.get("TEST_FUZZ_ONE")


def _for(seconds: float) -> Iterator[int]:
    end = time.monotonic() + seconds
    return itertools.takewhile(lambda _: time.monotonic() < end, itertools.count())


def _asked() -> tuple[int, Iterable[int]]:
    if ONE:
        seed, number = map(int, ONE.split(":"))
        return seed, [number]
    if SECONDS:
        seed = int(os.environ.get("TEST_FUZZ_SEED") or random.SystemRandom().randrange(1 << 32))
        return seed, _for(SECONDS)
    return 0, USUAL


def test_every_mutant_of_every_family_is_refused_in_words_or_answers_as_promised(every, capsys):
    plans = seeds(every)
    seed, numbers = _asked()
    found = hunt(partial(mutant, plans, seed), numbers)
    if ONE or SECONDS:
        with capsys.disabled():
            print(f"\nseed {seed}: {found.tried} mutants\n{found.table()}")
    assert not found.faults, "\n".join(found.faults[:20])
    if not ONE:
        assert {kind for kind, _ in found.outcomes} == set(KINDS)
        assert {what for _, what in found.outcomes} >= {"refused", "answered"}


ATTACKS = attacks()


@pytest.mark.parametrize("name", ATTACKS)
def test_a_small_file_that_asks_for_much_is_refused_or_bounded(name):
    found = hunt(lambda _: attack(name, *ATTACKS[name]), [0])
    assert found.faults == []
    [(_, what)] = found.outcomes
    assert what.startswith("answered" if name == "wide leaves" else "refused")
