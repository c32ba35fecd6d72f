"""An environment as one zip file: how it comes to pods, which reach no package index.

The control plane makes it and tells its digest; whoever runs it compares that before anything is
unpacked. Standard library only.
"""

import os
import shutil
import sys
import zipfile
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from runtime.bundle import fault_of_name

MOST_FILES: Final = 200_000
# Of one archive, packed or not. The environment of a release has 0.25 GiB in 5000 files.
MOST_BYTES: Final = 2 << 30
_BLOCK: Final = 1 << 20
_RUNS: Final = 0o100


class BadArchive(ValueError):
    """It is not what was announced."""


@dataclass(frozen=True, slots=True)
class Archive:
    """What is told of one: of the file, and of all files in it together."""

    sha256: str
    size_bytes: int
    unpacked_bytes: int

    @classmethod
    def read(cls, given: Any) -> "Archive":
        """Read what `asdict` wrote; raises ValueError."""
        if not isinstance(given, Mapping):
            raise ValueError("an archive is no object")
        sha256 = given.get("sha256")
        if not isinstance(sha256, str) or len(sha256) != 64 or not set(sha256) <= set(_HEX):
            raise ValueError("an archive has no digest or size")
        return cls(sha256, _bytes(given, "size_bytes"), _bytes(given, "unpacked_bytes"))


_HEX: Final = "0123456789abcdef"


def _bytes(given: Mapping[str, Any], name: str) -> int:
    size = given.get(name)
    if type(size) is not int or not 0 <= size <= MOST_BYTES:
        raise ValueError("an archive has no digest or size")
    return size


@dataclass(frozen=True, slots=True)
class Part:
    """One archive of what a model needs.

    what    it is, for messages
    python  the environment of a Python, with its scikit-learn; else a folder of packages beside it
    """

    what: str
    archive: Archive
    python: bool

    @classmethod
    def read(cls, given: Any) -> "Part":
        """Read what `asdict` wrote; raises ValueError."""
        if not isinstance(given, Mapping):
            raise ValueError("a part is no object")
        what, python = given.get("what"), given.get("python")
        if not isinstance(what, str) or not isinstance(python, bool):
            raise ValueError("a part has no name or kind")
        return cls(what[:200], Archive.read(given.get("archive")), python)

    def folder(self, root: Path) -> Path:
        """Name the folder that it is unpacked to; there is one part of a kind."""
        return root / ("python" if self.python else "packages")


def interpreter(folder: Path) -> Path:
    """Name the Python of an environment that `install` makes in a folder."""
    return folder / "bin" / "python"


def install(file: Path, part: Part, root: Path) -> None:
    """Unpack a file to the folder of its part, which appears whole or not at all.

    An environment becomes a virtual one of the Python that runs this. Raises BadArchive, OSError.
    """
    folder, archive, python = part.folder(root), part.archive, part.python
    making = folder.with_name(f".making-{folder.name}")
    shutil.rmtree(making, ignore_errors=True)  # a crash left it
    try:
        _unpack(file, archive, _site(making) if python else making)
        if python:
            _as_python(making)
        making.rename(folder)
    finally:
        shutil.rmtree(making, ignore_errors=True)


def _site(folder: Path) -> Path:
    return folder / "lib" / f"python3.{sys.version_info.minor}" / "site-packages"


def _as_python(folder: Path) -> None:
    """Make what `python -m venv` makes, but for the tools."""
    ours = os.path.realpath(sys.executable)
    interpreter(folder).parent.mkdir()
    interpreter(folder).symlink_to(ours)
    lines = (f"home = {os.path.dirname(ours)}", "include-system-site-packages = false", "")
    (folder / "pyvenv.cfg").write_text("\n".join(lines))


def _unpack(file: Path, archive: Archive, into: Path) -> None:
    into.mkdir(parents=True)
    left, made = archive.unpacked_bytes, {"."}
    try:
        with zipfile.ZipFile(file) as opened:
            members = opened.infolist()
            if len(members) > MOST_FILES:
                raise BadArchive(f"it has {len(members)} files")
            for member in members:
                parent = os.path.dirname(_checked(member.filename)) or "."
                if parent not in made:
                    os.makedirs(into / parent, exist_ok=True)
                    made.add(parent)
                left -= _write(opened, member, into / member.filename, left)
    except (zipfile.BadZipFile, zlib.error, NotImplementedError, RuntimeError) as error:
        raise BadArchive(f"it is damaged: {error}") from error
    if left:
        raise BadArchive(f"it has {left} bytes less than announced")


def _checked(name: str) -> str:
    fault = "which is a folder" if name.endswith("/") else fault_of_name(name)
    if fault is not None:
        raise BadArchive(f"it has an entry {name[:80]!a}, {fault}")
    return name


def _write(opened: zipfile.ZipFile, member: zipfile.ZipInfo, place: Path, most: int) -> int:
    mode = 0o755 if member.external_attr >> 16 & _RUNS else 0o644
    # O_EXCL: a name that comes twice, or where a folder is, is no archive of ours.
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
    try:
        descriptor = os.open(place, flags, mode)
    except FileExistsError as error:
        raise BadArchive(f"it has two entries {member.filename[:80]!a}") from error
    count = 0
    with os.fdopen(descriptor, "wb") as target, opened.open(member) as source:
        while block := source.read(_BLOCK):
            count += len(block)
            if count > most:
                raise BadArchive("it has more bytes than announced")
            target.write(block)
    return count


def pack(folder: Path, file: Path) -> int:
    """Write the archive of a folder's plain files; gives how many bytes they are together.

    Of the same files the same bytes; their times are set to nought. Deflated quickly: level 6 saves
    another tenth and takes three times as long; not at all would be three times as large.
    Raises BadArchive for what `install` would refuse.
    """
    total = 0
    kind = zipfile.ZIP_DEFLATED
    with zipfile.ZipFile(file, "x", kind, compresslevel=1, strict_timestamps=False) as opened:
        for path in sorted(folder.rglob("*")):
            if path.is_file() and not path.is_symlink():
                os.utime(path, (0, 0))
                opened.write(path, _checked(path.relative_to(folder).as_posix()))
                total += path.stat().st_size
    if total > MOST_BYTES or file.stat().st_size > MOST_BYTES:
        raise BadArchive(f"it has {total >> 20} MiB; {MOST_BYTES >> 20} MiB are the limit")
    return total
