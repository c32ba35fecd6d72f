"""A whole KubeServe of its own for a benchmark: a fresh home, free ports, gone afterwards."""

import contextlib
import json
import os
import random
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from controlplane.client import Client

COMMAND = [sys.executable, "-m", "controlplane.cli.main"]


@contextlib.contextmanager
def installation(
    endpoints: int = 10, ingress: str | None = None, **settings: str
) -> Iterator[tuple[Client, Path]]:
    """Run KubeServe in a temporary home; `settings` are KUBESERVE_ variables without the prefix.

    ingress  where endpoints are reached whose names do not resolve
    """
    with tempfile.TemporaryDirectory(prefix="kubeserve-bench-") as folder:
        home = Path(folder)
        # Of its own: settings of whoever runs it say nothing here.
        env = {
            **{name: value for name, value in os.environ.items() if "KUBESERVE_" not in name},
            "KUBESERVE_HOME": folder,
            "KUBESERVE_LISTEN": f"127.0.0.1:{free_port()}",
            "KUBESERVE_PORTS": free_range(endpoints),
            **{f"KUBESERVE_{name.upper()}": value for name, value in settings.items()},
        }
        try:
            subprocess.run([*COMMAND, "up"], env=env, check=True, stdout=subprocess.DEVNULL)
            kept = json.loads((home / "credentials.json").read_text())
            with Client(
                kept["url"], kept["client_id"], kept["client_secret"], ingress=ingress
            ) as client:
                yield client, home
        finally:
            subprocess.run([*COMMAND, "down"], env=env, check=True, stdout=subprocess.DEVNULL)


def free_port() -> int:
    """Find a port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def free_range(size: int) -> str:
    """Find `size` free ports in a row, below the range the kernel gives to clients."""
    ranges = list(range(19000, 32000 - size, size))
    random.shuffle(ranges)  # another run beside this one is looking too
    for low in ranges:
        with contextlib.suppress(OSError), contextlib.ExitStack() as stack:
            for port in range(low, low + size):
                held = stack.enter_context(socket.socket())
                held.bind(("127.0.0.1", port))
            return f"{low}-{low + size - 1}"
    raise RuntimeError(f"no {size} free ports in a row between 19000 and 32000")
