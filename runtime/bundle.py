"""A bundle: a model and what it needs beside scikit-learn, in one zip file. Standard library only.

    model.joblib        the fitted estimator, as joblib.dump or pickle.dump wrote it
    requirements.txt    packages of the index, one a line; optional
    wheels/NAME.whl     packages of your own; optional
    code/…              modules and packages in Python, as if `code` were on sys.path; optional

It is written by the SDK and read in locked processes alone. A reader gets it as a descriptor and
refuses what two readers could read differently, or what needs more than it says; nothing is ever
unpacked under a name that the file chose.
"""

import io
import os
import stat
import struct
import unicodedata
import zipfile
import zlib
from collections.abc import Iterable
from dataclasses import dataclass
from typing import IO, Final, cast

MODEL: Final = "model.joblib"
REQUIREMENTS: Final = "requirements.txt"
WHEELS: Final = "wheels/"
CODE: Final = "code/"
LAYOUT: Final = f"{MODEL}, {REQUIREMENTS}, {WHEELS}NAME.whl and {CODE}…"

MOST_ENTRIES: Final = 2000
MOST_CODE_BYTES: Final = 32 << 20
MOST_REQUIREMENTS_BYTES: Final = 64 << 10
MOST_WHEELS: Final = 50
MOST_WHEEL_BYTES: Final = 512 << 20  # all of them

MAGIC: Final = b"PK\x03\x04"
_END: Final = struct.Struct("<4s4H2LH")  # the end of central directory record, without comment
_END64: Final = struct.Struct("<4sQ2H2L4Q")
_LOCATOR64_BYTES: Final = 20
_MOST_ENTRY_BYTES: Final = 46 + 3 * 255 + 64  # of the central directory
_HEADER_BYTES: Final = 30
_ENCRYPTED: Final = 0x1 | 0x40 | 0x2000
_MOST_NAME: Final = 255
# What the file managers of macOS add to every archive.
_LITTER: Final = ("__MACOSX", ".DS_Store", "__pycache__")
_COMPILED: Final = (".so", ".pyd", ".dll", ".dylib")
_ZIP_AGAIN: Final = "Zip it again with an ordinary program, or let `kubeserve push --code` make it."
_AS_LAID_OUT: Final = f"Its names are {LAYOUT}; zip the contents of the folder, not the folder."


class NotABundle(Exception):
    """The zip file cannot be one; says why and what to do."""

    def __init__(self, reason: str, advice: str = _ZIP_AGAIN) -> None:
        super().__init__(reason)
        self.reason, self.advice = reason, advice


def is_bundle(head: bytes) -> bool:
    """Tell by its first bytes whether a file is a zip archive; joblib and pickle write none."""
    return head.startswith(MAGIC)


@dataclass(frozen=True, slots=True)
class Bundle:
    """One that was checked; what is inside its members is not.

    code    names of files below `code/`, without it
    wheels  file names
    """

    archive: zipfile.ZipFile
    code: tuple[str, ...]
    wheels: tuple[str, ...]

    @classmethod
    def open(cls, descriptor: int) -> "Bundle":
        """Read names and sizes from a descriptor, which stays open; raises NotABundle."""
        archive, files = open_archive(descriptor, MOST_ENTRIES)
        try:
            _check_layout(files)
        except NotABundle:
            close(archive)
            raise
        return cls(
            archive,
            tuple(m.filename[len(CODE) :] for m in files if m.filename.startswith(CODE)),
            tuple(m.filename[len(WHEELS) :] for m in files if m.filename.startswith(WHEELS)),
        )

    def close(self) -> None:
        """Close our copy of the descriptor."""
        close(self.archive)

    def requirements(self) -> str:
        """Give the text of requirements.txt, empty where there is none; raises NotABundle."""
        if REQUIREMENTS not in self.archive.NameToInfo:
            return ""
        try:
            return self.read(REQUIREMENTS).decode("utf-8-sig")
        except UnicodeDecodeError as error:
            raise NotABundle(f"{REQUIREMENTS} is not UTF-8 text.", "Save it as UTF-8.") from error

    def read(self, name: str) -> bytes:
        """Give a member of at most 32 MiB, as its size said when it was opened."""
        with self.member(name) as file:
            return _all_of(file, name)

    def member(self, name: str) -> IO[bytes]:
        """Open a member for reading; raises NotABundle."""
        try:
            return self.archive.open(name)
        except (zipfile.BadZipFile, NotImplementedError, RuntimeError, OSError) as error:
            raise NotABundle(f"The zip file is damaged: {error}.") from error

    def model(self) -> IO[bytes]:
        """Open the model for reading."""
        # Not a byte at a time: unpickling asks for few.
        return io.BufferedReader(cast("io.RawIOBase", self.member(MODEL)), 1 << 20)


