"""Rows to send: drawn from a signature or read from a file, checked before one is sent."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import numpy as np
import orjson

from loadtests.plan import Format, PlanError
from runtime.codecs import short, v1, v2
from runtime.codecs.frames import from_rows
from runtime.plan.ops import Array, Frame, Inputs
from runtime.plan.signature import Column, Kind, Signature
from runtime.problems import Problem

MOST_ROWS: Final = 1_000_000  # of a sample file
MOST_SAMPLE_BYTES: Final = 1 << 30
# Different requests that are kept ready, as they are sent: enough that no cache lives from them.
MOST_REQUESTS: Final = 1000
MOST_READY_BYTES: Final = 32 << 20
WORDS: Final = 20  # that are drawn for a column of text, whose categories nobody tells
FAULTS_SHOWN: Final = 5


def drawn(signature: Signature, rows: int, seed: int) -> Inputs:
    """Draw rows that fit a signature.

    A signature says what a cell may be and not what it usually is: numbers are drawn from a
    standard normal distribution, texts from a few words. Trees go other ways with other numbers,
    and what knows its categories may refuse; a sample file says it better.
    """
    random = np.random.default_rng(seed)
    if signature.numeric:
        return random.standard_normal((rows, len(signature.columns)))
    return Frame(tuple(_drawn(column, rows, random) for column in signature.columns))


def _drawn(column: Column, rows: int, random: np.random.Generator) -> Array:
    if column.kind is not Kind.STRING:
        return random.standard_normal(rows)
    words = np.array([f"{column.name} {i}" for i in range(WORDS)], object)
    return words[random.integers(WORDS, size=rows)]


def sample(path: Path, signature: Signature) -> Inputs:
    """Read rows from CSV, JSON, lines of JSON or Parquet; raises PlanError with row and column."""
    try:
        if path.stat().st_size > MOST_SAMPLE_BYTES:
            raise PlanError(f"{path.name} is larger than 1 GiB; a part of it will do")
        found = _read(path, signature)
    except OSError as error:
        raise PlanError(f"{path} cannot be read: {error}") from error
    except Problem as problem:
        raise PlanError(f"{path.name} does not fit the endpoint: {_faults(problem)}") from problem
    if not height(found):
        raise PlanError(f"{path.name} has no rows")
    return found


def _read(path: Path, signature: Signature) -> Inputs:
    match path.suffix.lower():
        case ".csv":
            return short.decode_csv(path.read_bytes(), signature, max_rows=MOST_ROWS).inputs
        case ".json":
            return short.decode(path.read_bytes(), signature, max_rows=MOST_ROWS).inputs
        case ".ndjson" | ".jsonl":
            return from_rows(_lines(path), signature)
        case ".parquet":
            return from_rows(_parquet(path), signature)
        case _:
            raise PlanError(f"{path.name} must end in .csv, .json, .ndjson, .jsonl or .parquet")


def _lines(path: Path) -> list[Any]:
    rows = []
    for number, line in enumerate(path.read_bytes().splitlines(), 1):
        if line.strip():
            try:
                rows.append(orjson.loads(line))
            except orjson.JSONDecodeError as error:
                raise PlanError(f"{path.name}, line {number} is not JSON: {error}") from error
        if len(rows) > MOST_ROWS:
            raise PlanError(f"{path.name} has more than {MOST_ROWS} rows; a part of it will do")
    return rows


def _parquet(path: Path) -> list[dict[str, Any]]:
    try:
        import pandas as pd

        frame = pd.read_parquet(path)
    except ImportError as error:
        raise PlanError(f"{path.name}: Parquet is read with pandas and pyarrow: {error}") from error
    except ValueError as error:
        raise PlanError(f"{path} cannot be read: {error}") from error
    columns = {str(name): _cells(frame[name]) for name in frame.columns}
    return [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]


def _cells(series: Any) -> list[Any]:
    missing = series.isna().tolist()
    return [None if gone else cell for cell, gone in zip(series.tolist(), missing, strict=True)]


def _faults(problem: Problem) -> str:
    """Write the first faults with their places."""
    listed = problem.members.get("errors") or [{"detail": problem.detail}]
    places = []
    for fault in listed[:FAULTS_SHOWN]:
        where = ", ".join(f"{kind} {fault[kind]}" for kind in ("row", "column") if kind in fault)
        places.append(f"{where}: {fault['detail']}" if where else fault["detail"])
    more = f" (and {len(listed) - FAULTS_SHOWN} more)" if len(listed) > FAULTS_SHOWN else ""
    return "; ".join(places) + more


def height(inputs: Inputs) -> int:
    """Give the number of rows."""
    return inputs.rows if isinstance(inputs, Frame) else len(inputs)


class Written:
    """Requests of one plan: where they go, what they say of themselves, and their bodies."""

    def __init__(
        self, form: Format, endpoint: str, signature: Signature, output: str | None
    ) -> None:
        if output is not None and signature.output(output) is None:
            names = ", ".join(one.name for one in signature.outputs)
            raise PlanError(f"{endpoint} has no output {output!r}; it has {names}")
        self._form, self._signature = form, signature
        self._outputs = None if output is None else (output,)
        paths = {"predict": "/predict", "v1": f"/v1/models/{endpoint}:predict"}
        self.path = paths.get(form, f"/v2/models/{endpoint}/infer")

    def one(self, inputs: Inputs) -> tuple[dict[str, str], bytes]:
        """Write one request: headers and body; raises PlanError where a format cannot say it."""
        json = {"content-type": "application/json"}
        match self._form:
            case "predict":
                return json, short.encode_call(self._lists(inputs), self._outputs)
            case "v1":
                return json, v1.encode_call(self._lists(inputs), self._outputs)
            case "v2":
                return json, v2.encode_call(inputs, self._signature, self._outputs)
            case "v2-binary":
                parts = v2.encode_raw(self._arrays(inputs), self._outputs)
                raw = {"content-type": "application/octet-stream"}
                return (
                    raw | {"inference-header-content-length": str(parts.head_bytes)},
                    parts.join(),
                )

    def _lists(self, inputs: Inputs) -> Any:
        """Give rows for JSON: lists, or objects where columns have names."""
        if not isinstance(inputs, Frame):
            return inputs
        columns = [column.tolist() for column in inputs.columns]
        names = [column.name for column in self._signature.columns]
        return [dict(zip(names, row, strict=True)) for row in zip(*columns, strict=True)]

    def _arrays(self, inputs: Inputs) -> dict[str, Array]:
        if not isinstance(inputs, Frame):
            return {"input-0": inputs}
        for column, cells in zip(self._signature.columns, inputs.columns, strict=True):
            if cells.dtype == object and any(not isinstance(cell, str) for cell in cells):
                raise PlanError(
                    f"raw tensors have no missing text, and column {column.name!r} has some: use"
                    " --format v2"
                )
        return {
            column.name: cells
            for column, cells in zip(self._signature.columns, inputs.columns, strict=True)
        }


def chunks(inputs: Inputs, rows: int, seed: int) -> Iterator[Inputs]:
    """Cut rows into requests, in an order of chance; the last one is filled from the first."""
    total = height(inputs)
    order = np.random.default_rng(seed).permutation(total)
    for start in range(0, total, rows):
        places = np.take(order, range(start, start + rows), mode="wrap")
        if isinstance(inputs, Frame):
            yield Frame(tuple(column[places] for column in inputs.columns))
        else:
            yield inputs[places]
