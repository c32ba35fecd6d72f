"""Lowering of embeddings of rows beside the training rows."""

# ruff: noqa: SLF001  (centres and neighbours have no public way to them)

from typing import Any, Final

import numpy as np
from sklearn.decomposition import KernelPCA
from sklearn.manifold import Isomap, LocallyLinearEmbedding

from controlplane.builder.lower.base import Draft, Lowering, Spec
from controlplane.builder.lower.matrices import right_factor
from controlplane.builder.lower.pairwise import pairwise
from controlplane.builder.lower.stored import MAX_CELLS, points


def _centred(draft: Draft, pca: Any) -> Spec:
    """Source: sklearn.decomposition.KernelPCA.transform."""
    values, vectors = np.asarray(pca.eigenvalues_), np.asarray(pca.eigenvectors_)
    if vectors.dtype != np.float64:
        raise draft.unsupported(f"its eigenvectors are {vectors.dtype}, not float64")
    there = np.flatnonzero(values)
    axes = np.zeros_like(vectors)
    axes[:, there] = vectors[:, there] / np.sqrt(values[there])
    if not axes.size or not np.isfinite(axes).all():
        raise draft.unsupported("an eigenvalue is below zero, or there are none")
    return {
        "row_means": draft.tensor(pca._centerer.K_fit_rows_, "f8"),
        "mean": float(pca._centerer.K_fit_all_),
        **right_factor(draft, "axes", axes),
    }


def _kernel_pca(draft: Draft, model: Any) -> Spec:
    stored = len(model.eigenvectors_)
    if model.kernel == "precomputed":
        return {
            "op": "kernel_pca",
            "precomputed": True,
            "stored": stored,
            **_centred(draft, model),
        }
    rows = model.X_fit_
    if not isinstance(rows, np.ndarray) or rows.dtype != np.float64:
        raise draft.unsupported("its training rows are sparse or not float64")
    if rows.size > MAX_CELLS:
        raise draft.unsupported(f"it stores {rows.shape[0]} rows of {rows.shape[1]} columns")
    gamma = getattr(model, "gamma_", model.gamma)
    return {
        "op": "kernel_pca",
        "precomputed": False,
        "points": draft.tensor(rows),
        **pairwise(
            draft,
            model.kernel,
            rows.shape[1],
            gamma=gamma,
            coef0=model.coef0,
            degree=model.degree,
        ),
        **_centred(draft, model),
    }


def _isomap(draft: Draft, model: Any) -> Spec:
    paths = np.asarray(model.dist_matrix_)
    if paths.dtype != np.float64:
        raise draft.unsupported(f"its paths are {paths.dtype}, not float64")
    if paths.size > MAX_CELLS:
        raise draft.unsupported(f"it stores the paths between {len(paths)} rows")
    if not np.isfinite(paths).all():
        raise draft.unsupported("its training rows are not connected")
    by_number = model.n_neighbors is not None
    return {
        "op": "isomap" if by_number else "radius_isomap",
        **points(draft, model.nbrs_),
        **({"k": int(model.n_neighbors)} if by_number else {"radius": float(model.radius)}),
        "paths": draft.tensor(paths),
        **_centred(draft, model.kernel_pca_),
    }


def _locally_linear(draft: Draft, model: Any) -> Spec:
    embedding = np.asarray(model.embedding_)
    if embedding.dtype != np.float64 or not np.isfinite(embedding).all():
        raise draft.unsupported("its embedding is not float64, or not finite")
    if not model.reg > 0:
        raise draft.unsupported("reg=0 leaves its systems of equations singular")
    return {
        "op": "locally_linear",
        **points(draft, model.nbrs_),
        "k": int(model.n_neighbors),
        "embedding": draft.tensor(embedding),
        "reg": float(model.reg),
    }


LOWERINGS: Final[dict[type, Lowering]] = {
    KernelPCA: _kernel_pca,
    Isomap: _isomap,
    LocallyLinearEmbedding: _locally_linear,
}
