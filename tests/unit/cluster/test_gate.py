"""The last network plugin: the real script against the real socket."""

import json
import os
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.cluster import gate

RESULT: dict[str, Any] = {
    "cniVersion": "0.4.0",
    "ips": [{"version": "4", "address": "10.0.0.7/24"}],
}
needs_socat = pytest.mark.skipif(
    not any(Path(folder, "socat").exists() for folder in os.environ["PATH"].split(":")),
    reason="the plugin needs socat (`task cluster:packages`)",
)


@pytest.fixture
def folder() -> Iterator[Path]:
    # Short, because a socket's path may not be long.
    with tempfile.TemporaryDirectory(prefix="ks-gate-") as name:
        yield Path(name)


def call(folder: Path, command: str) -> dict[str, Any]:
    environment = {
        **os.environ,
        "CNI_COMMAND": command,
        "CNI_ARGS": "IgnoreUnknown=1;K8S_POD_NAMESPACE=ours;K8S_POD_NAME=a;K8S_POD_UID=uid-1",
    }
    document = json.dumps({"cniVersion": "0.4.0", "type": gate.PLUGIN, "prevResult": RESULT})
    done = subprocess.run(
        [folder / gate.PLUGIN], input=document, env=environment, capture_output=True, text=True,
        check=True,
    )  # fmt: skip
    answer: dict[str, Any] = json.loads(done.stdout or "{}")
    return answer


@needs_socat
@pytest.mark.parametrize("admitted", [True, False])
def test_a_pod_starts_when_it_is_admitted(folder: Path, admitted: bool) -> None:
    asked = []

    def admit(pod: gate.Asked) -> bool:
        asked.append((pod.uid, pod.address))
        return admitted

    gate.write_plugin(folder, folder)
    with gate.serve(folder, admit) as server:
        answer = call(folder, "ADD")
        server.shutdown()
    assert asked == [("uid-1", "10.0.0.7")]
    assert answer == RESULT if admitted else answer["code"] == gate.TRY_AGAIN


def test_other_commands_need_nobody(folder: Path) -> None:
    gate.write_plugin(folder, folder)
    assert "0.4.0" in call(folder, "VERSION")["supportedVersions"]
    assert call(folder, "DEL") == {}
