"""Which texts and documents the database keeps."""

from typing import Any

import pytest

from controlplane.texts import is_storable, unstorable


@pytest.mark.parametrize(
    ("document", "where"),
    [
        ({"name": "iris", "rows": [1, None, {"é": "😀"}]}, None),
        ("a\0", ""),
        (["a", "b\0"], "1"),
        ({"a": [{"b": "\ud800"}]}, "a.0.b"),
        ({"a": {"b\0": 1}}, "a"),
        ({"\udfff": 1}, ""),
    ],
)
def test_a_text_that_no_database_keeps_is_found_wherever_it_is(
    document: Any, where: str | None
) -> None:
    assert unstorable(document) == where


def test_a_document_may_be_deep() -> None:
    document: Any = "\0"
    for _ in range(5000):
        document = [document]
    assert unstorable(document) == ".".join(["0"] * 5000)


def test_whole_pairs_are_texts() -> None:
    assert is_storable("😀\n\x01")
