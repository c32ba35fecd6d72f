"""The builder in a pod: `python -m controlplane.builder.remote`. Holds no credentials.

KUBESERVE_BUILD tells where the upload is and where plan and report go: an address and two forms,
signed by the control plane for these objects alone. The report goes last, so it implies its plan.
A model of another scikit-learn, or with packages, needs an environment: see `delivered`.
Or KUBESERVE_STANDBY tells where these words will be; until they are, everything is imported.
"""

import asyncio
import contextlib
import functools
import importlib
import os
import shutil
import signal
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from controlplane.builder.delivered import Counter, Delivered
from controlplane.builder.instructions import (
    STANDBY,
    VARIABLE,
    Instructions,
    NotInstructions,
    Standby,
)
from controlplane.builder.job import Builder
from controlplane.builder.remote_report import encode
from controlplane.builder.report import Report
from controlplane.builder.warm import Warm, WarmError

TRANSFER: Final = "controlplane.builder.transfer"
INSTRUCTIONS_BYTES: Final = 64 * 1024
DONE: Final = 0  # a report was written, also of a model that cannot be served; or none was asked
INSTRUCTIONS: Final = 64  # KUBESERVE_BUILD cannot be read
SOURCE: Final = 65  # the upload is not the one that was announced
ENVIRONMENT: Final = 66  # an environment is not the one that was announced
STORE: Final = 69  # the object store does not answer, or refuses
HOST: Final = 70  # this machine cannot build
LATE: Final = 75  # the deadline passed
ENDED: Final = 143  # SIGTERM


async def stand_by(standby: Standby) -> Report | None:
    """Import, wait to be told, then `run`; None when nothing was asked for."""
    process = Warm()
    warm = asyncio.create_task(process.start())
    try:
        await asyncio.to_thread(importlib.import_module, TRANSFER)
        from controlplane.builder.transfer import told

        text = await told(standby.instructions, standby.wait_s, INSTRUCTIONS_BYTES)
        return None if text is None else await run(Instructions.read(text.decode()), process)
    finally:
        warm.cancel()
        await asyncio.gather(warm, return_exceptions=True)
        await process.close()


async def run(instructions: Instructions, process: Warm | None = None) -> Report:
    """Fetch, build, send. Raises TransferError, WarmError, TimeoutError; leaves no file."""
    work = Path(instructions.work) / "build"
    timer = asyncio.timeout(instructions.deadline_s)
    counter = Counter(
        instructions.report,
        instructions.answer,
        Path(instructions.work) / "environment",
        instructions.answer_s,
        functools.partial(_stopped, timer),
    )
    builder = Builder(
        instructions.limits(), pandas=False, process=process, pythons=Delivered(counter)
    )
    warm = asyncio.create_task(builder.start())  # imports scikit-learn while the upload comes
    try:
        async with timer:
            # An HTTP client takes a third as long to import as scikit-learn: beside it, not before.
            await asyncio.to_thread(importlib.import_module, TRANSFER)
            from controlplane.builder.transfer import fetch, send

            work.mkdir(mode=0o700)
            source, folder = work / "model", work / "work"
            folder.mkdir(mode=0o700)
            await fetch(instructions.source, source, instructions.sha256, instructions.size_bytes)
            await warm
            report = await builder.build(source, folder)
            document = await asyncio.to_thread(encode, report)
            if report.plan_path is not None:
                await send(instructions.plan, report.plan_path)
            await send(instructions.report, document)
            return report
    except TimeoutError as error:
        raise TimeoutError(f"not done within {instructions.deadline_s:g} s") from error
    finally:
        warm.cancel()
        await asyncio.gather(warm, return_exceptions=True)
        await builder.close()
        shutil.rmtree(work, ignore_errors=True)
        shutil.rmtree(counter.folder, ignore_errors=True)


@contextlib.contextmanager
def _stopped(timer: asyncio.Timeout) -> Iterator[None]:
    """Hold a clock for a while."""
    loop, end = asyncio.get_running_loop(), timer.when()
    began = loop.time()
    timer.reschedule(None)
    try:
        yield
    finally:
        timer.reschedule(None if end is None else end + loop.time() - began)


async def _work(told: Instructions | Standby) -> Report | None:
    return await (stand_by(told) if isinstance(told, Standby) else run(told))


async def _until_ended(told: Instructions | Standby) -> Report | None:
    """Run; SIGTERM and SIGINT cancel, so that every process and file is gone afterwards."""
    task: asyncio.Task[Report | None] = asyncio.create_task(_work(told))
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, task.cancel)
    return await task


def main() -> int:
    """Do one build; gives the exit code."""
    told: Instructions | Standby
    variable = STANDBY if STANDBY in os.environ else VARIABLE
    try:
        text = os.environ.pop(variable, "")
        told = Standby.read(text) if variable == STANDBY else Instructions.read(text)
        report = asyncio.run(_until_ended(told))
    except NotInstructions as error:
        return _failed(INSTRUCTIONS, f"{variable}: {error}")
    except WarmError as error:
        return _failed(HOST, f"this pod cannot build: {error}")
    except TimeoutError as error:
        return _failed(LATE, str(error))
    except asyncio.CancelledError:
        return _failed(ENDED, "told to end; nothing was sent")
    except OSError as error:
        return _failed(HOST, f"this pod cannot build: {error}")
    except Exception as error:
        from controlplane.builder.transfer import Differs, TransferError, Undelivered

        if not isinstance(error, TransferError):
            raise
        codes = {Differs: SOURCE, Undelivered: ENVIRONMENT}
        return _failed(codes.get(type(error), STORE), str(error))
    if report is None:
        return DONE
    layers = ", ".join(report.sandbox)
    print(f"{report.outcome}: {report.reason or report.estimator} [{layers}]")  # noqa: T201
    return DONE


def _failed(code: int, why: str) -> int:
    with contextlib.suppress(OSError):
        sys.stderr.write(f"kubeserve build: {why}\n")
    return code


if __name__ == "__main__":
    raise SystemExit(main())
