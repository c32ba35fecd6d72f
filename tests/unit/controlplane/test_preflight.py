"""What preflight says of the layers that hold uploaded code."""

import pytest

from controlplane.engines.preflight import Verdict
from controlplane.preflight import sandbox, sandbox_of_pods

ALL = (
    *("cgroup-v2", "landlock-7", "namespaces", "no_new_privs", "private-root", "rlimits"),
    *("seccomp", "uid"),
)


def verdicts(*missing: str, required: bool = True) -> dict[str, Verdict]:
    layers = [layer for layer in ALL if not layer.startswith(missing)] if missing else ALL
    return {one.name: one.verdict for one in sandbox(layers, required=required)}


def test_everything_there_is_ok() -> None:
    assert set(verdicts().values()) == {Verdict.OK}
    assert len(verdicts()) == len(ALL)


@pytest.mark.parametrize("layer", ["cgroup", "uid", "namespaces", "landlock", "private-root"])
def test_one_that_others_replace_is_a_warning(layer: str) -> None:
    found = verdicts(layer)
    assert found.pop(f"sandbox {layer}") is Verdict.WARN
    assert set(found.values()) == {Verdict.OK}


@pytest.mark.parametrize("missing", [("seccomp",), ("rlimits",), ("landlock", "private-root")])
def test_without_a_needed_one_nothing_is_built(missing: tuple[str, ...]) -> None:
    assert verdicts(*missing)[f"sandbox {missing[0]}"] is Verdict.FAIL
    assert verdicts(*missing, required=False)[f"sandbox {missing[0]}"] is Verdict.WARN


def test_what_is_missing_says_what_to_do() -> None:
    for one in sandbox((), required=True):
        assert one.advice


def test_pods_tell_what_held_the_last_build() -> None:
    assert [one.verdict for one in sandbox_of_pods(None, required=True)] == [Verdict.OK]
    assert sandbox_of_pods(ALL, required=True) == sandbox(ALL, required=True)
