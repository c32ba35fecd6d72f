"""Lowering of latent Dirichlet allocation."""

from typing import Any

import numpy as np
from sklearn.decomposition import LatentDirichletAllocation

from controlplane.builder.lower.base import Draft, Lowering, Spec
from runtime.plan.topics import MAX_ROUNDS


def _topics(draft: Draft, model: Any) -> Spec:
    words = np.asarray(model.exp_dirichlet_component_)
    if words.dtype != np.float64:
        raise draft.unsupported(f"its topics are {words.dtype}, not float64")
    if model.max_doc_update_iter > MAX_ROUNDS:
        raise draft.unsupported(f"its max_doc_update_iter is above {MAX_ROUNDS}")
    return {
        "op": "topics",
        "words": draft.tensor(words),
        "prior": float(model.doc_topic_prior_),
        "enough": float(model.mean_change_tol),
        "rounds": int(model.max_doc_update_iter),
    }


LOWERINGS: dict[type, Lowering] = {LatentDirichletAllocation: _topics}
