"""What a build in a pod asks for, and what it is answered: environments, which a pod cannot make.

Its question stands where its report will, its answer at an address of its own. Both directions of
both: the question comes from a pod, so nothing of it is believed.
"""

import json
import platform
import sys
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Final
from urllib.parse import urlsplit

from controlplane.builder.environments import installed, pins
from controlplane.builder.needs import Needs, Recipe, needs_of, recipe_of
from controlplane.builder.validate import Untrusted
from runtime.archive import Part

MOST_BYTES: Final = 1 << 20


def here() -> dict[str, Any]:
    """Say for what Python packages must be, and what stands beside it."""
    return {
        "python": f"3.{sys.version_info.minor}",
        "machine": platform.machine(),
        "installed": pins(installed()),
    }


@dataclass(frozen=True, slots=True)
class Question:
    """A build asks for the scikit-learn of a version, and for what its model needs beside it.

    place  `here` of the pod
    """

    version: str
    needs: Needs
    place: Mapping[str, Any]

    def write(self) -> bytes:
        """Give the document."""
        document = {"version": self.version, "bundle": asdict(self.needs), "place": self.place}
        return json.dumps({"asks": document}).encode()

    @classmethod
    def read(cls, raw: bytes) -> "Question | None":
        """Read it; None: it is no question but a report. Raises Untrusted."""
        try:
            document = json.loads(raw)
        except (ValueError, RecursionError):
            return None
        if not isinstance(document, dict) or "asks" not in document:
            return None
        asks = document["asks"]
        if not isinstance(asks, dict) or len(raw) > MOST_BYTES:
            raise Untrusted("what it asks is no question")
        version, place = asks.get("version"), asks.get("place")
        if not isinstance(version, str) or not isinstance(place, dict) or len(version) > 60:
            raise Untrusted("what it asks is no question")
        return cls(version, needs_of(asks), place)


@dataclass(frozen=True, slots=True)
class Answer:
    """What a build gets, or why it gets nothing.

    parts   each with its signed address
    recipe  what its needs came to, None: the version's own environment does
    """

    parts: tuple[tuple[Part, str], ...] = ()
    version: str = ""
    recipe: Recipe | None = None
    refused: tuple[str, str] | None = None

    def write(self) -> bytes:
        """Give the document."""
        document = {
            "parts": [{**asdict(part), "url": url} for part, url in self.parts],
            "version": self.version,
            "recipe": None if self.recipe is None else self.recipe.to_json(),
            "refused": self.refused,
        }
        return json.dumps(document).encode()

    @classmethod
    def read(cls, raw: bytes) -> "Answer":
        """Read it; raises ValueError."""
        document = json.loads(raw)
        refused, recipe = document["refused"], document["recipe"]
        parts = tuple((Part.read(part), _address(part["url"])) for part in document["parts"])
        return cls(
            parts,
            str(document["version"]),
            None if recipe is None else recipe_of(recipe),
            None if refused is None else (str(refused[0]), str(refused[1])),
        )


def _address(url: Any) -> str:
    if not isinstance(url, str) or urlsplit(url).scheme not in ("http", "https"):
        raise ValueError("a part has no http address")
    return url
