"""A load test in a pod: `python -m controlplane.loadtests.pod`. Holds no credentials.

Runs `python -m loadtests told` and stands between it and the object store. KUBESERVE_LOADTEST says
where what it is told is read, and with which forms its events and reports are written; all of it is
signed by the control plane for these objects alone. The token of the one endpoint comes in what is
told. The events go last, so that they end with reports that are there.
"""

import asyncio
import contextlib
import hashlib
import json
import os
import signal
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from controlplane.builder import transfer
from controlplane.builder.instructions import Form, NotInstructions, Words
from controlplane.builder.transfer import TransferError

VARIABLE: Final = "KUBESERVE_LOADTEST"
MOST_FIRST_BYTES: Final = 32 << 20
MOST_TOLD_BYTES: Final = 4 << 20
LINE_BYTES: Final = 16 << 20
REPORTS: Final = {
    "html": "report.html",
    "json": "report.json",
    "junit": "junit.xml",
    "csv": "locust_stats.csv",
}
TURN_S: Final = 0.5
OLD_S: Final = 5.0  # five times what a control plane takes to tell again
FIRST_WITHIN_S: Final = 60.0
KEPT_EVENTS: Final = 200  # that are no progress: of a test of many bursts the last ones
OURS: Final = ("PATH", "LANG", "LC_ALL", "LD_LIBRARY_PATH", "PYTHONPATH", "SSL_CERT_FILE")
DONE: Final = 0  # how the test ended is in the events
INSTRUCTIONS: Final = 64
STORE: Final = 69


@dataclass(frozen=True, slots=True)
class Instructions(Words):
    """One load test.

    first    signed address of its first line
    told     signed address of what changes: token, endpoint, decisions, away, gone, closed
    events   form to POST what it tells with; html, json, junit, csv: the same for its reports
    port     where generators connect
    alone_s  without news for so long it ends: nobody sees any more whether it may go on
    """

    first: str
    told: str
    events: Form
    html: Form
    json: Form
    junit: Form
    csv: Form
    port: int
    alone_s: float

    def form(self, report: str) -> Form:
        """Give the form of a report."""
        found: Form = getattr(self, report)
        return found


@dataclass(slots=True)
class Log:
    """What the test told, by number: all events but progress, of which the last one is kept."""

    number: int = 0
    events: list[tuple[int, dict[str, Any]]] = field(default_factory=list)
    end: dict[str, Any] | None = None

    def add(self, event: dict[str, Any]) -> None:
        """Add an event."""
        if self.events and self.events[-1][1]["event"] == event["event"] == "progress":
            self.events.pop()
        self.number += 1
        self.events.append((self.number, event))
        del self.events[:-KEPT_EVENTS]

    def write(self) -> bytes:
        """Give the document; `end`: the exit code, and size and digest of each report."""
        return json.dumps({"events": self.events, "end": self.end}).encode()


class Test:
    """One test on its way."""

    def __init__(self, told: Instructions, folder: Path) -> None:
        self._told, self._folder = told, folder
        self._log = Log()
        self._said: dict[str, Any] = {}
        self._closed = False

    def close(self) -> None:
        """Have the test end; it says how it was all the same."""
        self._closed = True

    async def run(self) -> None:
        """Run it to its end and write what it left; raises TransferError."""
        first = await transfer.told(self._told.first, FIRST_WITHIN_S, MOST_FIRST_BYTES)
        if first is None:
            raise TransferError("the test is not in the object store")
        command = ["told", "--out", str(self._folder), "--bind", f"0.0.0.0:{self._told.port}"]
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-P", "-m", "loadtests", *command),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            env={name: os.environ[name] for name in OURS if name in os.environ}
            | {"HOME": str(self._folder), "PYTHONUNBUFFERED": "1"},
            limit=LINE_BYTES,
        )
        if process.stdin is None or process.stdout is None:
            raise AssertionError("both are pipes")
        process.stdin.write(first.strip() + b"\n")
        beside = [
            asyncio.create_task(self._listen(process.stdin)),
            asyncio.create_task(self._tell()),
        ]
        try:
            while line := await process.stdout.readline():
                self._log.add(json.loads(line))
            code = await process.wait()
        finally:
            for task in beside:
                task.cancel()
            await asyncio.gather(*beside, return_exceptions=True)
        self._log.end = {"code": code, "reports": await self._reports()}
        await transfer.send(self._told.events, self._log.write())

    async def _listen(self, stdin: asyncio.StreamWriter) -> None:
        """Hand on what is told, and end the test when that is told, or nothing for long."""
        loop = asyncio.get_running_loop()
        heard, last = loop.time(), b""
        while not self._closed:
            with contextlib.suppress(TransferError):
                raw = await transfer.told(self._told.told, 0.0, MOST_TOLD_BYTES)
                if raw is not None and raw != last:
                    heard, last = loop.time(), raw
                    self._hand_on(json.loads(raw), stdin)
            silent_s = loop.time() - heard
            if silent_s > OLD_S and "endpoint" in self._said:
                # What was told last is no look at the endpoint any more.
                stdin.write(json.dumps({"away": "nobody tells of it"}).encode() + b"\n")
                del self._said["endpoint"]
            if silent_s > self._told.alone_s:
                break
            await asyncio.sleep(TURN_S)
        stdin.close()

    def _hand_on(self, told: Mapping[str, Any], stdin: asyncio.StreamWriter) -> None:
        for name in ("token", "endpoint", "decisions", "away", "gone"):
            if told.get(name) and told[name] != self._said.get(name):
                stdin.write(json.dumps({name: told[name]}).encode() + b"\n")
                self._said[name] = told[name]
        if not told.get("away"):
            self._said.pop("away", None)
        self._closed = self._closed or bool(told.get("closed"))

    async def _tell(self) -> None:
        """Write the events again as they change; the store may be away for a while."""
        written = b""
        while True:
            document = self._log.write()
            if document != written:
                with contextlib.suppress(TransferError):
                    await transfer.send(self._told.events, document)
                    written = document
            await asyncio.sleep(TURN_S)

    async def _reports(self) -> dict[str, list[Any]]:
        """Write the reports that there are; gives size and digest of each."""
        found: dict[str, list[Any]] = {}
        for report, name in REPORTS.items():
            path = self._folder / name
            if path.is_file():
                await transfer.send(self._told.form(report), path)
                raw = await asyncio.to_thread(path.read_bytes)
                found[report] = [len(raw), hashlib.sha256(raw).hexdigest()]
        return found


async def run(told: Instructions, folder: Path) -> None:
    """Run a test; SIGTERM ends it early, with its reports. Raises TransferError."""
    test = Test(told, folder)
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, test.close)
    await test.run()


def main() -> int:
    """Run the test of the environment; gives the exit code."""
    try:
        told = Instructions.read(os.environ.get(VARIABLE, ""))
    except NotInstructions as error:
        return _refuse(INSTRUCTIONS, f"{VARIABLE} {error}")
    with tempfile.TemporaryDirectory(prefix="loadtest-") as folder:
        try:
            asyncio.run(run(told, Path(folder)))
        except TransferError as error:
            return _refuse(STORE, str(error))
    return DONE


def _refuse(code: int, because: str) -> int:
    sys.stderr.write(f"kubeserve loadtest: {because}\n")
    return code


if __name__ == "__main__":
    sys.exit(main())
