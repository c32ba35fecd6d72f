"""Modules of a bundle's `code/`: imported from the open zip file, for a locked process.

They come last: a name that Python or an installed package has keeps its meaning, so a `json.py` in
`code/` is hidden, which `hidden` tells. Nothing is unpacked: a locked process may make no folders.
Files beside the modules are there for `importlib.resources` and `pkgutil.get_data`.
"""

import sys
import zipfile
from collections.abc import Sequence
from importlib.machinery import ModuleSpec, PathFinder
from importlib.util import decode_source
from types import ModuleType
from typing import TYPE_CHECKING, Final, cast

from runtime.bundle import CODE, Bundle

if TYPE_CHECKING:
    from importlib.abc import Loader

# What a module says of its place; there is no such folder.
ROOT: Final = "/kubeserve/bundle/"


class Modules:
    """Finds what the bundle has and nobody before it did."""

    def __init__(self, bundle: Bundle) -> None:
        self._bundle, self._files = bundle, frozenset(bundle.code)
        self._folders = frozenset(
            name[:end] for name in self._files for end, c in enumerate(name) if c == "/"
        )

    def find_spec(
        self,
        name: str,
        path: Sequence[str] | None = None,
        target: ModuleType | None = None,  # noqa: ARG002  (importlib's)
    ) -> ModuleSpec | None:
        """Find a module, a package or a folder without `__init__.py`."""
        if path is not None and not any(str(place).startswith(ROOT) for place in path):
            return None  # a part of an installed package
        place = name.replace(".", "/")
        for file, folder in ((f"{place}/__init__.py", place), (f"{place}.py", None)):
            if file in self._files:
                loader = _Loader(self._bundle, file, folder)
                return _spec(name, loader, loader.get_filename(), folder)
        if place not in self._folders:
            return None
        return _spec(name, None, None, place)

    def has(self, name: str) -> bool:
        """Tell whether a name begins with a module of the bundle's."""
        return self.find_spec(name.partition(".")[0]) is not None

    def hidden(self, name: str) -> bool:
        """Tell whether a module was looked for and another of its name found before ours."""
        top = name.partition(".")[0]
        module = sys.modules.get(top)
        if self.find_spec(top) is None or module is None:
            return False
        places = (getattr(module, "__file__", None), *getattr(module, "__path__", ()))
        return not any(str(place).startswith(ROOT) for place in places)


def _spec(
    name: str, loader: "_Loader | None", origin: str | None, folder: str | None
) -> ModuleSpec:
    found = ModuleSpec(
        name, cast("Loader | None", loader), origin=origin, is_package=folder is not None
    )
    if folder is not None:
        found.submodule_search_locations = [f"{ROOT}{CODE}{folder}"]
    return found


class _Loader:
    """Runs one module of the bundle, and gives what stands beside it."""

    def __init__(self, bundle: Bundle, file: str, folder: str | None) -> None:
        self._bundle, self._file, self._folder = bundle, file, folder

    def create_module(self, spec: ModuleSpec) -> None:
        """Leave it to importlib."""

    def exec_module(self, module: ModuleType) -> None:
        place = self.get_filename()
        # A line of a traceback is looked up by this name.
        module.__file__ = place
        compiled = compile(self.get_source(), place, "exec", dont_inherit=True)
        exec(compiled, vars(module))  # noqa: S102  what a loader is for, in a locked process

    def get_filename(self, _name: str = "") -> str:
        return f"{ROOT}{CODE}{self._file}"

    def get_source(self, _name: str = "") -> str:
        return decode_source(self.get_data(self.get_filename()))

    def is_package(self, _name: str = "") -> bool:
        return self._folder is not None

    def get_data(self, path: str) -> bytes:
        """Give a file of the bundle, which `pkgutil.get_data` asks for."""
        name = str(path).removeprefix(ROOT)
        if name.removeprefix(CODE) not in self._bundle.code:
            raise FileNotFoundError(2, "not in the code of the bundle", str(path))
        return self._bundle.read(name)

    def get_resource_reader(self, _name: str = "") -> "_Resources | None":
        return None if self._folder is None else _Resources(self._bundle, self._folder)


class _Resources:
    """What `importlib.resources.files` asks."""

    def __init__(self, bundle: Bundle, folder: str) -> None:
        self._bundle, self._folder = bundle, folder

    def files(self) -> zipfile.Path:
        return zipfile.Path(self._bundle.archive, f"{CODE}{self._folder}/")


def install(bundle: Bundle) -> Modules:
    """Make the modules of a bundle importable in this process, after all others."""
    finder = Modules(bundle)
    # Looked for in each folder of sys.path first, and what is not there is remembered for good.
    PathFinder.invalidate_caches()
    sys.meta_path.append(finder)
    return finder
