"""scikit-learn in a locked process, started by `runtime.fallback.confined`.

Imports, then locks itself, then loads the model, then answers frames on the inherited socket until
it closes. It gets arrays only: no token, no header, no address of a caller ever comes here.
"""

import contextlib
import os
import warnings
from importlib import import_module
from typing import IO, Any, Final

import joblib
import numpy as np
import sklearn
from numpy.typing import NDArray

from runtime import arrowless, frames, modules
from runtime.bundle import Bundle, is_bundle
from runtime.estimators import as_array, keeps_none, look_at_libraries, table
from runtime.packages import add
from runtime.sandbox import Enclosure, Profile, SandboxError, lock
from runtime.sandbox.cgroups import Group

MOST_BYTES: Final = 256 << 20
_INPUT_FAULTS: Final = (ValueError, TypeError, KeyError, IndexError)


def work(
    channel: int,
    model: int,
    options: dict[str, Any],
    enclosure: Enclosure | None,
    group: Group | None,
) -> None:
    """Load the model and answer until the channel closes; a first frame says whether it loads."""
    if options["sklearn"] not in (None, sklearn.__version__):
        wrong = f"it was saved with scikit-learn {options['sklearn']}, not {sklearn.__version__}"
        _send(channel, {"unusable": f"the model is not loaded: {wrong}; push and deploy it again"})
        return
    if options["named"]:
        with contextlib.suppress(ImportError):  # without pandas the model gets arrays
            import_module("pandas")
    look_at_libraries()
    packages = options["packages"]
    try:
        layers = lock(
            Profile(
                readable=() if packages is None else (packages,),
                keep=(channel, model),
                memory_bytes=options["memory_bytes"],
                degraded=options["degraded"],
            ),
            enclosure,
            group,
        )
    except SandboxError as error:
        _send(channel, {"unusable": str(error)})
        return
    arrowless.show()
    try:
        if packages is not None:
            add(packages)
        with _opened(model) as file, warnings.catch_warnings():
            warnings.simplefilter("ignore")
            estimator = joblib.load(file)
    except Exception as error:  # noqa: BLE001  the tenant's file raises what it likes
        _send(channel, {"unusable": f"the model does not load: {_words(error)}"})
        return
    _send(channel, {"ready": True, "sandbox": layers, "sklearn": sklearn.__version__})
    warnings.simplefilter("ignore")
    _serve(channel, estimator, options["names"] if options["named"] else None)


def _opened(model: int) -> IO[bytes]:
    """Open the model, of a bundle the one inside, whose modules can be imported from here on."""
    if not is_bundle(os.pread(model, 4, 0)):
        return os.fdopen(model, "rb")
    bundle = Bundle.open(model)
    modules.install(bundle)
    return bundle.model()


def _serve(channel: int, estimator: Any, names: list[str] | None) -> None:
    none = keeps_none(estimator)
    while (frame := _receive(channel)) is not None:
        meta, arrays = frames.decode(frame, MOST_BYTES)
        try:
            # Copies: a frame's arrays are read-only, and some estimators write into their input.
            columns = [np.array(column) for column in arrays]
            answer = as_array(
                getattr(estimator, meta["method"])(_rows(estimator, columns, names, none))
            )
        except _INPUT_FAULTS as error:
            _send(channel, {"refused": _words(error)})
        except Exception as error:  # noqa: BLE001  the model is the tenant's; the process goes on
            _send(channel, {"raised": _words(error)})
        else:
            _send(channel, {"answered": True}, answer)


def _rows(estimator: Any, columns: list[NDArray[Any]], names: list[str] | None, none: bool) -> Any:
    if len(columns) == 1 and columns[0].ndim == 2:
        if names is None:
            return columns[0]
        columns = list(columns[0].T)
    return table(estimator, columns, names, none=none)


def _words(error: BaseException) -> str:
    return f"{type(error).__name__}: {error}"[:500]


def _send(channel: int, meta: dict[str, Any], *arrays: NDArray[Any]) -> None:
    view = memoryview(frames.encode(meta, arrays))
    while view:
        view = view[os.write(channel, view) :]


def _receive(channel: int) -> bytes | None:
    """Read one frame; None at the end of the stream."""
    prefix = _exactly(channel, frames.PREFIX.size)
    if prefix is None:
        return None
    rest = _exactly(channel, sum(frames.sizes(prefix, MOST_BYTES)))
    return None if rest is None else prefix + rest


def _exactly(channel: int, count: int) -> bytes | None:
    received = bytearray()
    while len(received) < count:
        block = os.read(channel, min(count - len(received), 1 << 20))
        if not block:
            return None
        received += block
    return bytes(received)
