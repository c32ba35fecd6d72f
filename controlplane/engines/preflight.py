"""What a look at the ground under an engine finds, before anybody relies on it."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol


class Verdict(StrEnum):
    """How a check ended; FAIL: endpoints will not work."""

    OK = "ok"
    WARN = "warn"
    FAIL = "fail"


@dataclass(frozen=True, slots=True)
class Finding:
    """One check. `advice` says what to change, with the command where there is one."""

    name: str
    verdict: Verdict
    message: str
    advice: str = ""


class Checked(Protocol):
    """An engine that can look at the ground it stands on."""

    async def preflight(self) -> tuple[Finding, ...]:
        """Check everything; what cannot be read is a finding, never an exception."""
