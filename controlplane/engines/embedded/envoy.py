"""The gateway process: runs Envoy, tells it the routes of the supervisor, and ends with it.

Neither side needs the other to start again: without a supervisor the last routes stay, for the
ports stay too, and a new gateway asks before it listens.
"""

import asyncio
import ctypes
import importlib.util
import json
import os
import resource
import signal
import socket
import sys
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from controlplane.engines.embedded import gateway
from controlplane.engines.embedded.gateway import Front, Json, Route
from controlplane.engines.embedded.host import LINE_LIMIT
from controlplane.settings import check_certificate
from runtime.lines import say

WHEEL: Final = "envoy"
PR_SET_PDEATHSIG: Final = 1
CANNOT_SERVE: Final = 69  # exit code
AGAIN_S: Final = 0.1
TOGETHER_S: Final = 0.05  # changes that follow this closely are one document
RENEWED_S: Final = 2.0
STOP_WITHIN_S: Final = 5.0
SPARE_FILES: Final = 200  # of Envoy's own, beside two for each connection
_LIBC: Final = ctypes.CDLL(None)  # before any fork: loading is not safe after it


class CannotServe(RuntimeError):
    """The gateway cannot start; the message says why and what to do."""


@dataclass(frozen=True, slots=True)
class Certificate:
    """PEM files: the chain, the server's own first, and its key."""

    chain: Path
    key: Path

    def read(self) -> Json:
        """Read both; raises CannotServe."""
        try:
            check_certificate(self.chain, self.key)
            return gateway.certificate(self.chain.read_text("ascii"), self.key.read_text("ascii"))
        except (OSError, ValueError) as error:
            raise CannotServe(str(error)) from error

    def state(self) -> tuple[int, ...]:
        """Give what changes when a file is written or replaced."""
        stats = [path.stat() for path in (self.chain, self.key)]
        return tuple(n for s in stats for n in (s.st_ino, s.st_mtime_ns, s.st_size))


def program() -> str:
    """Find the binary of the wheel."""
    found = importlib.util.find_spec(WHEEL)
    binary = Path(found.origin).parent / "_bin" / "envoy" if found and found.origin else None
    if binary is None or not binary.is_file():  # an old package has the same name
        raise CannotServe(
            "the gateway's program, Envoy, is not installed: pip install 'kubeserve[gateway]'"
        )
    return str(binary)


