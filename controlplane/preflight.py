"""Is everything there that an installation stands on? What nobody can ask, is a finding too."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, Final

from controlplane.engines.preflight import Finding, Verdict
from controlplane.telemetry import log

ANSWER_S: Final = 10.0
Check = Callable[[], Awaitable[object]]
Engine = Callable[[], Awaitable[tuple[Finding, ...]]]


async def preflight(parts: dict[str, Check], engine: Engine | None) -> list[dict[str, Any]]:
    """Ask every part whether it answers, and the engine what it stands on."""
    found = list(await asyncio.gather(*(_answers(name, ask) for name, ask in parts.items())))
    if engine is not None:
        try:
            async with asyncio.timeout(ANSWER_S):
                found += await engine()
        except Exception as error:  # noqa: BLE001  (logged, and a finding)
            found.append(_silent("cluster", error))
    return [
        {
            "name": one.name,
            "verdict": one.verdict.value,
            "message": one.message,
            "advice": one.advice,
        }
        for one in found
    ]


async def _answers(name: str, ask: Check) -> Finding:
    try:
        async with asyncio.timeout(ANSWER_S):
            await ask()
    except Exception as error:  # noqa: BLE001  (logged, and a finding)
        return _silent(name, error)
    return Finding(name, Verdict.OK, "It answers.")


def _silent(name: str, error: Exception) -> Finding:
    log.warning("preflight: %s does not answer: %s", name, error)
    # The text of an exception may hold addresses and keys: it stays in the log.
    message = f"It does not answer ({type(error).__name__})."
    return Finding(name, Verdict.FAIL, message, "The log of the control plane says more.")