def open_archive(descriptor: int, most: int) -> tuple[zipfile.ZipFile, list[zipfile.ZipInfo]]:
    """Open a zip file whose every entry is plain, with its files; raises NotABundle.

    most  entries
    """
    _check_end(descriptor, os.fstat(descriptor).st_size, most)
    file = os.fdopen(os.dup(descriptor), "rb")
    try:
        archive = zipfile.ZipFile(file)
        return archive, _checked(archive, most)
    except (zipfile.BadZipFile, NotImplementedError, ValueError, OSError) as error:
        file.close()
        raise NotABundle(f"The zip file is damaged: {error}.") from error
    except NotABundle:
        file.close()
        raise


def close(archive: zipfile.ZipFile) -> None:
    """Close what `open_archive` gave, which leaves its file to whoever opened it."""
    file = archive.fp
    archive.close()
    if file is not None:
        file.close()


def _checked(archive: zipfile.ZipFile, most: int) -> list[zipfile.ZipInfo]:
    members = archive.infolist()
    if len(members) > most:
        raise _too_many(len(members), most)
    for member in members:
        _check_member(member)
    _check_places(members, archive.start_dir)
    files = [m for m in members if not m.is_dir() and not _is_litter(m.filename)]
    _check_names([member.filename for member in files])
    return files


def copy(file: IO[bytes], write: int, name: str) -> int:
    """Copy a member into a descriptor; gives the count of bytes. Raises NotABundle."""
    count = 0
    while block := _some_of(file, name):
        view = memoryview(block)
        while view:
            view = view[os.write(write, view) :]
        count += len(block)
    return count


def _some_of(file: IO[bytes], name: str) -> bytes:
    try:
        return file.read(1 << 20)
    except (zipfile.BadZipFile, zlib.error, EOFError, OSError) as error:
        raise NotABundle(f"The zip file is damaged at {name}: {error}.") from error


def _all_of(file: IO[bytes], name: str) -> bytes:
    blocks = []
    while block := _some_of(file, name):
        blocks.append(block)
    return b"".join(blocks)


def _check_end(descriptor: int, size: int, most: int) -> None:
    """Look at the counts before anything is read for them, and at what stands behind the end."""
    raw = os.pread(descriptor, _END.size, max(0, size - _END.size))
    if len(raw) < _END.size or not raw.startswith(b"PK\x05\x06") or raw[-2:] != b"\0\0":
        raise NotABundle(
            "The zip file is cut off, or has a comment or other bytes behind its end.",
            "Upload it again, whole and without a comment.",
        )
    _, disk, first, here, entries, directory, _, _ = _END.unpack(raw)
    counts = [(disk, first, here, entries, directory)]
    before = size - _END.size - _LOCATOR64_BYTES - _END64.size
    if before >= 0:
        raw = os.pread(descriptor, _END64.size, before)
        if raw.startswith(b"PK\x06\x06"):
            _, _, _, _, disk, first, here, entries, directory, _ = _END64.unpack(raw)
            counts.append((disk, first, here, entries, directory))
    for disk, first, here, entries, directory in counts:
        if disk or first or here != entries:
            raise NotABundle("The zip file is one part of several.")
        if entries > most or directory > most * _MOST_ENTRY_BYTES:
            raise _too_many(entries, most)


def _too_many(count: int, most: int) -> NotABundle:
    return NotABundle(
        f"The zip file has {count} entries; {most} are the limit.",
        "Leave out what the model does not need, or make a wheel of it.",
    )


def _check_member(member: zipfile.ZipInfo) -> None:
    """Refuse a name, a kind or a packing that has no place in a bundle."""
    name = member.orig_filename
    shown = ascii(name[:80])
    fault = fault_of_name(name)
    if fault is not None:
        raise NotABundle(f"The zip file has an entry {shown}, {fault}.")
    kind = stat.S_IFMT(member.external_attr >> 16)
    if kind not in (0, stat.S_IFREG, stat.S_IFDIR) or (kind == stat.S_IFDIR) > name.endswith("/"):
        what = "a symbolic link" if kind == stat.S_IFLNK else "not a plain file"
        raise NotABundle(f"The zip file's entry {shown} is {what}.", "Put the file itself there.")
    if member.flag_bits & _ENCRYPTED:
        raise NotABundle(f"The zip file's entry {shown} is encrypted.", "Zip it without password.")
    if member.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise NotABundle(f"The zip file's entry {shown} is packed by another way than deflate.")
    if member.is_dir() and member.file_size:
        raise NotABundle(f"The zip file's entry {shown} is a folder with content.")


