"""The page of operations: it is what the readers ask for, and it leaves none out."""

from pathlib import Path

from controlplane.builder.coverage.operations import operations, page
from runtime.plan.graph import FAMILY_OF

COMMITTED = Path(__file__).parents[3] / "runtime" / "plan" / "OPS.md"


def test_the_committed_page_is_what_the_readers_ask_for(every):
    found = operations(every)
    assert COMMITTED.read_text() == page(found), "run `task operations` and commit OPS.md"
    assert set(found) == set(FAMILY_OF)
    # Every operation is in an example: one that nobody reads would be a line without methods.
    assert [name for name, seen in found.items() if not seen.methods] == []
