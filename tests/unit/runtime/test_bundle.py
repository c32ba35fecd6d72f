"""Bundles: what an ordinary one holds, and zip files that are refused, each with its reason."""

import contextlib
import io
import os
import stat
import struct
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from runtime import bundle as module
from runtime.bundle import MODEL, Bundle, NotABundle, copy, is_bundle

Change = Callable[[zipfile.ZipInfo], None]


def packed(*entries: tuple[str | zipfile.ZipInfo, bytes], **options: int) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", **options) as archive:
        for name, content in entries:
            archive.writestr(name, content)
    return file.getvalue()


@contextlib.contextmanager
def opening(content: bytes, folder: Path) -> Iterator[Bundle]:
    path = folder / "bundle"
    path.write_bytes(content)
    with path.open("rb") as file, contextlib.closing(Bundle.open(file.fileno())) as bundle:
        yield bundle


def refuse(content: bytes, folder: Path, read: str = MODEL) -> None:
    """Open and read what is to be refused."""
    with opening(content, folder) as bundle:
        bundle.requirements()
        bundle.read(read)


def entry(name: str, mode: int = 0) -> zipfile.ZipInfo:
    info = zipfile.ZipInfo(name)
    info.external_attr = mode << 16
    return info


MODELED = (MODEL, b"model")


