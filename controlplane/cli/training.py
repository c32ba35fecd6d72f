"""What a model was trained on, from a CSV file with a line of names."""

import csv
import io
import math

import click

from controlplane.client.rows import Cell


def columns_of(text: str) -> list[dict[str, Cell]]:
    """Read a CSV file; a column is of numbers if all its cells are, and empty cells are missing."""
    lines = list(csv.DictReader(io.StringIO(text)))
    if not lines:
        raise click.UsageError("The file has no rows.")
    numeric = {name for name in lines[0] if all(_is_number(line[name]) for line in lines)}
    return [
        {
            name: None if not cell else float(cell) if name in numeric else cell
            for name, cell in line.items()
            if name is not None
        }
        for line in lines
    ]


def _is_number(cell: str | None) -> bool:
    if not cell:
        return True
    try:
        return math.isfinite(float(cell))
    except ValueError:
        return False
