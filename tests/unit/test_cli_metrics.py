"""`kubeserve metrics`: lines of small bars."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from click.testing import CliRunner

from controlplane.cli.main import cli
from controlplane.cli.metrics import bars, joined
from controlplane.client import Client, Series

AT = 1_800_000_000


def document(*rate: float | None) -> dict[str, Any]:
    values = {"rate": list(rate), "p95": [None if not r else 0.0123 for r in rate]}
    at = [AT + 5 * step for step in range(len(rate))]
    return {"at": at, "every_s": 5, "values": values}


def test_bars_go_from_nothing_to_the_greatest() -> None:
    assert bars([0, 1, 4, 8, None]) == "▁▂▅█·"
    assert bars([0, 0]) == "▁▁"
    assert bars([None]) == "·"


def test_neighbours_are_put_together_and_unknown_ones_left_out() -> None:
    assert joined([1, 3, None, 5, None, None, 7], 4, max) == [3, 5, None, 7]
    assert joined([1, 2], 60, sum) == [1, 2]
    assert joined([], 60, sum) == []


@pytest.mark.parametrize("as_json", [False, True])
def test_the_command_shows_what_the_api_tells(
    monkeypatch: pytest.MonkeyPatch, as_json: bool
) -> None:
    told = document(None, 0, 2.5, 10)
    asked: list[tuple[str, int]] = []

    def series(_client: Client, endpoint: str, minutes: int = 60) -> Series:
        asked.append((endpoint, minutes))
        return Series.read(told)

    monkeypatch.setattr(Client, "series", series)
    given = {"KUBESERVE_CLIENT_ID": "id", "KUBESERVE_CLIENT_SECRET": "s"}
    url = ["--url", "http://127.0.0.1:1"]
    arguments = [*url, *(["--json"] if as_json else []), "metrics", "iris", "--minutes", "5"]
    ran = CliRunner().invoke(cli, arguments, env=given, standalone_mode=False)
    assert ran.exception is None, ran.output
    assert asked == [("iris", 5)]
    if as_json:
        assert json.loads(ran.output) == told
        return
    lines = {line.split("  ")[0].strip(): line for line in ran.output.splitlines()}
    assert "·▁▃█" in lines["requests"]
    assert "10/s" in lines["requests"]
    assert "··▁" not in lines["p95"]
    assert "12.3 ms" in lines["p95"]


def test_an_endpoint_that_nothing_is_known_of_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    told = Series.read(document(None, None))
    monkeypatch.setattr(Client, "series", lambda *_: told)
    given = {"KUBESERVE_CLIENT_ID": "id", "KUBESERVE_CLIENT_SECRET": "s"}
    url = ["--url", "http://127.0.0.1:1"]
    ran = CliRunner().invoke(cli, [*url, "metrics", "iris"], env=given, standalone_mode=False)
    assert "Nothing was measured of iris yet" in ran.output


def test_times_are_read() -> None:
    assert Series.read(document(1.0)).at == (datetime.fromtimestamp(AT, UTC),)
