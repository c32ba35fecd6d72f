"""The shortest way: requests of one row that repeat the last head of their connection.

A busy caller repeats its head: what was found out about it a moment ago (who asks, how, of which
revision) holds for the rest of the second. What is left is a body, so a tick's bodies are read,
predicted, written and counted together. Whatever is unusual goes the ordinary way, through
`Predictor.predict`, which also says what is wrong.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

import orjson

from runtime.backend import LocalBackend
from runtime.batching import INLINE_US, Batcher
from runtime.codecs.frames import from_rows
from runtime.compute import checked, part
from runtime.exchange import Exchange
from runtime.plan.ops import Array, Inputs, override
from runtime.revisions import Revision
from runtime.routes import Route
from runtime.sampling import Sampler

if TYPE_CHECKING:
    from runtime.payloads import Recorder
    from runtime.protocol import HttpProtocol

MAX_BODY_BYTES: Final = 16 * 1024
MAX_TOGETHER: Final = 1_024
# Rows, their predictions, and what is written of each.
Answers = tuple[Inputs, Array, list[bytes]]


class Repeat(Exchange):
    """Such a request; each connection has one, used again and again.

    It is alone on its connection: before anything else is read there, it goes the ordinary way.
    """

    __slots__ = ("began", "body", "lane")

    connection: "HttpProtocol"
    body: bytes
    began: float
    lane: "RepeatLane"

    def __init__(self, connection: "HttpProtocol") -> None:
        super().__init__(connection, None, close=False)

    @override
    def abandon(self) -> None:
        self.gone = True
        self.lane.abandoned()


class RepeatLane:
    """The requests of one tick that ask one revision in one format, all of them logged or none.

    second  in which heads may be taken at their word; -1: not any more
    """

    def __init__(
        self,
        batcher: Batcher,
        revision: Revision,
        backend: LocalBackend,
        route: Route,
        sampler: Sampler,
    ) -> None:
        single = route.single
        self.second = -1
        self.recorder: Recorder | None = None
        self._sampler, self._name, self._decode = sampler, revision.launch.name, route.decode
        self._waiting: list[Repeat] = []
        self._batcher, self._revision, self._rows = batcher, revision, single.rows
        self._signature, self._run = backend.signature, backend.run
        output = backend.signature.outputs[0]
        self._output, self._around = output.name, single.around(output, revision.info)
        cost = backend.cost
        self._most = int(min((INLINE_US - cost.c0_us) / max(cost.c1_us, 1e-9), MAX_TOGETHER))

    def put(self, repeat: Repeat, *, alone: bool) -> None:
        """Take the only request of its connection; `alone`: in this tick no other can come."""
        repeat.lane = self
        self._waiting.append(repeat)
        if alone:
            self._flush()
        elif len(self._waiting) == 1:
            self._batcher.loop.call_soon(self._flush)

    def abandoned(self) -> None:
        """Count a request whose client left within the tick."""
        self._revision.counts.by_code[499] += 1
        self._revision.in_flight.passed(1, 0.0, 0.0)

    def _flush(self) -> None:
        waiting, self._waiting = self._waiting, []
        repeats = [repeat for repeat in waiting if not repeat.gone]
        if not repeats:
            return
        usual = len(repeats) <= self._most and self.second >= 0 and not self._revision.lane.waits()
        answers = self._answers(repeats) if usual else None
        if answers is not None:
            self._answer(repeats, answers)
            return
        for repeat in repeats:
            repeat.connection.take_back(repeat)

    def _answers(self, repeats: Sequence[Repeat]) -> Answers | None:
        """Predict, and give values as JSON; None where one of them needs a closer look."""
        dumps = orjson.dumps
        try:
            rows = self._rows([*map(orjson.loads, [repeat.body for repeat in repeats])])
            if rows is None:
                return None
            x = from_rows(rows, self._signature)
            found = checked(self._run(self._output, x), len(rows))
            values = found.tolist()
            if self._around.flat and found.ndim == 2:
                return x, found, [dumps(value) for value in values]
            return x, found, [dumps((value,)) for value in values]
        except Exception:  # noqa: BLE001  (whatever it is, the ordinary way tells whose row it was)
            return None

    def _answer(self, repeats: Sequence[Repeat], answers: Answers) -> None:
        x, found, texts = answers
        before, after, _ = self._around
        prefix, rest = self._revision.prefix, len(before) + len(after)
        for repeat, text in zip(repeats, texts, strict=True):
            repeat.connection.answer_repeat(
                b"%b%d\r\n\r\n%b%b%b" % (prefix, rest + len(text), before, text, after)
            )
        if self._sampler.revision == self._name:
            for repeat in repeats:
                self._sampler.offer(self._decode, repeat.body)
        now = self._batcher.clock()
        seconds = [now - repeat.began for repeat in repeats]
        self._revision.counts.answered(seconds)
        self._revision.in_flight.passed(len(seconds), sum(seconds), seconds[0])
        if self.recorder is not None:
            self._log(self.recorder, repeats, seconds, x, found)

    def _log(
        self,
        recorder: "Recorder",
        repeats: Sequence[Repeat],
        seconds: Sequence[float],
        x: Inputs,
        found: Array,
    ) -> None:
        for at in recorder.chosen(len(repeats)):
            row, answer = part(x, at, at + 1), [(self._output, found[at : at + 1])]
            called = repeats[at].connection.request_id
            recorder.add(self._name, called, 200, seconds[at], row, answer)
