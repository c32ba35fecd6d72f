"""The product's own images: built from a Debian base of our own making, loaded onto the node."""

import functools
import hashlib
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.cluster import images
from tests.cluster.home import Home, cache_folder
from tests.cluster.processes import ClusterBroken

ROOT = Path(__file__).parents[2]
CONTAINERS = ROOT / "manifests" / "containers"
IMAGES = ("runtime", "builder", "controlplane")
SUITE, PACKAGES = "bookworm", "python3,ca-certificates"
MIRROR = "http://deb.debian.org/debian"
NEEDLESS = ("usr/share/doc", "usr/share/man", "usr/share/locale", "usr/share/info",
            "var/cache/apt", "var/lib/apt/lists")  # fmt: skip


@functools.cache
def base() -> str:
    """Make Debian with its Python, once a machine; gives the tag to be a base of images."""
    asked = hashlib.sha256(f"{SUITE} {PACKAGES} {NEEDLESS}".encode()).hexdigest()[:12]
    tar = cache_folder() / f"base-{asked}.tar"
    if not tar.exists():
        tar.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=tar.parent) as folder:
            root = Path(folder, "root")
            _run(
                "debootstrap",
                "--variant=minbase",
                f"--include={PACKAGES}",
                SUITE,
                str(root),
                MIRROR,
            )
            part = Path(folder, "base.tar")
            without = [f"--exclude=./{path}/*" for path in NEEDLESS]
            _run("tar", "-C", str(root), "-cf", str(part), *without, ".")
            part.rename(tar)
    return images.import_base(tar, "kubeserve-base")


def build(image: str, home: Home | None = None) -> str:
    """Build one of IMAGES; gives its reference by digest."""
    with tempfile.TemporaryDirectory() as folder:
        context = Path(folder, "context")
        _run(sys.executable, str(CONTAINERS / "context.py"), image, str(context))
        return images.build(
            context,
            f"kubeserve-{image}",
            {"BASE": base()},
            containerfile=CONTAINERS / f"Containerfile.{image}",
            home=home,
        )


def _run(*command: str) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise ClusterBroken(f"`{command[0]} …` failed:\n{done.stdout[-2000:]}{done.stderr[-2000:]}")
