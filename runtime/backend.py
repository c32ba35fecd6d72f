"""What computes a revision's answers: a plan in this process, or a front of another process.

The collector (`runtime/batching.py`) gives a backend whole batches, splits a batch that raises,
cuts a call that is too large into pieces, and turns exceptions into problems:

    ops.InputRefused(row, column, detail)   422, row and column of the caller's own request
    problems.Problem                        as it is (a front raises EngineUnavailable ...)
    anything else                           500 with a request id; the text goes to the log only
"""

from collections.abc import Callable, Coroutine
from typing import Any, Protocol

from runtime.launch import Launch, RevisionLaunch
from runtime.plan.ops import Array, Inputs
from runtime.plan.plan import Cost
from runtime.plan.signature import Signature


class LocalBackend(Protocol):
    """Computes in the calling thread; `runtime.plan.Plan` is one."""

    @property
    def signature(self) -> Signature:
        """What it takes and gives."""
        ...

    @property
    def cost(self) -> Cost:
        """Microseconds of one call; decides batch height and whether it may run on the loop."""
        ...

    def run(self, method: str, x: Inputs) -> Array:
        """Give one answer a row. Called from the loop and from several threads at once."""
        ...


class RemoteBackend(Protocol):
    """Waits for another process; `runtime.fallback.front` gives one."""

    @property
    def signature(self) -> Signature:
        """What it takes and gives."""
        ...

    @property
    def cost(self) -> Cost:
        """Microseconds of one call as seen from here, transport included."""
        ...

    async def run(self, method: str, inputs: Inputs) -> Array:
        """Give one answer a row. Cancelled when the worker stops; must then release everything."""
        ...

    async def close(self) -> None:
        """End the other process and wait for it. Called once, whatever happened before."""
        ...


Backend = LocalBackend | RemoteBackend

# `runtime.fallback.front.start` has this type. It returns when a call would be answered (the
# model is loaded), and raises ValueError in words for a file that will never work (exit 65).
StartRemote = Callable[[RevisionLaunch, Launch], Coroutine[Any, Any, RemoteBackend]]
