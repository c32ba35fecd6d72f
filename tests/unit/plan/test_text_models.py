"""Models of text against scikit-learn: what comes after a vectorizer, tables that hold texts."""

import warnings
from typing import Any
from unittest import mock

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import feature_selection as fs
from sklearn import linear_model as lm
from sklearn.cluster import KMeans
from sklearn.compose import ColumnTransformer
from sklearn.decomposition import TruncatedSVD
from sklearn.ensemble import (
    ExtraTreesClassifier,
    GradientBoostingRegressor,
    RandomForestClassifier,
)
from sklearn.feature_extraction.text import (
    CountVectorizer,
    HashingVectorizer,
    TfidfTransformer,
    TfidfVectorizer,
)
from sklearn.model_selection import GridSearchCV
from sklearn.naive_bayes import BernoulliNB, ComplementNB, MultinomialNB
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import FeatureUnion, make_pipeline
from sklearn.preprocessing import (
    Binarizer,
    MaxAbsScaler,
    Normalizer,
    OneHotEncoder,
    RobustScaler,
    StandardScaler,
)
from sklearn.svm import SVC, LinearSVC, LinearSVR
from sklearn.tree import DecisionTreeClassifier

from controlplane.builder.lower.base import Unsupported
from runtime.plan import signature_of, sparse
from runtime.plan.ops import Frame, InputRefused, Node
from runtime.plan.signature import Kind
from tests.unit.plan.malformed import plan_of
from tests.unit.plan.twins import assert_bitwise, assert_within, compiled

TOPICS = (
    "ship sea wind sail harbour captain storm wave anchor crew",
    "bread oven flour butter salt recipe kitchen dough yeast crust",
    "goal match team player score referee league stadium coach fans",
)


def corpus(seed: int, rows: int, classes: int) -> tuple[list[str], np.ndarray]:
    """Texts of one topic each, with words of others, and which topic."""
    random = np.random.default_rng(seed)
    every = " ".join(TOPICS[:classes]).split()
    which = random.permutation(np.arange(rows) % classes)
    lines = []
    for topic in which.tolist():
        own = TOPICS[topic].split()
        words = [*random.choice(own, random.integers(1, 12)), *random.choice(every, 4)]
        lines.append(" ".join(words) + random.choice([".", "!", "", " Été"]))
    return lines, which


def asked(seed: int, rows: int) -> list[str]:
    """Texts to predict: some like those taught, some of unseen words, an empty one."""
    lines, _ = corpus(seed + 1, rows, 3)
    lines[0] = "" if rows > 2 else lines[0]
    lines[-1] += " unseen words " * (rows > 1)
    return lines


def held(rows: list[str]) -> Frame:
    column = np.empty(len(rows), object)
    column[:] = rows
    return Frame((column,))


def fitted(model: Any, x: Any, y: Any) -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of solvers that are not done yet
        return model.fit(x, y)


def assert_twins(model: Any, rows: Any, ours: Frame, *, bitwise: bool) -> Node:
    node = compiled(model)
    outputs = [output.name for output in signature_of(node, None).outputs]
    assert outputs == [method for method in node.methods if method in outputs]
    for method in node.methods:
        theirs = getattr(model, method)(rows)
        theirs = theirs.toarray() if hasattr(theirs, "toarray") else theirs
        # What is rounded by a logistic function or a softmax differs where numpy has its own.
        exact = bitwise and method != "predict_proba"
        if exact or np.asarray(theirs).dtype.kind != "f":
            assert_bitwise(node.run(method, ours), theirs)
        else:
            assert_within(node.run(method, ours), theirs)
        whole = node.run(method, ours)
        for row in range(min(3, ours.rows)):
            alone = node.run(method, Frame(tuple(c[row : row + 1] for c in ours.columns)))
            (assert_bitwise if exact else assert_within)(alone, whole[row : row + 1])
    return node


