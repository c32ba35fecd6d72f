"""The payload log of a worker: a share of its requests, kept for a moment, then handed over.

Nobody waits for it. A request that is chosen is copied when its answer has been written, without
the columns that are redacted, so these never lie in the log's memory. What is kept is bounded in
bytes; what finds no room is dropped, and counted. A thread hands batches to a sink, which may be
slow or away.
"""

import asyncio
import math
import os
import random
import threading
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from time import monotonic
from typing import Any, Final, NamedTuple, Protocol, cast

import numpy as np
import orjson

from runtime.batching import Answered, Job
from runtime.compute import Outcome
from runtime.lines import say
from runtime.payload_batches import MOST_BATCH_BYTES, MOST_ENTRY_BYTES, entry
from runtime.payload_log import Counts, Head, Layout, PayloadLog
from runtime.plan.ops import Array, Frame, Inputs
from runtime.plan.signature import Kind, Signature
from runtime.prediction import Prediction
from runtime.streams import Piece
from runtime.trying import Trying

KEPT_BYTES: Final = 4 * 1024 * 1024
HAND_BYTES: Final = MOST_BATCH_BYTES // 2
HAND_EVERY_S: Final = 5.0
LAST_WITHIN_S: Final = 3.0
PAUSES_S: Final = (1.0, 2.0, 4.0, 8.0, 15.0)
# So many cells of text are written as JSON in a millisecond, and a tenth of them is hashed.
MOST_TEXTS: Final = 20_000
HASH_COST: Final = 10
FEW_ROWS: Final = 64  # whose size is looked at once it is known
FLOAT64: Final = np.dtype("<f8")
NOBODY: Final = ()


class Sink(Protocol):
    """Takes batches; called by one thread at a time, but for `note`."""

    def take(self, name: str, batch: bytes) -> None:
        """Keep a batch, whole or not at all; raises OSError or another of `trying.FAILURES`."""

    def note(self, counts: tuple[int, int, int, int, int]) -> None:
        """Remember `Counts` at once, on the loop; the last word of a process that is killed."""


class Columns:
    """Which columns of a revision's inputs are logged, and how."""

    def __init__(self, signature: Signature, log: PayloadLog) -> None:
        kept = [
            (at, column)
            for at, column in enumerate(signature.columns)
            if column.name not in log.redact
        ]
        self._hashed = {at for at, column in kept if column.name in log.hashed}
        self._numbers = [
            at for at, one in kept if one.kind is Kind.NUMBER and at not in self._hashed
        ]
        self._texts = [at for at, _ in kept if at not in self._numbers]
        self._all = len(self._numbers) == len(signature.columns)
        self._mac = _mac_of(bytes.fromhex(log.key)) if self._hashed else None
        self.cost = len(self._texts) + (HASH_COST - 1) * len(self._hashed)
        names = [column.name for column in signature.columns]
        self.layout = Layout(
            tuple(names[at] for at in self._numbers),
            tuple(names[at] for at in self._texts),
            tuple(names[at] for at in self._texts if at in self._hashed),
        )

    def numbers(self, x: Inputs) -> bytes:
        """Give the numbers of some rows, row by row."""
        if not self._numbers:
            return b""
        if isinstance(x, Frame):
            return np.column_stack([x.columns[at] for at in self._numbers]).astype("<f8").tobytes()
        kept = x if self._all else x[:, self._numbers]
        return (kept if kept.dtype == FLOAT64 else kept.astype(FLOAT64)).tobytes()

    def texts(self, x: Inputs) -> bytes:
        """Give the other cells as JSON, column by column."""
        if not self._texts:
            return b""
        columns = []
        for at in self._texts:
            cells = (x.columns[at] if isinstance(x, Frame) else x[:, at]).tolist()
            mac = self._mac if at in self._hashed else None
            columns.append(cells if mac is None else [*map(mac, cells)])
        return orjson.dumps(columns)


def _mac_of(key: bytes) -> Callable[[Any], str | None]:
    """Give what stands for a cell: HMAC-SHA256 of its text."""
    # Only here: it brings OpenSSL along, which a worker does without otherwise.
    from hmac import digest

    def mac(cell: Any) -> str | None:
        if cell is None or cell != cell:  # missing stays missing: its rate is what drift looks at
            return None
        return digest(key, str(cell).encode(), "sha256").hex()[:32]

    return mac


