"""From a text to its tokens, exactly as scikit-learn's vectorizers cut it.

The order of tokens is of no account, since they are counted: it is not always scikit-learn's.

Cost: pure Python over the characters, the one place where a plan cannot do without; 0.1 to 0.2 us a
token, a third of what scikit-learn takes. Words of Western languages, as the usual expressions find
them, are told apart by a table of characters, at 25 ns each. Linear in the text: see `patterns` for
its expressions.
"""

import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator
from functools import cache
from typing import Final

from runtime.plan.ops import Fields
from runtime.plan.patterns import Refused, compiled

Cut = Callable[[str], Iterable[list[str]]]

MOST_N: Final = 20  # of n-grams
MOST_STOP_WORDS: Final = 100_000
# Tokens held at once: a text of 8 MB has more n-grams than fit into memory as strings.
CHUNK: Final = 1 << 14
# Stands between texts that are cut together, and is no part of a word.
BREAK: Final = "\0"
_SPACES: Final = re.compile(r"\s\s+")
# Expressions that find every run of characters of words, if it has so many.
_RUNS: Final = {
    flags + run: least
    for flags in ("", "(?u)")
    for run, least in ((r"\b\w\w+\b", 2), (r"\b\w+\b", 1), (r"\w\w+", 2), (r"\w+", 1))
}
# One byte a character: Western languages, and the quotes and dashes that editors put around words.
# A capital's small letter is always among them.
_WESTERN: Final = "cp1252"
_CHARACTERS: Final = bytes(range(256)).decode(_WESTERN, "replace")
_LETTERS: Final = frozenset(c for c in _CHARACTERS if c.isalnum() or c == "_")


class Analyzer:
    """How a vectorizer was told to cut texts.

    ignored  tokens that it gives and that do not count
    breaks   it may give BREAK between the tokens of two texts
    by_word  the tokens of a text are those of its words, which whitespace parts
    source   sklearn.feature_extraction.text._VectorizerMixin.build_analyzer
    """

    def __init__(self, fields: Fields) -> None:
        kind = fields.choice("analyzer", "word", "char", "char_wb")
        self.lowercase = fields.flag("lowercase")
        accents = fields.choice("accents", "kept", "ascii", "unicode")
        self._strip = {"kept": None, "ascii": _ascii, "unicode": _unaccented}[accents]
        self.low, self.high = _range(fields)
        self._cut: Cut = {
            "word": self._words,
            "char": self._chars,
            "char_wb": self._chars_of_words,
        }[kind]
        self._table: bytes | None = None
        self.ignored: frozenset[str] = frozenset()
        self.breaks, self.by_word = False, kind == "char_wb"
        if kind == "word":
            pattern = fields.text("pattern")
            try:
                self._find = compiled(pattern).findall
            except Refused as error:
                raise fields.fail(f"'pattern' is not taken: {error}") from error
            self.ignored = _stop_words(fields)
            self._read_runs(pattern)

    def _read_runs(self, pattern: str) -> None:
        """Make the table that finds what the expression does, if it is one of runs."""
        least = _RUNS.get(pattern)
        if least is None:
            return
        self._table = _table(self.lowercase)
        self.breaks = self.high == 1
        if least > 1:
            # Not a copy of them for each node of a plan that has no words of its own.
            self.ignored = self.ignored | _LETTERS if self.ignored else _LETTERS

    def together(self, texts: list[str]) -> list[str] | None:
        """Give the tokens of all texts, with BREAK between texts; None if that cannot be."""
        if not self.breaks:
            return None
        text = f" {BREAK} ".join(texts)
        if text.count(BREAK) != len(texts) - 1 or not (self._strip is None or text.isascii()):
            return None
        return self._runs(text)

    def _runs(self, text: str) -> list[str] | None:
        """Give what characters of no word part; None if one is not in the table."""
        if self._table is None:
            return None
        codec = "ascii" if text.isascii() else _WESTERN
        try:
            return text.encode(codec).translate(self._table).decode(codec).split()
        except UnicodeEncodeError:
            return None

    def pieces(self, text: str) -> Iterable[list[str]]:
        """Give all tokens of a text, in lists of a bounded length."""
        return self._cut(self.plain(text))

    def plain(self, text: str) -> str:
        """Give a text without what does not count: capitals, accents."""
        if self.lowercase:
            text = text.lower()
        return text if self._strip is None else self._strip(text)

    def _words(self, text: str) -> Iterable[list[str]]:
        """Source: _word_ngrams."""
        runs = None if BREAK in text else self._runs(text)
        tokens: list[str] = self._find(text) if runs is None else runs
        if self.high == 1:
            return (tokens,)
        if self.ignored:
            ignored = self.ignored
            tokens = [token for token in tokens if token not in ignored]
        return self._joined(tokens)

    def _joined(self, tokens: list[str]) -> Iterator[list[str]]:
        join = " ".join
        for n in range(self.low, min(self.high, len(tokens)) + 1):
            if n == 1:
                yield tokens
                continue
            count = len(tokens) - n + 1
            for start in range(0, count, CHUNK):
                end = min(start + CHUNK, count)
                neighbours = (tokens[start + i : end + i] for i in range(n))
                yield list(map(join, zip(*neighbours, strict=True)))

    def _chars(self, text: str) -> Iterator[list[str]]:
        """Source: _char_ngrams."""
        text = _SPACES.sub(" ", text)
        for n in range(self.low, min(self.high, len(text)) + 1):
            yield from _slices(text, n)

    def _chars_of_words(self, text: str) -> Iterator[list[str]]:
        """Source: _char_wb_ngrams."""
        for word in text.split():
            yield from self.of_word(word)

    def of_word(self, word: str) -> Iterator[list[str]]:
        """Give the tokens of one word of a plain text, where they are made by word."""
        padded = f" {word} "
        for n in range(self.low, self.high + 1):
            if n >= len(padded):  # a short word is counted once
                yield [padded]
                break
            yield from _slices(padded, n)


