"""From how a locked process ended to words a person can act on."""

import signal
from collections.abc import Iterable
from typing import Any, Final

from controlplane.builder import validate
from controlplane.builder.report import GIB, MIB, Limits
from controlplane.builder.warm import Ended

# For the wording only: what a model has no use for. What holds the code is the sandbox, not a list.
_POWERS: Final = frozenset(
    (
        "os",
        "posix",
        "nt",
        "subprocess",
        "socket",
        "_socket",
        "sys",
        "shutil",
        "ctypes",
        "runpy",
        "importlib",
        "pty",
        "signal",
        "asyncio",
        "urllib",
        "http",
        "multiprocessing",
        "_posixsubprocess",
        "threading",
        "webbrowser",
        "code",
        "pdb",
        "tempfile",
        "glob",
        "pathlib",
        "mmap",
        "fcntl",
        "resource",
        "time",
        "_io",
        "io",
        "pickle",
    )
)
_POWERFUL_BUILTINS: Final = frozenset(
    (
        "builtins.exec",
        "builtins.eval",
        "builtins.compile",
        "builtins.open",
        "builtins.__import__",
        "builtins.getattr",
    )
)
_SAVE: Final = (
    "Save the fitted estimator itself with joblib.dump(model, 'model.joblib') and push that."
)
_SMALLER: Final = "Make the model smaller, or ask the operator for a higher limit."


class Failure(Exception):
    """The build ends here, in words."""

    def __init__(self, reason: str, advice: str) -> None:
        super().__init__(reason)
        self.reason, self.advice = reason, advice


def powers(imports: Iterable[str]) -> list[str]:
    """Names among the imports that reach beyond a model."""
    return [name for name in imports if name.split(".")[0] in _POWERS or name in _POWERFUL_BUILTINS]


def suspicious(fact: str, imports: Iterable[str]) -> Failure:
    """Make the failure for a result that an honest file does not give."""
    found = powers(imports)
    if found:
        return Failure(
            f"The file is a pickle that uses {', '.join(found[:5])} when it is loaded, which a"
            f" model has no use for; it was held in the sandbox ({fact}).",
            _SAVE,
        )
    return Failure(f"The file does not behave like a model: {fact}.", _SAVE)


def failure_of(
    role: str, ended: Ended, result: dict[str, Any], limits: Limits, imports: Iterable[str]
) -> Failure | None:
    """Tell why a role failed; None when it did not."""
    names = tuple(imports)
    stopped = ended.stopped or _disk(ended.status) or _memory(result)
    if stopped is not None:
        return _stopped(stopped, role, limits, names)
    if not result:
        return suspicious(_ending(ended.status), names)
    if result.get("failed") == "raised":
        error = validate.text(result, "error", 500) or "an error"
        if result.get("denied") is True or powers(names):
            return suspicious(f"it ended with {error}", names)
        return Failure(f"Loading the file failed: {error}.", _SAVE)
    if "failed" in result:
        reason = validate.text(result, "reason") or "The model was refused."
        if powers(names) and role == "load":
            return suspicious(reason.rstrip("."), names)
        return Failure(reason, validate.text(result, "advice") or _SAVE)
    return None


def _disk(status: int) -> str | None:
    return "disk" if status == -signal.SIGXFSZ else None


def _memory(result: dict[str, Any]) -> str | None:
    return "memory" if result.get("failed") == "memory" else None


def _ending(status: int) -> str:
    if status < 0:
        try:
            return f"it crashed with {signal.Signals(-status).name}"
        except ValueError:
            return f"it ended by signal {-status}"
    return f"it ended the process with exit code {status} and left no result"


def _stopped(what: str, role: str, limits: Limits, imports: tuple[str, ...]) -> Failure:
    doing = {"inspect": "Reading", "load": "Loading", "verify": "Checking"}[role]
    facts = {
        "time": f"took longer than {limits.wall_s:g} s",
        "cpu": f"took more than {limits.cpu_s} s of processor time",
        "memory": f"needed more than {_bytes(limits.memory_bytes)} of memory",
        "disk": f"wrote more than {_bytes(limits.work_bytes)}",
    }
    reason = f"{doing} the model {facts[what]}."
    found = powers(imports)
    if found:
        reason += f" When loaded, the file uses {', '.join(found[:5])}."
    return Failure(reason, _SMALLER)


def _bytes(count: int) -> str:
    return f"{count / GIB:g} GiB" if count >= GIB else f"{count / MIB:g} MiB"
