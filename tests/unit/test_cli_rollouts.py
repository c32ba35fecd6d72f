"""What is typed for rollouts, promises and warm windows, and what is sent for it."""

from pathlib import Path

import click
import pytest

from controlplane.cli.rollouts import CANARY, asked, load, objectives, share, steps
from controlplane.cli.warm import minutes
from runtime.plan.signature import Column, Kind, Output, Signature
from tests.unit.test_cli import kubeserve


def signature() -> Signature:
    """Of an endpoint that is asked."""
    return Signature((Column("age"), Column("ssn", Kind.STRING)), (Output("predict", "FP64"),))


NOTHING = dict.fromkeys(CANARY)


def test_steps() -> None:
    assert steps("5,25,100") == steps("5%, 25%, 100%") == [5, 25, 100]
    with pytest.raises(click.BadParameter, match="5,25,100"):
        steps("five,100")


@pytest.mark.parametrize(("text", "value"), [("1%", 0.01), ("0.1%", 0.001), ("0.05", 0.05)])
def test_shares(text: str, value: float) -> None:
    assert share(text) == pytest.approx(value)


@pytest.mark.parametrize(
    ("text", "value"), [("90m", 90), ("10h", 600), ("1h30m", 90), ("1d", 1440)]
)
def test_minutes(text: str, value: int) -> None:
    assert minutes(text) == value


@pytest.mark.parametrize(
    ("read", "text"),
    [(share, "few"), (minutes, "10"), (minutes, "h"), (minutes, "1h x"),
     (objectives, "p99"), (objectives, "p99="), (objectives, "mine"),
     (share, "nan"), (share, "inf%"), (objectives, "error_rate=nan"), (load, "rate=inf"),
     (load, "duration=30s"), (load, "rate"), (load, "rate=200,burst=3")],
)  # fmt: skip
def test_what_is_mistyped_is_said(read: object, text: str) -> None:
    assert callable(read)
    with pytest.raises(click.BadParameter):
        read(text)


def test_objectives() -> None:
    assert objectives(None) is None
    assert objectives("endpoint") == "endpoint"
    assert objectives("p99=50ms, error_rate=0.1%") == {"p99": "50ms", "error_rate": "0.1%"}


def test_the_body_of_a_rollout() -> None:
    assert asked("5,100", NOTHING, signature)["shadow"] is None
    told = asked("5,100", NOTHING | {"max_flips": "1%", "shadow": "20%", "step_s": 5.0}, signature)
    assert told["shadow"] == {"max_flips": 0.01, "share": 0.2}
    assert (told["steps"], told["step_s"], told["slo"]) == ([5, 100], 5.0, None)


def test_bounds_are_of_what_is_asked_for(tmp_path: Path) -> None:
    rows = tmp_path / "rows.ndjson"
    rows.write_text("[1, 2]\n[3, 4]\n")
    options = NOTHING | {"max_flips": "1%", "replay": str(rows)}
    told = asked("5,100", options, signature)
    assert told["replay"] == {"instances": [[1, 2], [3, 4]], "max_flips": 0.01}
    assert told["shadow"] is None
    both = asked("5,100", options | {"shadow": "20%"}, signature)
    assert both["shadow"] == {"max_flips": 0.01, "share": 0.2}


def test_cells_of_rows_that_are_replayed_are_what_their_columns_say(tmp_path: Path) -> None:
    rows = tmp_path / "rows.csv"
    rows.write_text("ssn,age\n007,41\n")
    told = asked("5,100", NOTHING | {"replay": str(rows)}, signature)
    assert told["replay"] == {"instances": [[41.0, "007"]]}


def test_a_load_test_of_one_rate() -> None:
    assert load(None) is None
    assert load("rate=200,duration=30s,p95=50ms,error_rate=0.1%") == {
        "shape": {"kind": "steady", "rate": 200, "duration": "30s"},
        "objectives": {"p95": "50ms", "error_rate": "0.1%"},
    }


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["deploy", "iris:2", "--max-flips", "1%"], "--max-flips is for --canary"),
        (["deploy", "iris:2", "--canary", "5,100", "--min-scale", "1"], "moves traffic alone"),
        (["deploy", "iris:2", "--canary", "all"], "5,25,100"),
        (["deploy", "iris:2", "--canary", "100", "--max-flips", "nan"], "no share"),
        (["deploy", "iris:2", "--canary", "100", "--step-s", "nan"], "no finite number"),
        (["deploy", "iris:2", "--window", "inf"], "no finite number"),
        (["payloads", "on", "iris", "--sample", "nan"], "no finite number"),
        (["slo", "iris", "--throughput", "nan"], "no finite number"),
        (["loadtest", "iris", "--rate", "inf", "--remote"], "no finite number"),
        (["tune", "iris", "--throughput", "inf"], "no finite number"),
        (["slo", "iris", "--p99", "50ms", "--clear"], "leave the others out"),
        (["warm", "iris", "--cron", "0 8 * * *"], "both --cron and --for"),
        (["warm", "iris", "--cron", "0 8 * * *", "--for", "long"], "no time such as 90m"),
    ],
)
def test_what_does_not_go_together_is_exit_code_2(
    arguments: list[str], said: str, tmp_path: Path
) -> None:
    ended = kubeserve("--url", "http://127.0.0.1:9", *arguments, home=tmp_path)
    assert (ended.returncode, said in ended.stderr) == (2, True), ended.stderr


@pytest.mark.parametrize(
    "arguments",
    [
        ["deploy", "iris:2", "--canary", "100", "--replay"],
        ["predict", "iris"],
        ["push", __file__, "iris", "--reference"],
        ["drift-reference", "iris:1"],
        ["autoscaler", "replay"],
    ],
    ids=lambda arguments: arguments[0],
)
def test_a_file_that_is_no_text_is_exit_code_2(arguments: list[str], tmp_path: Path) -> None:
    file = tmp_path / "latin.csv"
    file.write_bytes("größe\n1\n".encode("latin-1"))
    (tmp_path / "credentials.json").write_text(
        '{"url": "http://127.0.0.1:9", "client_id": "a", "client_secret": "b"}'
    )
    ended = kubeserve(*arguments, str(file), home=tmp_path)
    assert ended.returncode == 2, ended.stderr
    assert "latin.csv is no text in UTF-8. Save it as UTF-8" in ended.stderr
