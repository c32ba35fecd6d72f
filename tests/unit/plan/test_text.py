"""Texts against scikit-learn: the same tokens, counts, weights and hashes, to the last bit."""

import pickle
import warnings
from typing import Any
from unittest import mock

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.feature_extraction.text import (
    CountVectorizer,
    HashingVectorizer,
    TfidfTransformer,
    TfidfVectorizer,
)
from sklearn.pipeline import make_pipeline
from sklearn.utils import murmurhash3_32

from controlplane.builder.lower.base import Unsupported
from runtime.plan import analyzers, murmur, signature_of, text, vocabulary
from runtime.plan.murmur import hashes
from runtime.plan.ops import Frame, Node, PlanError
from runtime.plan.signature import Kind
from tests.unit.plan.malformed import (
    assert_refuses,
    assert_refuses_broken,
    plan_of,
    refusal,
    shrunk,
)
from tests.unit.plan.twins import assert_bitwise, compiled

TAUGHT = [
    "The cat sat on the mat; the CAT was fat.",
    "Dogs don't like cats, cats don't like dogs",
    "Été à la plage - un café, s'il vous plaît!",
    "naïve façade ﬁnd ½ \uff57\uff49\uff44\uff45 İstanbul straße ΣΊΣΥΦΟΣ",
    "a b c  d\te\n\nf\x1cg\x00h",
    "不 喜欢 猫 和 狗 emoji 🐱🐶 👨‍👩‍👧",
    "one two three four five six seven eight nine ten",
    "state-of-the-art e-mail x_y 3.14 10,000 foo@bar.com",
]
WORDS = [*sorted({word for line in TAUGHT for word in line.split()}), "unseen", "e\u0301"]

texts = st.one_of(
    st.sampled_from(TAUGHT),
    st.lists(st.sampled_from(WORDS), max_size=30).map(" ".join),
    st.text(max_size=60),
    st.just(""),
)


def held(rows: list[str]) -> Frame:
    column = np.empty(len(rows), object)
    column[:] = rows
    return Frame((column,))


@st.composite
def cuts(draw: st.DrawFn) -> dict[str, Any]:
    """Options that all vectorizers have."""
    low = draw(st.integers(1, 4))
    options: dict[str, Any] = {
        "analyzer": draw(st.sampled_from(["word", "word", "char", "char_wb"])),
        "ngram_range": (low, draw(st.integers(low, low + 2))),
        "lowercase": draw(st.booleans()),
        "strip_accents": draw(st.sampled_from([None, "ascii", "unicode"])),
        "binary": draw(st.booleans()),
        "dtype": draw(st.sampled_from([np.float64, np.int64, np.float32, np.int32])),
    }
    if options["analyzer"] == "word":
        options["token_pattern"] = draw(
            st.sampled_from([r"(?u)\b\w\w+\b", r"\w+", r"\S+", r"(?i)\b([a-z]+)\b", r"[^\W\d]"])
        )
        options["stop_words"] = draw(st.sampled_from([None, "english", ["the", "à", "CAT", "x"]]))
    return options


def fitted(kind: Any, **options: Any) -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of options that do not go together
        return kind(**options).fit(TAUGHT)


def assert_twins(model: Any, rows: list[str]) -> Node:
    node = compiled(model)
    assert node.columns_in(True) == ((Kind.STRING, False),)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        theirs = model.transform(rows)
    ours = node.transform(held(rows))
    assert_bitwise(ours.dense(), theirs.toarray())
    assert_bitwise(node.run("transform", held(rows)), theirs.toarray())
    # As they are held, zeros too: sums go in this order.
    np.testing.assert_array_equal(ours.columns, theirs.indices)
    for row in range(min(3, len(rows))):
        alone = node.run("transform", held(rows[row : row + 1]))
        assert_bitwise(alone, theirs[[row]].toarray())
    return node


@settings(max_examples=120, deadline=None, derandomize=True)
@given(cuts(), st.lists(texts, min_size=1, max_size=12), st.sampled_from([None, 1, 30]))
def test_counts_are_twins(options, rows, most):
    assert_twins(fitted(CountVectorizer, max_features=most, **options), rows)


@settings(max_examples=80, deadline=None, derandomize=True)
@given(
    cuts(),
    st.lists(texts, min_size=1, max_size=12),
    st.sampled_from([None, "l1", "l2"]),
    st.booleans(),
    st.booleans(),
    st.booleans(),
)
def test_weights_are_twins(options, rows, norm, use_idf, smooth_idf, sublinear):
    weights = {
        "norm": norm,
        "use_idf": use_idf,
        "smooth_idf": smooth_idf,
        "sublinear_tf": sublinear,
    }
    assert_twins(fitted(TfidfVectorizer, **weights, **options), rows)
    transformer = TfidfTransformer(**weights)
    model = make_pipeline(fitted(CountVectorizer, **options), transformer)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model.fit(TAUGHT)
    assert_twins(model, rows)


