"""The coverage table as a page of Markdown."""

from collections.abc import Sequence
from typing import Final

import sklearn

from controlplane.builder.coverage.trial import Row, Served

_HEAD: Final = """\
# What is served by a plan

Every estimator of scikit-learn {version}, each fitted on a small example, built as an upload is
built and held against scikit-learn's own answers. `task coverage` writes this page; a test fails
when it is stale.

- **plan**: compiled, and served without scikit-learn. **partly**: so, but for the options named.
- **fallback**: served by scikit-learn itself, in a sandbox. So are subclasses and estimators of
  other packages.
- Exactness: **bitwise** in any batch; **batch**: bitwise at the same batch size; **tolerance**:
  within 1e-12, or what the family's module states.

| estimator | served by | methods of the plan | exactness | what is not in the plan, and why |
| --- | --- | --- | --- | --- |
"""


def page(rows: Sequence[Row]) -> str:
    """Write the table, and what share of it has plans."""
    lines = [
        f"| {row.name} | {row.served} | {', '.join(row.methods)} | {row.exact} |"
        f" {'; '.join(_cell(note) for note in row.notes)} |\n"
        for row in rows
    ]
    return _HEAD.format(version=sklearn.__version__) + "".join(lines) + _summary(rows)


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")


def share(rows: Sequence[Row]) -> float:
    """Give plans, whole or in part, of all that there is something to serve of."""
    counted = [row for row in rows if row.served is not Served.NOTHING]
    return sum(row.served is not Served.FALLBACK for row in counted) / len(counted)


def _summary(rows: Sequence[Row]) -> str:
    count = {served: sum(row.served is served for row in rows) for served in Served}
    usable = len(rows) - count[Served.NOTHING]
    plans = count[Served.PLAN] + count[Served.PARTLY]
    return (
        f"\n{len(rows)} estimators: {count[Served.NOTHING]} have nothing to serve, and of the other"
        f" {usable} there is a plan for {plans} ({share(rows):.1%}): {count[Served.PLAN]} with"
        f" every option tried here, {count[Served.PARTLY]} with some. {count[Served.FALLBACK]}"
        " go to the fallback.\n"
    )
