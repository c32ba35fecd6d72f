"""What a file is, without loading it: format, compression, scikit-learn version, imports.

Runs in a locked process of its own: it parses hostile bytes, and because nothing is unpickled in
it, its answers cannot be forged by the code in the file.
"""

import bz2
import lzma
import mmap
import os
import pickletools
import re
import zlib
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import islice
from typing import IO, Any, Final, Protocol, cast

_BLOCK: Final = 1 << 20
_FREE_OF_RATIO: Final = 64 << 20  # small files may be compressed as well as they like
_MOST_OPS: Final = 5_000_000
_MOST_NAMES: Final = 500
_LZMA_MEMORY: Final = 256 << 20

_FOREIGN: Final = (
    (b"PK\x03\x04", "a zip archive (a .npz, a .skops file or an archive)", None),
    (b"\x93NUMPY", "a numpy array", None),
    (b"\x89HDF", "an HDF5 file", None),
    (b"\x04\x22\x4d\x18", "a joblib file compressed with lz4, which is not supported", "zlib"),
    (b"\x28\xb5\x2f\xfd", "compressed with zstandard, which is not supported", "zlib"),
    (b"\x7fELF", "a program", None),
    (b"%PDF", "a PDF document", None),
    (b"\x08", "an ONNX or protocol buffers file", None),
    (b"{", "a JSON document", None),
    (b"<", "a web page or XML document", None),
)
SAVE: Final = (
    "Save the fitted estimator with joblib.dump(model, 'model.joblib') and push that file."
)


class NotAModel(Exception):
    """The file cannot be one; says what it is and what to do."""

    def __init__(self, reason: str, advice: str = SAVE) -> None:
        super().__init__(reason)
        self.reason, self.advice = reason, advice


class _Decompressor(Protocol):
    @property
    def eof(self) -> bool: ...

    def decompress(self, data: bytes, max_length: int, /) -> bytes: ...


@dataclass(slots=True)
class Findings:
    """versions: of scikit-learn, as written in the file; complete: every opcode was read."""

    compression: str | None = None
    protocol: int | None = None
    versions: set[str] = field(default_factory=set)
    imports: set[str] = field(default_factory=set)
    complete: bool = True

    def to_json(self) -> dict[str, Any]:
        return {
            "compression": self.compression,
            "protocol": self.protocol,
            "versions": sorted(self.versions),
            "imports": sorted(self.imports)[:_MOST_NAMES],
            "complete": self.complete,
        }


