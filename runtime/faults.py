"""What a model raised, as an answer: a refused cell by its name, anything else as an id."""

import os
import traceback

from runtime.codecs.request import refused
from runtime.lines import say
from runtime.plan.ops import InputRefused
from runtime.plan.signature import Signature
from runtime.problems import Internal, Problem


def problem_of(
    error: Exception,
    signature: Signature | None,
    request_id: str | None,
    revision: str | None = None,
    trace_id: str | None = None,
) -> Problem:
    """Give the problem for what went wrong; writes what is unexpected to the log."""
    if isinstance(error, Problem):
        return error
    if isinstance(error, InputRefused) and signature is not None:
        return _cell(error, signature)
    request_id = request_id or os.urandom(8).hex()
    log(error, request_id, revision, trace_id)
    return Internal(
        f"The model failed on this request. Its log names request {request_id}.",
        request_id=request_id,
    )


def _cell(error: InputRefused, signature: Signature) -> Problem:
    fault: dict[str, object] = {}
    if error.row is not None:
        fault["row"] = error.row
    if error.column is not None:
        fault["column"] = signature.columns[error.column].name
    return refused([{**fault, "detail": error.detail}])


def log(
    error: BaseException,
    request_id: str | None = None,
    revision: str | None = None,
    trace_id: str | None = None,
) -> None:
    """Write where an exception came from; never its text, which may hold a caller's data."""
    frames = traceback.extract_tb(error.__traceback__)[-8:]
    places = " < ".join(f"{f.filename}:{f.lineno} {f.name}" for f in reversed(frames))
    say(
        f"{type(error).__name__} at {places}",
        level="error",
        request_id=request_id,
        revision=revision,
        trace_id=trace_id,
    )
