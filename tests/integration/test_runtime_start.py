"""What a worker that starts from nothing has imported when it has answered."""

import re
from importlib import import_module
from pathlib import Path

import pytest

from runtime import late
from runtime.plan.graph import FAMILIES
from tests.integration.runtime_rig import ROW, Keys, free_port, launch_of, served

IMPORTED = re.compile(r"^import '(\S+)' #", re.MULTILINE)
# The image runs without docstrings and asserts, so whatever needs them would fail here.
AS_SHIPPED = {"PYTHONVERBOSE": "1", "PYTHONOPTIMIZE": "2"}
# Each was there once, and was a tenth of the start or brought what was.
HEAVY = {
    *(
        "uvicorn",
        "click",
        "h11",
        "multiprocessing",
        "logging.config",
        "email",
        "pathlib",
        "secrets",
    ),
    *(
        "random",
        "tempfile",
        "csv",
        "ipaddress",
        "runtime.fetch",
        "runtime.fallback.front",
    ),
    *("ssl", "_ssl", "_hashlib"),
    *("cryptography.hazmat.backends.openssl.backend", "cryptography.hazmat.primitives.ciphers"),
}


@pytest.fixture(scope="module")
def imported(tmp_path_factory: pytest.TempPathFactory) -> set[str]:
    folder = tmp_path_factory.mktemp("start")
    keys = Keys(folder)
    launch, log = launch_of(folder, keys, port=free_port()), folder / "log"
    with served(launch, keys, log, env=AS_SHIPPED) as worker:
        assert worker.ask(body=[ROW])[2]["predictions"] == [0]
        told = set(IMPORTED.findall(Path(log).read_text()))
    assert {"numpy", "runtime.server", "runtime.plan.linear"} <= told
    return told


def test_of_the_families_only_the_plans_own_are_imported(imported: set[str]) -> None:
    assert {name for name in FAMILIES if f"runtime.plan.{name}" in imported} == {"linear"}


def test_what_can_be_late_is_late(imported: set[str]) -> None:
    assert sorted(imported & set(late.MODULES)) == []


def test_no_class_that_a_start_needs_is_generated(imported: set[str]) -> None:
    # A frozen dataclass with slots takes 1.1 ms to make, a NamedTuple 0.08.
    started = {name for name in imported if name.partition(".")[0] == "runtime"}
    assert not {name for name in started if "dataclasses" in vars(import_module(name))}
    assert not {name for name in started if "dataclass" in vars(import_module(name))}


def test_nothing_heavy_is_imported_for_a_first_answer(imported: set[str]) -> None:
    assert sorted(imported & HEAVY) == []
