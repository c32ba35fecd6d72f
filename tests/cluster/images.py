"""Container images without a daemon: buildah builds them, containerd's own client loads them.

An image is referred to by digest, as the engine wants it. `dev.local` is a name that Knative does
not look up in a registry; with `imagePullPolicy: IfNotPresent` (or Never) nothing is pulled.
"""

import shutil
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from tests.cluster.home import Home, cache_folder
from tests.cluster.processes import ClusterBroken

REGISTRY = "dev.local"
# Of the same content the same image, whenever it is built: found in the cache, and no new digest,
# which would be a new Revision of every endpoint.
SAME = ("--quiet", "--layers", "--timestamp", "0", "--format", "oci")


def build(
    context: Path,
    name: str,
    build_args: Mapping[str, str] | None = None,
    *,
    containerfile: Path | None = None,
    target: str | None = None,
    home: Home | None = None,
) -> str:
    """Build a folder's Containerfile, load it onto the node, give `dev.local/NAME@sha256:…`.

    Layers are kept in the cache folder, so the same context costs nothing again. An earlier image
    of this function may be a base: `FROM dev.local/NAME:latest`.
    """
    file = containerfile or context / "Containerfile"
    arguments = [f"--build-arg={key}={value}" for key, value in (build_args or {}).items()]
    if target:
        arguments.append(f"--target={target}")
    tag = f"{REGISTRY}/{name}:latest"
    _buildah(
        *("bud", *SAME, "--pull-never", "--isolation", "chroot"),
        *(*arguments, "--file", str(file), "--tag", tag, str(context)),
    )
    return load(name, home=home)


def load(name: str, *, home: Home | None = None) -> str:
    """Load an image that was built here onto the node; give its reference by digest."""
    home = home or Home.default()
    tag = f"{REGISTRY}/{name}:latest"
    identity = _buildah("images", "--quiet", "--no-trunc", tag).strip().removeprefix("sha256:")
    known = home.root / "images" / f"{name.replace('/', '_')}-{identity}"
    if known.exists():  # it is on the node, which forgets no image
        return known.read_text()
    with tempfile.TemporaryDirectory(dir=home.root / "images") as folder:
        archive, digest = Path(folder, "image.tar"), Path(folder, "digest")
        _buildah(
            *("push", "--quiet", "--disable-compression", f"--digestfile={digest}"),
            *(tag, f"oci-archive:{archive}:{tag}"),
        )
        reference = f"{REGISTRY}/{name}@{digest.read_text().strip()}"
        ctr(home, "images", "import", "--no-unpack", str(archive))
    # The kubelet looks an image up by the very reference of the pod.
    ctr(home, "images", "tag", "--force", tag, reference)
    known.write_text(reference)
    return reference


def scratch(name: str, program: Path, *, user: int = 65532, home: Home | None = None) -> str:
    """Make an image of one static program, `/server`."""
    with tempfile.TemporaryDirectory() as folder:
        shutil.copy2(program, Path(folder, "server"))
        steps = ("FROM scratch", "COPY server /server", f"USER {user}", 'ENTRYPOINT ["/server"]')
        Path(folder, "Containerfile").write_text("\n".join(steps))
        return build(Path(folder), name, home=home)


def import_base(rootfs: Path, name: str) -> str:
    """Make an image of a folder or tar of a root file system, to be a base: gives its tag."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "Containerfile").write_text("FROM scratch\nADD rootfs.tar /\n")
        if rootfs.is_dir():
            command = ["tar", "-C", str(rootfs), "-cf", f"{folder}/rootfs.tar", "."]
            subprocess.run(command, check=True)
        else:
            shutil.copyfile(rootfs, Path(folder, "rootfs.tar"))
        tag = f"{REGISTRY}/{name}:latest"
        _buildah("bud", *SAME, "--tag", tag, folder)
    return tag


def ctr(home: Home, *arguments: str) -> str:
    """Run containerd's client on the node's images and containers."""
    return _run(["ctr", "-a", str(home.containerd_socket), "-n", "k8s.io", *arguments])


def _buildah(*arguments: str) -> str:
    storage = cache_folder() / "buildah"
    storage.mkdir(parents=True, exist_ok=True)
    places = ["--root", str(storage / "root"), "--runroot", str(storage / "run")]
    return _run(["buildah", *places, *arguments])


def _run(command: Sequence[str]) -> str:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise ClusterBroken(f"`{' '.join(command)}` failed:\n{done.stderr[-3000:]}")
    return done.stdout
