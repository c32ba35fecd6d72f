"""Build the servers of the cluster from pinned Go modules, once for each set of versions.

A server's key is the hash of its go.mod, go.sum and sources: what was built under it is kept in
the cache folder, so only a changed pin costs a build again.
"""

import concurrent.futures
import fcntl
import hashlib
import os
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tests.cluster.home import cache_folder
from tests.cluster.processes import ClusterBroken

SERVERS: Final = Path(__file__).parent / "servers"
AT_ONCE: Final = 2  # the Go compiler itself uses all cores; more would only take memory
# The compiler collects garbage a fifth of its time by default; memory is what there is enough of.
COLLECTING: Final = {"GOGC": "400"}
KUBERNETES: Final = "v1.34.4"


@dataclass(frozen=True)
class Server:
    """Programs of one pinned module: `packages` by the name of their binary."""

    module: str
    packages: dict[str, str]
    ldflags: str = ""

    @property
    def key(self) -> str:
        """Give the hash of everything that decides what is built."""
        digest = hashlib.sha256(repr(self).encode())
        for path in sorted((SERVERS / self.module).iterdir()):
            digest.update(path.name.encode() + path.read_bytes())
        return digest.hexdigest()[:16]

    @property
    def folder(self) -> Path:
        """Give the cache folder of its binaries."""
        return cache_folder() / "bin" / f"{self.module}-{self.key}"

    def built(self) -> bool:
        """Tell whether nothing is left to do."""
        return all((self.folder / name).exists() for name in self.packages)


def _kubernetes() -> Server:
    version = "k8s.io/component-base/version"
    major, minor = KUBERNETES.removeprefix("v").split(".")[:2]
    return Server(
        "kubernetes",
        {
            name: f"k8s.io/kubernetes/cmd/{name}"
            for name in (
                *("kube-apiserver", "kube-controller-manager", "kube-scheduler"),
                *("kube-proxy", "kubelet", "kubectl"),
            )
        },
        f"-X {version}.gitVersion={KUBERNETES} -X {version}.gitMajor={major} "
        f"-X {version}.gitMinor={minor}",
    )


ALL: Final = {
    server.module: server
    for server in (
        _kubernetes(),
        Server("etcd", {"etcd": "go.etcd.io/etcd/server/v3"}),
        Server("coredns", {"coredns": "."}),
        Server("minio", {"minio": "github.com/minio/minio"}),
        Server("helm", {"helm": "helm.sh/helm/v4/cmd/helm"}),
        Server(
            "knative",
            {
                name: f"knative.dev/serving/cmd/{name}"
                for name in ("controller", "webhook", "autoscaler", "activator", "queue")
            },
        ),
    )
}

# Of single tests, which build them themselves: no part of the cluster.
OTHERS: Final = {"hydra": Server("hydra", {"hydra": "."})}


def build(*modules: str) -> None:
    """Build what is missing of the named servers (of all, if none is named)."""
    wanted = [(ALL | OTHERS)[name] for name in modules or ALL]
    missing = [server for server in wanted if not server.built()]
    with concurrent.futures.ThreadPoolExecutor(AT_ONCE) as pool:
        for done in [pool.submit(_build, server) for server in missing]:
            done.result()


def binary(name: str) -> Path:
    """Give the path of a built program."""
    for server in (ALL | OTHERS).values():
        if name in server.packages:
            path = server.folder / name
            if not path.exists():
                raise ClusterBroken(f"{name} is not built; run `task cluster:build`")
            return path
    raise KeyError(name)


def module_folder(server: str, module: str) -> Path:
    """Give the folder of a dependency's sources, which hold the project's own manifests."""
    command = ["go", "list", "-mod=readonly", "-m", "-f", "{{.Dir}}", module]
    found = subprocess.run(
        command, cwd=SERVERS / server, check=True, capture_output=True, text=True
    ).stdout.strip()
    return Path(found)


def _build(server: Server) -> None:
    with _locked(server):
        if server.built():  # by another run, while we waited
            return
        print(f"cluster: building {', '.join(server.packages)}", flush=True)
        flags = ["-mod=readonly", f"-ldflags=-s -w {server.ldflags}".rstrip()]
        with tempfile.TemporaryDirectory(dir=server.folder.parent) as folder:
            for name, package in server.packages.items():
                command = ["go", "build", *flags, "-o", f"{folder}/{name}", package]
                environment = {**COLLECTING, **os.environ, "CGO_ENABLED": "0"}
                done = subprocess.run(
                    command, cwd=SERVERS / server.module, env=environment,
                    stderr=subprocess.PIPE, text=True, check=False,
                )  # fmt: skip
                if done.returncode:
                    raise ClusterBroken(f"`{' '.join(command)}` failed:\n{done.stderr[-3000:]}")
            server.folder.mkdir(exist_ok=True)
            for name in server.packages:
                Path(folder, name).rename(server.folder / name)


@contextmanager
def _locked(server: Server) -> Iterator[None]:
    server.folder.parent.mkdir(parents=True, exist_ok=True)
    with (server.folder.parent / f"{server.module}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
