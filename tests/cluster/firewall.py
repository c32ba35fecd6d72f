"""Enforce NetworkPolicies on the node: watch, translate, load; one process of the cluster.

The known implementations cannot be built from the module proxy, or need a kernel feature that is
not everywhere; what they promise is little enough to do here. See policies.py for the meaning.
"""

import subprocess
import sys
import threading
from pathlib import Path
from typing import Final

from kubernetes import client, config

from tests.cluster import policies
from tests.cluster.home import Home
from tests.cluster.mirror import Json, Mirror

READY: Final = "firewall.ready"  # a file of the run folder
HOOKS: Final = ("FORWARD", "INPUT")  # between pods and outwards; from a pod to its own node


def main(home: Home) -> None:
    """Keep the rules as the policies want them, for ever."""
    config.load_kube_config(str(home.kubeconfig))
    changed = threading.Event()
    core = client.CoreV1Api()
    wanted = Mirror(client.NetworkingV1Api().list_network_policy_for_all_namespaces, changed)
    pods = Mirror(core.list_pod_for_all_namespaces, changed)
    namespaces = Mirror(core.list_namespace, changed)
    for mirror in (wanted, pods, namespaces):
        mirror.start()
    loaded = ""
    while True:
        changed.wait()
        changed.clear()
        policies_now = list(wanted.objects.values())
        chains, entry = policies.render(
            policies_now,
            list(pods.objects.values()),
            {name: found for (_, name), found in list(namespaces.objects.items())},
        )
        text = _restore(chains, entry)
        if text != loaded:
            _load(text, chains)
            loaded = text
        _tell(home, policies_now)


def enforced(home: Home) -> frozenset[str]:
    """Give `UID@RESOURCEVERSION` of each policy that is in force."""
    try:
        return frozenset((home.run / READY).read_text().split())
    except FileNotFoundError:
        return frozenset()


def version(policy: Json) -> str:
    """Give what `enforced` says of a policy."""
    meta = policy["metadata"]
    return f"{meta['uid']}@{meta['resourceVersion']}"


def _tell(home: Home, loaded: list[Json]) -> None:
    part = home.run / f"{READY}.part"
    part.write_text("\n".join(map(version, loaded)))
    part.rename(home.run / READY)


def _restore(chains: dict[str, list[str]], entry: list[str]) -> str:
    every = {**chains, policies.ENTRY: entry}
    declared = [f":{name} - [0:0]" for name in every]  # also empties a chain that is there
    rules = [f"-A {name} {rule}" for name, found in every.items() for rule in found]
    return "\n".join([*declared, *rules])


def _load(text: str, chains: dict[str, list[str]]) -> None:
    """Replace all our rules in one transaction; first in the hooks, before kube-proxy's accepts."""
    saved = _run("iptables-save", "-t", "filter").splitlines()
    present = {line.split()[0][1:] for line in saved if line.startswith(":KS-")}
    stale = sorted(present - {*chains, policies.ENTRY})
    lines = ["*filter", text, *(f":{name} - [0:0]" for name in stale)]
    for hook in HOOKS:
        rules = [line for line in saved if line.startswith(f"-A {hook} ")]
        jump = f"-A {hook} -j {policies.ENTRY}"
        if rules[:1] != [jump]:
            lines += [f"-D {jump[3:]}"] * rules.count(jump)
            lines.append(f"-I {hook} 1 -j {policies.ENTRY}")
    lines += [*(f"-X {name}" for name in stale), "COMMIT", ""]
    _run("iptables-restore", "--noflush", "-w", stdin="\n".join(lines))


def _run(*command: str, stdin: str | None = None) -> str:
    done = subprocess.run(command, input=stdin, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"{' '.join(command)}: {done.stderr}\n{stdin or ''}")
    return done.stdout


if __name__ == "__main__":
    main(Home(Path(sys.argv[1])))