VECTORIZERS = {
    "count": CountVectorizer(),
    "tfidf": TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True),
    "chars": TfidfVectorizer(analyzer="char_wb", ngram_range=(2, 3), norm="l1"),
    "both": make_pipeline(CountVectorizer(stop_words="english"), TfidfTransformer()),
    "hashed": HashingVectorizer(n_features=300, alternate_sign=False),
    "union": FeatureUnion(
        [("w", TfidfVectorizer()), ("c", CountVectorizer(analyzer="char"))],
        transformer_weights={"c": 0.5},
    ),
}
LINEAR = {
    "logistic": lm.LogisticRegression(),
    "liblinear": lm.LogisticRegression(solver="liblinear", l1_ratio=1.0),
    "sgd": lm.SGDClassifier(max_iter=5, tol=None, random_state=0),
    "huber": lm.SGDClassifier(loss="modified_huber", max_iter=5, tol=None, random_state=0),
    "svc": LinearSVC(),
    "ridge": lm.RidgeClassifier(),
    "perceptron": lm.Perceptron(max_iter=5, tol=None),
    "multinomial": MultinomialNB(),
    "complement": ComplementNB(norm=True),
    "bernoulli": BernoulliNB(),
    "bernoulli at 1": BernoulliNB(binarize=1.0),
    "ridge regression": lm.Ridge(),
    "svr": LinearSVR(),
    "lasso": lm.SGDRegressor(penalty="l1", max_iter=5, tol=None, random_state=0),
}


@settings(max_examples=40, deadline=None, derandomize=True)
@given(
    seed=st.integers(0, 2**32 - 1),
    rows=st.sampled_from([1, 2, 30, 90]),
    classes=st.sampled_from([2, 3]),
    vectorizer=st.sampled_from(sorted(VECTORIZERS)),
    last=st.sampled_from(sorted(LINEAR)),
)
def test_linear_models_are_twins_to_the_last_bit(seed, rows, classes, vectorizer, last):
    x, y = corpus(seed, 40, 2 if last == "liblinear" else classes)
    names = np.array(["sea", "bread", "goal"])[y] if seed % 2 else y
    target = y * 1.5 if last in ("ridge regression", "svr", "lasso") else names
    model = fitted(make_pipeline(VECTORIZERS[vectorizer], LINEAR[last]), x, target)
    q = asked(seed, rows)
    node = assert_twins(model, q, held(q), bitwise=True)
    assert node.columns_in(True) == ((Kind.STRING, False),)


BETWEEN = {
    "kbest": fs.SelectKBest(fs.chi2, k=9),
    "percentile": fs.SelectPercentile(fs.chi2, percentile=40),
    "variance": fs.VarianceThreshold(0.001),
    "from model": fs.SelectFromModel(LinearSVC(), threshold="median"),
    "normalizer": Normalizer(),
    "normalizer l1": Normalizer("l1"),
    "normalizer max": Normalizer("max"),
    "max abs": MaxAbsScaler(),
    "max abs clipped": MaxAbsScaler(clip=True),
    "standard": StandardScaler(with_mean=False),
    "robust": RobustScaler(with_centering=False),
    "binarizer": Binarizer(threshold=0.2),
    "passthrough": "passthrough",
    "weights": TfidfTransformer(norm="l1"),
    "rfe": fs.RFE(lm.LogisticRegression(), n_features_to_select=5, step=0.5),
    "union": FeatureUnion([("b", fs.SelectKBest(fs.chi2, k=5)), ("n", Normalizer())]),
}


@settings(max_examples=40, deadline=None, derandomize=True)
@given(
    seed=st.integers(0, 2**32 - 1),
    rows=st.sampled_from([1, 2, 40]),
    vectorizer=st.sampled_from(["count", "tfidf", "hashed"]),
    between=st.sampled_from(sorted(BETWEEN)),
    last=st.sampled_from(["logistic", "multinomial", "svc", None]),
)
def test_steps_between_keep_rows_sparse(seed, rows, vectorizer, between, last):
    x, y = corpus(seed, 40, 3)
    steps = [VECTORIZERS[vectorizer], BETWEEN[between]]
    model = fitted(make_pipeline(*steps, *([LINEAR[last]] if last else [])), x, y)
    q = asked(seed, rows)
    assert_twins(model, q, held(q), bitwise=True)