@pytest.mark.parametrize("how", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_an_ordinary_bundle(how: int, tmp_path: Path) -> None:
    content = packed(
        ("code/", b""),
        MODELED,
        ("requirements.txt", "\ufeffpandas\n".encode()),
        ("wheels/my-1.0-py3-none-any.whl", b"wheel"),
        ("code/my.py", b"X = 1\n" * 100),
        ("code/deep/in/here.txt", b"text"),
        ("code/__pycache__/my.cpython-311.pyc", b"compiled"),
        ("__MACOSX/._model.joblib", b"litter"),
        (".DS_Store", b"litter"),
        compression=how,
    )
    assert is_bundle(content[:4])
    with opening(content, tmp_path) as bundle:
        assert bundle.code == ("my.py", "deep/in/here.txt")
        assert bundle.wheels == ("my-1.0-py3-none-any.whl",)
        assert bundle.requirements() == "pandas\n"
        assert bundle.read("code/my.py") == b"X = 1\n" * 100
        with bundle.model() as file:
            assert file.read() == b"model"


def test_a_bundle_is_a_model_alone_at_least(tmp_path: Path) -> None:
    with opening(packed(MODELED), tmp_path) as bundle:
        assert (bundle.code, bundle.wheels, bundle.requirements()) == ((), (), "")


def test_npz_files_are_zip_files_and_no_bundles(tmp_path: Path) -> None:
    file = io.BytesIO()
    np.savez(file, x=np.arange(3))
    assert is_bundle(file.getvalue()[:4])
    with pytest.raises(NotABundle, match=r"no model.joblib at its top.*'x.npy'") as raised:
        refuse(file.getvalue(), tmp_path)
    assert "joblib.dump" in raised.value.advice


NAMES = {
    "absolute": ("/code/x.py", "absolute path"),
    "drive": ("C:/x.py", "absolute path"),
    "share": ("\\\\host\\x.py", "absolute path"),
    "up": ("code/../../x.py", "leads out"),
    "up alone": ("..", "leads out"),
    "backslash": ("code\\x.py", "no path of plain names"),
    "dot": ("code/./x.py", "no path of plain names"),
    "empty part": ("code//x.py", "no path of plain names"),
    "newline": ("code/x\n.py", "not printed"),
    "escape": ("code/\x1b[2J.py", "not printed"),
    "long": ("code/" + "x" * 300, "longer than 255"),
    "other top": ("src/x.py", "A bundle has no entry 'src/x.py'"),
    "folder in wheels": ("wheels/a/b.whl", "is no wheel"),
    "no wheel": ("wheels/b.tar.gz", "is no wheel"),
    "compiled": ("code/x.cpython-311-x86_64-linux-gnu.so", "compiled module"),
    "same": (MODEL, "two entries"),
    "case": ("Model.joblib", "where case is ignored"),
}


@pytest.mark.filterwarnings("ignore:Duplicate name")
@pytest.mark.parametrize("which", NAMES)
def test_names_that_are_refused(which: str, tmp_path: Path) -> None:
    name, reason = NAMES[which]
    with pytest.raises(NotABundle, match=reason) as raised:
        refuse(packed(MODELED, (name, b"x")), tmp_path)
    assert raised.value.advice
    assert raised.value.reason.isprintable()


@pytest.mark.parametrize(
    ("first", "second", "reason"),
    [
        ("code/x.py", "code/X.py", "where case is ignored"),
        ("code/a/x.py", "code/A/y.py", "where case is ignored"),
        ("code/\u00e9.py", "code/e\u0301.py", "where case is ignored"),
        ("code/\u017f.py", "code/s.py", "where case is ignored"),
        ("code/a", "code/a/b.py", "below what is a file"),
    ],
)
def test_names_that_are_one_elsewhere(first: str, second: str, reason: str, tmp_path: Path) -> None:
    with pytest.raises(NotABundle, match=reason):
        refuse(packed(MODELED, (first, b"x"), (second, b"x")), tmp_path)


@pytest.mark.parametrize(
    ("mode", "reason"),
    [
        (stat.S_IFLNK | 0o777, "symbolic link"),
        (stat.S_IFIFO | 0o644, "not a plain file"),
        (stat.S_IFCHR | 0o644, "not a plain file"),
        (stat.S_IFDIR | 0o755, "not a plain file"),
    ],
)
def test_entries_that_are_no_files(mode: int, reason: str, tmp_path: Path) -> None:
    with pytest.raises(NotABundle, match=reason):
        refuse(packed(MODELED, (entry("code/x.py", mode), b"/etc/passwd")), tmp_path)


def test_too_many_entries_are_counted_before_they_are_read(tmp_path: Path) -> None:
    many = packed(MODELED, *((f"code/{i}.py", b"") for i in range(module.MOST_ENTRIES)))
    with pytest.raises(NotABundle, match="2001 entries; 2000 are the limit"):
        refuse(many, tmp_path)
    # The same number, hidden: the end says few, and the end for large archives says many.
    file = io.BytesIO(packed(MODELED))
    file.seek(-22, os.SEEK_END)
    end = file.read()
    file.seek(-22, os.SEEK_END)
    size = 2**40
    file.write(struct.pack("<4sQ2H2L4Q", b"PK\6\6", 44, 45, 45, 0, 0, 10**7, 10**7, size, 0))
    file.write(struct.pack("<4sLQL", b"PK\6\7", 0, 0, 1) + end)
    with pytest.raises(NotABundle, match="10000000 entries"):
        refuse(file.getvalue(), tmp_path)


def test_sizes_are_bounded(tmp_path: Path) -> None:
    big = packed(
        MODELED, ("code/x.txt", bytes(module.MOST_CODE_BYTES + 1)), compression=zipfile.ZIP_DEFLATED
    )
    assert len(big) < 100_000
    with pytest.raises(NotABundle, match="32 MiB are the limit"):
        refuse(big, tmp_path)
    with pytest.raises(NotABundle, match="64 KiB are the limit"):
        refuse(packed(MODELED, ("requirements.txt", b"#" * 70_000)), tmp_path)
    wheels = (f"wheels/w{i}-1-py3-none-any.whl" for i in range(module.MOST_WHEELS + 1))
    with pytest.raises(NotABundle, match="51 wheels; 50 are the limit"):
        refuse(packed(MODELED, *((name, b"") for name in wheels)), tmp_path)


def test_an_entry_gives_no_more_than_it_says(tmp_path: Path) -> None:
    """A header that announces 5 bytes of 10 MB: reading stops there and the sum differs."""
    content = bytearray(
        packed(MODELED, ("code/x.txt", bytes(10**7)), compression=zipfile.ZIP_DEFLATED)
    )
    at = content.rindex(b"code/x.txt") - 46  # its line in the directory
    content[at + 24 : at + 28] = struct.pack("<L", 5)
    with pytest.raises(NotABundle, match=r"damaged at code/x\.txt"):
        refuse(bytes(content), tmp_path, "code/x.txt")


def test_entries_may_not_share_bytes(tmp_path: Path) -> None:
    """Overlapping entries: each line of the directory names the same compressed bytes."""
    content = packed(MODELED, ("code/a.py", bytes(1000)), ("code/b.py", bytes(1000)))
    first = content.index(b"code/a.py") - 30
    at = content.rindex(b"code/b.py") - 46
    shared = content[: at + 42] + struct.pack("<L", first) + content[at + 46 :]
    with pytest.raises(NotABundle, match=r"share bytes|damaged"):
        refuse(shared, tmp_path, "code/b.py")


@pytest.mark.parametrize("how", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_other_ways_of_packing(how: int, tmp_path: Path) -> None:
    with pytest.raises(NotABundle, match="another way than deflate"):
        refuse(packed(MODELED, compression=how), tmp_path)


def test_encrypted_entries(tmp_path: Path) -> None:
    content = bytearray(packed(MODELED))
    content[content.rindex(b"PK\1\2") + 8] |= 1
    with pytest.raises(NotABundle, match="is encrypted") as raised:
        refuse(bytes(content), tmp_path)
    assert "without password" in raised.value.advice


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda content: content[:-1], "cut off"),
        (lambda content: content + b"more", "cut off"),
        (lambda content: content[: len(content) // 2], "cut off"),
        (lambda content: b"#!/bin/sh\n" + content, "other bytes before"),
        (lambda content: content[:-2] + b"\x05\0hello", "cut off"),
        (lambda content: content.replace(b"model", b"mOdel", 1), "damaged"),
        (lambda _: b"PK\3\4", "cut off"),
    ],
)
def test_damaged_archives(change: Callable[[bytes], bytes], reason: str, tmp_path: Path) -> None:
    with pytest.raises(NotABundle, match=reason):
        refuse(change(packed(MODELED)), tmp_path)


def test_requirements_are_text(tmp_path: Path) -> None:
    with pytest.raises(NotABundle, match="not UTF-8"):
        refuse(packed(MODELED, ("requirements.txt", b"\xff\xfe")), tmp_path)


@settings(max_examples=300, deadline=None)
@given(at=st.integers(0, 400), value=st.integers(0, 255), cut=st.integers(0, 3))
def test_changed_bytes_give_a_bundle_or_a_reason(
    at: int, value: int, cut: int, tmp_path_factory: pytest.TempPathFactory
) -> None:
    content = bytearray(packed(MODELED, ("code/x.py", b"x = 1"), compression=zipfile.ZIP_DEFLATED))
    content[at % len(content)] = value
    folder = tmp_path_factory.getbasetemp()
    with (folder / "target").open("wb") as target:
        faults = []
        try:
            with opening(bytes(content[: len(content) - cut]), folder) as bundle:
                bundle.requirements()
                for name in (MODEL, *(f"code/{name}" for name in bundle.code)):
                    with bundle.member(name) as file:
                        assert copy(file, target.fileno(), name) < 1000
        except NotABundle as refused:
            faults += [refused.reason, refused.advice]
        assert all(faults)
