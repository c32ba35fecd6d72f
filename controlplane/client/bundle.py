"""Making a bundle: the model with its code, requirements and wheels in one zip file.

The layout is that of `runtime.bundle`. The same content gives the same bytes, whenever and wherever
it is made: entries in order of name, without times, owners or compression.
"""

import asyncio
import contextlib
import os
import tempfile
import zipfile
from collections.abc import AsyncIterator, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, Final

from controlplane.client.errors import ClientError
from controlplane.client.upload import Source, of_source, source_of
from runtime.bundle import CODE, MODEL, MOST_CODE_BYTES, MOST_ENTRIES, REQUIREMENTS, WHEELS

PathLike = str | os.PathLike[str]

_BEGINNING: Final = (1980, 1, 1, 0, 0, 0)  # of time, for zip files
_UNIX: Final = 3
_PLAIN: Final = 0o100644 << 16
_SMALL: Final = 8 << 20


@dataclass(frozen=True, slots=True)
class Extras:
    """What goes along with a model.

    code          a folder whose contents are put on sys.path, a package (a folder with
                  `__init__.py`), a module, or several of them
    requirements  path of a requirements.txt, or its lines
    wheels        paths of wheels
    """

    code: PathLike | Sequence[PathLike] = ()
    requirements: PathLike | Sequence[str] = ()
    wheels: Sequence[PathLike] = ()

    @property
    def any(self) -> bool:
        """True when the model does not go alone."""
        given = (self.code, self.requirements, self.wheels)
        return any(one not in (None, "", (), []) for one in given)


@contextlib.contextmanager
def bundled(model: Any, extras: Extras) -> Iterator[Source]:
    """Give what is uploaded: the model itself, or a bundle; raises ClientError for what is missing.

    model  what `push` takes
    """
    source = source_of(model)
    if not extras.any:
        yield source
        return
    with tempfile.SpooledTemporaryFile(max_size=_SMALL) as file:
        write(file, source, extras)
        yield file  # type: ignore[misc]  # reads and seeks as a binary file does


@contextlib.asynccontextmanager
async def in_thread(made: contextlib.AbstractContextManager[Source]) -> AsyncIterator[Source]:
    """Enter in a thread, since reading and writing files may take a while."""
    source = await asyncio.to_thread(made.__enter__)
    try:
        yield source
    finally:
        made.__exit__(None, None, None)


def write(file: IO[bytes], source: Source, extras: Extras) -> None:
    """Write a bundle into an empty file; raises ClientError."""
    entries: dict[str, Path | bytes] = {**_code(_several(extras.code))}
    text = _requirements(extras.requirements)
    if text:
        entries[REQUIREMENTS] = text
    for wheel in map(Path, _several(extras.wheels)):
        if not wheel.is_file() or wheel.suffix != ".whl":
            raise ClientError(f"{wheel} is no wheel. Build one with: uv build --wheel")
        entries[WHEELS + wheel.name] = wheel
    if len(entries) >= MOST_ENTRIES:
        raise ClientError(f"{len(entries)} files are too many for a bundle: {MOST_ENTRIES} at most")
    with zipfile.ZipFile(file, "w", zipfile.ZIP_STORED) as archive:
        for name in sorted((*entries, MODEL)):
            _add(archive, name, entries.get(name, source))


def _add(archive: zipfile.ZipFile, name: str, content: Source) -> None:
    entry = zipfile.ZipInfo(name, _BEGINNING)
    entry.create_system, entry.external_attr = _UNIX, _PLAIN
    entry.file_size = _size(content)  # tells whether the entry needs long offsets
    with archive.open(entry, "w") as target:
        for piece in of_source(content):
            target.write(piece)


def _size(content: Source) -> int:
    if isinstance(content, bytes):
        return len(content)
    if isinstance(content, Path):
        return content.stat().st_size
    return content.seek(0, os.SEEK_END)


def _several(given: PathLike | Sequence[PathLike] | None) -> list[PathLike]:
    if given is None or given == "":
        return []
    return [given] if isinstance(given, str | os.PathLike) else list(given)


def _code(places: list[PathLike]) -> dict[str, Path]:
    found: dict[str, Path] = {}
    for place in map(Path, places):
        for name, path in _files(place):
            if found.setdefault(CODE + name, path) != path:
                raise ClientError(f"There are two files {name}: {found[CODE + name]} and {path}")
    size = sum(path.stat().st_size for path in found.values())
    if size > MOST_CODE_BYTES:
        raise ClientError(
            f"The code has {size >> 20} MiB; {MOST_CODE_BYTES >> 20} MiB are the limit. Name the"
            " modules that the model needs instead of a folder with everything."
        )
    return found


def _files(place: Path) -> Iterator[tuple[str, Path]]:
    """Give the files of a module, a package or a folder by the names they are imported by."""
    place = place.resolve()
    if place.is_file():
        if place.suffix != ".py":
            raise ClientError(f"{place} is neither a folder nor a Python module (*.py)")
        yield place.name, place
        return
    if not place.is_dir():
        raise ClientError(f"There is no file or folder {place}")
    root = place.parent if (place / "__init__.py").exists() else place
    empty = True
    for at, folders, names in os.walk(place):
        folders[:] = sorted(name for name in folders if _is_wanted(name))
        for name in sorted(filter(_is_wanted, names)):
            path = Path(at, name)
            if not path.is_file():
                raise ClientError(f"{path} is no plain file. Leave it out of the code folder")
            empty = False
            yield path.relative_to(root).as_posix(), path
        for name in folders:
            if Path(at, name).is_symlink():
                raise ClientError(f"{Path(at, name)} is a link to a folder. Put the folder there")
    if empty:
        raise ClientError(f"The folder {place} has no files")


def _is_wanted(name: str) -> bool:
    return not name.startswith(".") and name != "__pycache__" and not name.endswith(".pyc")


def _requirements(given: PathLike | Sequence[str]) -> bytes:
    if isinstance(given, str | os.PathLike):
        path = Path(given)
        if not given:
            return b""
        if not path.is_file():
            raise ClientError(
                f"There is no file {path}. requirements= takes a path, or a list of lines such as"
                ' ["category-encoders==2.11.2"]'
            )
        return path.read_bytes()
    return "".join(f"{line}\n" for line in given or ()).encode()
