"""Why loading a model raised, in words. Runs in the locked child, where the tenant's code ran."""

from collections.abc import Sequence
from typing import Any, Final

from runtime.modules import ROOT, Modules

Result = dict[str, Any]

_BRING: Final = (
    "Push it along: a module of your own with --code FILE_OR_FOLDER, a package of the index with"
    " --requirements requirements.txt, a package of your own with --wheel."
)
_OF_SCRIPTS: Final = (
    "Move it into a module, e.g. my_transformers.py, import it from there, fit and save the model"
    " again, and push it with --code my_transformers.py."
)


def words(error: BaseException, imports: Sequence[str], code: Modules | None) -> Result:
    """Give the failure of a load.

    imports  what the file asked for, the last one being what it stopped at
    code     the modules that came with it
    """
    if imports and _is_missing(error):
        return _missing(error, imports[-1], code)
    if isinstance(error, EOFError) or "EOF" in str(error) or "truncated" in str(error):
        return _failed(
            f"The file is truncated: {error}.",
            "Upload it again, whole; compare its size with the original's.",
        )
    if isinstance(error, OSError) and str(error.filename).startswith(ROOT):
        return _failed(
            f"The code of the model opens {str(error.filename).removeprefix(ROOT)} as a file, and"
            " modules of a bundle are not unpacked.",
            "Read it with importlib.resources.files(PACKAGE).joinpath(NAME).read_text().",
        )
    denied = isinstance(error, PermissionError)
    return {"failed": "raised", "error": short(error), "denied": denied}


def short(error: BaseException) -> str:
    """Name an error and cut what it says."""
    return f"{type(error).__name__}: {error}"[:500]


def _failed(reason: str, advice: str) -> Result:
    return {"failed": "reason", "reason": reason, "advice": advice}


def _is_missing(error: BaseException) -> bool:
    """True when a name could not be imported: there is none, or its module may not be read here."""
    if isinstance(error, PermissionError):
        return str(error.filename).endswith((".py", ".pyc", ".so"))
    return isinstance(error, (ImportError, AttributeError))


def _missing(error: BaseException, asked: str, code: Modules | None) -> Result:
    module = asked.rpartition(".")[0]
    if module == "__main__":
        return _failed(
            f"The model needs {asked}, which was defined in a script or a notebook, where no other"
            " process can import it from.",
            _OF_SCRIPTS,
        )
    if code is not None and code.hidden(asked):
        top = asked.partition(".")[0]
        return _failed(
            f"The model needs {asked}; the {top} in code/ is hidden by an installed module of the"
            " same name.",
            "Rename yours, fit and save the model again, and push it.",
        )
    needed = error.name if isinstance(error, ModuleNotFoundError) else None
    if code is not None and code.has(asked):
        if needed is not None and not code.has(needed):
            return _failed(
                f"The code of the model imports {needed}, which is not installed here.", _BRING
            )
        return _failed(
            f"The code of the model does not give {asked}: {short(error)}.",
            "Push the code that the model was fitted with.",
        )
    return _failed(f"The model needs {asked}, which is not installed here.", _BRING)
