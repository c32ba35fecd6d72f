"""Where predictions are asked for: three formats, and versions by their number."""

from collections.abc import Callable
from typing import NamedTuple, Protocol

from runtime.codecs import short, v1, v2
from runtime.codecs.request import Call, ModelInfo
from runtime.codecs.single import Single
from runtime.compute import Results
from runtime.launch import Launch
from runtime.plan.signature import Signature


class Route(NamedTuple):
    """A prediction address: its format, and the version it names, if it names one."""

    decode: "Decode"
    encode: Callable[[Call, Results, ModelInfo], bytes]
    single: Single
    csv: "Decode | None" = None
    version: int | None = None


class Decode(Protocol):
    """Reads a body; raises a Problem."""

    def __call__(self, body: bytes, signature: Signature, *, max_rows: int) -> Call: ...


def routes(launch: Launch) -> dict[bytes, Route]:
    """Give the addresses of an endpoint's predictions."""
    name = launch.endpoint.encode()
    tensors = Route(v2.decode, v2.encode_answer, v2.SINGLE)
    found = {
        b"/predict": Route(short.decode, short.encode_answer, short.SINGLE, short.decode_csv),
        b"/v1/models/%b:predict" % name: Route(v1.decode, v1.encode_answer, v1.SINGLE),
        b"/v2/models/%b/infer" % name: tensors,
    }
    for revision in launch.revisions:
        address = b"/v2/models/%b/versions/%d/infer" % (name, revision.version)
        found[address] = tensors._replace(version=revision.version)
    return found
