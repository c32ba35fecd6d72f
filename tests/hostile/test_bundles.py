"""Hostile bundles: what shadows, writes, bombs or wants to run where nothing is locked."""

import asyncio
import json
import os
import subprocess
import sys
import uuid
import zipfile
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import psutil
import pytest
import pytest_asyncio

from controlplane.builder.environments import Environments
from controlplane.builder.job import Builder, Order
from controlplane.builder.report import Outcome, Report
from tests.bundles import TRANSFORMER, bundle_of, fitted, wheel_of
from tests.hostile.canaries import SECRET, Canaries
from tests.hostile.test_uploads import LIMITS
from tests.unit.runtime.test_bundle import packed

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def builder(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Builder]:
    before = set(psutil.Process().children(recursive=True))
    environments = Environments(tmp_path_factory.mktemp("environments"))
    limits = replace(LIMITS, decompressed_bytes=200 << 20)
    builder = Builder(limits, environments=environments)
    await builder.start()
    yield builder
    await builder.close()
    assert not set(psutil.Process().children(recursive=True)) - before


@pytest.fixture
def source(tmp_path: Path) -> Path:
    (tmp_path / "src").mkdir()
    (tmp_path / "src/my_transformers.py").write_text(TRANSFORMER)
    return tmp_path / "src"


async def built(builder: Builder, content: bytes, folder: Path, tenant: str = "acme") -> Report:
    folder = folder / uuid.uuid4().hex
    (folder / "work").mkdir(parents=True)
    (folder / "upload").write_bytes(content)
    report = await builder.build(folder / "upload", folder / "work", None, Order(tenant))
    assert list((folder / "work").iterdir()) == []
    assert SECRET not in repr(report)
    return report


async def test_a_name_of_python_or_numpy_in_code_changes_nothing(
    builder: Builder, source: Path, tmp_path: Path
) -> None:
    model, _ = fitted(source, "my_transformers", "Winsorizer")
    evil = "raise SystemExit('shadowed')\n"
    for name in ("json", "os", "site", "sitecustomize", "usercustomize", "zipfile", "struct"):
        (source / f"{name}.py").write_text(evil)
    for name in ("numpy", "sklearn", "runtime", "controlplane", "encodings", "joblib"):
        (source / name).mkdir()
        (source / name / "__init__.py").write_text(evil)
    for _ in range(2):
        report = await built(builder, bundle_of(model, code=source), tmp_path)
        assert report.outcome is Outcome.FALLBACK, report
        assert "shadowed" not in report.output


CODE = {
    "writes": "open({watched!r} + '/owned', 'w').write('x')",
    "reads": "print(open({watched!r} + '/precious').read())",
    "writes itself": "open(__file__, 'w').write('x')",
    "runs a program": "import os; os.system('touch ' + {watched!r} + '/owned')",
    "connects": "import socket; socket.create_connection(('127.0.0.1', {port})).send(b'x')",
    "ends the process": "import os; os._exit(0)",
    "sleeps": "import time; time.sleep(600)",
    "allocates": "x = bytearray(10**11)",
    "forges its result": (
        "import json; open('result.json', 'w').write('{{}}');"
        "import os; [os.write(f, b'{{}}') for f in range(3, 20)]"
    ),
}


@pytest.mark.parametrize("name", CODE)
async def test_code_that_does_more_than_a_model_is_held(
    name: str,
    builder: Builder,
    canaries: Canaries,
    source: Path,
    tmp_path: Path,
) -> None:
    model, _ = fitted(source, "my_transformers", "Winsorizer")
    told = CODE[name].format(watched=str(canaries.watched), port=canaries.words()["port"])
    (source / "my_transformers.py").write_text(told + "\n" + TRANSFORMER)
    report = await built(builder, bundle_of(model, code=source), tmp_path)
    # `os.system` says by its result that it could not, which this code does not look at.
    held = Outcome.FALLBACK if name == "runs a program" else Outcome.FAILED
    assert report.outcome is held, report
    assert report.reason or report.fallback_because
    assert canaries.sung(repr(report)) == []


