"""What of an endpoint's requests is logged, and what a batch of them says of itself.

Standard library only: the supervisor writes the one, and reads no batch.
"""

import json
import struct
from collections.abc import Mapping
from typing import Final, NamedTuple

MAGIC: Final = b"kubeserve payloads 1\n"
MOST_HEAD_BYTES: Final = 256 * 1024


class PayloadLog(NamedTuple):
    """What of an endpoint's requests is logged.

    endpoint  its id
    sample    share of the requests, above 0 to 1
    redact    columns that are left out; hashed: as a keyed hash (HMAC-SHA256, 32 hex digits)
    key       of the hashes, hexadecimal
    folder    where batches are put; empty: they are sent to the object store
    """

    endpoint: str
    sample: float
    redact: tuple[str, ...] = ()
    hashed: tuple[str, ...] = ()
    key: str = ""
    predictions: bool = True
    folder: str = ""

    def write(self) -> str:
        """Give what `read_log` reads back."""
        return json.dumps(self._asdict())


def read_log(text: str) -> PayloadLog:
    """Read what is logged; raises ValueError."""
    try:
        found = PayloadLog(**json.loads(text))
        found = found._replace(redact=tuple(found.redact), hashed=tuple(found.hashed))
    except TypeError as error:
        raise ValueError(f"no payload log: {error}") from error
    if not 0 < found.sample <= 1:
        raise ValueError(f"a sample of {found.sample} is not above 0 to 1")
    return found


class Layout(NamedTuple):
    """Which columns of a revision's inputs are logged, by their names.

    texts   hashed ones too
    hashed  those of texts that are
    """

    numbers: tuple[str, ...]
    texts: tuple[str, ...]
    hashed: tuple[str, ...] = ()


class Counts(NamedTuple):
    """Requests of one process, since it began.

    seen     that could have been logged
    sampled  of these, chosen
    handed   of these, in batches that were taken
    full     dropped, since what was chosen before was not taken fast enough
    large    dropped, since it was too large
    """

    seen: int = 0
    sampled: int = 0
    handed: int = 0
    full: int = 0
    large: int = 0

    @property
    def held(self) -> int:
        """Chosen and neither taken nor dropped: lost if the process ends now."""
        return self.sampled - self.handed - self.full - self.large

    def outcomes(self) -> dict[str, int]:
        """Give what became of those that were chosen, in the words of metrics."""
        return {"taken": self.handed, "full": self.full, "large": self.large}


COUNTS: Final = struct.Struct(f"<{len(Counts._fields)}Q")


class Head(NamedTuple):
    """What a batch says of itself.

    source     the process that wrote it; sequence: of its batches, from 1
    revisions  layouts by name
    counts     before this batch was taken
    """

    endpoint: str
    source: str
    sequence: int
    revisions: Mapping[str, Layout]
    counts: Counts

    def write(self) -> bytes:
        """Give the beginning of a batch."""
        return MAGIC + json.dumps(self._asdict()).encode() + b"\n"


class BadBatch(ValueError):
    """Bytes that no worker of ours wrote."""


def read_head(raw: bytes) -> tuple[Head, int]:
    """Read the head of a batch; gives where its entries begin. Raises BadBatch."""
    end = raw.find(b"\n", len(MAGIC), len(MAGIC) + MOST_HEAD_BYTES)
    if not raw.startswith(MAGIC) or end < 0:
        raise BadBatch("no head")
    try:
        found = json.loads(raw[len(MAGIC) : end])
        revisions = {
            str(name): Layout(*(tuple(map(str, columns)) for columns in layout))
            for name, layout in found["revisions"].items()
        }
        counts = Counts(*map(int, found["counts"]))
        head = Head(
            str(found["endpoint"]), str(found["source"]), int(found["sequence"]), revisions, counts
        )
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        raise BadBatch(f"its head cannot be read: {error!r}") from error
    return head, end + 1
