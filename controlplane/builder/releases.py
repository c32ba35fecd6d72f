"""The releases of scikit-learn whose models are built, and what each is installed with.

Data only. Every package is named by its exact version, dependencies of dependencies included, so
that an environment made today is the one made in a year, and nothing is resolved from what a
tenant's file says.
"""

from dataclasses import dataclass
from typing import Final

_OURS: Final = 11  # our own code wants Python 3.11
# The same for all. threadpoolctl before 3.8 starts a compiler to find the C library.
_SHARED: Final = (
    "threadpoolctl==3.8.0",
    "python-dateutil==2.9.0.post0",
    "pytz==2025.2",
    "six==1.17.0",
    "tzdata==2025.2",
)


class UnknownRelease(Exception):
    """No environment can be made of this version; says why and what to do."""

    def __init__(self, reason: str, advice: str) -> None:
        super().__init__(reason)
        self.reason, self.advice = reason, advice


@dataclass(frozen=True, slots=True)
class _Companions:
    """What was current with a line of releases: known to both, with wheels for its Pythons."""

    numpy: str
    scipy: str
    joblib: str
    pandas: str
    narwhals: str | None = None


# numpy 2 reads what numpy 1 pickled; wheels of scikit-learn run on it from 1.4.2 on.
_1_1 = _Companions("1.23.5", "1.9.3", "1.2.0", "1.5.3")
_1_2 = _Companions("1.24.4", "1.10.1", "1.2.0", "1.5.3")
_1_3 = _Companions("1.26.4", "1.11.4", "1.3.2", "2.1.4")
_1_4 = _Companions("1.26.4", "1.12.0", "1.3.2", "2.2.3")
_1_4_2 = _Companions("2.0.2", "1.13.1", "1.4.2", "2.2.3")
_1_5 = _Companions("2.1.3", "1.14.1", "1.4.2", "2.2.3")
_1_6 = _Companions("2.2.6", "1.15.3", "1.4.2", "2.2.3")
_1_7 = _Companions("2.3.5", "1.16.3", "1.5.2", "2.3.3")
_1_9 = _Companions("2.4.6", "1.17.1", "1.5.2", "2.3.3", narwhals="2.9.0")

# Version, the newest minor Python that its wheels are for (they all are for 3.11), companions.
_RELEASES: Final[dict[str, tuple[int, _Companions]]] = {
    "1.1.3": (11, _1_1),
    "1.2.0": (11, _1_2),
    "1.2.1": (11, _1_2),
    "1.2.2": (11, _1_2),
    "1.3.0": (11, _1_3),
    "1.3.1": (12, _1_3),
    "1.3.2": (12, _1_3),
    "1.4.0": (12, _1_4),
    "1.4.1.post1": (12, _1_4),
    "1.4.2": (12, _1_4_2),
    "1.5.0": (12, _1_5),
    "1.5.1": (12, _1_5),
    "1.5.2": (13, _1_5),
    "1.6.0": (13, _1_6),
    "1.6.1": (13, _1_6),
    "1.7.0": (13, _1_7),
    "1.7.1": (13, _1_7),
    "1.7.2": (14, _1_7),
    "1.8.0": (14, _1_7),
    "1.9.0": (14, _1_9),
    "1.9.1": (14, _1_9),
}
VERSIONS: Final = tuple(_RELEASES)
OLDEST, NEWEST = VERSIONS[0], VERSIONS[-1]


@dataclass(frozen=True, slots=True)
class Release:
    """One release.

    pythons       the oldest and the newest minor version of Python 3 that it can be had for
    requirements  everything that is installed, as `name==version`
    """

    version: str
    pythons: tuple[int, int]
    requirements: tuple[str, ...]


def release(version: str) -> Release:
    """Give a release by its exact version; raises UnknownRelease."""
    if version not in _RELEASES:
        known = f"Models of scikit-learn {OLDEST} to {NEWEST} (final releases) can be built."
        raise UnknownRelease(
            f"The model was saved with scikit-learn {version[:20]}, {_why(version)}.",
            f"{known} Fit and save the model with one of them, then push again.",
        )
    newest, with_ = _RELEASES[version]
    requirements = [
        f"scikit-learn=={version}",
        f"numpy=={with_.numpy}",
        f"scipy=={with_.scipy}",
        f"joblib=={with_.joblib}",
        f"pandas=={with_.pandas}",
        *_SHARED,
    ]
    if with_.narwhals is not None:
        requirements.append(f"narwhals=={with_.narwhals}")
    return Release(version, (_OURS, newest), tuple(requirements))


# Everything that a process of scikit-learn imports before it locks itself: it comes from the
# package index by these names, and from nowhere else.
NAMES: Final = frozenset(
    text.partition("==")[0] for version in VERSIONS for text in release(version).requirements
)


def _why(version: str) -> str:
    place = _place(version)
    if place is not None and place < (_place(OLDEST) or ()):
        return f"which has no wheels for Python 3.{_OURS}"
    if place is not None and place > (_place(NEWEST) or ()):
        return "which is newer than this KubeServe knows"
    return "which is not a final release that this KubeServe knows"


def _place(version: str) -> tuple[int, ...] | None:
    parts = version.split(".")[:3]
    return tuple(map(int, parts)) if all(part.isdigit() for part in parts) else None