DENSE = {
    "svd": make_pipeline(TruncatedSVD(5, random_state=0), lm.LogisticRegression()),
    "lsa": make_pipeline(TruncatedSVD(1, random_state=0), Normalizer(copy=False)),
    "svd scaled": make_pipeline(TruncatedSVD(3, random_state=0), StandardScaler(), LinearSVC()),
    "svd forest": make_pipeline(
        TruncatedSVD(3, random_state=0), RandomForestClassifier(3, random_state=0)
    ),
    "forest": RandomForestClassifier(3, random_state=0),
    "extra": ExtraTreesClassifier(3, random_state=0),
    "tree": DecisionTreeClassifier(random_state=0),
    "boosting": GradientBoostingRegressor(n_estimators=3, random_state=0),
    "network": MLPClassifier((4,), max_iter=5, random_state=0),
    "kernel": SVC(gamma=0.5),
    "clusters": KMeans(3, n_init=1, random_state=0),
    "union": make_pipeline(
        FeatureUnion([("s", TruncatedSVD(3, random_state=0)), ("k", fs.SelectKBest(fs.chi2, k=5))]),
        lm.LogisticRegression(),
    ),
}


@settings(max_examples=40, deadline=None, derandomize=True)
@given(
    seed=st.integers(0, 2**32 - 1),
    rows=st.sampled_from([1, 2, 40]),
    vectorizer=st.sampled_from(["count", "tfidf", "hashed"]),
    last=st.sampled_from(sorted(DENSE)),
    most=st.sampled_from([1 << 25, 30_000, 1]),
)
def test_what_takes_matrices_gets_blocks_of_rows(seed, rows, vectorizer, last, most):
    x, y = corpus(seed, 40, 3)
    model = fitted(make_pipeline(VECTORIZERS[vectorizer], DENSE[last]), x, y)
    q = asked(seed, rows)
    with mock.patch.object(sparse, "BLOCK_BYTES", most):
        trees = last in ("forest", "extra", "tree", "boosting")
        assert_twins(model, q, held(q), bitwise=trees)


def table(seed: int, rows: int) -> pd.DataFrame:
    random = np.random.default_rng(seed)
    lines, which = corpus(seed, rows, 3)
    return pd.DataFrame(
        {
            "stars": random.normal(size=rows) + which,
            "text": np.array(lines, object),
            "shop": np.array(["north", "south", "east"], object)[random.integers(0, 3, rows)],
            "title": np.array([" ".join(line.split()[:2]) for line in lines], object),
            "left out": np.arange(rows),
        }
    )


def rows_of(frame: pd.DataFrame) -> Frame:
    return Frame(
        tuple(
            frame[name].to_numpy(np.float64 if frame[name].dtype.kind in "if" else object)
            for name in frame
        )
    )


@settings(max_examples=15, deadline=None, derandomize=True)
@given(
    seed=st.integers(0, 2**32 - 1),
    rows=st.sampled_from([1, 2, 40]),
    vectorizer=st.sampled_from(sorted(VECTORIZERS)),
    threshold=st.sampled_from([0.0, 0.3, 1.0]),
    last=st.sampled_from(["logistic", "svc", "ridge regression", "forest", "svd", None]),
    positions=st.booleans(),
)
def test_columns_of_texts_beside_others(seed, rows, vectorizer, threshold, last, positions):
    taught, q = table(seed, 40), table(seed + 1, rows)
    q.loc[0, "shop"] = "unheard of"
    text, shop, stars, title = (
        (1, [2], [0], 3) if positions else ("text", ["shop"], ["stars"], "title")
    )
    columns = ColumnTransformer(
        [
            ("text", VECTORIZERS[vectorizer], text),
            ("shop", OneHotEncoder(handle_unknown="ignore"), shop),
            ("stars", StandardScaler(), stars),
            ("title", CountVectorizer(analyzer="char"), title),
        ],
        sparse_threshold=threshold,
        transformer_weights={"title": 2.0, "stars": 0.5},
    )
    every = {**LINEAR, **DENSE}
    model = fitted(
        make_pipeline(columns, *([every[last]] if last else [])), taught, np.arange(40) % 3
    )
    node = assert_twins(model, q, rows_of(q), bitwise=last == "forest")
    wants = node.columns_in(True)
    assert [kind for kind, _ in wants] == ["number", "string", "string", "string", "any"]
    assert [missing for _, missing in wants][1:] == [False, True, False, True]


