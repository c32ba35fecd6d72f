"""Bring a cluster up, tell how it is, and take everything of it away again."""

import contextlib
import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Final

from tests.cluster import images, knative, minio, needs, node
from tests.cluster.build import build
from tests.cluster.home import NODE, NODE_LINK, POD_GATEWAY, POD_NETWORK, Home
from tests.cluster.kube import Cluster
from tests.cluster.processes import ClusterBroken, alive, end, hold, stop, was_held

INGRESS: Final = ("envoy", "ingress")
HOLDER: Final = "holder"
# In the order in which they stop: nothing may restart what was stopped before it.
STOP: Final = (
    "ingress",
    "envoy",
    "firewall",
    "kproxy",
    "kubelet",
    "scheduler",
    "kcm",
    "apiserver",
    "etcd",
)
CGROUPS: Final = Path("/sys/fs/cgroup")
OUR_CHAINS: Final = ("KUBE-", "CNI-", "KS-")


def up(home: Home, *, held: bool = False) -> Cluster:
    """Bring a whole cluster up, or raise and leave nothing of it.

    One that is `held` goes with this process: once that has ended, whatever way, anybody may
    take away what is left of it. Leftovers of a cluster of which nothing lives are taken away.
    """
    os.environ["PATH"] = f"{os.environ.get('PATH', os.defpath)}:{needs.SBIN}"
    if all(status(home).values()):
        return Cluster(home)
    if reasons := needs.missing(for_build=True):
        raise ClusterBroken("; ".join(reasons))
    if (other := _owner()) not in (None, str(home.root)):
        if not abandoned(Home(Path(other))):
            raise ClusterBroken(
                f"another test cluster has this machine, in {other}: take it down first with "
                f"`TEST_CLUSTER_HOME={other} task cluster:down`, or use it by that variable."
            )
        down(Home(Path(other)))
    down(home)
    build()
    try:
        home.make()
        if held:
            hold(home.run, HOLDER)
        node.up(home)
        cluster = Cluster(home)
        cluster.wait("condition=Ready", f"node/{NODE}", seconds=90)
        knative.install(home)
        minio.install(home)
    except BaseException:
        _keep_logs(home)
        down(home)
        raise
    return cluster


def status(home: Home) -> dict[str, int | None]:
    """Give the pid of each server; None if it does not run."""
    return {name: alive(home.run, name) for name in (*node.SERVERS, *INGRESS)}


def down(home: Home) -> None:
    """Take everything away; nothing there is success."""
    os.environ["PATH"] = f"{os.environ.get('PATH', os.defpath)}:{needs.SBIN}"
    if not home.root.exists() and _owner() != str(home.root):
        return
    if os.geteuid() != 0:
        raise ClusterBroken("only root can take the cluster down")
    for name in STOP:
        stop(home.run, name)
    _end_containers(home)
    stop(home.run, "containerd")
    _end_shims(home)
    _unmount(home)
    if _owner() in (None, str(home.root)):  # what there is one of on a machine
        _drop_chains()
        _drop_cgroups()
        _drop_outside_files(home)
        _unlink()
    if home.root.exists():
        shutil.rmtree(home.root)


def _end_containers(home: Home) -> None:
    """End all containers; one that went with its sandbox meanwhile is no failure."""
    if alive(home.run, "containerd") is None:
        return
    for kind, flags in (("tasks", ["-f"]), ("containers", [])):
        listed = images.ctr(home, kind, "ls", "-q").split()
        with contextlib.suppress(ClusterBroken):
            images.ctr(home, kind, "rm", *flags, *listed)
        if left := images.ctr(home, kind, "ls", "-q").split():
            images.ctr(home, kind, "rm", *flags, *left)


def _end_shims(home: Home) -> None:
    """End what outlived containerd: ours are the shims that name our socket."""
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            command = (entry / "cmdline").read_bytes()
        except OSError:
            continue
        if b"containerd-shim" in command and str(home.containerd_socket).encode() in command:
            end(int(entry.name))


def _unmount(home: Home) -> None:
    mounts = [line.split()[1] for line in Path("/proc/mounts").read_text().splitlines()]
    for place in sorted(mounts, reverse=True):
        if place.startswith(f"{home.root}/"):
            subprocess.run(["umount", "-l", place], check=False)


