"""Copy a Python and what it needs, and nothing else, to a folder that becomes an image.

usage: python3 closure.py OUT APPLICATION [--without NAME,NAME…] [--zones] [--isolated] [--wheels]
                          [--optimize LEVEL]

Runs while an image is built, with the Python of the base image: Debian's, or one below /usr/local.
What is not copied is not there: no shell, no package manager, no pip, no setuid program.
"""

import argparse
import compileall
import os
import shutil
import subprocess
import sys
import sysconfig
from collections.abc import Iterable, Iterator
from pathlib import Path
from py_compile import PycInvalidationMode

USER = 65532
# Parts of the standard library that no server opens.
NEEDLESS = {
    *("__pycache__", "test", "tests", "idlelib", "lib2to3", "ensurepip", "tkinter", "turtledemo"),
    *("turtle", "pydoc_data", "venv", "site-packages", "dist-packages", "EXTERNALLY-MANAGED"),
    "nis",  # with all of Kerberos
}
AUTHORITIES = Path("/etc/ssl/certs/ca-certificates.crt")
# What wheels may take for granted (manylinux: PEP 599 and 600) and is in every Python's base image.
WHEELS = (
    *("libc.so.6", "libm.so.6", "libdl.so.2", "librt.so.1", "libpthread.so.0", "libutil.so.1"),
    *("libresolv.so.2", "libgcc_s.so.1", "libstdc++.so.6", "libz.so.1"),
)
SETTINGS = {
    "passwd": f"root:x:0:0::/:/nonexistent\nkubeserve:x:{USER}:{USER}::/tmp:/nonexistent\n",
    "group": f"root:x:0:\nkubeserve:x:{USER}:\n",
    "nsswitch.conf": "hosts: files dns\n",
}


def main() -> None:
    """Fill OUT."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("out", type=Path)
    parser.add_argument("application", type=Path)
    parser.add_argument("--without", default="", help="more of the standard library to leave out")
    parser.add_argument("--zones", action="store_true", help="with the time zones")
    parser.add_argument("--isolated", action="store_true", help="found by `python3 -I` too")
    parser.add_argument("--wheels", action="store_true", help="with all that wheels may need")
    parser.add_argument("--optimize", type=int, default=0, help="PYTHONOPTIMIZE of the image")
    given = parser.parse_args()
    out: Path = given.out
    out.mkdir()
    for name in ("bin", "sbin", "lib", "lib64"):  # links, where /usr is merged
        if (link := Path("/", name)).is_symlink():
            (out / name).symlink_to(os.readlink(link))
    for folder, mode in (("tmp", 0o1777), ("etc", 0o755), ("proc", 0o555), ("dev", 0o755)):
        (out / folder).mkdir()
        (out / folder).chmod(mode)
    for name, text in SETTINGS.items():
        (out / "etc" / name).write_text(text)
    copied = [*interpreter(out), *standard_library(out, {*NEEDLESS, *given.without.split(",")})]
    copied += tree(given.application, out)
    for library in sorted(libraries(copied) | (promised() if given.wheels else set())):
        file(library, out)
    file(AUTHORITIES, out)
    if given.zones:
        tree(Path("/usr/share/zoneinfo"), out)
    if given.isolated:
        place = out / sysconfig.get_path("purelib").lstrip("/")
        place.mkdir(parents=True, exist_ok=True)
        lines = (f"{given.application / folder}\n" for folder in ("app", "site"))
        (place / "kubeserve.pth").write_text("".join(lines))
    # Never compared with a source's time: the root file system is read-only, and a start reads no
    # more than it must.
    mode = PycInvalidationMode.UNCHECKED_HASH
    compiled = compileall.compile_dir(
        out, quiet=1, stripdir=str(out), invalidation_mode=mode, optimize=given.optimize
    )
    if not compiled:
        raise SystemExit("something does not compile")


def interpreter(out: Path) -> Iterator[Path]:
    """Copy Python under its own name and as `python3`."""
    real = Path(os.path.realpath(sys.executable))
    yield file(real, out)
    for name in ("python3", "python"):
        place = out / real.relative_to("/").with_name(name)
        place.unlink(missing_ok=True)
        place.symlink_to(real.name)


def standard_library(out: Path, without: set[str]) -> Iterator[Path]:
    """Copy the standard library; an extension module is left out by its name, `_sqlite3`."""
    for folder in sorted({sysconfig.get_path("stdlib"), sysconfig.get_path("platstdlib")}):
        yield from tree(Path(folder), out, without)


def tree(folder: Path, out: Path, without: Iterable[str] = ("__pycache__",)) -> list[Path]:
    """Copy a folder, what links lead to instead of links; gives the files."""
    copied: list[Path] = []
    for at, folders, names in os.walk(folder, followlinks=True):
        folders[:] = sorted(name for name in folders if wanted(name, without))
        copied += [file(Path(at, name), out) for name in sorted(names) if wanted(name, without)]
    return copied


def wanted(name: str, without: Iterable[str]) -> bool:
    """Tell whether a part is copied; `config-…` is what one needs to compile against Python."""
    return name.partition(".")[0] not in without and not name.startswith("config-")


def file(path: Path, out: Path) -> Path:
    """Copy a file to the same place in OUT; gives its source."""
    place = out / os.path.realpath(path.parent).lstrip("/") / path.name
    place.parent.mkdir(parents=True, exist_ok=True)
    if not place.exists():
        shutil.copy2(path, place)
        place.chmod(0o755 if os.access(path, os.X_OK) else 0o644)  # no setuid, whoever had it
    return path


def libraries(files: list[Path]) -> set[Path]:
    """Give the shared libraries that programs and extension modules load, and the loader."""
    found: set[Path] = set()
    ours = {path.name for path in files}
    for path in files:
        with path.open("rb") as opened:
            if opened.read(4) != b"\x7fELF":
                continue
        listed = subprocess.run(  # noqa: S603
            ["ldd", str(path)], capture_output=True, text=True, check=False  # noqa: S607
        )
        for line in listed.stdout.splitlines():
            words = line.split()
            # A wheel's own libraries find each other through the module that loads them.
            if "not found" in line and words[0] not in ours:
                raise SystemExit(f"{path}: {line.strip()}: the base image lacks this library")
            found |= {Path(word) for word in words if word.startswith("/")}
    return found


def promised() -> set[Path]:
    """Give the libraries that wheels of the index may need, whichever come to run here."""
    listed = subprocess.run(["/sbin/ldconfig", "-p"], capture_output=True, text=True, check=True)
    found = {line.split()[0]: line.rpartition(" => ")[2] for line in listed.stdout.splitlines()[1:]}
    missing = [name for name in WHEELS if name not in found]
    if missing:
        raise SystemExit(f"the base image lacks {', '.join(missing)}")
    return {Path(found[name]) for name in WHEELS}


if __name__ == "__main__":
    main()