@settings(max_examples=80, deadline=None, derandomize=True)
@given(
    cuts(),
    st.lists(texts, min_size=1, max_size=12),
    st.sampled_from([None, "l1", "l2"]),
    st.booleans(),
    st.sampled_from([1, 7, 1000, 2**14]),
)
def test_hashes_are_twins(options, rows, norm, signed, columns):
    more = {"norm": norm, "alternate_sign": signed, "n_features": columns}
    assert_twins(fitted(HashingVectorizer, **more, **options), rows)


@settings(max_examples=60, deadline=None, derandomize=True)
@given(st.lists(st.binary(max_size=80), max_size=60))
def test_hashes_are_murmurs(keys):
    wanted = [murmurhash3_32(key, 0) for key in keys]
    assert hashes(keys).tolist() == wanted
    with mock.patch.multiple(murmur, _FEW=0, _LONG=8):
        assert hashes(keys).tolist() == wanted


@pytest.mark.parametrize("analyzer", ["word", "char", "char_wb"])
@pytest.mark.parametrize("kind", [CountVectorizer, HashingVectorizer])
def test_texts_longer_than_what_is_held_at_once(kind, analyzer):
    rows = [" ".join(TAUGHT) * 3, "", "x" * 500 + " " + TAUGHT[0]]
    model = fitted(kind, analyzer=analyzer, ngram_range=(1, 3))
    some = mock.patch.multiple(text, CHUNK=5, WORDS_AT_ONCE=3, LONGEST_KNOWN=6)
    with mock.patch.multiple(analyzers, CHUNK=7), some:
        node = compiled(model)
        theirs = model.transform(rows)
        got = node.transform(held(rows))
    np.testing.assert_array_equal(got.columns, theirs.indices)
    np.testing.assert_array_equal(got.values, theirs.data)


def test_what_is_remembered_is_bounded():
    model = fitted(CountVectorizer, token_pattern=r"\S+")
    node = compiled(model)
    rows = [" ".join(f"word{i}-{j}" for j in range(50)) + " dogs " + "y" * 99 for i in range(30)]
    with mock.patch.multiple(vocabulary, MOST_KNOWN=100):
        for row in rows:
            assert_bitwise(node.run("transform", held([row])), model.transform([row]).toarray())
            assert len(node.codes._known) <= 100
        node.run("transform", held(rows))
        assert len(node.codes._known) <= 100
    assert not any(len(token) > vocabulary.LONGEST_KNOWN for token in node.codes._known)


def test_words_whose_tokens_are_remembered_are_bounded():
    model = fitted(CountVectorizer, analyzer="char_wb", ngram_range=(1, 3))
    node = compiled(model)
    rows = [" ".join(f"word{i}-{j}" for j in range(9)) + " dogs " + "y" * 99 for i in range(30)]
    for most in (5000, 800):
        with mock.patch.multiple(text, MOST_HELD=most):
            for row in (*rows, "dogs cats dogs", ""):
                assert_bitwise(node.run("transform", held([row])), model.transform([row]).toarray())
                assert node.words._held == sum(map(len, node.words._known.values())) <= 5000
    assert not any(len(word) > vocabulary.LONGEST_KNOWN for word in node.words._known)
    assert_bitwise(node.run("transform", held(rows)), model.transform(rows).toarray())


def test_all_terms_are_remembered_once_as_many_were_looked_up():
    model = fitted(CountVectorizer, stop_words=["the", "on"])
    node = compiled(model)
    unseen = " ".join(f"word{i}" for i in range(node.n_out))
    for row in (*TAUGHT, unseen, unseen + " dogs the on a", *TAUGHT, "\0 dogs", ""):
        assert_bitwise(node.run("transform", held([row])), model.transform([row]).toarray())
    assert node.codes._all is not None
    assert not node.codes._known
    assert_bitwise(node.run("transform", held(TAUGHT)), model.transform(TAUGHT).toarray())
    hashing = compiled(fitted(HashingVectorizer, n_features=3))
    assert_bitwise(hashing.transform(held([unseen])).dense()[0] != 0, np.ones(3, bool))
    assert hashing.codes._all is None


def test_a_vocabulary_that_was_given_in_any_order():
    given_terms = {"zebra": 0, "": 1, "cat": 3, "é": 2, "a\x00b": 4}
    model = CountVectorizer(vocabulary=given_terms, token_pattern=r"[^ ]*")
    assert_twins(model.fit(TAUGHT), ["cat zebra é", "a\x00b cat  ", "", "e\u0301"])
    assert_twins(CountVectorizer(vocabulary=["dogs", "cats"]), TAUGHT)


