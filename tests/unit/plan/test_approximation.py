"""Kernel approximations against scikit-learn, with every kernel and every option."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.sparse import csr_matrix
from sklearn import kernel_approximation as ka
from sklearn.decomposition import KernelPCA
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.metrics.pairwise import cosine_distances, pairwise_kernels
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import KernelCenterer, OneHotEncoder, StandardScaler

from controlplane.builder.lower.base import Unsupported
from controlplane.builder.lower.registry import new_draft
from runtime.plan import signature_of
from runtime.plan.graph import build
from runtime.plan.ops import InputRefused
from runtime.plan.signature import Kind
from tests.unit.plan.malformed import (
    assert_refuses,
    assert_refuses_broken,
    plan_of,
    shrunk,
)
from tests.unit.plan.twins import assert_bitwise, assert_within, compiled

KERNELS: dict[str, dict[str, Any]] = {
    "rbf": {},
    "rbf with gamma": {"kernel": "rbf", "gamma": 0.7},
    "poly": {"kernel": "poly"},
    "polynomial of a degree": {"kernel": "polynomial", "degree": 2, "coef0": 0.5, "gamma": 2.0},
    "poly with a root": {"kernel": "poly", "degree": 1.5, "coef0": 60},
    "sigmoid": {"kernel": "sigmoid"},
    "sigmoid without offset": {"kernel": "sigmoid", "coef0": 0.0, "gamma": 0.1},
    "linear": {"kernel": "linear"},
    "laplacian": {"kernel": "laplacian"},
    "laplacian with gamma": {"kernel": "laplacian", "kernel_params": {"gamma": 0.3, "ignored": 1}},
    "cosine": {"kernel": "cosine"},
    "chi2": {"kernel": "chi2"},
    "chi2 with gamma": {"kernel": "chi2", "gamma": 0.2},
    "additive chi2": {"kernel": "additive_chi2"},
}
ROWS = st.sampled_from([1, 2, 7, 200])
SEEDS = st.integers(0, 2**32 - 1)


def assert_twins(model: Any, q: np.ndarray, *, alone: float = 1e-12) -> None:
    """Bitwise at the same batch size where that is promised; a lone row within `alone`."""
    node = compiled(model)
    before = q.copy()
    ours, theirs = node.run("transform", q), model.transform(q)
    np.testing.assert_array_equal(q, before)
    if node.exact != "tolerance":
        assert_bitwise(ours, theirs)
    scale = max(1.0, float(np.abs(theirs).max()))
    assert_within(ours / scale, theirs / scale, max(node.tolerance, 1e-12))
    assert_within(node.run("transform", q[-1:]) / scale, theirs[-1:] / scale, alone)
    assert node.n_out == theirs.shape[1]
    assert node.columns_in(True) == ((Kind.NUMBER, False),) * q.shape[1]
    signature_of(node, None)


@pytest.mark.parametrize("name", KERNELS)
@given(seed=SEEDS, rows=ROWS, width=st.integers(1, 6), count=st.sampled_from([1, 5, 20]))
@settings(max_examples=15, deadline=None, derandomize=True)
def test_nystroem_takes_the_same_kernels(name, seed, rows, width, count):
    random = np.random.default_rng(seed)
    x, q = random.normal(size=(30, width)), random.normal(size=(rows, width))
    if "chi2" in name:
        x, q = np.abs(x), np.abs(q)
        x[0] = q[0] = 0.0
    model = ka.Nystroem(n_components=count, random_state=seed % 1000, **KERNELS[name]).fit(x)
    size = np.abs(model.normalization_).sum(axis=1).max()
    assert_twins(model, q, alone=max(1e-12, 1e-14 * size))


@given(
    seed=SEEDS,
    rows=ROWS,
    width=st.integers(1, 6),
    gamma=st.sampled_from([1.0, 0.01, "scale"]),
    single=st.booleans(),
)
@settings(max_examples=30, deadline=None, derandomize=True)
def test_rbf_sampler(seed, rows, width, gamma, single):
    random = np.random.default_rng(seed)
    x = random.normal(size=(30, width)).astype(np.float32 if single else np.float64)
    model = ka.RBFSampler(gamma=gamma, n_components=17, random_state=0).fit(x)
    assert_twins(model, random.normal(size=(rows, width)) * 10)


@given(seed=SEEDS, rows=ROWS, width=st.integers(1, 6), skewedness=st.sampled_from([1.0, 0.03, 5]))
@settings(max_examples=30, deadline=None, derandomize=True)
def test_skewed_chi2_sampler(seed, rows, width, skewedness):
    random = np.random.default_rng(seed)
    x, q = np.abs(random.normal(size=(30, width))), np.abs(random.normal(size=(rows, width)))
    model = ka.SkewedChi2Sampler(skewedness=skewedness, n_components=17, random_state=0).fit(x)
    assert_twins(model, q - skewedness * 0.9)


@given(
    seed=SEEDS,
    rows=ROWS,
    width=st.integers(1, 6),
    steps=st.integers(1, 5),
    interval=st.sampled_from([None, 0.3, 1.0]),
)
@settings(max_examples=40, deadline=None, derandomize=True)
def test_additive_chi2_sampler(seed, rows, width, steps, interval):
    random = np.random.default_rng(seed)
    if steps > 3 and interval is None:
        interval = 0.7
    x = np.abs(random.normal(size=(30, width)))
    q = np.abs(random.normal(size=(rows, width))) * random.choice([0.0, 1.0, 1e-9, 1e9])
    q[random.random(q.shape) < 0.3] = 0.0
    model = ka.AdditiveChi2Sampler(sample_steps=steps, sample_interval=interval).fit(x)
    assert_twins(model, q)
    assert compiled(model).origin(width * (2 * steps - 1) - 1) == width - 1


@given(
    seed=SEEDS,
    rows=ROWS,
    width=st.integers(1, 6),
    degree=st.integers(1, 5),
    count=st.sampled_from([1, 2, 16, 37, 100]),
    gamma=st.sampled_from([1.0, 0.2]),
    coef0=st.sampled_from([0, 1, 2.5]),
)
@settings(max_examples=60, deadline=None, derandomize=True)
def test_polynomial_count_sketch(seed, rows, width, degree, count, gamma, coef0):
    random = np.random.default_rng(seed)
    model = ka.PolynomialCountSketch(
        degree=degree, n_components=count, gamma=gamma, coef0=coef0, random_state=0
    ).fit(random.normal(size=(30, width)))
    assert_twins(model, random.normal(size=(rows, width)) * 3)


@given(seed=SEEDS, rows=ROWS)
@settings(max_examples=20, deadline=None, derandomize=True)
def test_kernel_centerer(seed, rows):
    random = np.random.default_rng(seed)
    x, q = random.normal(size=(30, 3)), random.normal(size=(rows, 3))
    model = KernelCenterer().fit(pairwise_kernels(x, metric="rbf"))
    assert_twins(model, pairwise_kernels(q, x, metric="rbf"))


@pytest.mark.parametrize(
    "approximation",
    [ka.Nystroem(n_components=8, random_state=0), ka.RBFSampler(n_components=9, random_state=0)],
    ids=lambda approximation: type(approximation).__name__,
)
def test_approximations_feed_linear_models(approximation):
    random = np.random.default_rng(0)
    x, y = random.normal(size=(80, 4)), random.integers(0, 3, 80)
    model = make_pipeline(StandardScaler(), approximation, LogisticRegression()).fit(x, y)
    node = compiled(model)
    for rows in (1, 9, 80):
        assert_bitwise(node.run("predict_proba", x[:rows]), model.predict_proba(x[:rows]))


def test_rows_stored_as_a_sparse_matrix_are_kept_dense():
    random = np.random.default_rng(0)
    x = random.integers(0, 3, (60, 2)).astype(np.float64)
    model = make_pipeline(
        OneHotEncoder(), ka.Nystroem(n_components=9, gamma=0.5, random_state=0), Ridge()
    ).fit(x, x[:, 0])
    node = compiled(model)
    assert node.exact == "tolerance"
    # scikit-learn adds a sparse product up in its own order, and stored rows that are alike make
    # the matrix behind it large.
    np.testing.assert_allclose(node.run("predict", x), model.predict(x), rtol=1e-6, atol=1e-6)
    sparse = ka.RBFSampler(random_state=0).fit(csr_matrix(x))
    assert_twins(sparse, x)


def test_stored_rows_that_are_alike_widen_the_tolerance():
    x = np.repeat(np.random.default_rng(0).normal(size=(5, 2)), 4, axis=0)
    x += 1e-9 * np.random.default_rng(1).normal(size=x.shape)
    node = compiled(ka.Nystroem(n_components=20, random_state=0).fit(x))
    assert node.exact == "tolerance"
    assert 1e-11 < node.tolerance <= 1e-6
    assert compiled(ka.Nystroem(kernel="linear", n_components=1).fit(x)).exact == "batch"


@pytest.mark.parametrize(
    ("model", "low", "words"),
    [
        (ka.AdditiveChi2Sampler(), -1e-9, "below zero"),
        (ka.Nystroem(kernel="chi2", n_components=3), -1e-9, "below zero"),
        (ka.SkewedChi2Sampler(skewedness=0.5), -0.5, "not above -0.5"),
    ],
    ids=["additive", "nystroem", "skewed"],
)
def test_numbers_too_low_are_refused_as_in_scikit_learn(model, low, words):
    x = np.abs(np.random.default_rng(0).normal(size=(20, 3)))
    model.fit(x)
    q = x.copy()
    q[4, 2] = low
    with pytest.raises(ValueError, match=r"[Nn]egative|skewedness"):
        model.transform(q)
    with pytest.raises(InputRefused, match=words) as refused:
        compiled(model).run("transform", q)
    assert (refused.value.row, refused.value.column) == (4, 2)


@pytest.mark.parametrize(
    ("model", "words"),
    [
        (ka.Nystroem(kernel=lambda a, b: float(a @ b), n_components=3), "one's own"),
        (ka.Nystroem(kernel="poly", degree=1001, gamma=1e-4, n_components=3), "degree"),
        (ka.Nystroem(kernel="precomputed", n_components=20), "beforehand"),
        (ka.AdditiveChi2Sampler(sample_steps=20_001, sample_interval=0.1), "steps"),
        (ka.PolynomialCountSketch(degree=2, coef0=-1.0), "root"),
        (ka.PolynomialCountSketch(degree=2, n_components=100_001), "too many"),
    ],
)
def test_what_has_no_plan_says_why(model, words):
    x = np.abs(np.random.default_rng(0).normal(size=(20, 3)))
    kernel = getattr(model, "kernel", None)
    model.fit(x @ x.T if kernel == "precomputed" else x)
    with pytest.raises(Unsupported, match=words):
        new_draft().node(model)


X = np.abs(np.random.default_rng(0).normal(size=(20, 3)))
BROKEN = [
    (ka.Nystroem(n_components=4, random_state=0), set()),
    (ka.Nystroem("chi2", n_components=4, random_state=0), set()),
    (ka.RBFSampler(n_components=4, random_state=0), set()),
    (ka.SkewedChi2Sampler(n_components=4, random_state=0), {"skewedness"}),
    (ka.AdditiveChi2Sampler(), set()),
    (ka.PolynomialCountSketch(n_components=4, coef0=1, random_state=0), {"constant"}),
    (KernelCenterer(), set()),
]


@pytest.mark.parametrize(("model", "optional"), BROKEN, ids=lambda value: type(value).__name__)
def test_malformed_approximations_are_refused(model, optional):
    model.fit(X @ X.T if isinstance(model, KernelCenterer) else X)
    assert_refuses_broken(model, optional)


def test_parts_that_do_not_fit_are_refused():
    spec, tensors = plan_of(ka.Nystroem("chi2", n_components=4, random_state=0).fit(X))
    build(spec, tensors)
    for key in ("stored", "matrix"):
        assert_refuses(spec, shrunk(spec, tensors, key, axis=0 if key == "stored" else 1))
        assert_refuses(spec, {**tensors, spec[key]: np.empty((0, 4))})
    assert_refuses(spec, {**tensors, spec["stored"]: -tensors[spec["stored"]]})
    assert_refuses({**spec, "kernel": "other"}, tensors)
    spec, tensors = plan_of(ka.RBFSampler(n_components=4).fit(X))
    assert_refuses(spec, shrunk(spec, tensors, "offset"))
    assert_refuses(spec, {**tensors, spec["weights"]: np.empty((0, 4))})
    spec, tensors = plan_of(ka.AdditiveChi2Sampler().fit(X))
    for wrong in ({"steps": 0}, {"steps": 10_001}, {"interval": 0.0}, {"n_in": 50_000}):
        assert_refuses({**spec, **wrong}, tensors)
    spec, tensors = plan_of(ka.PolynomialCountSketch(n_components=4).fit(X))
    assert_refuses(spec, {**tensors, spec["signs"]: 2 * tensors[spec["signs"]]})
    assert_refuses(spec, shrunk(spec, tensors, "places"))
    assert_refuses({**spec, "n_out": 1}, tensors)
    none = {spec["places"]: np.empty((0, 3), np.int64), spec["signs"]: np.empty((0, 3))}
    assert_refuses(spec, {**tensors, **none})
    one = {spec["places"]: np.zeros((2, 1), np.int64), spec["signs"]: np.ones((2, 1))}
    assert_refuses({**spec, "constant": 1.0}, {**tensors, **one})
    spec, tensors = plan_of(KernelCenterer().fit(X @ X.T))
    assert_refuses(spec, {**tensors, spec["means"]: np.empty(0)})


def test_rows_shorter_than_scikit_learn_divides_by_count_as_zero_rows():
    x = np.random.default_rng(0).normal(size=(30, 3))
    x[3], x[4] = 1e-15, 2e-15  # lengths of 1.7e-15 and 3.5e-15, about its 2.2e-15
    assert_twins(ka.Nystroem("cosine", n_components=2, random_state=0).fit(x[5:]), x)
    assert_twins(KernelPCA(2, kernel="cosine").fit(x), x)
    node = compiled(KNeighborsClassifier(3, metric="cosine").fit(x, np.arange(30) % 2))
    theirs = cosine_distances(x[:5], x)
    (found,) = (d for _, d in node.points.blocks(x[:5]))
    assert_within(found, theirs)


@pytest.mark.parametrize(
    "model",
    [
        ka.AdditiveChi2Sampler(sample_steps=3),
        ka.PolynomialCountSketch(n_components=7, degree=3, random_state=0),
        ka.PolynomialCountSketch(n_components=1, coef0=1.0, random_state=0),
        ka.PolynomialCountSketch(n_components=2, degree=1, random_state=0),
    ],
)
def test_blocks_join_to_the_whole(model):
    x = np.abs(np.random.default_rng(0).normal(size=(50, 6)))
    x[x < 0.2] = 0.0
    model.fit(x)
    wanted = model.transform(x)
    node = compiled(model)
    for height in (node.height, 50, 7, 1):
        node.height = height
        assert_bitwise(node.transform(x), wanted)
    assert node.transform(x[:0]).shape == (0, node.n_out)
