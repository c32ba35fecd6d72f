"""What a bundle needs beside scikit-learn, and what that came to. Data, read back from either side.

Needs come from the locked process that looked into the bundle, a recipe from a row that was written
from them; both are checked again before they name a file or become an argument.
"""

import hashlib
import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name

from controlplane.builder.requirements import MOST, PLAIN
from controlplane.builder.validate import Untrusted
from runtime.bundle import MOST_WHEELS

MOST_LOCKED: Final = 500
_FILE: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+!-]{0,200}\.whl")
_NAME: Final = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,100}[a-z0-9])?")
_DIGEST: Final = re.compile(r"[0-9a-f]{64}")
_LINE: Final = re.compile(
    r"(?P<name>[a-z0-9](?:[a-z0-9-]{0,100}[a-z0-9])?)==(?P<version>[A-Za-z0-9.+!_-]{1,60})"
    r"(?: --hash=sha256:[0-9a-f]{64}){1,2000}"
)


@dataclass(frozen=True, slots=True)
class Wheel:
    """One wheel of a bundle; `file` is its name below `wheels/`."""

    name: str
    file: str
    sha256: str


@dataclass(frozen=True, slots=True)
class Needs:
    """What was asked for: requirements as NAME[EXTRAS]SPECIFIERS, and wheels."""

    code: bool = False
    requirements: tuple[str, ...] = ()
    wheels: tuple[Wheel, ...] = ()

    def beyond(self, pins: Mapping[str, str]) -> bool:
        """Tell whether more is needed than an environment with these versions holds."""
        return bool(self.wheels) or not all(_held(text, pins) for text in self.requirements)

    def allows(self, version: str) -> bool:
        """Tell whether a version of scikit-learn is among those asked for, if any are."""
        return all(asked.contains(version, prereleases=True) for asked in self._of_sklearn())

    def exact(self) -> str | None:
        """Give the version of scikit-learn that is asked for by `==`, if one is."""
        for asked in self._of_sklearn():
            for one in asked:
                if one.operator == "==" and "*" not in one.version:
                    return one.version
        return None

    def _of_sklearn(self) -> list[SpecifierSet]:
        asked = map(Requirement, self.requirements)
        return [one.specifier for one in asked if canonicalize_name(one.name) == "scikit-learn"]


def _held(text: str, pins: Mapping[str, str]) -> bool:
    asked = Requirement(text)
    version = pins.get(canonicalize_name(asked.name))
    if version is None or asked.extras:
        return False
    return asked.specifier.contains(version, prereleases=True)


@dataclass(frozen=True, slots=True)
class Asked:
    """What a file is to be loaded with.

    versions  of scikit-learn that are written in it
    source    the upload, where wheels are taken from
    recipe    what an earlier build of the same version came to, None: to be resolved
    """

    versions: frozenset[str]
    needs: Needs
    tenant: str
    source: Path
    recipe: "Recipe | None"


def needs_of(found: Mapping[str, Any]) -> Needs:
    """Read what a locked process found in an upload; raises Untrusted."""
    if "bundle" not in found:
        return Needs()
    given = _object(found["bundle"])
    requirements = _list(given.get("requirements"), MOST)
    if not all(isinstance(text, str) and PLAIN.fullmatch(text) for text in requirements):
        raise Untrusted("its requirements are none")
    return Needs(given.get("code") is True, tuple(requirements), _wheels(given.get("wheels")))


@dataclass(frozen=True, slots=True)
class Recipe:
    """What an environment is made of, to the byte.

    sklearn  its version
    lock     lines NAME==VERSION --hash=sha256:…, sorted, scikit-learn and its companions among them
    base     lines of scikit-learn, its companions and all that these need: the environment where
             these are not the versions of the release's own; no wheel of a bundle is among them
    """

    sklearn: str
    lock: tuple[str, ...]
    wheels: tuple[Wheel, ...] = ()
    base: tuple[str, ...] = ()

    def key(self, tenant: str) -> str:
        """Name the folder of its packages; with wheels it is one tenant's."""
        document = self.to_json() | {"tenant": tenant if self.wheels else None}
        return hashlib.sha256(json.dumps(document, sort_keys=True).encode()).hexdigest()[:32]

    def versions(self) -> dict[str, str]:
        """Give name and version of each locked package."""
        return dict(versions_of(self.lock))

    def shared(self, pins: Mapping[str, str]) -> bool:
        """Tell whether an environment with these versions does for all that it holds."""
        return all(pins[n] == v for n, v in self.versions().items() if n in pins)

    def beside(self, names: Iterable[str]) -> tuple[str, ...]:
        """Give the lines of all packages but these."""
        held = frozenset(names)
        return tuple(line for line in self.lock if line.partition("==")[0] not in held)

    def parts(self, version_of_ours: str, pins: Mapping[str, str]) -> "Parts":
        """Split it; `pins` is what the environment of the release, or of ours, holds."""
        own = self.shared(pins)
        lines = () if own else self.base
        rest = self.beside(pins if own else dict(versions_of(self.base)))
        return Parts(bool(lines) or self.sklearn != version_of_ours, lines, rest, self.wheels)

    def to_json(self) -> dict[str, Any]:
        """Give what `recipe_of` reads back."""
        return asdict(self) | {
            "lock": list(self.lock),
            "base": list(self.base),
            "wheels": [asdict(wheel) for wheel in self.wheels],
        }


@dataclass(frozen=True, slots=True)
class Parts:
    """What a recipe comes to: the Python with its scikit-learn, and a folder of packages beside it.

    other   the Python is not ours
    lines   what it holds where that is not what `releases` says
    rest    lines of packages of the index in the folder
    wheels  of the bundle in the folder
    """

    other: bool
    lines: tuple[str, ...]
    rest: tuple[str, ...]
    wheels: tuple[Wheel, ...]

    @property
    def beside(self) -> bool:
        """Tell whether there is a folder of packages at all."""
        return bool(self.rest or self.wheels)


def recipe_of(document: Any) -> Recipe:
    """Read a recipe; raises Untrusted."""
    given = _object(document)
    version = given.get("sklearn")
    if not isinstance(version, str):
        raise Untrusted("its environment is none")
    lock, base = (_list(given.get(key, []), MOST_LOCKED) for key in ("lock", "base"))
    for lines in (lock, base):
        if not all(isinstance(line, str) for line in lines):
            raise Untrusted("its lock is none")
        versions_of(lines)
    return Recipe(version, tuple(lock), _wheels(given.get("wheels")), tuple(base))


def versions_of(lock: Iterable[str]) -> list[tuple[str, str]]:
    """Give names and versions of a lock; raises Untrusted."""
    found = [_LINE.fullmatch(line) for line in lock]
    if not all(found):
        raise Untrusted("its lock is none")
    return [(one["name"], one["version"]) for one in found if one is not None]


def _wheels(given: Any) -> tuple[Wheel, ...]:
    wheels = []
    for one in map(_object, _list(given, MOST_WHEELS)):
        name, file, digest = (str(one.get(key)) for key in ("name", "file", "sha256"))
        known = _NAME.fullmatch(name) and _FILE.fullmatch(file) and _DIGEST.fullmatch(digest)
        if not known:
            raise Untrusted("its wheels are none")
        wheels.append(Wheel(name, file, digest))
    return tuple(wheels)


def _object(given: Any) -> dict[str, Any]:
    if not isinstance(given, dict):
        raise Untrusted("what it needs is no object")
    return given


def _list(given: Any, most: int) -> list[Any]:
    if not isinstance(given, list) or len(given) > most:
        raise Untrusted(f"what it needs is no list of at most {most}")
    return given
