"""Load tests of endpoints, as a program: a plan in, lines of JSON out, reports in a folder.

    python -m loadtests run PLAN --out FOLDER    a plan is a JSON document; `-`: standard input
    python -m loadtests told --out FOLDER        a test that standard input tells, see `told.py`
    python -m loadtests tune PLAN --out FOLDER   size an endpoint, see `tuning`; runs tests by `run`
    python -m loadtests worker HOST:PORT         a generator for `run --bind HOST:PORT`

Each line of the first three has an `event`: started, stage (`tune`), waiting, progress, finished,
failed. It ends
with 0 passed (or nothing was asked), 1 failed, 6 inconclusive, 130 interrupted; where there was no
test, as `kubeserve` does: 2 a wrong plan, 3 not reachable, 4 no such endpoint, 5 not allowed, 1
refused.
Credentials are the SDK's: KUBESERVE_URL and so on, a sign-in, or the home folder.
"""

# What gevent replaces is taken before it is.
import loadtests.generator  # noqa: F401  # isort: skip

import argparse
import json
import signal
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from loadtests.plan import Plan, PlanError, held_to, plan_from, read_as, read_document
from loadtests.slo import objectives_from

if TYPE_CHECKING:
    from loadtests.coordinator import Run, Tell
    from loadtests.result import Result
    from loadtests.tuning.runs import Runs

PASSED, FAILED, WRONG, UNREACHABLE, NOT_FOUND, NOT_ALLOWED, INCONCLUSIVE = 0, 1, 2, 3, 4, 5, 6
INTERRUPTED: Final = 130
OF_STATUS: Final[dict[int | None, int]] = {401: NOT_ALLOWED, 403: NOT_ALLOWED, 404: NOT_FOUND}
OF_VERDICTS: Final = {"passed": PASSED, "failed": FAILED, "inconclusive": INCONCLUSIVE}


def main() -> int:
    """Run one of the commands; gives its exit code."""
    options = _options()
    if options.command == "worker":
        from loadtests import worker

        host, _, port = options.at.rpartition(":")
        worker.run(host, int(port), while_stdin=options.while_stdin)
        return PASSED
    try:
        match options.command:
            case "told":
                return _run_told(options)
            case "tune":
                return _tune(options)
            case _:
                return _run(options)
    except PlanError as error:
        return _failed(WRONG, str(error))
    except KeyboardInterrupt:
        return _failed(INTERRUPTED, "it was interrupted before it began")


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m loadtests", description="Load tests.")
    commands = parser.add_subparsers(dest="command", required=True)
    run = commands.add_parser("run", help="run a test")
    tune = commands.add_parser("tune", help="size an endpoint")
    for one in (run, tune):
        one.add_argument("plan", help="a JSON, YAML or TOML file; `-`: JSON on standard input")
        one.add_argument("--out", type=Path, required=True, help="folder for the reports")
        one.add_argument("--sample", type=Path, help="rows: .csv, .json, .ndjson, .parquet")
    run.add_argument("--compare", type=Path, help="report.json of an earlier test")
    run.add_argument("--bind", type=_address, help="HOST:PORT where generators elsewhere connect")
    told = commands.add_parser("told", help="run a test that standard input tells")
    told.add_argument("--out", type=Path, required=True, help="folder for the reports")
    told.add_argument("--bind", type=_address, help="HOST:PORT where generators elsewhere connect")
    worker = commands.add_parser("worker", help="be a generator")
    worker.add_argument("at", type=_address, help="HOST:PORT of `run --bind`")
    worker.add_argument("--while-stdin", action="store_true", help="end with standard input")
    return parser.parse_args()


def _address(text: str) -> str:
    host, _, port = text.rpartition(":")
    if not host or not port.isdecimal() or not 0 < int(port) < 1 << 16:
        raise argparse.ArgumentTypeError(f"{text!r} is not HOST:PORT")
    return text


def _run(options: argparse.Namespace) -> int:
    plan = plan_from(_document(options))
    from loadtests.reports import compare

    earlier = compare.read(options.compare, plan.endpoint) if options.compare else None
    # From here on gevent has replaced what blocks.
    from controlplane.client import ApiError, Client, ClientError, Unreachable
    from loadtests import coordinator, target

    try:
        with Client() as client:
            endpoint = client.endpoint(plan.endpoint)
            plan = held_to(plan, objectives_from(endpoint.raw.get("slo")))
            found = target.find(client, endpoint, plan, options.sample)
            target.check(found, client.token(plan.endpoint))
            options.out.mkdir(parents=True, exist_ok=True)
            _tell(_started(plan, found.endpoint.url))
            run = coordinator.Run(plan, found, client, options.out, _tell, options.bind)
            _end_by_signals(run)
            run.run()
    except Unreachable as error:
        return _failed(UNREACHABLE, str(error))
    except ApiError as error:
        return _failed(OF_STATUS.get(error.status, FAILED), error.detail)
    except target.Unanswered as error:
        wrong = {None: UNREACHABLE, 400: WRONG, 422: WRONG, **OF_STATUS}
        return _failed(wrong.get(error.status, FAILED), str(error))
    except (ClientError, coordinator.NoGenerators) as error:
        return _failed(FAILED, str(error))
    return _concluded(run, earlier, options.out, _tell)


