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
import sklearn
from sklearn.exceptions import InconsistentVersionWarning

from controlplane.builder import inspect as inspecting
from controlplane.builder import verify
from controlplane.builder.describe import Unusable, describe, is_model
from controlplane.builder.lower.base import Unsupported
from controlplane.builder.lower.registry import new_draft
from controlplane.builder.probe import answers, probe_rows
from runtime import frames
from runtime.estimators import find_threads
from runtime.plan import signature_of
from runtime.plan.graph import build
from runtime.plan.signature import from_json
from runtime.sandbox import Profile, SandboxError, lock

Result = dict[str, Any]

find_threads()

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
    found = inspecting.inspect(source, str(folder / "raw"), **arguments)
    foreign = sorted(found.versions - {sklearn.__version__})
    if foreign:
        return {
            **found.to_json(),
            "failed": "reason",
            "reason": (
                f"The model was saved with scikit-learn {', '.join(foreign)}; this installation has"
                f" {sklearn.__version__}. Loading it here could give wrong answers in silence."
            ),
            "advice": f"Fit and save it with scikit-learn=={sklearn.__version__}, then push again.",
        }
    return found.to_json()


def _load(source: int, folder: Path, *, plan: bool) -> Result:
    imports: list[str] = []
    try:
        estimator = _unpickle(source, imports)
    except MemoryError:
        raise
    except InconsistentVersionWarning as warning:
        return _failed(
            f"{warning.estimator_name} was saved with scikit-learn"
            f" {warning.original_sklearn_version}; this installation has"
            f" {warning.current_sklearn_version}.",
            _REFIT,
            imports,
        )
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
        warnings.simplefilter("error", InconsistentVersionWarning)
        return joblib.load(file)


def _compiled(estimator: Any, folder: Path, *, plan: bool) -> Result:
    kind = type(estimator)
    result: Result = {"estimator": f"{kind.__module__}.{kind.__qualname__}"[:400]}
    try:
        is_model(estimator)
        because = "no plan was asked for"
        try:
            if plan:
                return {**result, **_plan(estimator, folder)}
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


def _plan(estimator: Any, folder: Path) -> Result:
    draft = new_draft()
    spec = draft.node(estimator)
    node = build(spec, draft.tensors)
    names = getattr(estimator, "feature_names_in_", None)
    signature = signature_of(node, None if names is None else [str(name) for name in names])
    names_of_tensors = list(draft.tensors)
    meta = {"graph": spec, "tensors": names_of_tensors, "signature": signature.to_json()}
    plan = frames.encode(meta, [draft.tensors[name] for name in names_of_tensors])
    plain = from_json(signature.to_json())
    try:
        meta, arrays = answers(estimator, signature, probe_rows(estimator, plain))
    except Unusable:
        # Isotonic regression may be told to refuse whatever it has not seen the like of.
        meta, arrays = answers(estimator, signature, probe_rows(estimator, plain, beyond=0.0))
    # One file, so that the parent has one to check: length of the plan, plan, probes.
    content = len(plan).to_bytes(8, "little") + plan + frames.encode(meta, arrays)
    _write(folder / "draft", content)
    return {"plan": True}


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
