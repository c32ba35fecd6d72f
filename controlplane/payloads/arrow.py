"""Asks the process that makes Parquet (`payloads.parquet`), which is there for that time alone."""

import asyncio
import json
import os
import sys
from typing import Any, Final

MODULE: Final = "controlplane.payloads.parquet"
WITHIN_S: Final = 120.0
NICE: Final = 5  # beside workers, which callers wait for
SAID: Final = 400


class NoAnswer(RuntimeError):
    """The process failed; the message says how."""


async def ask(job: dict[str, Any]) -> dict[str, Any]:
    """Have one thing done; raises NoAnswer."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        MODULE,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        # Its threads would be one a core, each with memory of its own.
        env={**os.environ, "OMP_NUM_THREADS": "1", "ARROW_DEFAULT_MEMORY_POOL": "system"},
        preexec_fn=_nice,
    )
    try:
        async with asyncio.timeout(WITHIN_S):
            out, said = await process.communicate(json.dumps(job).encode())
    except TimeoutError as error:
        raise NoAnswer(f"no answer within {WITHIN_S:g} s") from error
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    if process.returncode:
        raise NoAnswer(f"ended with {process.returncode}: {said.decode()[-SAID:]}")
    found: dict[str, Any] = json.loads(out)
    return found


def _nice() -> None:
    os.nice(NICE)
