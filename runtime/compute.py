"""One vectorised call for several requests: join, compute, share out, split what fails."""

from collections.abc import Sequence
from typing import Protocol

import numpy as np

from runtime.backend import LocalBackend, RemoteBackend
from runtime.codecs.request import Call
from runtime.plan.ops import Array, Frame, Inputs
from runtime.problems import Problem

Results = dict[str, Array]


class Asked(Protocol):
    """What a batch is made of; all of one batch ask for the same outputs."""

    @property
    def call(self) -> Call:
        """What is asked."""
        ...


Outcome = Results | Exception


def together(backend: LocalBackend, jobs: Sequence[Asked]) -> list[Outcome]:
    """Answer all jobs in one call a output; raises what the model raises."""
    x = join([job.call.inputs for job in jobs])
    rows = [job.call.rows for job in jobs]
    total = sum(rows)
    return share(
        {name: checked(backend.run(name, x), total) for name in jobs[0].call.outputs}, rows
    )


def compute(backend: LocalBackend, jobs: Sequence[Asked]) -> list[Outcome]:
    """Give each job its outcome; a batch that raises is halved until the poisoned one is alone."""
    try:
        return together(backend, jobs)
    except Exception as error:  # noqa: BLE001  (a model may raise anything; each job gets its own)
        if len(jobs) == 1:
            return [error]
    middle = len(jobs) // 2
    return compute(backend, jobs[:middle]) + compute(backend, jobs[middle:])


async def compute_remote(backend: RemoteBackend, jobs: Sequence[Asked]) -> list[Outcome]:
    """As `compute`, waiting for another process."""
    outputs = jobs[0].call.outputs
    try:
        x = join([job.call.inputs for job in jobs])
        rows = [job.call.rows for job in jobs]
        results = {name: checked(await backend.run(name, x), sum(rows)) for name in outputs}
        return share(results, rows)
    except Exception as error:  # noqa: BLE001  (as above)
        if len(jobs) == 1 or isinstance(error, Problem):  # no backend: nothing to find out
            return [error] * len(jobs)
    middle = len(jobs) // 2
    first = await compute_remote(backend, jobs[:middle])
    return first + await compute_remote(backend, jobs[middle:])


def join(inputs: Sequence[Inputs]) -> Inputs:
    """Put the rows of several requests below each other; one request is not copied."""
    first = inputs[0]
    if len(inputs) == 1:
        return first
    if isinstance(first, Frame):
        columns = [frame.columns for frame in inputs if isinstance(frame, Frame)]
        return Frame(tuple(np.concatenate(column) for column in zip(*columns, strict=True)))
    return np.concatenate([x for x in inputs if not isinstance(x, Frame)])


def share(results: Results, rows: Sequence[int]) -> list[Outcome]:
    """Give each request its own rows, as views."""
    if len(rows) == 1:
        return [results]
    outcomes: list[Outcome] = []
    start = 0
    for count in rows:
        end = start + count
        outcomes.append({name: array[start:end] for name, array in results.items()})
        start = end
    return outcomes


def part(x: Inputs, start: int, end: int) -> Inputs:
    """Give some rows, as views."""
    if isinstance(x, Frame):
        return Frame(tuple(column[start:end] for column in x.columns))
    return x[start:end]


def checked(array: Array, rows: int) -> Array:
    """Refuse an answer that has not one row for each row asked: it would go to the wrong caller."""
    if not array.ndim or array.shape[0] != rows:
        raise RuntimeError(f"{rows} rows went in, shape {array.shape} came out")
    return array
