"""Objectives on the command line: files, and how they are said."""

import click
import pytest

from controlplane.cli.objectives import OPTIONS, read_file, said
from loadtests.slo import Objectives


def test_every_option_is_an_objective():
    assert set(OPTIONS) <= set(Objectives.model_fields)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("slo.yaml", "p95: 50ms\nerror_rate: 0.1%\n"),
        ("slo.toml", '[objectives]\np95 = "50ms"\nerror_rate = 0.001\n'),
        ("slo.json", '{"p95": "50ms", "error_rate": 0.001}'),
    ],
)
def test_objectives_come_from_files(tmp_path, name, text):
    (tmp_path / name).write_text(text)
    found = Objectives.model_validate(read_file(tmp_path / name))
    assert (found.p95, found.error_rate) == (0.05, 0.001)


@pytest.mark.parametrize(
    ("name", "text", "expected"),
    [
        ("slo.yaml", "p95: [", "cannot be read"),
        ("slo.json", "[]", "must hold names and values"),
        ("slo.yaml", "throughput: .nan", "no finite number"),
        ("slo.toml", "throughput = inf", "no finite number"),
        ("slo.json", '{"throughput": NaN}', "no finite number"),
        ("slo.ini", "p95=50ms", "must end in .yaml"),
        ("none.yaml", None, "cannot be read"),
    ],
)
def test_a_file_without_objectives_is_refused(tmp_path, name, text, expected):
    if text is not None:
        (tmp_path / name).write_text(text)
    with pytest.raises(click.UsageError, match=name) as caught:
        read_file(tmp_path / name)
    assert expected in str(caught.value)


def test_a_promise_is_said_in_a_line():
    promise = {"p99": "50ms", "error_rate": 0.001, "throughput": 200.0, "cold_start": "1s"}
    assert said(promise) == "p99 50ms, error rate 0.1 %, throughput 200/s, cold start 1s"
