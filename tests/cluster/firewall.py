"""Enforce NetworkPolicies on the node: watch, translate, load; one process of the cluster.

The known implementations cannot be built from the module proxy, or need a kernel feature that is
not everywhere; what they promise is little enough to do here. See policies.py for the meaning.
"""

import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Final

from kubernetes import client, config

from tests.cluster import gate, policies
from tests.cluster.home import Home
from tests.cluster.mirror import Json, Mirror

READY: Final = "firewall.ready"  # a file of the run folder
HOOKS: Final = ("FORWARD", "INPUT")  # between pods and outwards; from a pod to its own node


class Firewall:
    """The rules of one node."""

    def __init__(self, home: Home) -> None:
        self._home = home
        self._changed = threading.Event()
        core = client.CoreV1Api()
        network = client.NetworkingV1Api()
        self._policies = Mirror(network.list_network_policy_for_all_namespaces, self._changed)
        self._pods = Mirror(core.list_pod_for_all_namespaces, self._changed)
        self._namespaces = Mirror(core.list_namespace, self._changed)
        # Addresses that the API server does not know yet, and those that rules were made with.
        self._asked: dict[str, str] = {}
        self._loaded: set[tuple[str, str]] = set()
        self._load_done = threading.Condition()  # also guards those two

    def run(self) -> None:
        """Keep the rules as the policies want them, for ever."""
        for mirror in (self._policies, self._pods, self._namespaces):
            mirror.start()
        gate.serve(self._home.run, self.admit)
        text = ""
        while True:
            self._changed.wait()
            self._changed.clear()
            wanted, pods = list(self._policies.objects.values()), self._addressed_pods()
            spaces = {name: found for (_, name), found in list(self._namespaces.objects.items())}
            chains, entry = policies.render(wanted, pods, spaces)
            now = _restore(chains, entry)
            if now != text:
                try:
                    _load(now, chains)
                except RuntimeError as error:  # another writer was in the middle
                    print(error, flush=True)
                    time.sleep(0.2)
                    self._changed.set()
                    continue
                text = now
            with self._load_done:
                self._loaded = {(pod["metadata"]["uid"], policies.address_of(pod)) for pod in pods}
                self._load_done.notify_all()
            _tell(self._home, wanted)

    def admit(self, asked: gate.Asked) -> bool:
        """Wait until the rules of a new pod are in force; False if it stays unknown."""
        pod = asked.uid, asked.address
        with self._load_done:
            self._asked[asked.uid] = asked.address
            self._changed.set()
            if self._load_done.wait_for(lambda: pod in self._loaded, gate.WITHIN_S):
                return True
            self._asked.pop(asked.uid, None)
            return False

    def _addressed_pods(self) -> list[Json]:
        """Give all pods, those that are just starting with the address they are about to have."""
        pods = {pod["metadata"]["uid"]: pod for pod in list(self._pods.objects.values())}
        with self._load_done:
            for uid, address in list(self._asked.items()):
                pod = pods.get(uid)
                if pod is None:  # gone, or its watch is late
                    if (uid, address) in self._loaded:
                        del self._asked[uid]
                elif policies.address_of(pod) == address:
                    del self._asked[uid]
                else:
                    pods[uid] = {**pod, "status": {**pod.get("status", {}), "podIP": address}}
        return list(pods.values())


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
    home = Home(Path(sys.argv[1]))
    config.load_kube_config(str(home.kubeconfig))
    Firewall(home).run()