def _unlink() -> None:
    """Remove the node's link, and the links of pods whose other end was not removed yet."""
    addressed = subprocess.run(
        ["ip", "-j", "-4", "addr"], capture_output=True, text=True, check=True
    ).stdout
    pods = [
        link["ifname"]
        for link in json.loads(addressed)
        if link["ifname"].startswith("veth")
        and any(address["local"] == POD_GATEWAY for address in link["addr_info"])
    ]
    for link in (*pods, NODE_LINK):
        if _link_exists(link):
            subprocess.run(["ip", "link", "del", link], check=False)  # may go by itself meanwhile


def _owner() -> str | None:
    """Give the home of the cluster that this machine's fixed addresses belong to."""
    try:
        return Path("/sys/class/net", NODE_LINK, "ifalias").read_text().strip() or None
    except OSError:
        return None


def abandoned(home: Home) -> bool:
    """Tell whether nobody answers for a cluster: its servers or the run that held it ended."""
    if was_held(home.run, HOLDER):
        return alive(home.run, HOLDER) is None
    return not any(status(home).values())


def _link_exists(name: str) -> bool:
    return Path("/sys/class/net", name).exists()


def _drop_chains() -> None:
    """Remove the chains of kube-proxy, the network plugins and our policies, and jumps to them."""
    for version in ("ip", "ip6"):
        saved = subprocess.run(
            [f"{version}tables-save"], capture_output=True, text=True, check=False
        ).stdout
        if batch := without_our_chains(saved):
            subprocess.run(
                [f"{version}tables-restore", "--noflush"], input=batch, text=True, check=True
            )


def without_our_chains(saved: str) -> str:
    """Turn what `iptables-save` says into what removes our chains; rules of others stay."""
    batch: list[str] = []
    table, chains, deletions = "", list[str](), list[str]()
    for line in saved.splitlines():
        if line.startswith("*"):
            table, chains, deletions = line, [], []
        elif line.startswith(":") and line[1:].startswith(OUR_CHAINS):
            chains.append(line.split()[0][1:])
        elif line.startswith("-A ") and not line.split()[1].startswith(OUR_CHAINS):
            target = line.rpartition(" -j ")[2]
            if target.startswith(OUR_CHAINS):
                deletions.append(f"-D{line[2:]}")
        elif line == "COMMIT" and chains:
            batch += [table, *deletions]
            batch += [f"-F {chain}" for chain in chains]
            batch += [*(f"-X {chain}" for chain in chains), "COMMIT", ""]
    return "\n".join(batch)


def _drop_cgroups() -> None:
    for parent in (*CGROUPS.glob("kubepods"), *CGROUPS.glob("*/kubepods")):
        for folder, _, _ in os.walk(parent, topdown=False):
            os.rmdir(folder)


def _drop_outside_files(home: Home) -> None:
    """Remove the few files that servers write to fixed places, and folders left empty by it."""
    results = Path("/var/lib/cni/results")
    for result in results.glob(f"{POD_NETWORK}-*-eth0"):
        container = result.name.removeprefix(f"{POD_NETWORK}-").removesuffix("-eth0")
        result.unlink()
        (results / f"cni-loopback-{container}-lo").unlink(missing_ok=True)
    logs = Path("/var/log/containers")
    for link in logs.glob("*"):
        if link.is_symlink() and str(link.readlink()).startswith(f"{home.root}/"):
            link.unlink()
    plugins = Path("/var/lib/kubelet/device-plugins")
    (plugins / "kubelet.sock").unlink(missing_ok=True)
    shims = Path("/run/containerd")
    inner = (results, plugins, shims / "s", shims / "runc" / "k8s.io", shims / "runc")
    for folder in (*inner, logs, results.parent, plugins.parent, shims):
        with contextlib.suppress(OSError):  # not empty: others use it
            folder.rmdir()


def _keep_logs(home: Home) -> None:
    kept = home.root.with_name(f"{home.root.name}-failed")
    shutil.rmtree(kept, ignore_errors=True)
    kept.mkdir()
    for log in home.run.glob("*.log"):
        shutil.copy2(log, kept)
    print(f"cluster: the logs of what failed are in {kept}", flush=True)
