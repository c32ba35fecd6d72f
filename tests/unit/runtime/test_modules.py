"""Modules from an open bundle: imported as from a folder, after everything that is installed."""

import contextlib
import importlib
import importlib.resources
import json
import pkgutil
import sys
import traceback
from collections.abc import Iterator
from pathlib import Path

import pytest

from runtime import modules
from runtime.bundle import Bundle
from runtime.modules import Modules
from tests.unit.runtime.test_bundle import MODELED, packed

CODE = {
    "ks_alone.py": "from ks_package.inner import VALUE\nNAME = __name__\nFILE = __file__\n",
    "ks_package/__init__.py": "from . import inner\n",
    "ks_package/inner.py": "VALUE = 7\ndef fail():\n    raise ValueError('here')\n",
    "ks_package/words.txt": "some words",
    "ks_folder/deep.py": "import ks_alone\nVALUE = ks_alone.VALUE + 1\n",
    "ks_latin.py": "# -*- coding: latin-1 -*-\nTEXT = '\u00e9'\n",
    "json.py": "raise RuntimeError('the wrong json')\n",
    "numpy/__init__.py": "raise RuntimeError('the wrong numpy')\n",
    "numpy/ks_evil.py": "VALUE = 1\n",
    "broken.py": "def (:\n",
}


@pytest.fixture
def finder(tmp_path: Path) -> Iterator[Modules]:
    entries = (
        (f"code/{name}", text.encode("latin-1" if "latin" in name else "utf-8"))
        for name, text in CODE.items()
    )
    (tmp_path / "bundle").write_bytes(packed(MODELED, *entries))
    before = set(sys.modules)
    with (
        (tmp_path / "bundle").open("rb") as file,
        contextlib.closing(Bundle.open(file.fileno())) as bundle,
    ):
        finder = modules.install(bundle)
        try:
            yield finder
        finally:
            sys.meta_path.remove(finder)
            for name in set(sys.modules) - before:
                if name.startswith(("ks_", "broken")):
                    del sys.modules[name]


def test_modules_packages_and_folders(finder: Modules) -> None:
    alone = importlib.import_module("ks_alone")
    assert (alone.VALUE, alone.NAME) == (7, "ks_alone")
    assert alone.FILE == "/kubeserve/bundle/code/ks_alone.py"
    assert importlib.import_module("ks_folder.deep").VALUE == 8
    assert importlib.import_module("ks_latin").TEXT == "\u00e9"
    with pytest.raises(ModuleNotFoundError, match=r"ks_package\.missing"):
        importlib.import_module("ks_package.missing")
    with pytest.raises(SyntaxError, match=r"broken\.py"):
        importlib.import_module("broken")


def test_files_beside_the_modules(finder: Modules) -> None:
    words = importlib.resources.files("ks_package").joinpath("words.txt")
    assert words.read_text() == "some words"
    assert pkgutil.get_data("ks_package", "words.txt") == b"some words"
    with pytest.raises(FileNotFoundError):
        pkgutil.get_data("ks_package", "../../model.joblib")


def test_a_traceback_shows_the_line(finder: Modules) -> None:
    inner = importlib.import_module("ks_package.inner")
    with pytest.raises(ValueError, match="here") as raised:
        inner.fail()
    assert "raise ValueError('here')" in "".join(traceback.format_exception(raised.value))


def test_what_is_installed_keeps_its_name(finder: Modules) -> None:
    assert importlib.import_module("json") is json
    assert finder.hidden("json.loads")
    assert finder.hidden("numpy.random.Generator")
    assert finder.has("json.anything")
    importlib.import_module("ks_alone")
    assert not finder.hidden("ks_alone.NAME")
    assert not finder.hidden("sys.path")
    assert not finder.has("sys.path")
    with pytest.raises(ModuleNotFoundError):
        importlib.import_module("numpy.ks_evil")
