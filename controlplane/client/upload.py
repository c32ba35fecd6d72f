"""Model files on their way up: measured and hashed first, then read again piece by piece."""

import base64
import hashlib
import io
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO, Final

from controlplane.client.errors import ClientError
from controlplane.client.steps import Upload

PIECE: Final = 1 << 18
Source = Path | BinaryIO | bytes


def source_of(thing: Any) -> Source:
    """Check what was given to `push`; raises TypeError or FileNotFoundError with what to do."""
    if isinstance(thing, str | os.PathLike):
        path = Path(thing)
        if not path.is_file():
            raise FileNotFoundError(f"there is no file {path}")
        return path
    if isinstance(thing, bytes | bytearray | memoryview):
        return bytes(thing)
    if hasattr(thing, "read") and hasattr(thing, "seek"):
        if isinstance(thing, io.TextIOBase):
            raise TypeError('open the model file in binary mode: open(path, "rb")')
        return thing  # type: ignore[no-any-return]  # a binary file, as just seen
    if hasattr(thing, "fit") or hasattr(thing, "predict"):
        raise TypeError(
            f"push takes a file, not a {type(thing).__name__}. Save it first: "
            'joblib.dump(model, "model.joblib"), then push("model.joblib", name)'
        )
    raise TypeError(
        f"push takes a path, bytes or a seekable binary file, not {type(thing).__name__}"
    )


def measure(source: Source) -> tuple[int, str]:
    """Give the size and the Content-Digest (RFC 9530)."""
    digest, size = hashlib.sha256(), 0
    for piece in of_source(source):
        digest.update(piece)
        size += len(piece)
    if size == 0:
        raise ClientError("The model file is empty.")
    return size, f"sha-256=:{base64.b64encode(digest.digest()).decode()}:"


def pieces(upload: Upload) -> Iterator[bytes]:
    """Give the body from its start and tell the progress; raises when it grew or shrank."""
    sent = 0
    for piece in of_source(upload.source):
        sent += len(piece)
        if sent > upload.size:
            break
        yield piece
        if upload.progress is not None:
            upload.progress(sent, upload.size)
    if sent != upload.size:
        raise ClientError("The model file changed while it was being sent. Push it again.")


def of_source(source: Source) -> Iterator[bytes]:
    """Give what is in a source from its start."""
    if isinstance(source, bytes):
        for at in range(0, len(source), PIECE):
            yield source[at : at + PIECE]
    elif isinstance(source, Path):
        with source.open("rb") as file:
            yield from _of_file(file)
    else:
        source.seek(0)
        yield from _of_file(source)


def _of_file(file: BinaryIO) -> Iterator[bytes]:
    while piece := file.read(PIECE):
        yield piece
