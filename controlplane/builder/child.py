"""The locked processes of a build. Imports first, then the lock, then the tenant's bytes.

Each role writes `result.json` into its own folder and nothing else is believed of it; the role
`load` is the only place of the control plane that unpickles.
"""

import json
import os
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import joblib
import joblib.numpy_pickle
from sklearn import exceptions

from controlplane.builder import bundled, explained, verify
from controlplane.builder import inspect as inspecting
from controlplane.builder.describe import Unusable, describe, is_model
from controlplane.builder.draft import drafted
from controlplane.builder.lower.base import Unsupported
from runtime import arrowless, modules
from runtime.bundle import Bundle, NotABundle
from runtime.packages import add
from runtime.sandbox import Enclosure, Profile, SandboxError, lock
from runtime.sandbox.cgroups import Group

Result = dict[str, Any]


# Before scikit-learn 1.3 an estimator of another version is told of by a plain UserWarning.
_Skew: Final = getattr(exceptions, "InconsistentVersionWarning", UserWarning)
_SKEW_WORDS: Final = "Trying to unpickle estimator"
_REFIT: Final = "Refit and save the model with an installed version, or ask the operator for yours."
_UNUSUAL: Final = (
    "The file itself is fine. If its class is your own, see that its attributes hold what"
    " scikit-learn's of the same name do; if not, tell the operator."
)


@dataclass(frozen=True, slots=True)
class Place:
    """Where a role runs: the folder it may write into, its namespaces, its control group."""

    work: str
    enclosure: Enclosure | None
    group: Group | None


def run(role: str, files: Sequence[int], place: Place, arguments: Result, profile: Result) -> None:
    """Lock this process, do one role, and write its result.

    files  what the role reads; behind the model of a bundle the bundle itself
    """
    folder, source = Path(place.work), files[0]
    packages = arguments.get("packages")
    readable = () if packages is None else (packages,)
    try:
        allowed = Profile(writable=(place.work,), readable=readable, keep=tuple(files), **profile)
        layers = lock(allowed, place.enclosure, place.group)
    except SandboxError as error:
        advice = "Ask the operator; nothing is wrong with your file."
        result: Result = {"failed": "reason", "reason": f"No build: {error}.", "advice": advice}
        _write(folder / "result.json", json.dumps(result).encode())
        return
    arrowless.show()
    roles = {
        "inspect": lambda: _inspect(source, folder, arguments),
        "load": lambda: _load(files, folder, arguments),
        "verify": lambda: verify.verify(source, folder, arguments),
    }
    try:
        result = roles[role]()
    except MemoryError:
        result = {"failed": "memory"}
    except (inspecting.NotAModel, NotABundle) as error:
        result = {"failed": "reason", "reason": error.reason, "advice": error.advice}
    result["sandbox"] = list(layers)
    _write(folder / "result.json", json.dumps(result).encode())


def _write(path: Path, content: bytes) -> None:
    # Replaces whatever the tenant's code may have put there.
    path.unlink(missing_ok=True)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)


def _inspect(source: int, folder: Path, arguments: Result) -> Result:
    raw = str(folder / "raw")
    if not bundled.holds(source):
        return inspecting.inspect(source, raw, **arguments).to_json()
    needs, model = bundled.look(source, folder, **arguments)
    try:
        return {**inspecting.inspect(model, raw, **arguments).to_json(), "bundle": needs}
    finally:
        os.close(model)


def _load(files: Sequence[int], folder: Path, arguments: Result) -> Result:
    imports: list[str] = []
    if arguments.get("packages") is not None:
        add(arguments["packages"])
    code = modules.install(Bundle.open(files[1])) if len(files) > 1 else None
    try:
        estimator = _unpickle(files[0], imports)
    except MemoryError:
        raise
    except _Skew as warning:
        return _failed(f"{str(warning).partition('. ')[0]}.", _REFIT, imports)
    except BaseException as error:  # noqa: BLE001  the tenant's code raises what it likes
        return {**explained.words(error, imports, code), "imports": imports}
    return {**_compiled(estimator, folder, plan=arguments.get("plan", True)), "imports": imports}


def _unpickle(source: int, imports: list[str]) -> Any:
    """Load once, noting every name the file asks for."""
    original = joblib.numpy_pickle.NumpyUnpickler.find_class
    seen = set(imports)

    def find_class(self: Any, module: str, name: str) -> Any:
        full = f"{module}.{name}"[:400]
        if full not in seen and len(seen) < 500:
            seen.add(full)
            imports.append(full)
        return original(self, module, name)

    joblib.numpy_pickle.NumpyUnpickler.find_class = find_class
    os.lseek(source, 0, os.SEEK_SET)
    with os.fdopen(source, "rb", closefd=False) as file, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        warnings.filterwarnings("error", _SKEW_WORDS, _Skew)
        return joblib.load(file)


def _compiled(estimator: Any, folder: Path, *, plan: bool) -> Result:
    kind = type(estimator)
    result: Result = {"estimator": f"{kind.__module__}.{kind.__qualname__}"[:400]}
    try:
        is_model(estimator)
        because = "no plan was asked for"
        try:
            if plan:
                _write(folder / "draft", drafted(estimator))
                return {**result, "plan": True}
        except Unsupported as error:
            because = f"{error.where}: {error.reason}"
        except MemoryError:
            raise
        except Exception as error:  # noqa: BLE001  our fault must not cost the tenant the model
            because = f"compiling it raised {explained.short(error)}"
        signature = describe(estimator)
    except Unusable as error:
        return {**result, "failed": "reason", "reason": error.reason, "advice": error.advice}
    except MemoryError:
        raise
    except Exception as error:  # noqa: BLE001  whoever pushed it must not look for a broken file
        reason = f"What the {kind.__name__} takes could not be found out: {explained.short(error)}."
        return {**result, "failed": "reason", "reason": reason, "advice": _UNUSUAL}
    return {**result, "fallback_because": because[:2000], "signature": signature.to_json()}


def _failed(reason: str, advice: str, imports: list[str]) -> Result:
    return {"failed": "reason", "reason": reason, "advice": advice, "imports": imports}
