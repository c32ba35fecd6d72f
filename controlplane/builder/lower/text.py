"""Lowering of vectorizers of texts."""

# A TfidfVectorizer keeps its weights in a private transformer.
# ruff: noqa: SLF001

from typing import Any
from zlib import crc32

import numpy as np
from sklearn.feature_extraction.text import (
    ENGLISH_STOP_WORDS,
    CountVectorizer,
    HashingVectorizer,
    TfidfTransformer,
    TfidfVectorizer,
)

from controlplane.builder.lower.base import Draft, Lowering, Spec
from runtime.plan.analyzers import MOST_N, MOST_STOP_WORDS
from runtime.plan.patterns import Refused, compiled
from runtime.plan.text import DTYPES
from runtime.plan.vocabulary import MOST_IN_A_BUCKET, MOST_TERMS

VECTORIZERS = (CountVectorizer, TfidfVectorizer, HashingVectorizer)
_ACCENTS = {None: "kept", "ascii": "ascii", "unicode": "unicode"}
_ANALYZERS = ("word", "char", "char_wb")


def _analyzer(draft: Draft, vectorizer: Any) -> Spec:
    """How it cuts texts; functions of a tenant's own are not carried over."""
    if vectorizer.input != "content":
        raise draft.unsupported(f"it reads its texts from files (input={vectorizer.input!r})")
    if callable(vectorizer.analyzer) or vectorizer.analyzer not in _ANALYZERS:
        raise draft.unsupported("its analyzer is a function; word, char and char_wb have a plan")
    if callable(vectorizer.strip_accents):
        raise draft.unsupported("its strip_accents is a function; ascii and unicode have a plan")
    if vectorizer.preprocessor is not None and vectorizer.preprocessor is not str.lower:
        raise draft.unsupported("its preprocessor is a function; only str.lower has a plan")
    low, high = (int(n) for n in vectorizer.ngram_range)
    if not 1 <= low <= high <= MOST_N:
        raise draft.unsupported(
            f"its n-grams are from {low} to {high}, a plan's from 1 to {MOST_N}"
        )
    plain = vectorizer.preprocessor is None
    spec: Spec = {
        "analyzer": vectorizer.analyzer,
        "ngrams": [low, high],
        "lowercase": bool(vectorizer.lowercase) if plain else True,
        "accents": _ACCENTS[vectorizer.strip_accents or None] if plain else "kept",
    }
    if vectorizer.analyzer == "word":
        spec |= {"pattern": _pattern(draft, vectorizer), "stop": _stop_words(draft, vectorizer)}
    return spec


def _pattern(draft: Draft, vectorizer: Any) -> str:
    if vectorizer.tokenizer is not None:
        # By identity: whitespace is the same to both.
        if vectorizer.tokenizer is str.split:
            return r"\S+"
        raise draft.unsupported("its tokenizer is a function; only str.split has a plan")
    pattern = str(vectorizer.token_pattern)
    try:
        compiled(pattern)
    except Refused as error:
        raise draft.unsupported(
            f"its token_pattern {pattern!r} could take very long on some texts: {error}"
        ) from error
    return pattern


def _stop_words(draft: Draft, vectorizer: Any) -> list[str] | None:
    stop = vectorizer.stop_words
    if stop is None:
        return None
    words = sorted(ENGLISH_STOP_WORDS if isinstance(stop, str) else stop, key=str)
    if len(words) > MOST_STOP_WORDS or not all(_is_encodable(word) for word in words):
        raise draft.unsupported("its stop words are not all words, or too many")
    return [str(word) for word in words]


def _is_encodable(word: Any) -> bool:
    """Tell whether it is a text in which no half of a surrogate pair is left."""
    return isinstance(word, str) and word == word.encode("utf-8", "replace").decode()


def _dtype(draft: Draft, vectorizer: Any) -> str:
    dtype: str = np.dtype(vectorizer.dtype).str[1:]
    if dtype not in DTYPES:
        raise draft.unsupported(f"it counts in {np.dtype(vectorizer.dtype).name}")
    return dtype


