"""What `kubeserve loadtest` makes of its options, and what it needs."""

import importlib.util
import subprocess
import sys

import pytest
from click.testing import CliRunner

from controlplane.cli import loadtest
from controlplane.cli.main import cli
from loadtests.plan import plan_from

PLANS = {
    "steady": (["--rate", "5", "--duration", "3s", "--p95", "50ms"],
               {"kind": "steady", "rate": 5.0, "duration": "3s"}),
    "spike": (["--shape", "spike", "--rate", "5", "--peak", "50", "--times", "2"],
              {"kind": "spike", "rate": 5.0, "peak": 50.0, "times": 2}),
    "knee": (["--shape", "knee", "--start", "5", "--peak", "90", "--duration", "4s"],
             {"kind": "knee", "start": 5.0, "most": 90.0, "step": "4s"}),
    "ramp": (["--shape", "ramp", "--start", "5", "--rate", "90"],
             {"kind": "ramp", "start": 5.0, "rate": 90.0}),
    "wake": (["--shape", "wake", "--burst", "9", "--cold-start", "1s"],
             {"kind": "wake", "burst": 9}),
}  # fmt: skip


@pytest.fixture
def followed(monkeypatch):
    """The plans that would be run."""
    plans = []
    monkeypatch.setattr(loadtest, "_follow", lambda output, argv, plan: plans.append((argv, plan)))
    return plans


@pytest.mark.parametrize(("options", "shape"), PLANS.values(), ids=PLANS)
def test_options_become_a_plan_that_the_program_takes(followed, options, shape):
    ended = CliRunner().invoke(cli, ["loadtest", "iris", *options, "--format", "v1", "--rows", "2"])
    assert ended.exit_code == 0, ended.output
    ((argv, plan),) = followed
    assert argv[1:4] == ["-m", "loadtests", "run"]
    assert plan["shape"] == shape
    assert (plan["format"], plan["rows"]) == ("v1", 2)
    assert plan_from(plan).endpoint == "iris"


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ([], "--rate 100"),
        (["--shape", "spike", "--rate", "5"], "--peak 1000"),
        (["--rate", "5", "--burst", "3"], "--burst is nothing of the shape steady"),
        (["--shape", "wake", "--rate", "3"], "--rate is nothing of the shape wake"),
        (["--shape", "wave"], "'wave' is not one of"),
    ],
)
def test_options_that_make_no_plan_are_refused(followed, options, said):
    ended = CliRunner().invoke(cli, ["loadtest", "iris", *options])
    assert ended.exit_code == 2
    assert said in ended.output
    assert not followed


def test_without_the_extra_it_says_what_to_install(followed, monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    ended = CliRunner().invoke(cli, ["loadtest", "iris", "--rate", "5"])
    assert ended.exit_code == 1
    assert "pip install 'kubeserve[loadtest]'" in ended.output


def test_neither_command_line_nor_generator_bring_gevent_along():
    code = (
        "import sys, controlplane.cli.main, loadtests.generator, loadtests.reports;"
        "print([name for name in ('gevent', 'locust') if name in sys.modules])"
    )
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ended.stdout.strip() == "[]"


def test_importing_the_program_leaves_what_blocks_as_it_is_for_the_generator():
    code = (
        "import loadtests.users, loadtests.generator as g, select, socket;"
        "print(hasattr(select, 'epoll'), g.epoll.__module__, g.select is select.select,"
        " loadtests.links.socket is socket.socket)"
    )
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ended.stdout.split() == ["False", "select", "False", "False"]
