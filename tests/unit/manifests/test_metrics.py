"""Rules and dashboards: promtool takes them, alerts fire when they should, files are current."""

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from controlplane.cli.main import cli

MANIFESTS = Path(__file__).parents[3] / "manifests"
RULES = MANIFESTS / "prometheus" / "kubeserve.rules.yaml"
GRAFANA = MANIFESTS / "grafana"
SEVERITIES = {"critical", "warning", "info"}
DASHBOARDS = ("platform.json", "endpoint.json")


def promtool(*arguments: str) -> str:
    if shutil.which("promtool") is None:
        pytest.skip("needs promtool, of Debian's package prometheus")
    done = subprocess.run(
        ["promtool", *arguments], cwd=RULES.parent, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def rules() -> list[dict[str, Any]]:
    return [
        rule for group in yaml.safe_load(RULES.read_text())["groups"] for rule in group["rules"]
    ]


def alerts() -> list[dict[str, Any]]:
    return [rule for rule in rules() if "alert" in rule]


def test_promtool_takes_the_rules_and_every_alert_fires_when_it_should() -> None:
    assert f"{len(rules())} rules found" in promtool("check", "rules", RULES.name)
    promtool("test", "rules", "kubeserve.rules.test.yaml")


@pytest.mark.parametrize("alert", alerts(), ids=lambda alert: alert["alert"])
def test_an_alert_says_what_it_is_and_what_to_do(alert: dict[str, Any]) -> None:
    assert alert["labels"]["severity"] in SEVERITIES
    said = alert["annotations"]
    assert said.keys() == {"summary", "description", "runbook"}
    assert all(said.values())
    # What it has somebody type are commands that there are.
    commands = re.findall(r"kubeserve ([a-z]+)", said["runbook"])
    assert commands, said["runbook"]
    assert {*commands} <= {*cli.commands}


def test_the_tests_of_promtool_name_most_alerts() -> None:
    tried = (RULES.parent / "kubeserve.rules.test.yaml").read_text()
    without = {one["alert"] for one in alerts() if one["alert"] not in tried}
    # For want of time: 15 minutes of a backlog, and half an hour of panic.
    assert without == {"KubeServePanicLasts", "KubeServeReconcileBacklog"}


def test_dashboards_are_what_their_source_writes() -> None:
    source = "import dashboards, json; print(json.dumps(dashboards.dashboards()))"
    written = subprocess.run(
        [sys.executable, "-c", source], cwd=GRAFANA, capture_output=True, text=True, check=True
    )
    made = json.loads(written.stdout)
    assert tuple(made) == DASHBOARDS
    for name, text in made.items():
        assert (GRAFANA / name).read_text("utf-8") == text, "python manifests/grafana/dashboards.py"


@pytest.mark.parametrize("name", DASHBOARDS)
def test_a_dashboard_can_be_provisioned_and_filtered(name: str) -> None:
    board = json.loads((GRAFANA / name).read_text("utf-8"))
    variables = {one["name"]: one for one in board["templating"]["list"]}
    assert variables["datasource"]["query"] == "prometheus"
    wanted = {"tenant"} if name == "platform.json" else {"tenant", "endpoint", "revision"}
    assert variables.keys() == {"datasource", *wanted}
    panels = [panel for panel in board["panels"] if panel["type"] != "row"]
    assert len({panel["id"] for panel in board["panels"]}) == len(board["panels"])
    places = [tuple(panel["gridPos"].values())[:2] for panel in board["panels"]]
    assert len({*places}) == len(places), "no two in one place"
    used = set()
    for panel in panels:
        assert panel["targets"]
        assert panel["datasource"]["uid"] == "${datasource}"
        for target in panel["targets"]:
            used |= {*re.findall(r"\$(\w+)", target["expr"])}
    assert used - {"__rate_interval"} == wanted


def test_metrics_that_rules_and_dashboards_ask_for_are_ones_we_have() -> None:
    asked = {
        name
        for text in (RULES.read_text(), *((GRAFANA / name).read_text() for name in DASHBOARDS))
        for name in re.findall(r"(?<![:\w])kubeserve_[a-z_]+", text)
    }
    source = "\n".join(
        path.read_text()
        for path in (
            *(MANIFESTS.parent / "controlplane").rglob("*.py"),
            *(MANIFESTS.parent / "runtime").glob("*.py"),
        )
    )
    stems = {re.sub(r"_(total|bucket|sum|count)$", "", name) for name in asked}
    unknown = {
        stem
        for stem in stems
        if f'"{stem}"' not in source and f'"{stem.removeprefix("kubeserve_")}"' not in source
    }
    assert not unknown