def _vocabulary(draft: Draft, vectorizer: Any) -> Spec:
    """The terms by column, and their index; see `runtime.plan.vocabulary`."""
    if not hasattr(vectorizer, "vocabulary_"):
        vectorizer._validate_vocabulary()  # given instead of learnt, and never asked for
    learnt = vectorizer.vocabulary_
    if not 1 <= len(learnt) <= MOST_TERMS:
        raise draft.unsupported(f"its vocabulary has {len(learnt)} terms")
    if not all(_is_encodable(term) for term in learnt):
        raise draft.unsupported("a term of its vocabulary is no text")
    terms = [b""] * len(learnt)
    for term, column in learnt.items():
        terms[int(column)] = term.encode()
    ends = np.cumsum([0, *map(len, terms)])
    if ends[-1] > np.iinfo(np.int32).max:
        raise draft.unsupported("the terms of its vocabulary are longer than 2 GB")
    count = 1 << (len(terms) - 1).bit_length()
    buckets = np.fromiter(map(crc32, terms), np.int64, len(terms)) & (count - 1)
    sizes = np.bincount(buckets, minlength=count)
    if sizes.max() > MOST_IN_A_BUCKET:
        raise draft.unsupported("too many terms of its vocabulary have the same hash")
    return {
        "terms": draft.tensor(np.frombuffer(b"".join(terms), np.uint8), "u1"),
        "ends": draft.tensor(ends, "i4"),
        "buckets": draft.tensor(np.cumsum([0, *sizes]), "i4"),
        "members": draft.tensor(np.argsort(buckets, kind="stable"), "i4"),
    }


def count(draft: Draft, vectorizer: Any) -> Spec:
    """CountVectorizer."""
    return {
        "op": "count",
        **_analyzer(draft, vectorizer),
        **_vocabulary(draft, vectorizer),
        "dtype": _dtype(draft, vectorizer),
        "binary": bool(vectorizer.binary),
    }


def hashing(draft: Draft, vectorizer: Any) -> Spec:
    """HashingVectorizer."""
    if vectorizer.n_features > MOST_TERMS:
        raise draft.unsupported(f"it has {vectorizer.n_features} columns, a plan {MOST_TERMS}")
    return {
        "op": "hashing",
        **_analyzer(draft, vectorizer),
        "n_features": int(vectorizer.n_features),
        "dtype": _dtype(draft, vectorizer),
        "binary": bool(vectorizer.binary),
        "signed": bool(vectorizer.alternate_sign),
        "norm": vectorizer.norm or "none",
    }


def _weights(draft: Draft, transformer: Any, width: int) -> Spec:
    spec: Spec = {
        "op": "tfidf",
        "n_in": width,
        "sublinear": bool(transformer.sublinear_tf),
        "norm": transformer.norm or "none",
    }
    # It multiplies wherever there are weights, whatever use_idf has been set to since.
    idf = getattr(transformer, "idf_", None)
    if idf is not None:
        idf = np.asarray(idf)
        if idf.dtype.str[1:] not in ("f8", "f4") or not np.isfinite(idf).all():
            raise draft.unsupported(
                "its idf is not finite: a term is in no text (smooth_idf=False)"
            )
        spec |= {"dtype": idf.dtype.str[1:], "idf": draft.tensor(idf)}
    return spec


def tfidf(draft: Draft, transformer: Any) -> Spec:
    """TfidfTransformer."""
    return _weights(draft, transformer, int(transformer.n_features_in_))


def tfidf_vectorizer(draft: Draft, vectorizer: Any) -> Spec:
    """TfidfVectorizer is a CountVectorizer, then a TfidfTransformer."""
    steps = [
        count(draft, vectorizer),
        _weights(draft, vectorizer._tfidf, len(vectorizer.vocabulary_)),
    ]
    return {"op": "pipeline", "steps": steps, "shows_head": False, "sparse": False}


LOWERINGS: dict[type, Lowering] = {
    CountVectorizer: count,
    HashingVectorizer: hashing,
    TfidfTransformer: tfidf,
    TfidfVectorizer: tfidf_vectorizer,
}
