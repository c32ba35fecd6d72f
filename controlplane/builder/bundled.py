"""What a bundle holds, looked at in a locked process: its model, its requirements, its wheels."""

import hashlib
import os
import zipfile
from pathlib import Path
from typing import Any, Final

from controlplane.builder.releases import NAMES
from runtime.bundle import (
    MODEL,
    MOST_WHEEL_BYTES,
    WHEELS,
    Bundle,
    NotABundle,
    close,
    copy,
    is_bundle,
    open_archive,
)

RATIO: Final = 200  # of an archive's bytes unpacked to packed
_MOST_FILES: Final = 20_000  # in a wheel
_MOST_UNPACKED: Final = 2 << 30
_FREE_OF_RATIO: Final = 64 << 20


def holds(source: int) -> bool:
    """Tell whether an upload is a bundle."""
    return is_bundle(os.pread(source, 4, 0))


def look(source: int, folder: Path, *, most: int, ratio: int) -> tuple[dict[str, Any], int]:
    """Tell what a bundle needs, and give the model as an open file of its own.

    Raises NotABundle.
    """
    bundle = Bundle.open(source)
    try:
        return _needs(bundle, folder, ratio), _model(bundle, folder, most, ratio)
    finally:
        bundle.close()


def _needs(bundle: Bundle, folder: Path, ratio: int) -> dict[str, Any]:
    # Imported before the lock where there is `packaging`: not in other versions' environments.
    from controlplane.builder import requirements

    wheels = [_wheel(bundle, name, folder, ratio) for name in sorted(bundle.wheels)]
    _check_names([wheel["name"] for wheel in wheels])
    return {
        "code": bool(bundle.code),
        "requirements": list(requirements.read(bundle.requirements())),
        "wheels": wheels,
    }


def _model(bundle: Bundle, folder: Path, most: int, ratio: int) -> int:
    member = bundle.archive.getinfo(MODEL)
    _check_growth(MODEL, member.compress_size, member.file_size, most, ratio)
    return _taken(bundle, MODEL, folder / "model")


def _taken(bundle: Bundle, name: str, place: Path) -> int:
    """Copy a member into a new file; gives its descriptor."""
    target = os.open(place, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
    with bundle.member(name) as file:
        copy(file, target, name)
    return target


def _check_growth(name: str, packed: int, unpacked: int, most: int, ratio: int) -> None:
    # A reader of zip files gives no more than the size that was announced.
    if unpacked > most:
        raise NotABundle(f"{name} has more than {most >> 20} MiB unpacked, which is the limit.")
    if unpacked > _FREE_OF_RATIO and unpacked > ratio * max(packed, 1):
        raise NotABundle(
            f"{name} grows more than {ratio} times when it is unpacked, as bombs do.",
            "Zip it without compression, or let `kubeserve push --code` make the bundle.",
        )


def _wheel(bundle: Bundle, file: str, folder: Path, ratio: int) -> dict[str, str]:
    """Check a wheel, which uv will unpack where nothing is locked; gives name, file and digest."""
    from packaging.tags import sys_tags
    from packaging.utils import InvalidWheelFilename, parse_wheel_filename

    try:
        name, _, _, tags = parse_wheel_filename(file)
    except InvalidWheelFilename as error:
        raise NotABundle(
            f"{file[:80]!a} is not named as a wheel is: {error}.",
            "Leave it the name that it was built with, NAME-VERSION-PYTHON-ABI-PLATFORM.whl.",
        ) from error
    if tags.isdisjoint(sys_tags()):
        raise NotABundle(
            f"{file} is made for another Python or machine than this one.",
            "Build it as a pure Python wheel (…-py3-none-any.whl), or for this Python and Linux.",
        )
    member = bundle.archive.getinfo(WHEELS + file)
    _check_growth(file, member.compress_size, member.file_size, MOST_WHEEL_BYTES, ratio)
    place = folder / "wheel"
    descriptor = _taken(bundle, WHEELS + file, place)
    try:
        check_wheel(descriptor, file, ratio)
        os.lseek(descriptor, 0, os.SEEK_SET)
        with os.fdopen(descriptor, "rb", closefd=False) as content:
            digest = hashlib.file_digest(content, "sha256").hexdigest()
    finally:
        os.close(descriptor)
        place.unlink()
    return {"name": str(name), "file": file, "sha256": digest}


def check_wheel(descriptor: int, file: str, ratio: int) -> None:
    """Refuse a wheel that leads an installer out of its folder."""
    try:
        archive, members = open_archive(descriptor, _MOST_FILES)
    except NotABundle as error:
        reason = error.reason.replace("The zip file", f"The wheel {file}")
        raise NotABundle(reason, "Build the wheel again with `uv build --wheel`.") from error
    try:
        packed = sum(member.compress_size for member in members)
        unpacked = sum(member.file_size for member in members)
        _check_growth(file, packed, unpacked, _MOST_UNPACKED, ratio)
        for member in members:
            if member.filename.endswith(".dist-info/entry_points.txt"):
                _check_scripts(archive, member, file)
    finally:
        close(archive)


def _check_scripts(archive: zipfile.ZipFile, member: zipfile.ZipInfo, file: str) -> None:
    """Refuse programs whose name is a path: an installer writes a file of that name."""
    for line in archive.read(member).decode("utf-8", "replace").splitlines():
        name, is_point, _ = line.partition("=")
        if is_point and ("/" in name or "\\" in name or ".." in name):
            raise NotABundle(
                f"The wheel {file} has an entry point {name[:40]!a}, which is a path.",
                "Build the wheel again with `uv build --wheel`.",
            )


def _check_names(names: list[str]) -> None:
    for name in names:
        if name in NAMES:
            raise NotABundle(
                f"A wheel of {name} cannot be pushed: scikit-learn's own packages come from the"
                " package index.",
                f"Ask for a version of it in requirements.txt, e.g. {name}==VERSION.",
            )
        if names.count(name) > 1:
            raise NotABundle(f"The bundle has two wheels of {name}.", "Push one of them.")
