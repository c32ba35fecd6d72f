"""Where predictions are asked for, and in which form: three formats, versions by their number."""

from collections.abc import Callable
from functools import partial
from typing import Final, NamedTuple, Protocol

from runtime.codecs import short, v1, v2
from runtime.codecs.request import Body, Call, ModelInfo
from runtime.codecs.single import Single
from runtime.codecs.v2_binary import Parts
from runtime.coding import deflate
from runtime.compute import Results
from runtime.heads import CODINGS, CSV, RAW, Head
from runtime.launch import Launch
from runtime.plan.signature import Signature
from runtime.problems import UnsupportedMediaType

# Above this, decoding or encoding would hold up the loop for more than about 2 ms.
THREAD_BYTES: Final = 128 * 1024
THREAD_CELLS: Final = 50_000
# Compressing takes longer: 35 ns a byte, about 20 bytes a cell.
PACKED_CELLS: Final = 2_000


class Route(NamedTuple):
    """A prediction address: its format, and the version it names, if it names one.

    csv           reads text/csv
    raw           reads tensors behind JSON (`head_bytes`)
    streams       reads application/x-ndjson (`runtime/stream.py`)
    thread_bytes  larger bodies are read in the thread, unless they are `light`
    thread_cells  larger answers are written in the thread
    """

    decode: "Decode"
    encode: "Encode"
    single: Single
    csv: "Decode | None" = None
    raw: "DecodeRaw | None" = None
    streams: bool = False
    version: int | None = None
    light: "Callable[[Body], bool] | None" = None
    thread_bytes: int = THREAD_BYTES
    thread_cells: int = THREAD_CELLS


class Decode(Protocol):
    """Reads a body; raises a Problem."""

    def __call__(self, body: Body, signature: Signature, *, max_rows: int) -> Call: ...


class DecodeRaw(Protocol):
    """The same, told where the body's JSON ends."""

    def __call__(
        self, body: Body, signature: Signature, *, max_rows: int, head_bytes: int | None
    ) -> Call: ...


Encode = Callable[[Call, Results, ModelInfo], bytes | Parts]


def routes(launch: Launch) -> dict[bytes, Route]:
    """Give the addresses of an endpoint's predictions."""
    name = launch.endpoint.encode()
    tensors = Route(v2.decode, v2.encode_answer, v2.SINGLE, raw=v2.decode)
    found = {
        b"/predict": Route(
            short.decode, short.encode_answer, short.SINGLE, short.decode_csv, streams=True
        ),
        b"/v1/models/%b:predict" % name: Route(v1.decode, v1.encode_answer, v1.SINGLE),
        b"/v2/models/%b/infer" % name: tensors,
    }
    for revision in launch.revisions:
        address = b"/v2/models/%b/versions/%d/infer" % (name, revision.version)
        found[address] = tensors._replace(version=revision.version)
    return found


def suited(route: Route, head: Head) -> Route:
    """Give the route as a head wants it; raises UnsupportedMediaType where it has no such form."""
    if head.streamed:
        if not route.streams:
            raise UnsupportedMediaType("application/x-ndjson is read at /predict only.")
        if head.coding is not None:
            raise UnsupportedMediaType("A stream of rows is not read compressed. Send it as it is.")
        return route
    if head.media == CSV:
        if route.csv is None:
            raise UnsupportedMediaType("text/csv is read at /predict only. Send application/json.")
        route = route._replace(decode=route.csv)
    elif head.media == RAW or head.head_bytes is not None:
        if route.raw is None:
            raise UnsupportedMediaType("Raw tensors are read by V2 only. Send application/json.")
        light = partial(v2.is_taken_as_it_lies, head_bytes=head.head_bytes)
        route = route._replace(decode=partial(route.raw, head_bytes=head.head_bytes), light=light)
    if head.coding is not None:
        route = route._replace(thread_bytes=-1, light=None)
    if head.accepts in CODINGS:
        packed = partial(_packed, route.encode, head.accepts)
        route = route._replace(encode=packed, thread_cells=PACKED_CELLS)
    return route


def _packed(
    encode: Encode, coding: bytes, call: Call, results: Results, model: ModelInfo
) -> bytes | Parts:
    return deflate(encode(call, results, model), coding)
