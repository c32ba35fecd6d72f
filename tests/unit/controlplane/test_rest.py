"""Names, cursors and tags."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.requests import Request

from controlplane import rest
from runtime.problems import InvalidInput, PreconditionFailed


@given(st.text(max_size=60))
def test_a_word_is_a_name_or_told_the_rule(word: str) -> None:
    if rest.is_name(word):
        assert rest.check_name("model", word) == word
        assert 1 <= len(word) <= 40
        return
    with pytest.raises(InvalidInput, match="a letter first"):
        rest.check_name("model", word)


@pytest.mark.parametrize(
    ("word", "better"),
    [("Iris Model", "iris-model"), ("iris_v2", "iris-v2"), ("-x-", "x"), ("É", None), ("1", None)],
)
def test_a_near_miss_is_told_what_would_do(word: str, better: str | None) -> None:
    with pytest.raises(InvalidInput) as refused:
        rest.check_name("model", word)
    assert (f"Try {better!r}" in refused.value.detail) == (better is not None)


@given(st.from_regex(rest.CURSOR, fullmatch=True))
def test_a_cursor_comes_back(key: str) -> None:
    assert rest.after(rest.cursor(key)) == key


@given(st.text(max_size=80))
def test_any_other_cursor_is_refused_in_words(value: str) -> None:
    try:
        key = rest.after(value)
    except InvalidInput as refused:
        assert "cursor" in refused.detail  # noqa: PT017  (most draws take this way)
    else:
        assert key is not None
        assert rest.CURSOR.fullmatch(key)


def test_a_cursor_of_names_is_none_of_numbers() -> None:
    assert rest.after_number(rest.cursor("17")) == 17
    assert rest.after_number(None) is None
    with pytest.raises(InvalidInput):
        rest.after_number(rest.cursor("iris"))


def test_pages_end() -> None:
    def show(row: int) -> dict[str, Any]:
        return {"n": row}

    first = rest.page([1, 2, 3], 2, show, str)
    assert first["items"] == [{"n": 1}, {"n": 2}]
    assert rest.after(first["next"]) == "2"
    assert rest.page([3], 2, show, str) == {"items": [{"n": 3}], "next": None}


@pytest.mark.parametrize(
    ("header", "matches"),
    [(None, True), ("*", True), ("same", True), ('"other"', False), ("", False)],
)
def test_if_match_holds_changes_to_what_was_read(header: str | None, matches: bool) -> None:
    document = {"name": "iris", "versions": 1}
    value = rest.etag(document) if header == "same" else header
    headers = [] if value is None else [(b"if-match", value.encode())]
    request = Request({"type": "http", "headers": headers})
    if matches:
        rest.check_match(request, document)
        return
    with pytest.raises(PreconditionFailed):
        rest.check_match(request, document)
