"""What is said of a worker's end, and whether to start it again."""

import signal

import pytest

from controlplane.engines.embedded.forker import Exited
from controlplane.engines.embedded.words import trouble_of
from runtime.launch import Exit


def test_a_clean_end_is_no_trouble():
    for was_ready in (True, False):
        assert trouble_of(Exited(Exit.OK, None), 3, was_ready=was_ready) is None


@pytest.mark.parametrize(
    ("code", "reason"), [(Exit.BAD_PLAN, "BadPlan"), (Exit.BAD_LAUNCH, "BadLaunch")]
)
def test_what_a_start_cannot_mend_is_final_and_of_its_generation(code, reason):
    trouble = trouble_of(Exited(code, None), 7, was_ready=False)
    assert (trouble.reason, trouble.final, trouble.generation) == (reason, True, 7)
    assert str(int(code)) in trouble.message
    assert "the log" in trouble.message


@pytest.mark.parametrize(
    ("how", "words"),
    [
        (Exited(None, signal.SIGKILL), ("SIGKILL", "137", "out of memory")),
        (Exited(None, signal.SIGSEGV), ("SIGSEGV", "139")),
        (Exited(1, None), ("exit code 1", "log")),
        (Exited(Exit.SUPERVISOR_GONE, None), ("exit code 70",)),
        (Exited(None, None), ("unseen", "zygote died")),
        (Exited(None, None, "no means for it"), ("no means for it",)),
    ],
)
@pytest.mark.parametrize(("was_ready", "when"), [(True, "serving"), (False, "starting")])
def test_anything_else_is_tried_again_and_told_as_it_was(how, words, was_ready, when):
    trouble = trouble_of(how, 1, was_ready=was_ready)
    assert (trouble.reason, trouble.final) == ("CrashLoop", False)
    for word in (*words, when):
        assert word in trouble.message


def test_every_signal_has_a_name():
    for number in signal.valid_signals():
        assert trouble_of(Exited(None, number), 1, was_ready=True) is not None
