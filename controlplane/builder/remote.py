"""The builder in a pod: `python -m controlplane.builder.remote`. Holds no credentials.

KUBESERVE_BUILD tells where the upload is and where plan and report go: three addresses signed by
the control plane for these objects alone. The report goes last, so a report implies its plan.
"""

import asyncio
import contextlib
import importlib
import os
import shutil
import signal
import sys
from pathlib import Path
from typing import Final

from controlplane.builder.instructions import Instructions, NotInstructions
from controlplane.builder.job import Builder
from controlplane.builder.remote_report import encode
from controlplane.builder.report import Report
from controlplane.builder.warm import WarmError

TRANSFER: Final = "controlplane.builder.transfer"
DONE: Final = 0  # a report was written, also of a model that cannot be served
INSTRUCTIONS: Final = 64  # KUBESERVE_BUILD cannot be read
SOURCE: Final = 65  # the upload is not the one that was announced
STORE: Final = 69  # the object store does not answer, or refuses
HOST: Final = 70  # this machine cannot build
LATE: Final = 75  # the deadline passed
ENDED: Final = 143  # SIGTERM


async def run(instructions: Instructions) -> Report:
    """Fetch, build, send. Raises TransferError, WarmError, TimeoutError; leaves no file."""
    work = Path(instructions.work) / "build"
    builder = Builder(instructions.limits(), pandas=False)
    warm = asyncio.create_task(builder.start())  # imports scikit-learn while the upload comes
    try:
        async with asyncio.timeout(instructions.deadline_s):
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
    finally:
        warm.cancel()
        await asyncio.gather(warm, return_exceptions=True)
        await builder.close()
        shutil.rmtree(work, ignore_errors=True)


async def _until_ended(instructions: Instructions) -> Report:
    """Run; SIGTERM and SIGINT cancel, so that every process and file is gone afterwards."""
    task = asyncio.create_task(run(instructions))
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, task.cancel)
    return await task


def main() -> int:
    """Do one build; gives the exit code."""
    try:
        instructions = Instructions.read(os.environ.pop("KUBESERVE_BUILD", ""))
    except NotInstructions as error:
        return _failed(INSTRUCTIONS, f"KUBESERVE_BUILD: {error}")
    try:
        report = asyncio.run(_until_ended(instructions))
    except WarmError as error:
        return _failed(HOST, f"this pod cannot build: {error}")
    except TimeoutError:
        return _failed(LATE, f"not done within {instructions.deadline_s:g} s")
    except asyncio.CancelledError:
        return _failed(ENDED, "told to end; nothing was sent")
    except OSError as error:
        return _failed(HOST, f"this pod cannot build: {error}")
    except Exception as error:
        from controlplane.builder.transfer import Differs, TransferError

        if not isinstance(error, TransferError):
            raise
        return _failed(SOURCE if isinstance(error, Differs) else STORE, str(error))
    layers = ", ".join(report.sandbox)
    print(f"{report.outcome}: {report.reason or report.estimator} [{layers}]")  # noqa: T201
    return DONE


def _failed(code: int, why: str) -> int:
    with contextlib.suppress(OSError):
        sys.stderr.write(f"kubeserve build: {why}\n")
    return code


if __name__ == "__main__":
    raise SystemExit(main())
