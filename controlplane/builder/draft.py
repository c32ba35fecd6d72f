"""A fitted estimator, lowered, with probe rows and scikit-learn's answers to them.

What `verify.verify` reads. Runs in the locked child, and in the coverage table's trials.
"""

from typing import Any

from controlplane.builder.describe import Unusable
from controlplane.builder.lower.registry import new_draft
from controlplane.builder.probe import answers, probe_rows
from runtime import frames
from runtime.plan import signature_of
from runtime.plan.graph import build
from runtime.plan.signature import from_json


def drafted(estimator: Any) -> bytes:
    """Lower and ask; raises Unsupported, or Unusable when it refuses ordinary rows.

    One run of bytes, so that the parent has one file to check: length of the plan, plan, probes.
    """
    draft = new_draft()
    spec = draft.node(estimator)
    node = build(spec, draft.tensors)
    names = getattr(estimator, "feature_names_in_", None)
    signature = signature_of(node, None if names is None else [str(name) for name in names])
    names_of_tensors = list(draft.tensors)
    meta = {"graph": spec, "tensors": names_of_tensors, "signature": signature.to_json()}
    plan = frames.encode(meta, [draft.tensors[name] for name in names_of_tensors])
    plain = from_json(signature.to_json())
    try:
        meta, arrays = answers(estimator, signature, probe_rows(estimator, plain))
    except Unusable:
        # Isotonic regression may be told to refuse whatever it has not seen the like of.
        meta, arrays = answers(estimator, signature, probe_rows(estimator, plain, beyond=0.0))
    return len(plan).to_bytes(8, "little") + plan + frames.encode(meta, arrays)