@pytest.mark.filterwarnings("ignore:Duplicate name")
@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (
            packed(("model.joblib", bytes(250 << 20)), compression=zipfile.ZIP_DEFLATED),
            "more than 200 MiB unpacked",
        ),
        (
            packed(("model.joblib", bytes(150 << 20)), compression=zipfile.ZIP_DEFLATED),
            "grows more than 200 times",
        ),
        (
            packed(
                ("model.joblib", b"x"),
                ("wheels/a-1-py3-none-any.whl", bytes(100 << 20)),
                compression=zipfile.ZIP_DEFLATED,
            ),
            "grows more than 200 times",
        ),
        (packed(("model.joblib", b"x"), ("../x", b"x")), "leads out of the archive"),
        (packed(("model.joblib", b"x"), ("wheels/../x.whl", b"x")), "leads out of the archive"),
        (packed(("model.joblib", b"x"), ("wheels/numpy.whl", b"x")), "not named as a wheel"),
        (
            packed(("model.joblib", b"x"), ("wheels/numpy-9-py3-none-any.whl", packed(("a", b"")))),
            "A wheel of numpy cannot be pushed",
        ),
        (
            packed(("model.joblib", b"x"), ("wheels/a-1-cp35-cp35m-win32.whl", packed(("a", b"")))),
            "another Python or machine",
        ),
        (
            packed(("model.joblib", b"x"), ("wheels/a-1-py3-none-any.whl", b"no zip file")),
            "wheel a-1-py3-none-any.whl is cut off",
        ),
        (
            packed(
                ("model.joblib", b"x"),
                ("wheels/a-1-py3-none-any.whl", packed(("../../bin/python", b"#!/bin/sh"))),
            ),
            "leads out of the archive",
        ),
        (
            packed(
                ("model.joblib", b"x"),
                (
                    "wheels/a-1-py3-none-any.whl",
                    packed(("a-1.dist-info/entry_points.txt", b"[console_scripts]\n../../x = a:b")),
                ),
            ),
            "entry point '../../x ', which is a path",
        ),
        (packed(("model.joblib", b"x"), ("requirements.txt", b"-i http://x\n")), "package index"),
    ],
    ids=[
        *("large", "bomb", "wheel bomb", "path", "wheel path", "wheel name", "wheel of numpy"),
        *("other machine", "no wheel", "path in a wheel", "path as a program", "index"),
    ],
)
async def test_bundles_that_are_refused(
    content: bytes, reason: str, builder: Builder, tmp_path: Path
) -> None:
    report = await built(builder, content, tmp_path)
    assert report.outcome is Outcome.FAILED
    assert reason in (report.reason or "")
    assert report.advice


async def test_a_wheel_runs_nothing_where_nothing_is_locked(
    builder: Builder,
    canaries: Canaries,
    source: Path,
    tmp_path: Path,
) -> None:
    """`.pth` files and `sitecustomize` run at the start of a Python; other names shadow."""
    mark = f"import os; open({str(canaries.watched)!r} + '/owned', 'w').write('x')"
    wheel = wheel_of(
        tmp_path,
        "ks-evil",
        {
            "ks_evil/__init__.py": TRANSFORMER,
            "ks_evil.pth": mark + "\n",
            "sitecustomize.py": mark + "\n",
            "usercustomize.py": mark + "\n",
            "numpy/__init__.py": mark + "\n",
            "sklearn/__init__.py": mark + "\n",
            "runtime/__init__.py": mark + "\n",
        },
    )
    (source / "ks_evil").mkdir()
    (source / "ks_evil/__init__.py").write_text(TRANSFORMER)
    model, _ = fitted(source, "ks_evil", "Winsorizer")
    report = await built(builder, bundle_of(model, wheels=[wheel]), tmp_path)
    if report.reason is not None and "package index cannot be reached" in report.reason:
        pytest.skip(report.reason)
    assert report.outcome is Outcome.FALLBACK, report
    assert canaries.sung(repr(report)) == []
    # The warm process, which imports before anything is locked, is the same and clean.
    assert (await built(builder, bundle_of(model, wheels=[wheel]), tmp_path)).outcome is (
        Outcome.FALLBACK
    )
    assert canaries.sung(repr(report)) == []


