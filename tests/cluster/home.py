"""Where one test cluster keeps everything, and the addresses it takes on this machine.

The addresses are fixed, so a machine holds one test cluster at a time; `up` says so.
"""

import os
import tempfile
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Final

NODE: Final = "node1"
NODE_IP: Final = "10.199.0.1"
NODE_LINK: Final = "kscluster0"
POD_NETWORK: Final = "kspods"
POD_SUBNET: Final = "10.244.0.0/24"
POD_GATEWAY: Final = "10.244.0.1"  # the near end of every pod's link
SERVICE_SUBNET: Final = "10.96.0.0/16"
API_IP: Final = "10.96.0.1"
DNS_IP: Final = "10.96.0.10"
API_PORT: Final = 6443
INGRESS_PORT: Final = 18080
INGRESS_ADMIN_PORT: Final = 19901
DOMAIN: Final = "example.test"


def cache_folder() -> Path:
    """Give the folder that outlives clusters: built servers and image layers."""
    given = os.environ.get("XDG_CACHE_HOME")
    return (Path(given) if given else Path.home() / ".cache") / "kubeserve-cluster"


@dataclass(frozen=True)
class Home:
    """One cluster's folder; the environment's TEST_CLUSTER_HOME or a fixed one."""

    root: Path

    @classmethod
    def default(cls) -> "Home":
        """Give the home that `task cluster:up` uses."""
        given = os.environ.get("TEST_CLUSTER_HOME")
        return cls(Path(given) if given else Path(tempfile.gettempdir()) / "kubeserve-cluster")

    @cached_property
    def pki(self) -> Path:
        """Give the folder of keys, certificates and kubeconfigs."""
        return self.root / "pki"

    @cached_property
    def run(self) -> Path:
        """Give the folder of pid files and logs."""
        return self.root / "run"

    @cached_property
    def containerd_socket(self) -> Path:
        """Give containerd's socket."""
        return self.run / "containerd" / "containerd.sock"

    @cached_property
    def kubeconfig(self) -> Path:
        """Give the administrator's kubeconfig."""
        return self.pki / "admin.kubeconfig"

    def make(self) -> None:
        """Make the folders, closed to others."""
        self.root.mkdir(parents=True, exist_ok=True, mode=0o700)
        for folder in (self.pki, self.run, self.containerd_socket.parent, self.root / "images"):
            folder.mkdir(parents=True, exist_ok=True)
