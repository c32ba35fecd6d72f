"""One program, five roles: `python -m controlplane keeper | api | supervisor | gateway | migrate`.

Each imports only what it needs: the supervisor must stay small, the keeper smaller.
"""

import ctypes
import os
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from controlplane.engines.embedded.gateway import Front
    from controlplane.settings import Settings

PR_SET_PDEATHSIG = 1


def main() -> None:
    """Run the role named on the command line."""
    role = sys.argv[1] if len(sys.argv) == 2 else ""
    if role == "keeper":
        from controlplane.keeper import main as keep
        from controlplane.settings import read_settings

        settings = read_settings()
        keep(settings, lambda: _check_gateway(settings))
    elif role == "api":
        _end_with_the_keeper()
        _api()
    elif role == "supervisor":
        from controlplane.engines.embedded.supervisor import main as supervise

        supervise(_home())
    elif role == "gateway":
        _end_with_the_keeper()
        _gateway()
    elif role == "migrate":
        _migrate()
    else:
        roles = "keeper | api | supervisor | gateway | migrate"
        sys.stderr.write(f"usage: python -m controlplane {roles}\n")
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
    from controlplane.edge.protocol import Bounds, protocol
    from controlplane.settings import read_settings
    from controlplane.telemetry import configure_logging
    from runtime.descriptors import room_for_connections

    configure_logging()
    settings = read_settings()
    uvicorn.run(
        create_app(settings),
        host=settings.host,
        port=settings.port,
        http=protocol(Bounds(connections=room_for_connections())),
        ws="none",
        server_header=False,
        log_config=None,
        access_log=False,
        forwarded_allow_ips=settings.proxies,
        timeout_graceful_shutdown=5,
    )


def _migrate() -> None:
    """Bring the tables up to date and end; one process at a time does, the others wait."""
    import asyncio
    import logging

    from controlplane.app import database_url
    from controlplane.database import upgrade
    from controlplane.settings import read_settings
    from controlplane.telemetry import configure_logging

    configure_logging()
    settings = read_settings()
    if settings.database_url is None:
        sys.stderr.write("KUBESERVE_DATABASE_URL: must be set, e.g. postgres://USER:PW@HOST/DB\n")
        raise SystemExit(64)
    steps = asyncio.run(upgrade(database_url(settings)))
    logging.getLogger("kubeserve").info("migrations applied: %s", ", ".join(steps) or "none")


def _gateway() -> None:
    from controlplane.engines.embedded.envoy import Certificate
    from controlplane.engines.embedded.envoy import main as serve
    from controlplane.settings import read_settings

    settings = read_settings()
    pair = (settings.gateway_certificate, settings.gateway_key)
    certificate = Certificate(pair[0], pair[1]) if pair[0] and pair[1] else None
    serve(settings.home, _front(settings), certificate, settings.gateway_url)


def _check_gateway(settings: "Settings") -> None:
    """End the keeper's start where the gateway could never come up; later it is tried again."""
    if not settings.gateway:
        return
    from controlplane.engines.embedded.envoy import CANNOT_SERVE, CannotServe, check

    try:
        check(_front(settings))
    except CannotServe as error:
        sys.stderr.write(f"{error}\n")
        raise SystemExit(CANNOT_SERVE) from None


def _front(settings: "Settings") -> "Front":
    from controlplane.engines.embedded.gateway import Front

    address, port = settings.gateway_address
    tls = settings.gateway_certificate is not None
    return Front(address, port, settings.gateway_domain, tls)


if __name__ == "__main__":
    main()