@cache
def _table(lowercase: bool) -> bytes:
    """Give what each byte becomes: itself or its small letter, a space where it is of no word."""
    of = {c: c.lower() if lowercase else c for c in _LETTERS} | {BREAK: BREAK}
    return "".join(of.get(c, " ") for c in _CHARACTERS).encode(_WESTERN)


def _slices(text: str, n: int) -> Iterator[list[str]]:
    count = len(text) - n + 1
    for start in range(0, count, CHUNK):
        end = min(start + CHUNK, count)
        if n == 1:
            yield list(text[start:end])
        else:
            yield [text[i : i + n] for i in range(start, end)]


def _ascii(text: str) -> str:
    """Source: sklearn.feature_extraction.text.strip_accents_ascii."""
    return unicodedata.normalize("NFKD", text).encode("ASCII", "ignore").decode("ASCII")


def _unaccented(text: str) -> str:
    """Source: sklearn.feature_extraction.text.strip_accents_unicode."""
    if text.isascii():
        return text
    apart = unicodedata.normalize("NFKD", text)
    return "".join([c for c in apart if not unicodedata.combining(c)])


def _range(fields: Fields) -> tuple[int, int]:
    pair = fields.items("ngrams", 2)
    if len(pair) != 2 or not all(type(n) is int for n in pair) or not 1 <= pair[0] <= pair[1]:
        raise fields.fail("'ngrams' must be the least and the most")
    if pair[1] > MOST_N:
        raise fields.fail(f"'ngrams' goes up to {MOST_N}")
    return pair[0], pair[1]


def _stop_words(fields: Fields) -> frozenset[str]:
    words = fields.items("stop", MOST_STOP_WORDS) if fields.has("stop") else ()
    if not all(isinstance(word, str) for word in words):
        raise fields.fail("'stop' must hold words")
    return frozenset(words)
