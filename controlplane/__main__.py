"""One program, three roles: `python -m controlplane keeper | api | supervisor`.

Each imports only what it needs: the supervisor must stay small, the keeper smaller.
"""

import ctypes
import os
import signal
import sys
from pathlib import Path

PR_SET_PDEATHSIG = 1


def main() -> None:
    """Run the role named on the command line."""
    role = sys.argv[1] if len(sys.argv) == 2 else ""
    if role == "keeper":
        from controlplane.keeper import main as keep
        from controlplane.settings import read_settings

        keep(read_settings())
    elif role == "api":
        _end_with_the_keeper()
        _api()
    elif role == "supervisor":
        from controlplane.engines.embedded.supervisor import main as supervise

        supervise(_home())
    else:
        sys.stderr.write("usage: python -m controlplane keeper | api | supervisor\n")
        raise SystemExit(64)


def _home() -> Path:
    """Give the home folder; the keeper names it, which saves the supervisor all of pydantic."""
    named = os.environ.get("KUBESERVE_HOME")
    if named:
        return Path(named)
    from controlplane.settings import read_settings

    return read_settings().home


def _end_with_the_keeper() -> None:
    """Ask the kernel to stop us when the keeper dies, and look whether it did already."""
    keeper = os.environ.get("KUBESERVE_KEEPER_PID")
    if keeper is None:
        return
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
    if os.getppid() != int(keeper):
        raise SystemExit(0)


def _api() -> None:
    import uvicorn

    from controlplane.app import create_app
    from controlplane.settings import read_settings
    from controlplane.telemetry import configure_logging

    configure_logging()
    settings = read_settings()
    uvicorn.run(
        create_app(settings),
        host=settings.host,
        port=settings.port,
        log_config=None,
        access_log=False,
        timeout_graceful_shutdown=5,
    )


if __name__ == "__main__":
    main()