def _run_told(options: argparse.Namespace) -> int:
    folder: Path = options.out
    # From here on gevent has replaced what blocks.
    from controlplane.client import ClientError
    from loadtests import coordinator, target
    from loadtests.told import Told, end_with_parent, tell

    end_with_parent()
    try:
        with Told(folder) as told:
            from loadtests.reports import compare

            earlier = compare.read(told.compare, told.plan.endpoint) if told.compare else None
            found = told.target()
            target.check(found, told.token(told.plan.endpoint))
            folder.mkdir(parents=True, exist_ok=True)
            tell(_started(told.plan, found.endpoint.url))
            run = coordinator.Run(told.plan, found, told, folder, tell, options.bind)
            _end_by_signals(run)
            told.at_end(run.interrupt)
            run.run()
    except (ClientError, coordinator.NoGenerators, target.Unanswered) as error:
        return _failed(FAILED, str(error))
    return _concluded(run, earlier, folder, tell)


def _tune(options: argparse.Namespace) -> int:
    # Here gevent replaces nothing: load is sent by the tests' own processes.
    from controlplane.client import ApiError, Client, ClientError, Unreachable
    from loadtests.tuning import report
    from loadtests.tuning.document import Tuning
    from loadtests.tuning.runs import Interrupted, NoTest, Runs
    from loadtests.tuning.tune import Tune

    tuning = read_as(Tuning, _document(options))
    runs = Runs(options.out, options.sample, _tell)
    _end_by_signals(runs)
    try:
        with Client() as client:
            tune = Tune(tuning, client, runs, _tell)
            options.out.mkdir(parents=True, exist_ok=True)
            tuned = tune.run()
    except Unreachable as error:
        return _failed(UNREACHABLE, str(error))
    except ApiError as error:
        return _failed(OF_STATUS.get(error.status, FAILED), error.detail)
    except NoTest as error:
        return _failed(error.code, str(error))
    except Interrupted:
        return _failed(INTERRUPTED, "it was interrupted; nothing was changed")
    except ClientError as error:
        return _failed(FAILED, str(error))
    reports = report.write(tuned, options.out)
    _tell({"event": "finished", **tuned.model_dump(mode="json"), "reports": reports})
    return FAILED if tuned.refused else OF_VERDICTS[tuned.verdict]


def _end_by_signals(run: "Run | Runs") -> None:
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: run.interrupt())


def _concluded(run: "Run", earlier: "Result | None", folder: Path, tell: "Tell") -> int:
    """Write the reports, tell the verdict; gives the exit code."""
    from loadtests.concluding import conclude
    from loadtests.reports import write

    result = conclude(run)
    files = write(result, earlier, folder)
    tell(
        {
            "event": "finished",
            "verdict": result.verdict,
            "verdicts": [one.model_dump(mode="json") for one in result.verdicts],
            "cut": result.cut,
            "knee": result.knee,
            "notes": [*result.notes, *result.generated.limited],
            "totals": result.totals.model_dump(mode="json"),
            "reports": files,
        }
    )
    if result.cut == "it was interrupted":
        return INTERRUPTED
    if result.verdict is None:
        return INCONCLUSIVE if result.cut else PASSED
    return OF_VERDICTS[result.verdict]


def _document(options: argparse.Namespace) -> Any:
    if options.plan != "-":
        return read_document(Path(options.plan))
    try:
        return json.load(sys.stdin)
    except ValueError as error:
        raise PlanError(f"standard input is no JSON document: {error}") from error


def _started(plan: Plan, url: str) -> dict[str, Any]:
    phases = plan.shape.phases()
    return {
        "event": "started",
        "endpoint": plan.endpoint,
        "url": url,
        "shape": plan.shape.kind,
        "of_s": sum(phase.seconds for phase in phases) or None,
        "requests": round(sum(phase.requests for phase in phases)) or None,
        "at": datetime.now(UTC).isoformat(),
    }


def _tell(event: dict[str, Any]) -> None:
    print(json.dumps(event), flush=True)


def _failed(code: int, detail: str) -> int:
    _tell({"event": "failed", "code": code, "detail": detail})
    return code


if __name__ == "__main__":
    sys.exit(main())
