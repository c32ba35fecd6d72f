"""Probe rows of preprocessing: where it turns, and where it answers at all."""

import warnings

import numpy as np
import pytest
from sklearn.experimental import enable_iterative_imputer  # noqa: F401
from sklearn.impute import IterativeImputer
from sklearn.kernel_approximation import (
    AdditiveChi2Sampler,
    Nystroem,
    RBFSampler,
    SkewedChi2Sampler,
)
from sklearn.linear_model import Ridge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import (
    FunctionTransformer,
    KBinsDiscretizer,
    PowerTransformer,
    QuantileTransformer,
    SplineTransformer,
    StandardScaler,
)

from controlplane.builder.landmarks import landmarks
from controlplane.builder.lower.registry import new_draft
from controlplane.builder.probe import answers, probe_rows
from controlplane.builder.ranges import ranges
from runtime.plan import signature_of
from runtime.plan.graph import build
from runtime.plan.ops import Node
from runtime.plan.signature import Signature

X = np.random.default_rng(0).uniform(1.0, 2.0, (90, 3)) + 100.0 * np.arange(3)


def told(model) -> tuple[Node, Signature]:
    draft = new_draft()
    spec = draft.node(model)
    node = build(spec, draft.tensors)
    return node, signature_of(node, None)


@pytest.mark.parametrize(
    "model",
    [
        KBinsDiscretizer(5),
        SplineTransformer(extrapolation="error"),
        QuantileTransformer(n_quantiles=80),
    ],
    ids=lambda model: type(model).__name__,
)
def test_numbers_are_those_of_each_column(model):
    model.fit(X)
    found = ranges(model, 3)
    for column, values in enumerate(found):
        assert 4 < len(values) <= 64
        assert X[:, column].min() - 1e-9 <= min(values)
        assert max(values) <= X[:, column].max() + 1e-9
    assert landmarks(make_pipeline(model), ["a", "b", "c"]) == dict(enumerate(found))


def test_edges_that_are_infinite_are_no_numbers_to_ask():
    model = KBinsDiscretizer(2, strategy="uniform")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model.fit(np.ones((4, 1)))
    model.bin_edges_[0] = np.array([-np.inf, np.inf])
    assert ranges(model, 1) == [[]]
    assert ranges(model, 2) == [[], []]


def test_what_fills_at_first_is_known_of_an_imputer():
    x = X.copy()
    x[::7, 1] = np.nan
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found = landmarks(IterativeImputer(random_state=0).fit(x), ["a", "b", "c"])
    assert found[1][0] == pytest.approx(np.nanmean(x[:, 1]))


@pytest.mark.parametrize(
    "model",
    [
        make_pipeline(PowerTransformer("box-cox"), Ridge()),
        make_pipeline(SkewedChi2Sampler(), Ridge()),
        make_pipeline(AdditiveChi2Sampler(), Ridge()),
        make_pipeline(Nystroem("chi2", n_components=5, random_state=0), Ridge()),
        *(
            make_pipeline(FunctionTransformer(function), Ridge())
            for function in (np.log, np.log1p, np.sqrt, np.arcsin, np.arctanh, np.arccosh)
        ),
    ],
    ids=str,
)
def test_ordinary_rows_are_taken_where_only_some_numbers_are(model):
    x = np.random.default_rng(0).uniform(0.1, 0.9, (60, 4))
    x += 1.0 if getattr(model[0], "func", None) is np.arccosh else 0.0
    model.fit(x, x[:, 0])
    node, signature = told(model)
    probes = probe_rows(model, signature)
    meta, arrays = answers(model, signature, probes)
    assert [len(columns[0]) for columns in probes] == [1, 7, 64]
    assert len(meta["batches"]) == 3
    for number, columns in enumerate(probes):
        theirs = arrays[5 * number + 4]
        np.testing.assert_array_equal(
            np.column_stack(arrays[5 * number : 5 * number + 4]).T, columns
        )
        ours = node.run("predict", np.column_stack(columns))
        np.testing.assert_allclose(ours, theirs, rtol=1e-12, atol=1e-12)


def test_most_estimators_have_no_such_numbers():
    for model in (StandardScaler(), RBFSampler(), Ridge(), None):
        assert ranges(model, 2) == [[], []]
