"""What a locked process left behind is believed in nothing."""

import os
from pathlib import Path

import pytest

from controlplane.builder.explain import powers
from controlplane.builder.validate import Untrusted, names, open_plain, read_result, text
from controlplane.builder.warm import printable


def test_plain_file_is_opened(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"x")
    os.close(open_plain(tmp_path / "a", 1))


@pytest.mark.parametrize("kind", ["missing", "link", "second name", "pipe", "folder", "too large"])
def test_anything_else_is_refused(kind: str, tmp_path: Path) -> None:
    (tmp_path / "real").write_bytes(b"xx")
    place = tmp_path / "a"
    match kind:
        case "link":
            place.symlink_to(tmp_path / "real")
        case "second name":
            place.hardlink_to(tmp_path / "real")
        case "pipe":
            os.mkfifo(place)
        case "folder":
            place.mkdir()
        case "too large":
            place.write_bytes(b"xx")
    with pytest.raises(Untrusted):
        open_plain(place, 1)


@pytest.mark.parametrize("content", [b"", b"[]", b"{", b"[" * 100_000, b"\xff", b"1"])
def test_result_that_is_no_object_is_refused(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "result.json").write_bytes(content)
    with pytest.raises(Untrusted):
        read_result(tmp_path)


def test_texts_are_cut_and_cleaned() -> None:
    assert text({"a": "one\n\x1b[2Jtwo"}, "a") == "one [2Jtwo"
    assert text({"a": "x" * 9999}, "a", 10) == "x" * 10
    assert text({"a": 7}, "a") is None
    assert names({"a": ["x", 3, None, "y"]}, "a") == ("x", "y")
    assert names({"a": "xy"}, "a") == ()
    assert "\x1b" not in printable("a\x1b[2J\x07b\n")


def test_powers_are_named_and_models_parts_are_not() -> None:
    harmless = ["sklearn.svm._classes.SVC", "numpy.ndarray", "copyreg._reconstructor"]
    assert powers([*harmless, "posix.system", "builtins.exec"]) == ["posix.system", "builtins.exec"]
