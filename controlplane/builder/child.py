"""The locked processes of a build. Imports first, then the lock, then the tenant's bytes.

Each role writes `result.json` into its own folder and nothing else is believed of it; the role
`load` is the only place of the control plane that unpickles.
"""

import json
import os
import warnings
from pathlib import Path
from typing import Any, Final

import joblib
import joblib.numpy_pickle
from sklearn import exceptions

from controlplane.builder import inspect as inspecting
from controlplane.builder import verify
from controlplane.builder.describe import Unusable, describe, is_model
from controlplane.builder.draft import drafted
from controlplane.builder.lower.base import Unsupported
from runtime.sandbox import Profile, SandboxError, lock

Result = dict[str, Any]


# Before scikit-learn 1.3 an estimator of another version is told of by a plain UserWarning.
_Skew: Final = getattr(exceptions, "InconsistentVersionWarning", UserWarning)
_SKEW_WORDS: Final = "Trying to unpickle estimator"
_REFIT: Final = "Refit and save the model with an installed version, or ask the operator for yours."


def run(role: str, source: int, work: str, arguments: Result, profile: Result) -> None:
    """Lock this process, do one role, and write its result."""
    folder = Path(work)
    try:
        layers = lock(Profile(writable=(work,), keep=(source,), **profile))
    except SandboxError as error:
        advice = "Ask the operator; nothing is wrong with your file."
        result: Result = {"failed": "reason", "reason": f"No build: {error}.", "advice": advice}
        _write(folder / "result.json", json.dumps(result).encode())
        return
    roles = {
        "inspect": lambda: _inspect(source, folder, arguments),
        "load": lambda: _load(source, folder, plan=arguments.get("plan", True)),
        "verify": lambda: verify.verify(source, folder, arguments),
    }
    try:
        result = roles[role]()
    except MemoryError:
        result = {"failed": "memory"}
    except inspecting.NotAModel as error:
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
    return inspecting.inspect(source, str(folder / "raw"), **arguments).to_json()


def _load(source: int, folder: Path, *, plan: bool) -> Result:
    imports: list[str] = []
    try:
        estimator = _unpickle(source, imports)
    except MemoryError:
        raise
    except _Skew as warning:
        return _failed(f"{str(warning).partition('. ')[0]}.", _REFIT, imports)
    except BaseException as error:  # noqa: BLE001  the tenant's code raises what it likes
        return {**_explained(error, imports), "imports": imports}
    return {**_compiled(estimator, folder, plan=plan), "imports": imports}


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
            because = f"compiling it raised {_words(error)}"
        signature = describe(estimator)
    except Unusable as error:
        return {**result, "failed": "reason", "reason": error.reason, "advice": error.advice}
    return {**result, "fallback_because": because[:2000], "signature": signature.to_json()}


def _failed(reason: str, advice: str, imports: list[str]) -> Result:
    return {"failed": "reason", "reason": reason, "advice": advice, "imports": imports}


def _words(error: BaseException) -> str:
    return f"{type(error).__name__}: {error}"[:500]


def _is_missing(error: BaseException) -> bool:
    """True when a name could not be imported: there is none, or its module may not be read here."""
    if isinstance(error, PermissionError):
        return str(error.filename).endswith((".py", ".pyc", ".so"))
    return isinstance(error, (ImportError, AttributeError))


def _explained(error: BaseException, imports: list[str]) -> Result:
    """Say in words why loading raised."""
    if imports and _is_missing(error):
        return {
            "failed": "reason",
            "reason": f"The model needs {imports[-1]}, which is not installed here.",
            "advice": "Only scikit-learn's own estimators can be loaded; replace custom classes.",
        }
    if isinstance(error, EOFError) or "EOF" in str(error) or "truncated" in str(error):
        return {
            "failed": "reason",
            "reason": f"The file is truncated: {error}.",
            "advice": "Upload it again, whole; compare its size with the original's.",
        }
    return {
        "failed": "raised",
        "error": _words(error),
        "denied": isinstance(error, PermissionError),
    }
