"""Archives of environments: what is packed comes out the same, and nothing else comes out."""

import hashlib
import io
import os
import struct
import subprocess
import sys
import warnings
import zipfile
from dataclasses import asdict, replace
from pathlib import Path

import pytest

from runtime import archive as module
from runtime.archive import Archive, BadArchive, Part, install, interpreter, pack


def packed(folder: Path, python: bool = False) -> tuple[Path, Part]:
    file = folder.with_suffix(".zip")
    unpacked = pack(folder, file)
    return file, part_of(file.read_bytes(), unpacked, python=python)


def part_of(content: bytes, unpacked: int, *, python: bool = False) -> Part:
    digest = hashlib.sha256(content).hexdigest()
    return Part("packages", Archive(digest, len(content), unpacked), python)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "site"
    (made / "pkg/deep").mkdir(parents=True)
    (made / "pkg/__init__.py").write_text("answer = 42\n")
    (made / "pkg/deep/empty.py").write_text("")
    (made / "pkg/data.bin").write_bytes(os.urandom(3_000_000))
    (made / "pkg/tool").write_text("#!/bin/sh\n")
    (made / "pkg/tool").chmod(0o755)
    return made


def test_what_is_packed_comes_out_the_same(folder: Path, tmp_path: Path) -> None:
    file, part = packed(folder)
    (folder / "pkg/link").symlink_to("/etc/passwd")  # is no plain file
    again = pack(folder, tmp_path / "again.zip")
    assert (tmp_path / "again.zip").read_bytes() == file.read_bytes()
    assert again == part.archive.unpacked_bytes
    install(file, part, tmp_path)
    out = tmp_path / "packages"
    names = sorted(str(p.relative_to(out)) for p in out.rglob("*") if p.is_file())
    assert names == ["pkg/__init__.py", "pkg/data.bin", "pkg/deep/empty.py", "pkg/tool"]
    for name in names:
        assert (out / name).read_bytes() == (folder / name).read_bytes()
    assert os.access(out / "pkg/tool", os.X_OK)
    assert not os.access(out / "pkg/data.bin", os.X_OK)
    assert not list(tmp_path.glob(".making*"))


def test_an_environment_is_a_python_with_these_packages_alone(folder: Path, tmp_path: Path) -> None:
    file, part = packed(folder, python=True)
    install(file, part, tmp_path)
    code = (
        "import importlib.util, pkg, sys; print(pkg.answer, sys.prefix,"
        " importlib.util.find_spec('numpy'))"
    )
    python = str(interpreter(tmp_path / "python"))
    done = subprocess.run([python, "-I", "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["42", str(tmp_path / "python"), "None"]
    assert os.path.realpath(python) == os.path.realpath(sys.executable)


def written(*entries: tuple[str, bytes]) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as opened, warnings.catch_warnings(action="ignore"):
        for name, content in entries:
            opened.writestr(zipfile.ZipInfo(name), content, zipfile.ZIP_DEFLATED)
    return file.getvalue()


@pytest.mark.parametrize(
    ("content", "unpacked", "says"),
    [
        (written(("../x", b"1")), 1, "leads out"),
        (written(("/x", b"1")), 1, "absolute"),
        (written(("a/../x", b"1")), 1, "leads out"),
        (written(("a//x", b"1")), 1, "no path of plain names"),
        (written(("a/", b"")), 0, "a folder"),
        (written(("a", b"1"), ("a", b"2")), 2, "two entries"),
        (written(("a", b"1" * 1000)), 10, "more bytes than announced"),
        (written(("a", b"1")), 10, "less than announced"),
        (b"no zip file", 1, "damaged"),
        (b"", 1, "damaged"),
        (written(("a", os.urandom(1000)))[:500], 1000, "damaged"),
        (written(("a", b"1" * 1000)).replace(struct.pack("<H", 8), b"\x63\0"), 1000, "damaged"),
    ],
)
def test_what_is_no_archive_leaves_nothing(
    content: bytes, unpacked: int, says: str, tmp_path: Path
) -> None:
    file = tmp_path / "file"
    file.write_bytes(content)
    with pytest.raises(BadArchive, match=says):
        install(file, part_of(content, unpacked), tmp_path)
    assert list(tmp_path.iterdir()) == [file]


def test_a_file_where_a_folder_is_wanted_is_refused(tmp_path: Path) -> None:
    content = written(("a", b"1"), ("a/b", b"2"))
    (tmp_path / "file").write_bytes(content)
    with pytest.raises((BadArchive, OSError)):
        install(tmp_path / "file", part_of(content, 2), tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_too_many_or_too_much_is_refused(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file, part = packed(folder)
    monkeypatch.setattr(module, "MOST_FILES", 3)
    with pytest.raises(BadArchive, match="4 files"):
        install(file, part, tmp_path)
    monkeypatch.setattr(module, "MOST_BYTES", 1 << 20)
    with pytest.raises(BadArchive, match="1 MiB are the limit"):
        pack(folder, tmp_path / "large.zip")
    with pytest.raises(ValueError, match="no digest or size"):
        Archive.read(asdict(part.archive))


def test_what_is_told_of_one_is_read_back_and_nothing_else() -> None:
    part = part_of(b"x", 1)
    assert Part.read(asdict(part)) == part
    bad = replace(part.archive, sha256="../" + "a" * 61)
    for given in (None, {}, [], asdict(part) | {"python": 1}, asdict(replace(part, archive=bad))):
        with pytest.raises(ValueError, match=r"an archive|a part"):
            Part.read(given)
    for size in (-1, 1.5, True, 1 << 40, "1"):
        with pytest.raises(ValueError, match="an archive"):
            Archive.read(asdict(part.archive) | {"size_bytes": size})
