"""Every figure in README, measured again.

    python -m loadtests.benchmarks [--only http,start] [--seconds 2] [--rounds 5] [--minutes 2]

Each part runs in a process of its own and is ended when it takes too long; its raw results are kept
in results.json, from which README's table and TABLES.md are made. With --quick everything is tiny,
to see that it runs; of that, and of some --families alone, nothing is kept.
"""

import argparse
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from dataclasses import asdict
from pathlib import Path
from typing import Final

import psutil

from loadtests.benchmarks import results
from loadtests.benchmarks.measuring import (
    ROOT,
    Options,
    Raw,
    environment,
    environment_for_measuring,
)

QUICK: Final = Options(seconds=1.0, rounds=1, minutes=0.05, rows=300, most_rows=64)
BY_ITSELF: Final = tuple(name for name in results.PARTS if name not in results.WHEN_ASKED)
ENDING_S: Final = 20.0


def main() -> int:
    """Run what is asked for; gives 1 when a part failed or took too long."""
    asked = arguments().parse_args()
    if asked.part is not None:
        return part(asked.part, Options(**json.loads(asked.options)), asked.out)
    if asked.tables:
        results.publish()
        return 0
    options = QUICK if asked.quick else chosen(asked)
    names = asked.only.split(",") if asked.only else BY_ITSELF
    unknown = set(names) - set(results.PARTS)
    if unknown:
        arguments().error(f"no part is called {', '.join(sorted(unknown))}")
    kept = not asked.quick and not options.families
    failed = [name for name in names if not run(name, options, kept=kept)]
    if kept:
        results.publish()
    if failed:
        print(f"failed: {', '.join(failed)}")
    return 1 if failed else 0


def arguments() -> argparse.ArgumentParser:
    """Describe the command line."""
    parser = argparse.ArgumentParser(prog="python -m loadtests.benchmarks")
    parser.add_argument("--only", help=f"some of {','.join(results.PARTS)}")
    parser.add_argument("--quick", action="store_true", help="see that everything runs")
    parser.add_argument("--tables", action="store_true", help="only write the tables again")
    for name, value in asdict(Options()).items():
        if name != "families":
            parser.add_argument(f"--{name.replace('_', '-')}", type=type(value), default=value)
    parser.add_argument("--families", default="", help="names of estimators or peers")
    for name in ("part", "options", "out"):  # what a part's own process is told
        parser.add_argument(f"--{name}", help=argparse.SUPPRESS)
    return parser


def chosen(asked: argparse.Namespace) -> Options:
    """Read the options."""
    given = {name: getattr(asked, name) for name in asdict(Options())}
    return Options(**given | {"families": tuple(filter(None, asked.families.split(",")))})


def run(name: str, options: Options, *, kept: bool) -> bool:
    """Run a part in a process of its own; False when it failed or took too long."""
    print(f"\n{name}", flush=True)
    began = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder, "result.json")
        command = [sys.executable, "-m", "loadtests.benchmarks", "--part", name]
        command += ["--options", json.dumps(asdict(options)), "--out", str(out)]
        process = subprocess.Popen(command, env=environment_for_measuring(), cwd=ROOT)
        try:
            code = process.wait(results.PARTS[name].limit_s(options))
        except subprocess.TimeoutExpired:
            print(f"{name} took too long and is ended")
            code = 1
        finally:
            end(process)
        if code:
            print(f"{name} ended with code {code}", flush=True)
            return False
        entry = json.loads(out.read_text())
    print(results.written(results.PARTS[name].rows(entry["raw"])), end="")
    print(f"  took {time.monotonic() - began:.0f} s", flush=True)
    if kept:
        results.keep(name, entry)
    return True


def end(process: subprocess.Popen[bytes]) -> None:
    """End a part that is still there, and the servers it started."""
    if process.poll() is not None:
        return
    family = psutil.Process(process.pid).children(recursive=True)
    process.terminate()
    try:
        process.wait(ENDING_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    for child in family:
        if child.is_running():
            child.kill()


def part(name: str, options: Options, out: str) -> int:
    """Be the process of one part."""
    # Raises, so that whatever is open ends what it started.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    where = environment()
    raw: Raw = results.PARTS[name].measure(options)
    where["load_average_after"] = round(os.getloadavg()[0], 2)
    entry = {"environment": where, "options": asdict(options), "raw": raw}
    Path(out).write_text(json.dumps(entry))
    return 0


if __name__ == "__main__":
    sys.exit(main())
