"""KUBESERVE_SANDBOX on hosts that lack a layer: a whole builder, in a process that lacks it too."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.hostile import lacking
from tests.hostile.corpus import dumped, fitted

BUILDING = """
import asyncio, json, sys
from pathlib import Path
from controlplane.builder.job import Builder
from controlplane.builder.report import Limits, SandboxPolicy
from tests.hostile.lacking import lack
lack([int(number) for number in sys.argv[3:]])
async def main():
    builder = Builder(Limits(sandbox=SandboxPolicy(sys.argv[1])), pandas=False)
    folder = Path(sys.argv[2])
    report = await builder.build(folder / "upload", folder / "work")
    await builder.close()
    print(json.dumps([report.outcome, report.reason, report.advice, report.sandbox]))
asyncio.run(main())
"""


def built(policy: str, lacks: tuple[int, ...], folder: Path) -> tuple[str, str, str, list[str]]:
    (folder / "upload").write_bytes(dumped(fitted()))
    (folder / "work").mkdir()
    command = [sys.executable, "-c", BUILDING, policy, str(folder), *map(str, lacks)]
    said = subprocess.run(command, capture_output=True, check=True, text=True).stdout
    outcome, reason, advice, layers = json.loads(said)
    return outcome, reason, advice, layers


@pytest.mark.parametrize(
    ("lacks", "named"),
    [
        (lacking.SECCOMP, "seccomp"),
        (lacking.LANDLOCK + lacking.NAMESPACES, "Landlock"),
    ],
    ids=["no seccomp", "no Landlock and no namespaces"],
)
def test_required_builds_nothing_and_degraded_does(
    lacks: tuple[int, ...], named: str, tmp_path: Path
) -> None:
    for policy in ("required", "degraded"):
        (tmp_path / policy).mkdir()
    outcome, reason, advice, _ = built("required", lacks, tmp_path / "required")
    assert outcome == "failed"
    assert f"this host lacks {named}" in reason
    assert "operator" in advice
    outcome, _, _, layers = built("degraded", lacks, tmp_path / "degraded")
    assert outcome == "plan"
    assert not any(layer.startswith(named.lower()) for layer in layers)


def test_one_file_system_layer_is_enough(tmp_path: Path) -> None:
    outcome, reason, _, layers = built("required", lacking.LANDLOCK, tmp_path)
    assert outcome == "plan", reason
    assert "private-root" in layers
