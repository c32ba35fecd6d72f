"""`python -m runtime`: one worker, told everything by its environment."""

import gc
import os
import time

STARTED = time.monotonic()
# Imports make objects that stay. Looking through them for garbage again and again takes a tenth of
# a start and finds half a megabyte; `server.serve` lets the collector begin.
gc.disable()
# Before numpy: a call is one core's work; threads of a matrix library would fight over it.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
os.environ.setdefault("OMP_NUM_THREADS", "1")

import socket  # noqa: E402
import sys  # noqa: E402
from collections.abc import Callable  # noqa: E402

from runtime.handed import unpack  # noqa: E402
from runtime.last_words import tell  # noqa: E402
from runtime.launch import Exit, Launch, LaunchError, from_env  # noqa: E402
from runtime.lines import say  # noqa: E402


def main() -> int:
    """Listen, serve, drain; the exit code says why it ended."""
    try:
        unpack(os.environ)
        launch = from_env()
    except LaunchError as error:
        tell(f"cannot start: {error}")
        return Exit.BAD_LAUNCH
    fetched = fetching(launch) if "KUBESERVE_FETCH" in os.environ else None
    try:
        # First of all: the kernel holds early clients while the rest is imported.
        listener = listen(launch.port)
    except OSError as error:
        tell(f"cannot listen on port {launch.port}: {error}")
        return Exit.NO_PORT
    import runtime.lean  # noqa: F401  (before all that imports asyncio)
    from runtime.loading import BadArtifact, Phases, compare
    from runtime.server import Inherited, run

    born = process_start()
    phases = Phases(STARTED, {"spawn": round((STARTED - born) * 1000, 3)})
    phases.end("import")
    if fetched is not None and (failed := fetched()) is not None:
        return failed
    phases.end("fetch")
    try:
        compare(launch)
    except BadArtifact as error:
        tell(f"cannot serve: {error}")
        return Exit.BAD_PLAN
    phases.end("compare")
    return run(launch, Inherited(listener, None, phases, born))


def fetching(launch: Launch) -> Callable[[], Exit | None]:
    """Begin to fetch what is too large to be mounted; gives a call that waits for the end of it."""
    # Only here: most pods fetch nothing, and an HTTP client takes as long to import as a small plan
    # to load.
    from runtime.fetch import Fetch, NoArtifact, WrongArtifact, source_from

    try:
        fetch = Fetch(source_from(os.environ), launch.revisions)
    except LaunchError as error:
        tell(f"cannot start: {error}")
        return lambda: Exit.BAD_LAUNCH
    fetch.begin()

    def wait() -> Exit | None:
        began = time.monotonic()
        try:
            fetch.wait()
        except WrongArtifact as error:
            tell(f"cannot serve: {error}")
            return Exit.BAD_PLAN
        except NoArtifact as error:
            tell(f"cannot serve: {error}")
            return Exit.NO_ARTIFACT
        waited = (time.monotonic() - began) * 1000
        say(
            f"fetched {fetch.size} bytes in {fetch.took_ms:.1f} ms, beside the imports; "
            f"waited {waited:.1f} ms for it"
        )
        return None

    return wait


def listen(port: int) -> socket.socket:
    """Listen on every address, of both families where the system has both."""
    if socket.has_dualstack_ipv6():
        return socket.create_server(
            ("", port), family=socket.AF_INET6, dualstack_ipv6=True, backlog=4096
        )
    return socket.create_server(("", port), backlog=4096)


def process_start() -> float:
    """Give the monotonic second at which the kernel made this process."""
    with open("/proc/self/stat") as stat:
        ticks = int(stat.read().rpartition(")")[2].split()[19])
    age = time.clock_gettime(time.CLOCK_BOOTTIME) - ticks / os.sysconf("SC_CLK_TCK")
    return time.monotonic() - age


if __name__ == "__main__":
    sys.exit(main())
