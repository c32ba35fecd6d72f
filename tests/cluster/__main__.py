"""`python -m tests.cluster up|down|status|build`: the test cluster by hand."""

import sys
import time

from tests.cluster import lifecycle, needs
from tests.cluster.build import build
from tests.cluster.home import INGRESS_PORT, Home
from tests.cluster.processes import ClusterBroken

USAGE = "usage: python -m tests.cluster up | down | status | build | install-packages"


def main(command: str) -> int:
    """Do what the command says; gives the exit code."""
    home = Home.default()
    began = time.monotonic()
    try:
        match command:
            case "build":
                build()
            case "install-packages":
                needs.install_packages()
            case "up":
                lifecycle.up(home)
            case "down":
                lifecycle.down(home)
                return 0
            case "status":
                pass
            case _:
                print(USAGE, file=sys.stderr)
                return 2
    except ClusterBroken as error:
        print(f"cluster: {error}", file=sys.stderr)
        return 1
    if command in ("up", "status"):
        return _show(home, time.monotonic() - began)
    return 0


def _show(home: Home, seconds: float) -> int:
    state = lifecycle.status(home)
    for name, pid in state.items():
        print(f"{name:11} {f'pid {pid}' if pid else 'not running'}")
    if not all(state.values()):
        print("The cluster is not up; start it with `task cluster:up`.")
        return 1
    print(f"\nexport KUBECONFIG={home.kubeconfig}\ningress     http://127.0.0.1:{INGRESS_PORT}")
    print(f"logs        {home.run}/*.log\n({seconds:.0f} s)")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1] if len(sys.argv) == 2 else ""))