def test_a_tokenizer_and_a_preprocessor_of_pythons_own():
    options = {"tokenizer": str.split, "token_pattern": None, "preprocessor": str.lower}
    model = fitted(CountVectorizer, **options, strip_accents="ascii")
    assert_twins(model, [*TAUGHT, "a\x1cb\u2003C\u0085d\x1f", "É"])
    assert_twins(pickle.loads(pickle.dumps(model)), TAUGHT)


def test_counts_in_a_matrix_are_weighted_too():
    random = np.random.default_rng(0)
    x = random.poisson(0.5, (30, 6)).astype(np.float64)
    for options in ({}, {"norm": "l1"}, {"use_idf": False, "sublinear_tf": True}):
        model = TfidfTransformer(**options).fit(x)
        node = compiled(model)
        assert node.columns_in(True) == ((Kind.NUMBER, False),) * 6
        assert_bitwise(node.run("transform", x), model.transform(x).toarray())


def test_the_signature_is_one_column_of_text_that_is_not_missing():
    signature = signature_of(compiled(fitted(TfidfVectorizer)), None)
    (column,) = signature.columns
    assert (column.name, column.kind, column.missing) == ("x0", Kind.STRING, False)
    assert not signature.named
    assert not signature.numeric
    (output,) = signature.outputs
    assert (output.name, output.datatype) == ("transform", "FP64")
    counts = signature_of(compiled(fitted(CountVectorizer)), None)
    assert [output.datatype for output in counts.outputs] == ["INT64"]


def test_an_answer_of_a_million_numbers_a_row_is_refused():
    with pytest.raises(PlanError, match="transform: an answer has 1048576 numbers a row"):
        signature_of(compiled(HashingVectorizer()), None)


def own(text: str) -> list[str]:
    return text.split()


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"analyzer": own}, "analyzer is a function"),
        ({"tokenizer": own, "token_pattern": None}, "tokenizer is a function"),
        ({"preprocessor": own}, "preprocessor is a function"),
        ({"strip_accents": own}, "strip_accents is a function"),
        ({"token_pattern": r"(a+)+b"}, "could take very long .* single character"),
        ({"token_pattern": r"[a-z]+\b"}, "could take very long .* edge of a word"),
        ({"ngram_range": (1, 21)}, "n-grams are from 1 to 21"),
        ({"dtype": np.int8}, "counts in int8"),
        ({"input": "filename"}, "from files"),
    ],
)
@pytest.mark.parametrize("kind", [CountVectorizer, TfidfVectorizer, HashingVectorizer])
def test_what_has_no_plan_says_why(kind, options, words):
    model = fitted(kind, **({"vocabulary": ["cat"]} if kind is not HashingVectorizer else {}))
    with pytest.raises(Unsupported, match=words):
        plan_of(model.set_params(**options))


def test_other_things_without_a_plan():
    with pytest.raises(Unsupported, match="5000000 columns"):
        plan_of(HashingVectorizer(n_features=5_000_000))
    with pytest.raises(Unsupported, match="no text"):
        plan_of(CountVectorizer(vocabulary=["a", "\ud800"]))
    with pytest.raises(Unsupported, match="not all words"):
        plan_of(HashingVectorizer(stop_words=["a", 3]))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        rare = TfidfVectorizer(vocabulary=["nowhere"], smooth_idf=False).fit(TAUGHT)
    with pytest.raises(Unsupported, match="idf is not finite"):
        plan_of(rare)


@pytest.mark.parametrize(
    ("model", "optional"),
    [
        # A list of words is what stop words are.
        (fitted(CountVectorizer, stop_words=["the"]), {"stop missing", "stop silly"}),
        (fitted(HashingVectorizer, analyzer="char"), set()),
        (TfidfTransformer().fit(np.eye(3)), {"idf missing"}),
    ],
    ids=["count", "hashing", "tfidf"],
)
def test_broken_plans_are_refused(model, optional):
    assert_refuses_broken(model, optional)


COUNT = plan_of(CountVectorizer(vocabulary=["the", "cat", "dog"]).fit(TAUGHT))


@pytest.mark.parametrize("key", ["terms", "ends", "buckets", "members"])
def test_a_vocabulary_that_does_not_fit_together_is_refused(key):
    spec, tensors = COUNT
    assert_refuses(spec, shrunk(spec, tensors, key))
    assert_refuses(spec, {**tensors, spec[key]: np.empty(0, tensors[spec[key]].dtype)})


