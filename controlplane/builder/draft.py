"""A fitted estimator, lowered, with probe rows and scikit-learn's answers to them.

What `verify.verify` reads. Runs in the locked child, and in the coverage table's trials.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from controlplane.builder.describe import Unusable
from controlplane.builder.lower.base import Unsupported
from controlplane.builder.lower.registry import new_draft
from controlplane.builder.probe import Columns, answers, ask, positive, probe_rows
from runtime import frames
from runtime.estimators import keeps_none
from runtime.plan import signature_of
from runtime.plan.graph import build
from runtime.plan.ops import InputRefused, Node
from runtime.plan.signature import Signature, from_json


def drafted(estimator: Any) -> bytes:
    """Lower and ask; raises Unsupported, or Unusable when it refuses ordinary rows.

    One run of bytes, so that the parent has one file to check: length of the plan, plan, probes.
    """
    draft = new_draft()
    draft.none = keeps_none(estimator)
    spec = draft.node(estimator)
    node = build(spec, draft.tensors)
    names = getattr(estimator, "feature_names_in_", None)
    signature = signature_of(node, None if names is None else [str(name) for name in names])
    names_of_tensors = list(draft.tensors)
    meta = {"graph": spec, "tensors": names_of_tensors, "signature": signature.to_json()}
    plan = frames.encode(meta, [draft.tensors[name] for name in names_of_tensors])
    plain = from_json(signature.to_json())

    def asked(**how: float) -> tuple[dict[str, Any], list[Any]]:
        probes = probe_rows(estimator, plain, **how)
        if signature.numeric:
            probes = [_answerable(estimator, node, signature, columns) for columns in probes]
        return answers(estimator, signature, probes)

    try:
        meta, arrays = asked()
    except Unusable:
        # Isotonic regression may be told to refuse whatever it has not seen the like of.
        meta, arrays = asked(beyond=0.0)
    return len(plan).to_bytes(8, "little") + plan + frames.encode(meta, arrays)


def _answerable(estimator: Any, node: Node, signature: Signature, columns: Columns) -> Columns:
    """Mend the rows that plan and model both refuse: made positive, and if that is not it, neutral.

    Counted categories, chi-squared kernels and neighbours within a radius have no answer to some
    rows of numbers, and one such row would have the model refuse its whole batch.
    """
    rows = np.column_stack(columns).astype(np.float64)
    mended: set[int] = set()
    for _ in range(2 * len(rows)):
        try:
            for output in signature.outputs:
                node.run(output.name, rows)
        except InputRefused as refused:
            row = refused.row
            if row is None:
                break
            _expect_refusal(estimator, signature, rows[row])
            neutral = np.array(node.example(), np.float64)
            rows[row] = neutral if row in mended else positive(rows[row])
            mended.add(row)
        else:
            break
    return list(rows.T.copy())


def _expect_refusal(estimator: Any, signature: Signature, row: NDArray[np.float64]) -> None:
    """Raise Unsupported if scikit-learn answers a row that the plan refuses."""
    try:
        ask(estimator, signature, [np.array([cell]) for cell in row])
    except (ValueError, IndexError):
        return
    raise Unsupported(type(estimator).__name__, "its plan refuses a row that scikit-learn answers")