async def test_packages_of_one_tenant_are_not_read_or_changed_by_anothers_model(
    builder: Builder, source: Path, tmp_path: Path
) -> None:
    wheel = wheel_of(tmp_path, "ks-private", {"ks_private.py": "KEY = 'private-4711'\n"})
    (source / "my_transformers.py").write_text("import ks_private\n" + TRANSFORMER)
    (source / "ks_private.py").write_text("KEY = ''\n")
    model, _ = fitted(source, "my_transformers", "Winsorizer")
    (source / "ks_private.py").unlink()
    report = await built(builder, bundle_of(model, code=source, wheels=[wheel]), tmp_path)
    if report.reason is not None and "package index cannot be reached" in report.reason:
        pytest.skip(report.reason)
    assert report.outcome is Outcome.FALLBACK, report
    folder = next(tmp_path.parent.glob("environments*/packages-*/ks_private.py")).parent
    tries = f"""
import os
for act in (lambda: open({str(folder / "ks_private.py")!r}).read(),
            lambda: os.listdir({str(folder)!r}), lambda: os.listdir({str(folder.parent)!r}),
            lambda: open({str(folder / "ks_private.py")!r}, "a").write("x"),
            lambda: open({str(folder / "new.py")!r}, "w").write("x"),
            lambda: os.unlink({str(folder / "ks_private.py")!r})):
    try:
        print("DID", act())
    except OSError as error:
        print(type(error).__name__)
"""
    for tenant, extras, denied in (("other", [], 6), ("acme", [wheel], 4)):
        (source / "my_transformers.py").write_text(tries + TRANSFORMER)
        content = bundle_of(model, code=source, wheels=extras)
        report = await built(builder, content, tmp_path, tenant)
        lines = report.output.split("\n")
        refused = ("PermissionError", "FileNotFoundError", "OSError")  # the last: read-only
        assert sum(map(lines.count, refused)) >= denied, report.output
        assert (tenant == "acme") == ("private-4711" in report.output), "its own is read"
    assert (folder / "ks_private.py").read_text() == "KEY = 'private-4711'\n"


async def test_the_process_that_takes_wheels_out_writes_nowhere_else(tmp_path: Path) -> None:
    (tmp_path / "into").mkdir()
    wheel = packed(("a.py", b"x"))
    points = packed(("a-1.dist-info/entry_points.txt", b"[console_scripts]\n../../evil = a:b\n"))
    content = packed(
        ("model.joblib", b"x"),
        ("wheels/a-1-py3-none-any.whl", wheel),
        ("wheels/c-1-py3-none-any.whl", points),
    )
    (tmp_path / "bundle").write_bytes(content)
    profile = json.dumps({"memory_bytes": 1 << 30, "file_bytes": 1 << 20})

    def unpacked(*wheels: str) -> int:
        opened = os.open(tmp_path / "bundle", os.O_RDONLY)
        try:
            return subprocess.run(
                [
                    *(sys.executable, "-I", "-m", "controlplane.builder.unpack", str(opened)),
                    *(str(tmp_path / "into"), profile, *wheels),
                ],
                pass_fds=(opened,),
                capture_output=True,
                check=False,
            ).returncode
        finally:
            os.close(opened)

    assert await asyncio.to_thread(unpacked, "a-1-py3-none-any.whl") == 0
    assert (tmp_path / "into/0").read_bytes() == wheel
    assert await asyncio.to_thread(unpacked, "b-1-py3-none-any.whl") != 0
    second = await asyncio.to_thread(unpacked, "a-1-py3-none-any.whl")
    assert second != 0, "a file that is there is not overwritten"
    (tmp_path / "into/0").unlink()
    evil = await asyncio.to_thread(unpacked, "c-1-py3-none-any.whl")
    assert evil != 0, "whoever looked before may have been somebody else"
