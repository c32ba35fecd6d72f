"""Plans against scikit-learn, both in process, on one core: a row, and thousands.

Both get what they would get: scikit-learn an array, a data frame or a list of texts, the plan what
the codecs make of a request; a sparse answer of scikit-learn's counts once it is the array that is
sent. Calls alternate until a cell's time is spent; what takes long is
called at least twice. Processor time is compared, which others on the machine disturb least.
"""

import statistics
import time
import warnings
from collections.abc import Callable
from typing import Any, Final

import numpy as np
from scipy import sparse

from loadtests.benchmarks.examples import Example, Without, examples
from loadtests.benchmarks.measuring import (
    SERVER_CORE,
    TIMES,
    Options,
    Raw,
    Row,
    number,
    pinned,
    times,
)
from loadtests.benchmarks.samples import Rows

HEIGHTS: Final = (1, 10, 100, 1000, 10_000)
CELL_SHARE: Final = 0.06  # of a round's seconds, for each family and height
SAMPLE_S: Final = 0.0005  # calls are repeated until the clock's own cost is nothing beside them
LONG_S: Final = 0.5  # what is done only once is nothing beside it
LEAST: Final = 2
RESERVE_S: Final = 60.0  # for what is begun before, and for imports on a busy machine
ALONE: Final = 10.0
# Their own code is compiled, and a row alone takes them little.
HARDER: Final[dict[str, float]] = dict.fromkeys(
    (
        "SVC",
        "NuSVC",
        "SVR",
        "NuSVR",
        "OneClassSVM",
        "GradientBoostingClassifier",
        "GradientBoostingRegressor",
    ),
    3.0,
)
TOGETHER: Final = 0.9


def limit_s(options: Options) -> float:
    """Give the seconds it takes at most."""
    return 80 + 110 * options.seconds


def measure(options: Options) -> Raw:
    """Time every family at every height; those that time does not reach are named."""
    within_s = limit_s(options) - RESERVE_S
    heights = [height for height in HEIGHTS if height <= options.most_rows]
    families: dict[str, Raw] = {}
    without: dict[str, str] = {}
    refused: dict[str, str] = {}
    print(f"{'scikit-learn / plan at rows':<32}" + "".join(f"{height:>9}" for height in heights))
    with pinned(SERVER_CORE):
        for example in examples(options.families, within_s):
            if isinstance(example, Without):
                (refused if example.refused else without)[example.name] = example.reason
            else:
                found = family(example, heights, CELL_SHARE * options.seconds)
                families[example.name] = found
                cells = "".join(f"{ratio(found[str(height)]):>9.2f}" for height in heights)
                print(f"{example.name:<32}{cells}", flush=True)
    return {"families": families, "without": without, "refused": refused}


def family(example: Example, heights: list[int], cell_s: float) -> Raw:
    """Time one family's own method."""
    method = example.methods[0]
    rows = example.sample.rows(max(heights))
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        return {"method": method} | {
            str(height): cell(example, method, rows.slice(0, height), cell_s) for height in heights
        }


def cell(example: Example, method: str, rows: Rows, cell_s: float) -> Raw:
    """Give microseconds a call of both: medians of processor and of wall time, and the best."""
    theirs = getattr(example.estimator, method)
    sides: dict[str, Callable[[], Any]] = {
        "plan": lambda: example.plan.run(method, rows.ours),
        "sklearn": lambda: array(theirs(rows.theirs)),
    }
    taken: dict[str, list[tuple[float, float]]] = {name: [] for name in sides}
    repeats = {name: repeated(call, taken[name]) for name, call in sides.items()}
    until = time.perf_counter() + cell_s
    while time.perf_counter() < until or len(taken["sklearn"]) < LEAST:
        for name, call in sides.items():
            taken[name].append(timed(call, repeats[name]))
    found: Raw = {}
    for name, spent in taken.items():
        cpu, wall = zip(*spent, strict=True)
        found[f"{name}_us"] = round(1e6 * statistics.median(cpu), 3)
        found[f"{name}_best_us"] = round(1e6 * min(cpu), 3)
        found[f"{name}_wall_us"] = round(1e6 * statistics.median(wall), 3)
    return found


def array(answer: Any) -> Any:
    """Give an answer as it is sent: a plan's always is an array, some of scikit-learn's are not."""
    return answer.toarray() if sparse.issparse(answer) else answer


def repeated(call: Callable[[], Any], taken: list[tuple[float, float]]) -> int:
    """Warm up, and give how often to call within one sample; a long call is a sample already."""
    first = timed(call, 1)
    if first[1] > LONG_S:
        taken.append(first)
        return 1
    return max(1, round(SAMPLE_S / timed(call, 1)[1]))


def timed(call: Callable[[], Any], repeats: int) -> tuple[float, float]:
    """Give the seconds of one of so many calls: of the processor's, and by the clock."""
    wall, cpu = time.perf_counter(), time.process_time()
    for _ in range(repeats):
        call()
    return (time.process_time() - cpu) / repeats, (time.perf_counter() - wall) / repeats


def ratio(found: Raw, figure: str = "us") -> float:
    """Give how much longer scikit-learn takes."""
    return float(found[f"sklearn_{figure}"] / found[f"plan_{figure}"])


def rows(raw: Raw) -> list[Row]:
    """Hold each height against its aim."""
    families = raw["families"]
    heights = [height for height in HEIGHTS if all(str(height) in f for f in families.values())]
    lines = []
    for height in heights if families else ():
        ratios = {name: ratio(found[str(height)]) for name, found in families.items()}
        lines.append(line(height, ratios))
    if raw["without"] and lines:
        note = ", ".join(raw["without"])
        lines.append(Row("families without an example", str(len(raw["without"])), "0", False, note))
    return lines


def line(height: int, ratios: dict[str, float]) -> Row:
    """Tell how many families reach the aim at a height, the middle one, and who does not."""
    aims = {name: HARDER.get(name, ALONE) if height == 1 else TOGETHER for name in ratios}
    short = sorted((name for name in ratios if ratios[name] < aims[name]), key=ratios.__getitem__)
    asked = f"{ALONE:g}{TIMES}, SVC and gradient boosting {min(HARDER.values()):g}{TIMES}"
    called = "a row" if height == 1 else f"{height:,} rows"
    notes = [f"median {times(statistics.median(ratios.values()))}"]
    notes += [f"{name} {number(ratios[name])}" for name in short]
    return Row(
        f"families whose plan is faster than scikit-learn in process by the aim, {called}",
        f"{len(ratios) - len(short)} of {len(ratios)}",
        asked if height == 1 else f"{TOGETHER:g}{TIMES}",
        not short,
        "; ".join(notes),
    )


def tables(raw: Raw) -> str:
    """Write every family at every height."""
    families = raw["families"]
    if not families:
        return ""
    heights = [name for name in next(iter(families.values())) if name != "method"]
    titles = [f"{int(height):,}" for height in heights]
    head = f"| estimator | method | {' | '.join(titles)} |\n{'| --- ' * (len(heights) + 2)}|\n"
    lines = [
        f"| {name} | {found['method']} |"
        f" {' | '.join(written(found[height]) for height in heights)} |\n"
        for name, found in families.items()
    ]
    said = (
        "By rows of a call: how many times as long scikit-learn takes as the plan, and the"
        " microseconds of both; medians of processor time.\n\n"
    )
    return said + head + "".join(lines)


def written(found: Raw) -> str:
    """Write one cell."""
    micros = f"{number(found['sklearn_us'])} / {number(found['plan_us'])}"
    return f"**{number(ratio(found))}** ({micros})"