class Batch(NamedTuple):
    """What is handed over; `size` of its requests in bytes."""

    name: str
    parts: tuple[bytes, ...]
    requests: int
    size: int


class Recorder:
    """Chooses requests and keeps them until they are handed over. Belongs to the loop.

    signatures  of the revisions, by name
    wall        seconds since 1970
    """

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        log: PayloadLog,
        source: str,
        signatures: Mapping[str, Signature],
        sink: Sink,
        wall: Callable[[], float],
    ) -> None:
        self._loop, self._log, self._sink, self._wall = loop, log, sink, wall
        self._columns = {name: Columns(one, log) for name, one in signatures.items()}
        self.source = source
        self.kept_bytes = 0
        self._seen = self._sampled = self._handed = self._full = self._large = 0
        self._kept: deque[bytes] = deque()
        self._sequence = 0
        self._batch: Batch | None = None  # that was not taken yet
        self._handing: threading.Thread | None = None
        self._due = loop.time() + HAND_EVERY_S
        self._failed = 0
        self._is_full = False  # one did not fit, and nothing was taken since
        self._told = Counts()
        self._trying = Trying("logged payloads are not taken", "logged payloads are taken again")
        self._random = random.Random(os.urandom(16))  # noqa: S311  (chooses, guards nothing)
        self._rest = math.log1p(-log.sample) if log.sample < 1 else -math.inf
        self._skip = self._gap()

    # Choosing: so many are passed over before the next, so those cost one subtraction

    def _gap(self) -> int:
        """Draw how many requests are passed over: geometric, as if each were drawn by itself."""
        return int(math.log1p(-self._random.random()) / self._rest)

    def chosen(self, count: int) -> Sequence[int]:
        """Choose among the next so many requests; gives their places."""
        self._seen += count
        at = self._skip
        if at >= count:
            self._skip = at - count
            return NOBODY
        places = []
        while at < count:
            places.append(at)
            at += 1 + self._gap()
        self._skip = at - count
        self._sampled += len(places)
        return places

    def around(self, answered: Answered) -> Answered:
        """Give what answers a batch, and then logs of it what is chosen."""

        def both(jobs: Sequence[Job], outcomes: Sequence[Outcome]) -> None:
            before = [job.gone for job in jobs]
            answered(jobs, outcomes)
            good = [
                (job, outcome)
                for job, outcome, gone in zip(jobs, outcomes, before, strict=True)
                if not (gone or isinstance(outcome, Exception) or _is_unlogged(job))
            ]
            for place in self.chosen(len(good)):
                self._answer(*good[place])

        return both

    def _answer(self, job: Job, outcome: Outcome) -> None:
        outputs = [*outcome.items()] if isinstance(outcome, dict) else []
        if isinstance(job, Piece):
            stream = job.stream
            self.add(
                stream.revision.launch.name, stream.head.request_id, 200, 0.0, job.call.inputs,
                outputs,
            )  # fmt: skip
        else:
            one = cast("Prediction", job)
            self.add(
                one.revision.launch.name, _named(one), 200, monotonic() - one.began,
                one.call.inputs, outputs,
            )  # fmt: skip

    def failed(self, prediction: Prediction, status: int) -> None:
        """Log a request that got no prediction, if it is chosen."""
        if not prediction.head.unlogged and self.chosen(1):
            inputs = getattr(prediction, "call", None)
            self.add(
                prediction.revision.launch.name, _named(prediction), status,
                monotonic() - prediction.began, None if inputs is None else inputs.inputs, [],
            )  # fmt: skip

    # Keeping

    def add(
        self,
        revision: str,
        request_id: str | None,
        status: int,
        seconds: float,
        x: Inputs | None,
        outputs: Sequence[tuple[str, Array]],
    ) -> None:
        """Keep one chosen request, or count it as dropped."""
        columns = self._columns[revision]
        shown = outputs if self._log.predictions else []
        rows = 0 if x is None else _rows(x)
        least = 0
        if rows > FEW_ROWS:
            least = 8 * rows * len(columns.layout.numbers)
            least += sum([array.nbytes for _, array in shown])
        if least > MOST_ENTRY_BYTES or rows * columns.cost > MOST_TEXTS:
            self._large += 1
        elif self._is_full or self.kept_bytes + least > KEPT_BYTES:
            self._full += 1  # before anything is copied
        else:
            name = request_id or f"{self.source[:12]}-{self._sampled}"
            told = (self._wall(), name, revision, status, round(seconds, 6), rows)
            numbers, texts = (b"", b"") if x is None else (columns.numbers(x), columns.texts(x))
            self._keep(entry(told, numbers, texts, shown))
        self._note()

    def _keep(self, written: bytes) -> None:
        if len(written) > MOST_ENTRY_BYTES:
            self._large += 1
        elif self.kept_bytes + len(written) > KEPT_BYTES:
            self._full += 1
            self._is_full = True
        else:
            self._kept.append(written)
            self.kept_bytes += len(written)

    @property
    def counts(self) -> Counts:
        """Give what was counted so far."""
        return Counts(self._seen, self._sampled, self._handed, self._full, self._large)

    def _note(self) -> None:
        counted = (self._seen, self._sampled, self._handed, self._full, self._large)
        self._sink.note(counted)

    # Handing over

    def tick(self) -> None:
        """See each second whether there is something to be handed over."""
        now = self._loop.time()
        if self._handing is None and (
            now >= self._due or (self.kept_bytes >= HAND_BYTES and not self._failed)
        ):
            self._note()
            if self._kept or self._batch is not None or self.counts != self._told:
                self._hand()

    def _hand(self) -> None:
        if self._batch is None:
            self._batch = self._packed()
        batch = self._batch

        def work() -> None:
            went_well = self._trying(lambda: self._sink.take(batch.name, b"".join(batch.parts)))
            self._loop.call_soon_threadsafe(self._done, batch, went_well)

        # One at a time, and for a moment; a daemon, so that a sink that hangs keeps no worker.
        self._handing = threading.Thread(target=work, name="payloads", daemon=True)
        self._handing.start()

    def _packed(self) -> Batch:
        """Make a batch of what was kept first; until it is taken it is tried as it is.

        Under another name it would be there twice, where it was taken and the answer was lost.
        """
        taken, size = list[bytes](), 0
        while self._kept and size < HAND_BYTES:
            taken.append(self._kept.popleft())
            size += len(taken[-1])
        self._sequence += 1
        self._told = self.counts
        layouts = {name: columns.layout for name, columns in self._columns.items()}
        head = Head(self._log.endpoint, self.source, self._sequence, layouts, self.counts)
        name = f"{self.source}-{self._sequence:08d}"
        return Batch(name, (head.write(), *taken), len(taken), size)

    def _done(self, batch: Batch, went_well: bool) -> None:
        self._handing = None
        pause = HAND_EVERY_S
        if went_well:
            self._batch, self._failed, self._is_full = None, 0, False
            self._handed += batch.requests
            self.kept_bytes -= batch.size
            self._told = self._told._replace(handed=self._handed)
        else:  # its bytes are counted all the while
            pause = PAUSES_S[min(self._failed, len(PAUSES_S) - 1)]
            self._failed += 1
        self._due = self._loop.time() + pause
        self._note()

    async def end(self) -> bool:
        """Hand over the rest; False: it was not taken in time, and is lost."""
        try:
            async with asyncio.timeout(LAST_WITHIN_S):
                while self._kept or self._batch is not None or self._handing is not None:
                    if self._handing is None:
                        self._hand()
                    await asyncio.sleep(0.01)
                    if self._failed:
                        await asyncio.sleep(0.2)
        except TimeoutError:
            say(f"{self.counts.held} logged requests were not taken and are lost", level="warning")
            return False
        return True


def sink_of(log: PayloadLog, source: str) -> Sink:
    """Give where batches go; raises LaunchError, OSError."""
    if log.folder:
        from runtime.spool import Spool

        return Spool(Path(log.folder), source)
    from runtime.payload_forms import FormSink

    return FormSink(os.environ, log.endpoint)


def _is_unlogged(job: Job) -> bool:
    head = job.stream.head if isinstance(job, Piece) else cast("Prediction", job).head
    return head.unlogged


def _named(prediction: Prediction) -> str | None:
    called = getattr(prediction, "call", None)
    said: str | None = prediction.head.request_id or (called and called.request_id)
    return said


def _rows(x: Inputs) -> int:
    return len(x.columns[0]) if isinstance(x, Frame) else x.shape[0]
