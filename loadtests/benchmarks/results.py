"""From the raw result file to tables: README's figures are this and nothing else."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from loadtests.benchmarks import (
    cores,
    exactness,
    http,
    layouts,
    payload_log,
    payloads,
    peers,
    plans,
    soak,
    start,
    tokens,
    verification,
)
from loadtests.benchmarks.measuring import ROOT, Options, Raw, Row

RESULTS: Final = Path(__file__).with_name("results.json")
README: Final = ROOT / "README.md"
TABLES: Final = RESULTS.with_name("TABLES.md")
BEGIN: Final = "<!-- figures: made from loadtests/benchmarks/results.json by `task bench` -->\n"
END: Final = "<!-- end of figures -->\n"
NOTHING: Final = "Not measured yet: `task bench`.\n"
MARKS: Final = {True: "yes", False: "**no**", None: ""}


@dataclass(frozen=True, slots=True)
class Part:
    """One of the benchmarks.

    measure  does it, printing figures at once; gives what is kept
    rows     what that shows, for README
    limit_s  seconds after which it is ended
    tables   what it shows in full, for TABLES.md
    """

    measure: Callable[[Options], Raw]
    rows: Callable[[Raw], list[Row]]
    limit_s: Callable[[Options], float]
    tables: Callable[[Raw], str] | None = None


PARTS: Final[dict[str, Part]] = {
    "http": Part(http.measure, http.rows, http.limit_s),
    "payloads": Part(payloads.measure, payloads.rows, payloads.limit_s),
    "payload_log": Part(payload_log.cost, payload_log.cost_rows, payload_log.cost_limit_s),
    "store_down": Part(payload_log.down, payload_log.down_rows, payload_log.down_limit_s),
    "cores": Part(cores.measure, cores.rows, cores.limit_s),
    "start": Part(start.measure, start.rows, start.limit_s),
    "exactness": Part(exactness.measure, exactness.rows, exactness.limit_s, exactness.tables),
    "plans": Part(plans.measure, plans.rows, plans.limit_s, plans.tables),
    "layouts": Part(layouts.measure, layouts.rows, layouts.limit_s, layouts.tables),
    "tokens": Part(tokens.measure, tokens.rows, tokens.limit_s),
    "verification": Part(verification.measure, verification.rows, verification.limit_s),
    "soak": Part(soak.measure, soak.rows, soak.limit_s),
    "peers": Part(peers.measure, peers.rows, peers.limit_s),
}

# Measured alone, when what they compare has changed.
WHEN_ASKED: Final = ("exactness", "layouts", "peers", "store_down")


def read(path: Path = RESULTS) -> Raw:
    """Read what was measured."""
    found: Raw = json.loads(path.read_text())
    return found


def keep(name: str, entry: Raw, path: Path = RESULTS) -> None:
    """Put a part's result in the place of its last one."""
    results = read(path) | {name: entry}
    path.write_text(json.dumps({part: results[part] for part in PARTS if part in results}) + "\n")


def figures(results: Mapping[str, Raw]) -> str:
    """Write README's table, and what was measured with what."""
    parts = {name: PARTS[name].rows(results[name]["raw"]) for name in PARTS if name in results}
    if not parts:
        return NOTHING
    lines = [
        f"| {row.what} | {row.figure} | {row.aim} | {MARKS[row.met]} | {row.note} | `{name}` |\n"
        for name, found in parts.items()
        for row in found
    ]
    head = "| what | figure | aim | met | | `--only` |\n| --- | --- | --- | --- | --- | --- |\n"
    return head + "".join(lines) + "\n" + "".join(conditions(results))


def conditions(results: Mapping[str, Raw]) -> list[str]:
    """Tell once what parts have in common, and which parts those are."""
    shared: dict[str, list[str]] = {}
    for name in PARTS:
        if name in results:
            shared.setdefault(told(results[name]["environment"]), []).append(name)
    if len(shared) == 1:
        return [f"Measured {next(iter(shared))}\n"]
    return [f"- `{', '.join(names)}`: measured {text}\n" for text, names in shared.items()]


def told(environment: Raw) -> str:
    """Say in words what was measured, when and where."""
    packages = ", ".join(f"{name} {version}" for name, version in environment["packages"].items())
    return (
        f"on {environment['at'][:10]} at commit {environment['commit']} on {environment['cores']}"
        f" cores of {environment['cpu']}; Linux {environment['kernel']},"
        f" Python {environment['python']}, {packages}; numpy multiplies by {environment['blas']}."
    )


def tables(results: Mapping[str, Raw]) -> str:
    """Write what README has no room for."""
    text = "# Results in full\n\nMade from results.json by `task bench`.\n"
    for name, part in PARTS.items():
        if part.tables is not None:
            told = part.tables(results[name]["raw"]) if name in results else NOTHING
            text += f"\n## {name}\n\n{told}"
    return text


def publish() -> None:
    """Write README's figures and TABLES.md from the result file."""
    found = read()
    README.write_text(refreshed(README.read_text(), found))
    TABLES.write_text(tables(found))


def refreshed(text: str, results: Mapping[str, Raw]) -> str:
    """Give README with the figures of these results."""
    before, begin, rest = text.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise ValueError("README.md has lost the marks around its figures")
    return before + BEGIN + figures(results) + END + after


def written(rows: Sequence[Row]) -> str:
    """Write lines for a terminal."""
    return "".join(
        f"  {row.figure:>12}  {row.aim:>12}  {MARKS[row.met].strip('*'):<4}{row.what}"
        f"{'; ' if row.note else ''}{row.note}\n"
        for row in rows
    )