def test_a_search_over_texts_is_its_best_pipeline():
    x, y = corpus(0, 40, 2)
    pipe = make_pipeline(TfidfVectorizer(), lm.LogisticRegression())
    search = GridSearchCV(pipe, {"tfidfvectorizer__ngram_range": [(1, 1), (1, 2)]}, cv=2)
    q = asked(0, 20)
    assert_twins(fitted(search, x, y), q, held(q), bitwise=True)


def test_an_empty_batch_and_rows_without_a_known_word():
    x, y = corpus(0, 40, 3)
    model = fitted(make_pipeline(TfidfVectorizer(), lm.LogisticRegression()), x, y)
    node = compiled(model)
    assert node.run("predict_proba", held([])).shape == (0, 3)
    for q in (["xyz"], ["", "xyz qrs"]):
        assert_bitwise(node.run("decision_function", held(q)), model.decision_function(q))


@pytest.mark.parametrize("sublinear", [True, False])
def test_logarithms_of_hashes_below_zero_are_refused_where_scikit_learn_refuses_them(sublinear):
    x, y = corpus(0, 40, 2)
    vectorizer = HashingVectorizer(n_features=50, norm=None)
    model = make_pipeline(vectorizer, TfidfTransformer(sublinear_tf=sublinear), LinearSVC())
    fitted(make_pipeline(*model[:2]), x, y)
    positive = make_pipeline(HashingVectorizer(n_features=50, alternate_sign=False), *model[1:])
    fitted(positive, x, y)
    model = make_pipeline(vectorizer, *positive[1:])
    node = compiled(model)
    q = ["", "storm captain", "ship"]
    if not sublinear:
        assert_bitwise(node.run("predict", held(q)), model.predict(q))
        return
    with pytest.raises(ValueError, match="NaN"), np.errstate(all="ignore"):
        model.predict([*q, x[0]])
    with pytest.raises(InputRefused, match="becomes NaN") as refused:
        node.run("predict", held([*q, x[0]]))
    assert refused.value.column == 0
    with pytest.raises(ValueError, match="NaN"), np.errstate(all="ignore"):
        model.predict([[*q, x[0]][refused.value.row]])


def test_texts_given_as_a_table_have_no_plan():
    frame = table(0, 40)
    columns = ColumnTransformer([("text", CountVectorizer(), ["text"])])
    model = fitted(columns, frame, None)
    with pytest.raises(Unsupported, match="'text' gets a table where it needs texts"):
        plan_of(model)


def test_vectors_that_would_fill_a_plan_with_zeros_have_none():
    x, y = corpus(0, 40, 2)
    model = fitted(make_pipeline(HashingVectorizer(), SVC()), x, y)
    with pytest.raises(Unsupported, match="sparse rows of 1048576 columns, too many for a plan"):
        plan_of(model)


@pytest.mark.parametrize("last", [lm.LogisticRegression(), TruncatedSVD(2), lm.RidgeClassifier()])
def test_models_that_compute_in_float32_say_so(last):
    x, y = corpus(0, 40, 2)
    model = fitted(make_pipeline(TfidfVectorizer(dtype=np.float32), last), x, y)
    with pytest.raises(Unsupported, match="float32"):
        plan_of(model)


def test_models_that_turn_float32_into_float64_are_twins():
    x, y = corpus(0, 40, 3)
    q = asked(0, 20)
    for last in (LinearSVC(), MultinomialNB(), RandomForestClassifier(3, random_state=0)):
        model = fitted(make_pipeline(TfidfVectorizer(dtype=np.float32), last), x, y)
        assert_twins(model, q, held(q), bitwise=True)
