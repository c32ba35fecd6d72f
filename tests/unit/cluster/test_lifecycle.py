"""What the test cluster starts and leaves on a machine."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cluster import processes
from tests.cluster.home import Home
from tests.cluster.lifecycle import HOLDER, abandoned, without_our_chains

SAVED = """# Generated
*nat
:PREROUTING ACCEPT [0:0]
:KUBE-SERVICES - [0:0]
:CNI-1 - [0:0]
:DOCKER - [0:0]
-A PREROUTING -m comment --comment "of KUBE-SERVICES" -j DOCKER
-A PREROUTING -m comment --comment "kubernetes service portals" -j KUBE-SERVICES
-A KUBE-SERVICES -d 10.96.0.1/32 -j CNI-1
-A DOCKER -i docker0 -j RETURN
COMMIT
*mangle
:FORWARD ACCEPT [0:0]
COMMIT
"""


def test_only_our_chains_and_jumps_to_them_are_removed() -> None:
    assert without_our_chains(SAVED).splitlines() == [
        "*nat",
        '-D PREROUTING -m comment --comment "kubernetes service portals" -j KUBE-SERVICES',
        "-F KUBE-SERVICES",
        "-F CNI-1",
        "-X KUBE-SERVICES",
        "-X CNI-1",
        "COMMIT",
    ]
    assert without_our_chains("*nat\n:DOCKER - [0:0]\nCOMMIT\n") == ""


@pytest.mark.skipif(os.geteuid() != 0, reason="a network of one's own needs root")
def test_the_packet_filter_takes_the_removal() -> None:
    script = """
import subprocess
from tests.cluster.lifecycle import _drop_chains
restore = "*filter\\n:KS-POLICY - [0:0]\\n:OTHER - [0:0]\\n-A FORWARD -j KS-POLICY\\n"
restore += "-A KS-POLICY -j OTHER\\n-A FORWARD -j OTHER\\nCOMMIT\\n"
subprocess.run(["iptables-restore"], input=restore, text=True, check=True)
_drop_chains()
_drop_chains()
print(subprocess.check_output(["iptables", "-S"], text=True))
"""
    done = subprocess.run(
        ["unshare", "--net", sys.executable, "-c", script],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    if "unshare failed" in done.stderr or "No such file" in done.stderr:
        pytest.skip(f"no network of one's own here: {done.stderr[-200:]}")
    assert done.returncode == 0, done.stderr
    assert "KS-POLICY" not in done.stdout
    assert "-A FORWARD -j OTHER" in done.stdout


def test_a_cluster_is_abandoned_when_its_servers_or_its_run_ended(tmp_path: Path) -> None:
    home = Home(tmp_path)
    home.make()
    assert abandoned(home)
    processes.start(home.run, "etcd", ["sleep", "60"])
    try:
        assert not abandoned(home)  # somebody's `task cluster:up`
        processes.hold(home.run, HOLDER)
        assert not abandoned(home)
        (home.run / f"{HOLDER}.pid").write_text(f"{os.getpid()} 1\n")  # another's number now
        assert abandoned(home)
    finally:
        processes.stop(home.run, "etcd")


def test_a_server_is_known_by_pid_and_birth(tmp_path: Path) -> None:
    processes.start(tmp_path, "sleeper", ["sleep", "60"])
    pid = processes.alive(tmp_path, "sleeper")
    assert pid is not None
    processes.must_live(tmp_path, "sleeper")
    # Another process under the same number is not the server.
    (tmp_path / "other.pid").write_text(f"{pid} 1\n")
    assert processes.alive(tmp_path, "other") is None

    processes.stop(tmp_path, "sleeper")
    assert processes.alive(tmp_path, "sleeper") is None
    assert not Path(f"/proc/{pid}").exists()
    processes.stop(tmp_path, "sleeper")


def test_a_server_that_does_not_want_to_end_is_ended(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(processes, "STOP_WITHIN_S", 0.2)
    script = "trap '' TERM; echo deaf; while :; do sleep 1; done"
    processes.start(tmp_path, "deaf", ["sh", "-c", script])
    deadline = processes.Deadline("its start", 10)
    while "deaf" not in processes.log_end(tmp_path, "deaf"):
        deadline.again()
    processes.stop(tmp_path, "deaf")
    assert processes.alive(tmp_path, "deaf") is None


def test_a_server_that_ended_is_told_with_its_log(tmp_path: Path) -> None:
    processes.start(tmp_path, "brief", ["sh", "-c", "echo the reason; exit 3"])
    deadline = processes.Deadline("its end", 10)
    while processes.alive(tmp_path, "brief"):
        deadline.again()
    with pytest.raises(processes.ClusterBroken, match="the reason"):
        processes.must_live(tmp_path, "brief")
