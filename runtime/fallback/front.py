"""The front of a model without a plan: keeps its locked process, sends it arrays, no token."""

import asyncio
import contextlib
import json
import os
import time
from collections import deque
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from runtime.fallback.process import Crashed, Worker
from runtime.launch import Launch, RevisionLaunch
from runtime.plan.ops import Array, Frame, Inputs
from runtime.plan.plan import Cost
from runtime.plan.signature import Signature, from_json
from runtime.problems import DeadlinePassed, EngineUnavailable, Internal, InvalidInput

_MEMORY: Final = 2 << 30
_START_S: Final = 120.0  # scikit-learn takes 1 to 3 s to import, a large model as much to load
_MOST_CRASHES, _CRASH_WINDOW_S = 5, 60.0
_DTYPES: Final = {"FP64": "f8", "FP32": "f4", "INT64": "i8", "INT32": "i4", "BOOL": "b1"}
_UNKNOWN: Final = Cost(3000.0, 50.0)
_TALL: Final = 64


class Front:
    """A `RemoteBackend`. Calls run one at a time; one past its deadline ends the process."""

    def __init__(
        self,
        revision: RevisionLaunch,
        signature: Signature,
        *,
        timeout_s: float,
        degraded: bool = False,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._artifact, self._signature = revision.artifact, signature
        self._interpreter = revision.interpreter
        self._timeout_s, self._clock = timeout_s, clock
        size = os.stat(revision.artifact).st_size
        self._options = {
            "named": signature.named,
            "names": [column.name for column in signature.columns],
            "memory_bytes": max(_MEMORY, 4 * size + (512 << 20)),
            "degraded": degraded,
            "sklearn": revision.sklearn,
            "packages": revision.packages,
        }
        self._cost = _UNKNOWN
        self._worker: Worker | None = None
        self._turn = asyncio.Lock()
        self._crashes: deque[float] = deque(maxlen=_MOST_CRASHES)
        self._closed = False
        self.sandbox: tuple[str, ...] = ()

    @property
    def signature(self) -> Signature:
        """What it takes and gives."""
        return self._signature

    @property
    def cost(self) -> Cost:
        """Microseconds of one call, measured when the process started."""
        return self._cost

    @property
    def pid(self) -> int | None:
        """The process that computes, None while there is none."""
        return self._worker.pid if self._worker is not None else None

    async def run(self, method: str, inputs: Inputs) -> Array:
        """Give one answer a row; raises problems only."""
        async with self._turn:
            try:
                async with asyncio.timeout(self._timeout_s):
                    return await self._call(method, inputs)
            except TimeoutError as error:
                await self._end()
                raise DeadlinePassed(
                    f"The model did not answer within {self._timeout_s:g} s; its process was ended."
                    " Send fewer rows, or raise the endpoint's timeout."
                ) from error
            except Crashed as error:
                self._crashes.append(self._clock())
                await self._end()
                raise EngineUnavailable(
                    f"The model's process crashed while it answered ({error}); a new one starts"
                    " with the next request.",
                    retry_after_s=1,
                ) from error
            except asyncio.CancelledError:
                await self._end()  # it may still compute, and would answer the next caller
                raise

    async def close(self) -> None:
        """End the process and wait for it."""
        self._closed = True
        async with self._turn:
            await self._end()

    async def warm(self) -> None:
        """Start the process and measure a call; raises ValueError when the model cannot work."""
        try:
            async with asyncio.timeout(_START_S):
                await self._start()
        except (TimeoutError, Crashed) as error:
            await self._end()
            raise ValueError(f"the model's process did not start: {error}") from error
        except BaseException:
            await self._end()
            raise
        await self._measure()

    async def _call(self, method: str, inputs: Inputs) -> Array:
        worker = await self._running()
        arrays = list(inputs.columns) if isinstance(inputs, Frame) else [inputs]
        rows = inputs.rows if isinstance(inputs, Frame) else inputs.shape[0]
        meta, answers = await worker.exchange({"method": method}, arrays)
        if isinstance(refused := meta.get("refused"), str):
            raise InvalidInput(f"The model refused the input: {_shown(refused)}", errors=[])
        if isinstance(raised := meta.get("raised"), str):
            raise Internal(f"The model raised {_shown(raised)}")
        if len(answers) != 1:
            raise Crashed("the model's process answered nothing")
        return self._checked(method, answers[0], rows)

    def _checked(self, method: str, answer: NDArray[Any], rows: int) -> Array:
        """Hold the answer to the signature: a model may not send what its endpoint never said."""
        output = self._signature.output(method)
        if output is None:
            raise InvalidInput(f"The model has no output {method!r}.", errors=[])
        shape = (rows,) if output.width is None else (rows, output.width)
        if answer.shape != shape:
            raise Internal(f"The model answered shape {answer.shape}, its signature says {shape}")
        if output.datatype == "BYTES":
            if answer.dtype != object or not all(isinstance(v, str) for v in answer.ravel()):
                answer = np.array([str(v) for v in answer.ravel()], object).reshape(shape)
            return answer
        if answer.dtype == object:
            raise Internal(f"The model answered no numbers, its signature says {output.datatype}")
        return answer.astype(_DTYPES[output.datatype], copy=False)

    async def _running(self) -> Worker:
        if self._closed:
            raise EngineUnavailable("The worker is stopping.", retry_after_s=1)
        if self._worker is not None and self._worker.alive:
            return self._worker
        if self._worker is not None:  # it died between two calls
            self._crashes.append(self._clock())
            await self._end()
        self._refuse_crash_loop()
        try:
            return await self._start()
        except ValueError as error:
            raise Crashed(str(error)) from error

    def _refuse_crash_loop(self) -> None:
        if len(self._crashes) < _MOST_CRASHES:
            return
        wait = self._crashes[0] + _CRASH_WINDOW_S - self._clock()
        if wait > 0:
            raise EngineUnavailable(
                f"The model's process crashed {_MOST_CRASHES} times within {_CRASH_WINDOW_S:g} s,"
                f" so it rests for {wait:.0f} s. The endpoint's logs show what it printed.",
                retry_after_s=wait,
            )

    async def _start(self) -> Worker:
        self._worker = worker = await Worker.start(self._artifact, self._options, self._interpreter)
        await worker.locate()
        meta, _ = await worker.receive()
        if isinstance(unusable := meta.get("unusable"), str):
            raise ValueError(_shown(unusable))
        layers = meta.get("sandbox")
        if isinstance(layers, list):
            self.sandbox = tuple(str(layer)[:40] for layer in layers[:20])
        return worker

    async def _end(self) -> None:
        worker, self._worker = self._worker, None
        if worker is not None:
            await asyncio.shield(worker.end())

    async def _measure(self) -> None:
        """Time one row and many of zeros, where the model takes numbers; else keep the guess."""
        if not self._signature.numeric:
            return
        method = self._signature.outputs[0].name
        with contextlib.suppress(InvalidInput, Internal):
            alone = min([await self._timed(method, 1) for _ in range(3)])
            together = await self._timed(method, _TALL)
            per_row = max(0.0, (together - alone) / (_TALL - 1))
            self._cost = Cost(max(1.0, alone - per_row), per_row)

    async def _timed(self, method: str, rows: int) -> float:
        x = np.zeros((rows, len(self._signature.columns)))
        start = self._clock()
        await self.run(method, x)
        return (self._clock() - start) * 1e6


def _shown(text: str) -> str:
    """Put what the model's process said on a line, cut, without what a terminal would obey."""
    return "".join(c for c in " ".join(text[:500].split()) if c.isprintable())


async def start(revision: RevisionLaunch, launch: Launch) -> Front:
    """Give a front whose model is loaded; raises ValueError in words for what will never work."""
    if revision.signature is None:
        raise ValueError("a revision served by the fallback needs a signature file")
    try:
        text = await asyncio.to_thread(Path(revision.signature).read_text, encoding="utf-8")
        signature = from_json(json.loads(text))
    except (OSError, ValueError) as error:
        raise ValueError(f"the signature of {revision.name} cannot be read: {error}") from error
    # The operator's word for a host without the layers; not part of the launch contract.
    degraded = os.environ.get("KUBESERVE_SANDBOX") == "degraded"
    try:
        front = Front(revision, signature, timeout_s=launch.timeout_s, degraded=degraded)
        await front.warm()
    except OSError as error:
        raise ValueError(f"the model of {revision.name} cannot be read: {error}") from error
    return front
