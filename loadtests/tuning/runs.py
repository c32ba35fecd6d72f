"""Load tests as processes, one after the other, each with its reports in a folder of its own."""

import json
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from loadtests.plan import Plan
from loadtests.result import Result

Tell = Callable[[dict[str, Any]], None]
INTERRUPTED: Final = "it was interrupted"


class Interrupted(Exception):
    """Somebody asked for the end."""


class NoTest(Exception):
    """A test could not be made. `code`: the exit code that says why."""

    def __init__(self, said: str, code: int) -> None:
        super().__init__(said)
        self.code = code


class Runs:
    """Runs tests below a folder; `interrupt` may come at any time, from a signal."""

    def __init__(self, folder: Path, sample: Path | None, tell: Tell) -> None:
        self._folder, self._sample, self._tell = folder, sample, tell
        self._process: subprocess.Popen[str] | None = None
        self._interrupted = False
        self.folders: dict[str, str] = {}

    def interrupt(self) -> None:
        """End the test that runs, and begin none."""
        self._interrupted = True
        if self._process is not None and self._process.poll() is None:
            self._process.send_signal(signal.SIGINT)

    def check(self) -> None:
        """Raise Interrupted if somebody asked for the end."""
        if self._interrupted:
            raise Interrupted

    def run(self, name: str, plan: Plan) -> Result:
        """Run a test to its end; raises NoTest and Interrupted.

        name  of its folder, and what its events are of
        """
        self.check()
        folder = self._folder / name
        argv = [sys.executable, "-m", "loadtests", "run", "-", "--out", str(folder)]
        argv += ["--sample", str(self._sample)] if self._sample is not None else []
        last: dict[str, Any] = {}
        with subprocess.Popen(
            argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        ) as process:
            if process.stdin is None or process.stdout is None:
                raise AssertionError("both are pipes")
            self._process = process
            process.stdin.write(plan.model_dump_json(exclude_none=True))
            process.stdin.close()
            for line in process.stdout:
                last = json.loads(line)
                if last["event"] in ("progress", "waiting"):
                    self._tell({**last, "stage": name})
                if self._interrupted:  # it came before there was a process
                    process.send_signal(signal.SIGINT)
        self._process = None
        self.check()
        if last.get("event") == "failed":
            raise NoTest(str(last["detail"]), int(last["code"]))
        if last.get("event") != "finished":
            raise NoTest(f"The load generator ended with {process.returncode} and said nothing.", 1)
        self.folders[name] = str(folder)
        result = Result.model_validate_json((folder / "report.json").read_text("utf-8"))
        if result.cut is not None:
            raise NoTest(f"The test ended early: {result.cut}", 1)
        return result
