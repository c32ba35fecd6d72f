"""What this machine lacks for a test cluster, in words, with the command that helps."""

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Final

# program or file → Debian package
PROGRAMS: Final = {
    "containerd": "containerd",
    "runc": "runc",
    "buildah": "buildah",
    "iptables": "iptables",
    "conntrack": "conntrack",
    "ethtool": "ethtool",
    "socat": "socat",
    "ip": "iproute2",
    "sysctl": "procps",
    "gcc": "gcc libc6-dev",
    "debootstrap": "debootstrap",
}
CNI_FOLDERS: Final = (Path("/usr/lib/cni"), Path("/opt/cni/bin"))
CNI_PLUGINS: Final = ("ptp", "host-local", "portmap", "loopback")
SBIN: Final = "/usr/local/sbin:/usr/sbin:/sbin"


def cni_folder() -> Path | None:
    """Give the folder that has the network plugins."""
    for folder in CNI_FOLDERS:
        if all((folder / plugin).exists() for plugin in CNI_PLUGINS):
            return folder
    return None


def packages() -> list[str]:
    """List the Debian packages that are missing."""
    path = f"{os.environ.get('PATH', os.defpath)}:{SBIN}"
    missing = [name for program, name in PROGRAMS.items() if not shutil.which(program, path=path)]
    return missing if cni_folder() else [*missing, "containernetworking-plugins"]


def missing(*, for_build: bool = False) -> list[str]:
    """Name everything that keeps a cluster from running here; empty if nothing does."""
    reasons = []
    if not sys.platform.startswith("linux"):
        reasons.append("a test cluster needs Linux")
    if for_build and not shutil.which("go"):
        reasons.append("Go is not installed (https://go.dev/dl, 1.26 or newer)")
    if os.geteuid() != 0:
        reasons.append("a test cluster needs root (containers, bridges, iptables)")
    elif not _may_administer():
        reasons.append("this root may not administer the machine (no CAP_SYS_ADMIN: a container?)")
    if lacking := packages():
        reasons.append(f"run `apt-get install --no-install-recommends {' '.join(lacking)}`")
    return reasons


def install_packages() -> None:
    """Install the missing Debian packages, where that is possible and wanted."""
    lacking = " ".join(packages()).split()
    if not lacking or os.geteuid() != 0 or not shutil.which("apt-get"):
        return
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    for command in (
        ["update", "-qq"],
        ["install", "-y", "-qq", "--no-install-recommends", *lacking],
    ):
        subprocess.run(
            ["apt-get", *command], check=True, env=environment, stdout=subprocess.DEVNULL
        )


def _may_administer() -> bool:
    status = Path("/proc/self/status").read_text()
    effective = next(line for line in status.splitlines() if line.startswith("CapEff:"))
    return bool(int(effective.split()[1], 16) >> 21 & 1)