class Gateway:
    """One Envoy, and the files it reads."""

    def __init__(self, home: Path, front: Front, certificate: Certificate | None) -> None:
        self._control = home / "engine" / "supervisor.sock"
        self._folder = home / "gateway"
        self._front, self._certificate = front, certificate
        self._routes: tuple[Route, ...] = ()
        self._changed, self._published = asyncio.Event(), asyncio.Event()

    async def run(self, url: str) -> int:
        """Serve until cancelled or until Envoy ends; gives its exit code.

        url  written to `gateway/address.json` while it listens
        """
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        (self._folder / "address.json").unlink(missing_ok=True)
        if self._certificate is not None:
            self._write(gateway.CERTIFICATE, gateway.discovery(self._certificate.read()))
        async with asyncio.TaskGroup() as tasks:
            running = [tasks.create_task(self._follow()), tasks.create_task(self._publish())]
            if self._certificate is not None:
                running.append(tasks.create_task(self._renew(self._certificate)))
            await self._published.wait()
            code = await self._envoy(url)
            for task in running:
                task.cancel()
        return code

    async def _envoy(self, url: str) -> int:
        most = (_raised_limit() - SPARE_FILES) // 2
        self._write("bootstrap", gateway.bootstrap(self._front, self._folder, most))
        parent = os.getpid()
        envoy = await asyncio.create_subprocess_exec(
            program(),
            *("--config-path", str(self._folder / "bootstrap.json")),
            *("--concurrency", "1"),  # beside the workers of a small machine
            *("--log-level", "warning"),
            "--disable-hot-restart",  # it would share memory by a number, with anybody's Envoy
            stdin=asyncio.subprocess.DEVNULL,
            preexec_fn=lambda: _die_with(parent),
        )
        announcing = asyncio.create_task(self._announce(url))
        try:
            return await envoy.wait()
        finally:
            announcing.cancel()
            (self._folder / "address.json").unlink(missing_ok=True)
            await _stopped(envoy)

    async def _announce(self, url: str) -> None:
        """Tell our address once somebody listens on it."""
        while True:
            with suppress(OSError):
                _, writer = await asyncio.open_connection(_own(self._front), self._front.port)
                writer.close()
                break
            await asyncio.sleep(AGAIN_S / 4)
        self._write("address", {"url": url, "pid": os.getpid(), "started": _started()})

    async def _follow(self) -> None:
        """Hear of every change of the routes, of whichever supervisor there is."""
        while True:
            with suppress(OSError):
                reader, writer = await asyncio.open_unix_connection(
                    str(self._control), limit=LINE_LIMIT
                )
                try:
                    writer.write(b'{"do": "routes"}\n')
                    while line := await reader.readline():
                        told = json.loads(line)
                        self._routes = tuple(Route(**route) for route in told["routes"])
                        self._changed.set()
                finally:
                    writer.close()
            await asyncio.sleep(AGAIN_S)

    async def _publish(self) -> None:
        while True:
            await self._changed.wait()
            self._changed.clear()
            document = gateway.routes(self._routes, self._front.host)
            self._write(gateway.ROUTES, gateway.discovery(document))
            self._published.set()
            await asyncio.sleep(TOGETHER_S)

    async def _renew(self, certificate: Certificate) -> None:
        """Take over a renewed certificate; a bad one is told of and the old one stays."""
        before = certificate.state()
        while True:
            await asyncio.sleep(RENEWED_S)
            try:
                now = certificate.state()
                if now == before:
                    continue
                before = now
                self._write(gateway.CERTIFICATE, gateway.discovery(certificate.read()))
            except (OSError, CannotServe) as error:
                text = f"the certificate was not renewed: {error}"
                say(text, level="warning", logger="kubeserve.gateway")

    def _write(self, name: str, document: Json) -> None:
        # Envoy looks when a name is moved onto; what it reads is whole.
        path = self._folder / f"{name}.json"
        part = path.with_suffix(".part")
        descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
        with open(descriptor, "w") as file:
            json.dump(document, file)
        part.rename(path)


def check(front: Front) -> None:
    """Raise CannotServe where Envoy would end at once, in words that help nobody."""
    program()
    family = socket.AF_INET6 if ":" in front.address else socket.AF_INET
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((front.address, front.port))
        except OSError as error:
            raise CannotServe(
                f"the gateway cannot listen on {front.address}:{front.port} ({error.strerror}); "
                "give another address in KUBESERVE_GATEWAY_LISTEN"
            ) from error


def _own(front: Front) -> str:
    return {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(front.address, front.address)  # noqa: S104


def _started() -> str:
    """Give the kernel's start time of this process: with the pid it names it for good."""
    return Path("/proc/self/stat").read_text().rpartition(")")[2].split()[19]


def _raised_limit() -> int:
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    return min(most, 1 << 20) if most > 0 else 1 << 20


def _die_with(parent: int) -> None:
    _LIBC.prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != parent:
        os._exit(1)
    # It holds what anybody sends: where memory runs out it goes, not Postgres, and comes back.
    with suppress(OSError), open("/proc/self/oom_score_adj", "w") as file:
        file.write("1000")


async def _stopped(envoy: asyncio.subprocess.Process) -> None:
    if envoy.returncode is not None:
        return
    envoy.terminate()
    try:
        await asyncio.wait_for(envoy.wait(), STOP_WITHIN_S)
    except TimeoutError:
        envoy.kill()
        await envoy.wait()


async def _run(gateway_of_home: Gateway, url: str) -> int:
    serving = asyncio.create_task(gateway_of_home.run(url))
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, serving.cancel)
    try:
        return await serving
    except asyncio.CancelledError:
        return 0


def main(home: Path, front: Front, certificate: Certificate | None, url: str) -> None:
    """Run until told to stop; exits with Envoy's code when that ends first."""
    try:
        check(front)
        code = asyncio.run(_run(Gateway(home, front, certificate), url))
    except CannotServe as error:
        sys.stderr.write(f"{error}\n")
        raise SystemExit(CANNOT_SERVE) from None
    raise SystemExit(code)
