"""Bundles as the SDK makes them: the same content, the same bytes; what is missing is told."""

import hashlib
import io
import os
import zipfile
from pathlib import Path
from typing import Any

import pytest

from controlplane.client import ClientError
from controlplane.client.bundle import Extras, bundled, in_thread, write
from controlplane.client.upload import of_source
from runtime.bundle import Bundle


def made(model: Any = b"model", **extras: Any) -> bytes:
    with bundled(model, Extras(**extras)) as source:
        return b"".join(of_source(source))


def names(content: bytes) -> list[str]:
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        return archive.namelist()


@pytest.fixture
def source(tmp_path: Path) -> Path:
    files = {
        "src/my.py": "X = 1\n",
        "src/deep/__init__.py": "",
        "src/deep/words.txt": "words",
        "src/deep/__pycache__/x.cpython-311.pyc": "compiled",
        "src/.git/config": "secret",
        "src/.env": "secret",
        "requirements.txt": "pandas\n",
        "my-1.0-py3-none-any.whl": "wheel",
    }
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    return tmp_path


def test_a_bundle_has_the_layout_that_is_read(source: Path) -> None:
    content = made(
        code=source / "src",
        requirements=str(source / "requirements.txt"),
        wheels=[source / "my-1.0-py3-none-any.whl"],
    )
    (source / "bundle").write_bytes(content)
    with (source / "bundle").open("rb") as file:
        bundle = Bundle.open(file.fileno())
        assert bundle.code == ("deep/__init__.py", "deep/words.txt", "my.py")
        assert bundle.wheels == ("my-1.0-py3-none-any.whl",)
        assert bundle.requirements() == "pandas\n"
        with bundle.model() as model:
            assert model.read() == b"model"
        bundle.close()


def test_a_model_alone_is_sent_as_it_is() -> None:
    assert made() == b"model"
    assert made(code=(), requirements="", wheels=[]) == b"model"


def test_the_same_content_gives_the_same_bytes(source: Path) -> None:
    """Of other times, modes, owners and another folder; the digest is of every machine."""
    first = made(code=source / "src", requirements=["pandas"])
    for number, path in enumerate(sorted((source / "src").rglob("*"))):
        path.chmod(0o755 if number % 2 else 0o700)
        os.utime(path, (10**9, 10**9 + number))
    (source / "src").rename(source / "other")
    (source / "model").write_bytes(b"model")
    second = made(source / "model", code=source / "other", requirements=["pandas"])
    assert first == second
    digest = hashlib.sha256(made(requirements=["pandas"])).hexdigest()
    assert digest == "d4ee4c100a2c66cda7a12b0243b07522c471c8fd9aba0de81c905a945946e3e0"


def test_code_is_a_folder_a_package_a_module_or_several(source: Path) -> None:
    assert names(made(code=source / "src/my.py")) == ["code/my.py", "model.joblib"]
    package = made(code=str(source / "src/deep"))
    assert names(package) == ["code/deep/__init__.py", "code/deep/words.txt", "model.joblib"]
    several = made(code=[source / "src/my.py", source / "src/deep"])
    assert names(several) == names(made(code=source / "src"))


def test_what_cannot_be_packed_is_told(source: Path) -> None:
    (source / "other").mkdir()
    (source / "other/my.py").write_text("X = 2\n")
    (source / "linked").mkdir()
    (source / "linked/to").symlink_to(source / "src")
    (source / "empty").mkdir()
    for extras, words in (
        ({"code": source / "nowhere"}, "no file or folder"),
        ({"code": source / "requirements.txt"}, "neither a folder nor a Python module"),
        ({"code": source / "empty"}, "has no files"),
        ({"code": source / "linked"}, "is a link to a folder"),
        ({"code": [source / "src", source / "other"]}, "two files my.py"),
        ({"requirements": source / "nowhere.txt"}, "There is no file"),
        ({"requirements": "pandas==2.0"}, "a list of lines"),
        ({"wheels": [source / "requirements.txt"]}, "uv build --wheel"),
        ({"wheels": [source / "nowhere.whl"]}, "uv build --wheel"),
    ):
        with pytest.raises(ClientError, match=words):
            made(**extras)


def test_a_large_folder_is_refused_before_it_is_read(source: Path) -> None:
    with (source / "src/big.bin").open("wb") as file:
        file.truncate(33 << 20)
    with pytest.raises(ClientError, match="32 MiB are the limit"):
        made(code=source / "src")
    (source / "src/big.bin").unlink()
    for number in range(2000):
        (source / f"src/m{number}.py").touch()
    with pytest.raises(ClientError, match="files are too many"):
        made(code=source / "src")


async def test_it_is_made_in_a_thread_for_asyncio(source: Path) -> None:
    async with in_thread(bundled(b"model", Extras(code=source / "src"))) as made_one:
        assert b"".join(of_source(made_one)) == made(code=source / "src")


def test_a_model_that_is_an_open_file_is_read_from_its_start(source: Path) -> None:
    file = io.BytesIO(b"model")
    file.read()
    target = io.BytesIO()
    write(target, file, Extras(requirements=["pandas"]))
    assert target.getvalue() == made(requirements=["pandas"])