def fault_of_name(name: str) -> str | None:
    """Say what is wrong with an entry's name; None: it is a plain path below the archive's top."""
    parts = name.removesuffix("/").split("/")
    if name.startswith(("/", "\\")) or name[1:2] == ":":
        return "which is an absolute path"
    if ".." in parts:
        return "which leads out of the archive"
    if any(part in ("", ".") for part in parts) or "\\" in name:
        return "which is no path of plain names"
    if not name.isprintable():
        return "whose name has characters that are not printed"
    if len(name.encode()) > _MOST_NAME:
        return f"whose name is longer than {_MOST_NAME} bytes"
    return None


def _check_places(members: list[zipfile.ZipInfo], end: int) -> None:
    """Refuse entries that share bytes: that is how a small archive unpacks to very much."""
    ordered = sorted(members, key=lambda member: member.header_offset)
    if ordered and ordered[0].header_offset != 0:
        raise NotABundle("The zip file has other bytes before its first entry.")
    ends = [member.header_offset for member in ordered[1:]] + [end]
    for member, following in zip(ordered, ends, strict=True):
        least = _HEADER_BYTES + len(member.orig_filename) + member.compress_size
        if member.header_offset + least > following:
            raise NotABundle("The zip file has entries that share bytes, as bombs do.")


def _is_litter(name: str) -> bool:
    return any(part in _LITTER for part in name.split("/")) or name.endswith(".pyc")


def _check_names(names: Iterable[str]) -> None:
    """Refuse names that are the same, or would be where case is ignored, folders included."""
    known: dict[str, str] = {}
    files: set[str] = set()
    for name in names:
        if name in files:
            raise NotABundle(f"The zip file has two entries {name[:80]!a}.")
        files.add(name)
        parts = name.split("/")
        for count in range(1, len(parts) + 1):
            path = "/".join(parts[:count])
            folded = unicodedata.normalize("NFC", path).casefold()
            if known.setdefault(folded, path) != path:
                raise NotABundle(
                    f"The zip file has {known[folded][:80]!a} and {path[:80]!a}, which"
                    " are one where case is ignored.",
                    "Rename one of them.",
                )
    for name in files:
        parts = name.split("/")
        if any("/".join(parts[:count]) in files for count in range(1, len(parts))):
            raise NotABundle(f"The zip file has {name[:80]!a} below what is a file too.")


def _check_layout(files: list[zipfile.ZipInfo]) -> None:
    names = [member.filename for member in files]
    if MODEL not in names:
        found = ", ".join(ascii(name[:40]) for name in names[:5]) or "nothing"
        raise NotABundle(
            f"The zip file has no {MODEL} at its top, so it is no bundle (.npz and .skops files are"
            f" zip files too); it holds {found}.",
            f"Push the model itself, saved with joblib.dump, or a bundle of {LAYOUT}.",
        )
    for name in names:
        if name not in (MODEL, REQUIREMENTS) and not name.startswith((WHEELS, CODE)):
            raise NotABundle(f"A bundle has no entry {name[:80]!a}.", _AS_LAID_OUT)
        if name.startswith(WHEELS) and (name.count("/") > 1 or not name.endswith(".whl")):
            raise NotABundle(
                f"{name[:80]!a} is no wheel: {WHEELS} holds files *.whl and no folders.",
                "Make a wheel with `uv build --wheel` or `pip wheel`.",
            )
        if name.startswith(CODE) and name.endswith(_COMPILED):
            raise NotABundle(
                f"{name[:80]!a} is a compiled module; {CODE} holds Python source.",
                "Make a wheel of its package and push that with --wheel.",
            )
    _check_sizes(files)


def _check_sizes(files: list[zipfile.ZipInfo]) -> None:
    wheels = [member for member in files if member.filename.startswith(WHEELS)]
    if len(wheels) > MOST_WHEELS:
        raise NotABundle(f"The bundle has {len(wheels)} wheels; {MOST_WHEELS} are the limit.")
    for what, most, count in (
        (CODE, MOST_CODE_BYTES, sum(m.file_size for m in files if m.filename.startswith(CODE))),
        (WHEELS, MOST_WHEEL_BYTES, sum(member.file_size for member in wheels)),
        (
            REQUIREMENTS,
            MOST_REQUIREMENTS_BYTES,
            sum(m.file_size for m in files if m.filename == REQUIREMENTS),
        ),
    ):
        if count > most:
            limit = f"{most >> 20} MiB" if most >> 20 else f"{most >> 10} KiB"
            raise NotABundle(
                f"{what} of the bundle has {count} bytes unpacked; {limit} are the limit.",
                "Leave out what the model does not need to predict.",
            )