def inspect(source: int, raw: str, *, most: int, ratio: int) -> Findings:
    """Look into the open file `source`; a compressed one is decompressed to the path `raw`."""
    size = os.fstat(source).st_size
    if size == 0:
        raise NotAModel("The file is empty.")
    head = os.pread(source, 16, 0)
    findings = Findings()
    compressed = _compression(head)
    if compressed is None:
        _refuse_foreign(head)
        descriptor = os.dup(source)
    else:
        findings.compression, new = compressed
        descriptor = os.open(raw, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
        _decompress(source, descriptor, new, most=most, ratio=ratio)
    try:
        length = os.fstat(descriptor).st_size
        if length == 0:
            raise NotAModel("The file is empty once decompressed.")
        _refuse_foreign(os.pread(descriptor, 16, 0))
        with mmap.mmap(descriptor, length, prot=mmap.PROT_READ) as content:
            scan(content, findings)
    finally:
        os.close(descriptor)
    return findings


def _compression(head: bytes) -> tuple[str, Callable[[], _Decompressor]] | None:
    if head[:2] == b"\x1f\x8b":
        return "gzip", lambda: zlib.decompressobj(31)
    if head[:1] == b"\x78" and head[1:2] in b"\x01\x5e\x9c\xda":
        return "zlib", lambda: zlib.decompressobj(15)
    if head[:3] == b"BZh":
        return "bz2", bz2.BZ2Decompressor
    if head[:6] == b"\xfd7zXZ\x00" or head[:3] == b"\x5d\x00\x00":
        return "xz", lambda: lzma.LZMADecompressor(memlimit=_LZMA_MEMORY)
    return None


def _refuse_foreign(head: bytes) -> None:
    for magic, name, compression in _FOREIGN:
        if head.startswith(magic):
            if compression:
                advice = "Save it with joblib.dump(model, 'model.joblib', compress=3) instead."
                raise NotAModel(f"The file is {name}.", advice)
            raise NotAModel(f"The file is {name}, not a pickled scikit-learn model.")
    if head[:1] == b"\x80" and len(head) > 1 and head[1] <= 5:
        return
    # Protocols 0 and 1 have no magic; these are the opcodes an object can start with.
    if head[:1] in b"c(]}" and len(head) > 1:
        return
    shown = head[:4].hex(" ")
    raise NotAModel(f"The file is not a pickle: it starts with the bytes {shown}.")


def _decompress(
    source: int, target: int, new: Callable[[], _Decompressor], *, most: int, ratio: int
) -> None:
    machine, read, written = new(), 0, 0
    os.lseek(source, 0, os.SEEK_SET)
    pending, block = b"", b""
    try:
        while not machine.eof:
            drained = False
            if not pending and getattr(machine, "needs_input", True):
                pending = os.read(source, _BLOCK)
                drained = not pending
                if drained and not (block := machine.decompress(b"", _BLOCK)):
                    raise NotAModel(
                        f"The compressed file is cut off after {read} bytes: its end is missing.",
                        "Upload it again, whole.",
                    )
                read += len(pending)
            if not drained:
                block = machine.decompress(pending, _BLOCK)
            pending = getattr(machine, "unconsumed_tail", b"")
            written += len(block)
            if written > most:
                raise NotAModel(
                    f"Decompressed, the file has more than {most >> 20} MiB, which is the limit."
                )
            if written > _FREE_OF_RATIO and written > ratio * read:
                raise NotAModel(
                    f"The file grows more than {ratio} times when it is decompressed, as"
                    " decompression bombs do.",
                    "Save it without compression: joblib.dump(model, 'model.joblib').",
                )
            _write_all(target, block)
    except (zlib.error, lzma.LZMAError, OSError, EOFError) as error:
        raise NotAModel(f"The compressed file is damaged: {error}.") from error


def _write_all(target: int, block: bytes) -> None:
    view = memoryview(block)
    while view:
        view = view[os.write(target, view) :]


_STRINGS: Final = frozenset(
    (
        "SHORT_BINUNICODE",
        "BINUNICODE",
        "UNICODE",
        "SHORT_BINSTRING",
        "BINSTRING",
        "STRING",
        "BINUNICODE8",
    )
)
_PUTS: Final = frozenset(("BINPUT", "LONG_BINPUT", "PUT"))
_GETS: Final = frozenset(("BINGET", "LONG_BINGET", "GET"))
_VERSION: Final = re.compile(rb"[0-9][0-9A-Za-z.+]{2,19}")
_VERSION_KEY: Final = re.compile(
    rb"_sklearn_version(?:\x94|q.|r....)?(?:\x8c(.)|X(.)\x00\x00\x00)", re.DOTALL
)
_NAME: Final = rb"[A-Za-z_][A-Za-z0-9_.]{0,200}"
_STACK_GLOBAL: Final = re.compile(
    rb"\x8c.(" + _NAME + rb")(?:\x94)?\x8c.(" + _NAME + rb")(?:\x94)?\x93", re.DOTALL
)
_GLOBAL: Final = re.compile(rb"c(" + _NAME + rb")\n(" + _NAME + rb")\n")


def scan(content: mmap.mmap, findings: Findings) -> None:
    """Read opcodes as far as they go, then search the bytes.

    joblib puts raw array bytes between the opcodes, where a reader of opcodes loses its place; the
    search finds versions and names there all the same.
    """
    _scan_opcodes(content, findings)
    for match in _VERSION_KEY.finditer(content):
        length = (match.group(1) or match.group(2))[0]
        version = content[match.end() : match.end() + length]
        if _VERSION.fullmatch(version):
            findings.versions.add(version.decode())
    if not findings.complete:
        for pattern in (_STACK_GLOBAL, _GLOBAL):
            for match in islice(pattern.finditer(content), _MOST_NAMES):
                findings.imports.add(f"{match.group(1).decode()}.{match.group(2).decode()}")


def _scan_opcodes(content: mmap.mmap, findings: Findings) -> None:
    last: object = None
    recent: list[str] = []
    memo: dict[int, object] = {}
    wants_version = False
    try:
        for op, argument, _ in islice(pickletools.genops(cast("IO[bytes]", content)), _MOST_OPS):
            name = op.name
            if name == "PROTO":
                findings.protocol = int(argument) if isinstance(argument, int) else None
            if name == "MEMOIZE":
                memo[len(memo)] = last
                continue
            if name in _PUTS:
                memo[int(str(argument))] = last
                continue
            last = _value(name, argument, memo)
            if isinstance(last, str):
                recent = [*recent[-1:], last]
                if wants_version and _VERSION.fullmatch(last.encode()):
                    findings.versions.add(last)
            elif name in ("GLOBAL", "STACK_GLOBAL", "INST") and len(findings.imports) < _MOST_NAMES:
                findings.imports.add(_global(argument, recent))
            wants_version = last == "_sklearn_version"
    except (ValueError, KeyError, IndexError, OverflowError, UnicodeError):
        findings.complete = False


def _value(name: str, argument: object, memo: dict[int, object]) -> object:
    if name in _STRINGS:
        return argument
    if name in _GETS:
        return memo.get(int(str(argument)))
    return None


def _global(argument: object, recent: list[str]) -> str:
    text = argument.replace(" ", ".") if isinstance(argument, str) else ".".join(recent)
    return text[:400]
