"""Reports of a result: one HTML page, JSON, JUnit XML. Locust writes its CSV beside them."""

from pathlib import Path
from typing import Final

from loadtests.reports import compare, junit, page
from loadtests.result import Result

NAMES: Final = {"html": "report.html", "json": "report.json", "junit": "junit.xml"}
CSV: Final = ("locust_stats.csv", "locust_stats_history.csv", "locust_failures.csv")


def write(result: Result, earlier: Result | None, folder: Path) -> dict[str, str]:
    """Write all reports; gives their paths by kind."""
    changes = compare.changes(earlier, result) if earlier is not None else []
    texts = {
        "html": page.render(result, earlier, changes),
        "json": result.model_dump_json(indent=1),
        "junit": junit.render(result),
    }
    found = {}
    for kind, text in texts.items():
        path = folder / NAMES[kind]
        path.write_text(text, "utf-8")
        found[kind] = str(path)
    csv = [folder / name for name in CSV]
    return found | {path.stem: str(path) for path in csv if path.exists()}
