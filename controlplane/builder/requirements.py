"""requirements.txt of a bundle: packages by name and version, and nothing that leads elsewhere.

Read in a locked process. Which index is asked is the operator's to say, and what is installed comes
as wheels, so options, addresses and paths are refused in words.
"""

import re
from typing import Final

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name

from runtime.bundle import REQUIREMENTS, NotABundle

MOST: Final = 200
# What leaves here: nothing that a reader of requirements could take for an option or a path.
PLAIN: Final = re.compile(
    r"[a-z0-9](?:[a-z0-9-]*[a-z0-9])?(?:\[[a-z0-9,-]+\])?"
    r"(?:(?:===|[<>=!~]=|[<>])[A-Za-z0-9.*+!_-]+(?:,(?:===|[<>=!~]=|[<>])[A-Za-z0-9.*+!_-]+)*)?"
)
_COMMENT: Final = re.compile(r"(^|\s)#.*$")
_ARCHIVES: Final = (".whl", ".zip", ".tar.gz", ".tgz", ".tar.bz2", ".tar.xz", ".tar")
_NAME_IT: Final = "Write NAME==VERSION; put packages of your own into wheels (--wheel)."
_OPTIONS: Final = {
    ("-r", "--requirement", "-c", "--constraint"): (
        "names another file",
        "Write all requirements into one file.",
    ),
    ("-e", "--editable"): (
        "asks for an editable package",
        "Push its folder with --code, or make a wheel of it and push that with --wheel.",
    ),
    ("-i", "--index-url", "--extra-index-url", "--index", "--default-index", "-f", "--find-links",
     "--no-index", "--trusted-host"): (
        "chooses a package index",
        "Leave it out, packages come from the operator's; push those of your own with --wheel.",
    ),
}  # fmt: skip


def read(text: str) -> tuple[str, ...]:
    """Give the requirements that apply to this Python, one each; raises NotABundle."""
    found = []
    for number, line in _lines(text):
        requirement = _requirement(line, f"Line {number} of {REQUIREMENTS}")
        if requirement is not None:
            found.append(requirement)
    if len(found) > MOST:
        raise NotABundle(
            f"{REQUIREMENTS} has {len(found)} requirements; {MOST} are the limit.",
            "Name the packages that the model needs; what they need comes with them.",
        )
    return tuple(dict.fromkeys(found))


def _lines(text: str) -> list[tuple[int, str]]:
    """Give what is said, with the number of its line; a backslash at an end joins two."""
    found, kept, began = [], "", 1
    for number, line in enumerate(text.splitlines(), 1):
        kept, began = (kept + line, began) if kept else (line, number)
        if kept.endswith("\\"):
            kept = kept[:-1] + " "
            continue
        plain = _COMMENT.sub("", kept).strip()
        kept = ""
        if plain:
            found.append((began, plain))
    if kept.strip():
        found.append((began, _COMMENT.sub("", kept).strip()))
    return found


def _requirement(line: str, where: str) -> str | None:
    shown = ascii(line[:80])
    if line.startswith("-"):
        raise _option(line, f"{where}, {shown},")
    if "--hash" in line:
        raise NotABundle(
            f"{where} has hashes.",
            "Leave them out (`uv export --no-hashes`): KubeServe resolves the requirements once,"
            " pins them with hashes itself and shows them with the version.",
        )
    try:
        requirement = Requirement(line)
    except InvalidRequirement as error:
        raise NotABundle(f"{where}, {shown}, is {_elsewhere(line)}.", _NAME_IT) from error
    if requirement.url is not None or requirement.name.endswith(_ARCHIVES):
        raise NotABundle(f"{where}, {shown}, is {_elsewhere(line)}.", _NAME_IT)
    if requirement.marker is not None and not requirement.marker.evaluate():
        return None
    extras = sorted(canonicalize_name(extra) for extra in requirement.extras)
    named = canonicalize_name(requirement.name) + (f"[{','.join(extras)}]" if extras else "")
    plain = f"{named}{requirement.specifier}"
    if not PLAIN.fullmatch(plain):
        raise NotABundle(f"{where}, {shown}, is no plain requirement.", _NAME_IT)
    return plain


def _option(line: str, where: str) -> NotABundle:
    said = re.split(r"[\s=]", line, maxsplit=1)[0]
    for options, (fault, advice) in _OPTIONS.items():
        short = any(len(option) == 2 and said.startswith(option) for option in options)
        if said in options or (short and not said.startswith("--")):
            return NotABundle(f"{where} {fault}.", advice)
    return NotABundle(f"{where} is an option of pip, which is not taken here.", _NAME_IT)


def _elsewhere(line: str) -> str:
    if re.match(r"(\w+\s*@\s*)?(git|hg|svn|bzr)\+", line):
        return "a repository, which would have to be built"
    if re.search(r"\w+://", line):
        return "an address"
    if line.startswith((".", "/", "~")) or line.split(";")[0].strip().endswith(_ARCHIVES):
        return "a file"
    return "no requirement"