@pytest.mark.parametrize(
    ("key", "values"),
    [
        ("ends", [0, 6, 3, 9]),
        ("ends", [1, 3, 6, 9]),
        ("ends", [0, 3, 6, 8]),
        ("ends", [-2, 3, 6, 9]),
        ("ends", [9]),
        ("buckets", [0, 2, 1, 3, 3]),
        ("buckets", [0, 1, 2, 3]),
        ("buckets", [0, 1, 2, 2, 2]),
        ("buckets", [3]),
        ("members", [0, 1, 3]),
        ("members", [0, 1, -1]),
    ],
)
def test_places_out_of_order_are_refused(key, values):
    spec, tensors = COUNT
    assert_refuses(spec, {**tensors, spec[key]: np.array(values, np.int32)})


def test_a_bucket_that_takes_long_to_search_is_refused():
    width = 40
    spec, tensors = plan_of(CountVectorizer(vocabulary=[str(i) for i in range(width)]))
    crowded = {
        **tensors,
        spec["buckets"]: np.array([0, width], np.int32),
        spec["members"]: np.arange(width, dtype=np.int32),
    }
    assert "more than 32 terms" in refusal(spec, crowded)


@pytest.mark.parametrize(
    "change",
    [
        {"analyzer": "callable"},
        {"ngrams": [1]},
        {"ngrams": [0, 1]},
        {"ngrams": [2, 1]},
        {"ngrams": [1, 10**9]},
        {"ngrams": [1, 2.0]},
        {"ngrams": [True, 1]},
        {"accents": None},
        {"lowercase": 1},
        {"pattern": "(a+)+b"},
        {"pattern": "("},
        {"pattern": 3},
        {"stop": "the"},
        {"stop": [1]},
        {"dtype": "i1"},
        {"binary": None},
    ],
    ids=str,
)
def test_bad_options_are_refused(change):
    spec, tensors = COUNT
    assert_refuses({**spec, **change}, tensors)


def test_bad_weights_and_hashes_are_refused():
    spec, tensors = plan_of(TfidfTransformer().fit(np.eye(3)))
    assert_refuses(spec, {**tensors, spec["idf"]: np.array([1.0, np.inf, 1.0])})
    assert_refuses({**spec, "n_in": 4}, tensors)
    assert_refuses({**spec, "norm": "max"}, tensors)
    assert_refuses({**spec, "n_in": 10**12}, tensors)
    spec, tensors = plan_of(HashingVectorizer())
    assert_refuses({**spec, "n_features": 10**12}, tensors)
    assert_refuses({**spec, "n_features": 0}, tensors)
    assert_refuses({**spec, "norm": "max"}, tensors)


@pytest.mark.parametrize("pattern", [*analyzers._RUNS, r"\S+", r"[a-z]+"])
@pytest.mark.parametrize("kind", [CountVectorizer, HashingVectorizer])
@pytest.mark.parametrize("lowercase", [True, False])
@pytest.mark.parametrize("ngrams", [(1, 1), (1, 2)])
def test_words_of_western_texts_alone_and_with_others(kind, pattern, lowercase, ngrams):
    plain = [row for row in TAUGHT if row.isascii() and "\0" not in row]
    western = bytes(range(256)).decode("cp1252", "replace").replace("\ufffd", "")
    plain += [
        " ".join(western),
        "x".join(western),
        western,
        "don\u2019t \u201cŒuvre\u201d ŠŸ €5 ﬁ",
        "αβ " + western,
    ]
    plain += ["", "a", "A_b _ 9 Zz \x1c\x1d\t\n\x7f{x} THE the x", "the " * 9]
    options = {"token_pattern": pattern, "lowercase": lowercase, "ngram_range": ngrams}
    if kind is HashingVectorizer:
        options["n_features"] = 500
    model = fitted(kind, stop_words=["the", "of"], **options)
    node = compiled(model)
    for rows in (plain, TAUGHT, ["\0"], ["a\0b ab\0cd", "cd"], ["", "", ""], []):
        asked = held(rows)
        theirs = model.transform(rows).toarray() if rows else np.empty((0, node.n_out))
        for size in (1, 40, 1 << 18):
            with mock.patch.object(text, "AT_ONCE", size):
                np.testing.assert_array_equal(node.transform(asked).dense(), theirs)
                np.testing.assert_array_equal(node.run("transform", asked), theirs)


def test_single_letters_of_a_given_vocabulary_are_found_only_by_expressions_of_one():
    for pattern in (r"(?u)\b\w\w+\b", r"(?u)\b\w+\b"):
        model = CountVectorizer(vocabulary=["a", "bc", "\0"], token_pattern=pattern).fit(TAUGHT)
        assert_twins(model, ["a bc a", "\0 bc", "é a bc"])
    assert_twins(CountVectorizer(vocabulary=["\0", "a"], analyzer="char"), ["\0a\0", "aa", "\0"])
