"""Regular expressions for tokens: what is taken ends in linear time, the rest says why not."""

import re
import warnings

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from runtime.plan.patterns import Refused, compiled

TAKEN = [
    r"(?u)\b\w\w+\b",  # scikit-learn's own
    r"\b\w+\b",
    r"\w+\b",
    r"\S+",
    r"[^\s]+",
    r"[a-z]+",
    r"(?i)\b([a-z]+)\b",
    r"\b[a-zA-Z]{3,}\b",
    r"\b\w{3,20}\b",
    r"(?u)\b[\w-]+\b",
    r"\b\w[\w']+\b",
    r"\b[^\d\W]+\b",
    r"(?u)\b\w\w+\b|!|\?|\"|\'",
    r"(?:\w+|\d)",
    r"\b\w\w+\b|\b\d",
    r"a(?:b|cd|c(e|ff+))",
    r"(?a)\w+\b",
    r"(?x) \w + # a comment",
    r".",
    r"\w*",
    r"",
]
REFUSED = {
    r"(a+)+b": "more than a single character",
    r"(a|aa)+$": "more than a single character",
    r"\w+(?:[-']\w+)*": "without bound before its end",
    r"a+b": "without bound before its end",
    r"\b\w*[a-z]+\w*\b": "without bound before its end",
    r"\b\w+$": "without bound before its end",
    r"^\w": "uses at",
    r"(?=a)a+": "uses assert",
    r"(?<!a)b": "uses assert_not",
    r"(\w)\1": "uses groupref",
    r"\w+?": "uses min_repeat|uses min repeat",
    r"\w++": "uses possessive repeat",
    r"(?>a+)": "uses atomic group",
    r"[a-z]+\b": r"edge of a word \(\\b\)",
    r"\b\w{1,20}[a-z-]*\b": "edge of a word too often",
    r"\w{1,20}-\w{1,20}": "too many ways",
    r"\w{300}": "too many ways",
    r"(?i:a)b": "flags in its middle",
    r"(a)(b)": "more than one group",
    r"a(b|cd)e": "uses branch",
    r"(a|b+)c|d": "without bound before its end|uses branch",
    "|".join(f"{c}{c}" for c in "abcdefghijklmnopqrstu"): "branches",
    "a" * 201: "longer than",
    r"(": "no regular expression",
    r"a{99999999999999}": "no regular expression",
    r"(?L)a": "no regular expression",
}


@pytest.mark.parametrize("pattern", TAKEN)
def test_usual_expressions_are_taken(pattern):
    text = "The cat's 3 well-known dogs!  ÉTÉ"
    assert compiled(pattern).findall(text) == re.findall(pattern, text)


@pytest.mark.parametrize("pattern", REFUSED)
def test_what_could_take_long_is_refused_with_a_reason(pattern):
    with pytest.raises(Refused, match=REFUSED[pattern].replace("_", "[_ ]")):
        compiled(pattern)


# Of 60,000 characters: n² steps would take minutes, n³ days.
LONG = {
    "one word": "a" * 60_000,
    "ends in a digit": "a" * 60_000 + "1",
    "dashes": "a" + "-" * 60_000 + "!",
    "dashes and letters": "a-" * 30_000 + "-!",
    "edges": "a " * 30_000,
    "spaces": " " * 60_000,
    "quotes": "a'" * 30_000 + "'",
    "mixed": "ab1-é' " * 8_000,
}


@pytest.mark.parametrize("text", LONG)
def test_expressions_that_are_taken_end_on_texts_made_to_last(text):
    for pattern in TAKEN:
        compiled(pattern).findall(LONG[text])


PIECES = [r"\w", "a", "[a-c]", "[^b]", r"[\w'-]", ".", r"\s", "-", r"\b", "|", "(", ")", "(?:"]
REPEATS = ["", "+", "*", "?", "{2}", "{2,}", "{1,3}", "+?", "++"]


@settings(max_examples=300, deadline=None, derandomize=True)
@given(
    st.lists(st.tuples(st.sampled_from(PIECES), st.sampled_from(REPEATS)), min_size=1, max_size=5)
)
def test_any_expression_is_refused_or_ends(pieces):
    pattern = "".join(piece + repeat for piece, repeat in pieces)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            taken = compiled(pattern)
        except Refused:
            return
    for text in LONG.values():
        taken.findall(text[:20_000] + text[-10:])
